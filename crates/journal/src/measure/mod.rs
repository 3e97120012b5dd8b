//! Measurements of the journal, each with the limit of the same machine in the same run.

mod append;
mod burst;
mod contended;
mod growth;
mod load;
mod read;
mod watched;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, disk_error};
use crate::record::LeafHash;

use load::RECORD_BYTES;

pub use append::append;
pub use burst::{index_burst, sustained};
pub use contended::append_contended;
pub use growth::growth;
pub use load::fill;
pub use read::{index, open, rebuild, verify};

/// How many times a measure and its limit take turns: a noisy machine then disturbs both.
const TURNS: u64 = 5;

/// One figure, as `tebessa bench journal --json` prints it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Figure {
    /// What was measured: `append`, `append_contended`, `verify`, `rebuild`, `open`, `index`,
    /// `index_burst`, `sustained`, `growth`.
    pub bench: String,
    /// Records per durable flush, callers at once, or records per stream, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u64>,
    /// How many threads read at once, where it is not one for each core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// How many records the log had, or were appended.
    pub records: u64,
    /// Records a second.
    pub records_per_s: f64,
    /// Streams a second, where streams are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streams_per_s: Option<f64>,
    /// The same bytes, done as barely as the machine allows, in records a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_records_per_s: Option<f64>,
    /// `records_per_s` of `limit_records_per_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// What one core does that only hashes such records: every record is hashed once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash_limit_records_per_s: Option<f64>,
    /// Microseconds an append, where its cost is shown by the size of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub us_per_append: Option<f64>,
    /// Half of the waits took no longer, from handing over to durable, in microseconds. Of groups, one
    /// at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<f64>,
    /// The same of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_p50_us: Option<f64>,
    /// The 99th of 100 waits, from handing over to durable, in microseconds. Of groups, one at a
    /// time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<f64>,
    /// The same of groups with others on their way before them, as when `records_per_s` is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded_p99_us: Option<f64>,
    /// The same of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_p99_us: Option<f64>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
    /// Bytes of the log on the disk for each byte of the records, with what is preallocated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_overhead: Option<f64>,
    /// Bytes of the index on the disk for each record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_bytes_per_record: Option<f64>,
    /// The memory that the program holds, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
    /// The most memory that the program has held, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_resident_bytes: Option<u64>,
}

impl Figure {
    fn new(bench: &str, records: u64, took: Duration) -> Figure {
        Figure {
            bench: bench.to_owned(),
            group: None,
            threads: None,
            records,
            records_per_s: per_second(records, took),
            streams_per_s: None,
            limit_records_per_s: None,
            ratio: None,
            hash_limit_records_per_s: None,
            us_per_append: None,
            p50_us: None,
            limit_p50_us: None,
            p99_us: None,
            loaded_p99_us: None,
            limit_p99_us: None,
            seconds: took.as_secs_f64(),
            log_overhead: None,
            index_bytes_per_record: None,
            resident_bytes: None,
            peak_resident_bytes: None,
        }
    }

    /// Notes the memory that this program holds now, and has held at most.
    fn with_memory(mut self) -> Figure {
        self.resident_bytes = memory_bytes("VmRSS:");
        self.peak_resident_bytes = memory_bytes("VmHWM:");
        self
    }

    fn with_limit(mut self, limit_records_per_s: f64) -> Figure {
        self.limit_records_per_s = Some(limit_records_per_s);
        self.ratio = Some(self.records_per_s / limit_records_per_s);
        self
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures are for people; 52 bits are enough")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// How many records a second one core hashes when it does nothing else.
fn hashes_per_s() -> f64 {
    const HASHES: u64 = 200_000;
    let bytes = vec![b'x'; RECORD_BYTES];
    let begin = Instant::now();
    for _ in 0..HASHES {
        std::hint::black_box(LeafHash::of(&bytes));
    }
    per_second(HASHES, begin.elapsed())
}

/// The 99th of 100 of some waits, in microseconds.
fn p99_us(waits: &mut [Duration]) -> Option<f64> {
    percentile_us(waits, 99)
}

/// The wait that so many of 100 do not exceed, in microseconds.
fn percentile_us(waits: &mut [Duration], percent: usize) -> Option<f64> {
    waits.sort_unstable();
    waits.get(waits.len() * percent / 100).map(|wait| wait.as_secs_f64() * 1e6)
}

/// A line of what the system says about this program's memory, in bytes.
fn memory_bytes(line: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|found| found.strip_prefix(line))?;
    let kib: u64 = value.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Whether a directory is in memory, where making something durable costs nothing and means
/// nothing.
pub fn is_in_memory(directory: &Path) -> Result<bool, Error> {
    const TMPFS: u64 = 0x0102_1994;
    let found = rustix::fs::statfs(directory)
        .map_err(|error| disk_error(directory.display(), "looking at")(error.into()))?;
    Ok(u64::try_from(found.f_type) == Ok(TMPFS))
}
