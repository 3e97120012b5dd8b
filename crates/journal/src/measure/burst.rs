//! What the index costs the appends that go on meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::load::{Appends, Tally};
use super::read::wait_for_index;
use super::{Figure, TURNS, per_second};
use crate::disk::RealDisk;
use crate::error::{Error, disk_error};
use crate::journal::Journal;
use crate::options::Options;

/// The streams that the records are scattered over.
const STREAMS: u64 = 50_000;

/// Appends bursts of `records` records to a journal with an index; the limit is the same journal
/// without one. They take turns, each time in a fresh directory.
pub fn index_burst(directory: &Path, records: u64) -> Result<Figure, Error> {
    let (mut took, mut bare) = (Duration::ZERO, Duration::ZERO);
    for turn in 0..TURNS {
        // Who begins has the quieter disk: each does so in turn.
        for indexed in [turn % 2 == 0, turn % 2 != 0] {
            let kind = if indexed { "indexed" } else { "bare" };
            let place = directory.join(format!("{kind}-{turn}"));
            RealDisk::make(&place).map_err(disk_error(place.display(), "making"))?;
            let options = Options::default();
            let journal = if indexed {
                Journal::open(&place, options, Arc::new(Tally), &mut |_| {})?.0
            } else {
                Journal::open_on(Arc::new(RealDisk::new(place.clone())), options)?.0
            };
            let begin = Instant::now();
            Appends::new(0, STREAMS)?.run(&journal, records, &mut |_| {})?;
            let elapsed = begin.elapsed();
            if indexed {
                took += elapsed;
            } else {
                bare += elapsed;
            }
            journal.close()?;
            std::fs::remove_dir_all(&place).map_err(disk_error(place.display(), "removing"))?;
        }
    }
    let total = records * TURNS;
    let figure = Figure::new("index_burst", total, took).with_limit(per_second(total, bare));
    Ok(figure.with_memory())
}

/// Appends `records` records, and stops the watch only when the index has them all.
pub fn sustained(
    directory: &Path,
    records: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<Figure, Error> {
    let options = Options::default();
    let (journal, _) = Journal::open(directory, options, Arc::new(Tally), &mut |_| {})?;
    let begin = Instant::now();
    Appends::new(0, STREAMS)?.run(&journal, records, progress)?;
    wait_for_index(&journal)?;
    let figure = Figure::new("sustained", records, begin.elapsed()).with_memory();
    journal.close()?;
    Ok(figure)
}
