//! How fast records become durable, beside a bare loop of write and fdatasync.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::load::{Loader, RECORD_BYTES, stream};
use super::{Figure, TURNS, p99_us, per_second};
use crate::answers::PendingAll;
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::draft::NoProjection;
use crate::error::{Error, disk_error};
use crate::format::{FRAME_HEADER_BYTES, GROUP_HEADER_BYTES};
use crate::journal::Journal;
use crate::options::Options;
use crate::record::Expected;

/// Appends `records` records with `group` of them per durable flush, in a fresh directory.
///
/// Two groups are on their way at any time, so that one is made while the other is written; the
/// limit is a bare loop over a preallocated file that writes the same number of bytes a flush.
pub fn append(directory: &Path, group: u64, records: u64) -> Result<Figure, Error> {
    let group_records = usize::try_from(group).unwrap_or(usize::MAX);
    let options = Options { group_records, ..Options::default() };
    let (journal, _) = Journal::open(directory, options, Arc::new(NoProjection), &mut |_| {})?;
    let loader = Loader::new();
    let rounds = (records / group / TURNS).max(1);
    let mut limit = Limit::new(directory, group, rounds)?;
    let (mut took, mut waits, mut bare, mut bare_waits) =
        (Duration::ZERO, Vec::new(), Duration::ZERO, Vec::new());
    for turn in 0..TURNS {
        let begin = Instant::now();
        let mut on_the_way: VecDeque<(Instant, PendingAll)> = VecDeque::new();
        let depth = if group == 1 { 1 } else { 2 };
        for round in 0..rounds {
            let first = (turn * rounds + round) * group;
            let drafts = (first..first + group)
                .map(|number| (loader.draft(stream(number % 10_000)), Expected::Any));
            on_the_way.push_back((Instant::now(), journal.append_all(drafts)));
            if on_the_way.len() >= depth {
                finish(&mut on_the_way, &mut waits)?;
            }
        }
        while !on_the_way.is_empty() {
            finish(&mut on_the_way, &mut waits)?;
        }
        took += begin.elapsed();
        bare += limit.run(rounds, &mut bare_waits)?;
    }
    journal.close()?;
    let total = rounds * group * TURNS;
    let mut figure = Figure::new("append", total, took).with_limit(per_second(total, bare));
    figure.group = Some(group);
    figure.p99_us = p99_us(&mut waits);
    figure.limit_p99_us = p99_us(&mut bare_waits);
    Ok(figure)
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
        Ok(Limit { file, bytes: vec![b'x'; length as usize], at: 0 })
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
