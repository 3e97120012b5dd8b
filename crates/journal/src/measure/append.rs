//! How fast records become durable, beside a bare loop of write and fdatasync.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::load::{Loader, RECORD_BYTES, stream};
use super::watched::Watched;
use super::{Figure, TURNS, hashes_per_s, p99_us, per_second, percentile_us};
use crate::append::answers::PendingAll;
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::error::{Error, disk_error};
use crate::journal::Journal;
use crate::options::Options;
use crate::record::Expected;
use crate::segments::format::{FRAME_HEADER_BYTES, GROUP_HEADER_BYTES};

/// The streams that the records go to.
const STREAMS: u64 = 10_000;
/// How many groups are on their way when it is measured how many records a second become durable: so
/// many that none of the writer's threads lacks one.
const ON_THE_WAY: usize = 8;
/// How long nothing is done before waits are measured.
const PAUSE: Duration = Duration::from_millis(100);
/// One round in so many is for the waits.
const WAITS_OF: u64 = 4;

/// Appends `records` records with `group` of them per durable flush, in a fresh directory.
///
/// The log alone: what the index costs is measured by [`super::index_burst`]. The limit is a bare
/// loop over a preallocated file that writes the same number of bytes a flush. How long a group
/// takes is measured with nothing else on its way, as in the loop, and a second time with as much
/// on its way as above. Either's waits are of as many groups, behind as long a pause: what stood idle
/// takes longer for the first of them.
pub fn append(directory: &Path, group: u64, records: u64) -> Result<Figure, Error> {
    let group_records = usize::try_from(group).unwrap_or(usize::MAX);
    let options = Options { group_records, ..Options::default() };
    let disk = Watched::new(directory);
    let (journal, _) = Journal::open_on(Arc::clone(&disk) as Arc<dyn Disk>, options)?;
    let rounds = (records / group / TURNS).max(1);
    let mut groups = Groups { journal, loader: Loader::new()?, group, next: 0 };
    let waited = rounds.div_ceil(WAITS_OF);
    let mut limit = Limit::new(directory, group, rounds + waited)?;
    let (mut took, mut bare) = (Duration::ZERO, Duration::ZERO);
    let (mut loaded_waits, mut waits, mut bare_waits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        took += groups.append(rounds, ON_THE_WAY, &mut loaded_waits)?;
        disk.wait_until_quiet();
        thread::sleep(PAUSE);
        groups.append(waited, 1, &mut waits)?;
        disk.wait_until_quiet();
        thread::sleep(PAUSE);
        limit.run(waited, &mut bare_waits)?;
        bare += limit.run(rounds, &mut Vec::new())?;
    }
    groups.journal.close()?;
    let total = rounds * group * TURNS;
    let mut figure = Figure::new("append", total, took).with_limit(per_second(total, bare));
    figure.group = Some(group);
    figure.hash_limit_records_per_s = Some(hashes_per_s());
    figure.p50_us = percentile_us(&mut waits, 50);
    figure.limit_p50_us = percentile_us(&mut bare_waits, 50);
    figure.p99_us = p99_us(&mut waits);
    figure.loaded_p99_us = p99_us(&mut loaded_waits);
    figure.limit_p99_us = p99_us(&mut bare_waits);
    Ok(figure)
}

/// Groups of records for one journal.
struct Groups {
    journal: Journal,
    loader: Loader,
    group: u64,
    /// The number of the next record.
    next: u64,
}

impl Groups {
    /// Appends so many groups, with `depth` of them on their way at any time; notes how long each
    /// took, and returns how long all took.
    fn append(
        &mut self,
        rounds: u64,
        depth: usize,
        waits: &mut Vec<Duration>,
    ) -> Result<Duration, Error> {
        let begin = Instant::now();
        let mut on_the_way = VecDeque::new();
        for _ in 0..rounds {
            let numbers = self.next..self.next + self.group;
            self.next = numbers.end;
            let drafts =
                numbers.map(|number| (self.loader.draft(stream(number % STREAMS)), Expected::Any));
            on_the_way.push_back((Instant::now(), self.journal.append_all(drafts)));
            if on_the_way.len() >= depth {
                finish(&mut on_the_way, waits)?;
            }
        }
        while !on_the_way.is_empty() {
            finish(&mut on_the_way, waits)?;
        }
        Ok(begin.elapsed())
    }
}

fn finish(
    on_the_way: &mut VecDeque<(Instant, PendingAll)>,
    waits: &mut Vec<Duration>,
) -> Result<(), Error> {
    if let Some((begin, pending)) = on_the_way.pop_front() {
        for outcome in pending.wait() {
            outcome?;
        }
        waits.push(begin.elapsed());
    }
    Ok(())
}

/// The bare loop.
pub(super) struct Limit {
    file: Arc<dyn DiskFile>,
    bytes: Vec<u8>,
    at: u64,
}

impl Limit {
    /// Preallocates for all turns of `rounds` flushes with `group` records each.
    pub(super) fn new(directory: &Path, group: u64, rounds: u64) -> Result<Limit, Error> {
        let wrong = |source| disk_error("limit", "preallocating")(source);
        let disk = RealDisk::new(directory.to_owned());
        let length = GROUP_HEADER_BYTES as u64 + group * (RECORD_BYTES + FRAME_HEADER_BYTES) as u64;
        let whole = usize::try_from(length).map_err(|error| wrong(std::io::Error::other(error)))?;
        let file = disk.create("limit").map_err(wrong)?;
        let zeros = vec![0; 1 << 20];
        let end = length * rounds * TURNS;
        let mut at = 0;
        while at < end {
            file.write_at(at, &zeros).map_err(wrong)?;
            at += zeros.len() as u64;
        }
        file.sync().map_err(wrong)?;
        // Removed already, so that nothing is left whatever happens; the file is still open.
        disk.remove("limit").map_err(wrong)?;
        Ok(Limit { file, bytes: vec![b'x'; whole], at: 0 })
    }

    pub(super) fn run(
        &mut self,
        rounds: u64,
        waits: &mut Vec<Duration>,
    ) -> Result<Duration, Error> {
        let wrong = |source| disk_error("limit", "writing")(source);
        let begin = Instant::now();
        for _ in 0..rounds {
            let flush = Instant::now();
            self.file.write_at(self.at, &self.bytes).map_err(wrong)?;
            self.file.sync().map_err(wrong)?;
            self.at += self.bytes.len() as u64;
            waits.push(flush.elapsed());
        }
        Ok(begin.elapsed())
    }
}
