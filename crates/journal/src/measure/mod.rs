//! Measurements of the journal, each with the limit of the same machine in the same run.

mod append;
mod load;
mod read;

use std::time::Duration;

pub use append::{append, append_contended};
pub use load::fill;
pub use read::{index, open, rebuild, verify};

/// One figure, as `tebessa bench journal --json` prints it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Figure {
    /// What was measured: `append`, `append_contended`, `verify`, `rebuild`, `open`, `index`.
    pub bench: &'static str,
    /// Records per durable flush, callers at once, or records per stream, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u64>,
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
    /// The 99th of 100 waits, from handing over to durable, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<f64>,
    /// The same of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_p99_us: Option<f64>,
    /// How long all of it took, in seconds.
    pub seconds: f64,
    /// Bytes of the log on the disk for each byte of the records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_overhead: Option<f64>,
    /// Bytes of the index on the disk for each record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_bytes_per_record: Option<f64>,
    /// The memory that the program holds, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
}

impl Figure {
    fn new(bench: &'static str, records: u64, took: Duration) -> Figure {
        Figure {
            bench,
            group: None,
            records,
            records_per_s: per_second(records, took),
            streams_per_s: None,
            limit_records_per_s: None,
            ratio: None,
            p99_us: None,
            limit_p99_us: None,
            seconds: took.as_secs_f64(),
            log_overhead: None,
            index_bytes_per_record: None,
            resident_bytes: None,
        }
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

/// The 99th of 100 of some waits, in microseconds.
fn p99_us(waits: &mut [Duration]) -> Option<f64> {
    waits.sort_unstable();
    waits.get(waits.len() * 99 / 100).map(|wait| wait.as_secs_f64() * 1e6)
}

/// The memory that this program holds, in bytes, as the system says.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
