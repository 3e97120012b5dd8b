//! How fast a log is opened, verified, read by stream, and indexed anew.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::load::{RECORD_BYTES, Tally, stream};
use super::{Figure, hashes_per_s, per_second};
use crate::error::{Error, disk_error};
use crate::journal::Journal;
use crate::options::Options;
use crate::record::Position;

fn open_journal(directory: &Path) -> Result<Journal, Error> {
    let options = Options::default();
    Journal::open(directory, options, Arc::new(Tally), &mut |_| {}).map(|opened| opened.0)
}

/// Opens a filled log with a clean index.
pub fn open(directory: &Path) -> Result<Figure, Error> {
    let begin = Instant::now();
    let journal = open_journal(directory)?;
    let took = begin.elapsed();
    let records = journal.durable_position().0;
    let mut figure = Figure::new("open", records, took).with_memory();
    journal.close()?;
    let log = directory_bytes(&directory.join("log"))?;
    figure.log_overhead = Some(ratio(log, records * RECORD_BYTES as u64));
    figure.index_bytes_per_record =
        Some(ratio(directory_bytes(&directory.join("index"))?, records));
    Ok(figure)
}

/// Verifies a filled log on all cores; the limit is one core that does nothing but hash as much.
pub fn verify(directory: &Path) -> Result<Figure, Error> {
    let begin = Instant::now();
    let report = crate::verify::verify(directory, &mut |_| {})?;
    let took = begin.elapsed();
    Ok(Figure::new("verify", report.records, took).with_limit(hashes_per_s()))
}

/// Reads whole streams of a log filled with `streams` of them, on `threads` threads.
pub fn rebuild(directory: &Path, streams: u64, threads: u64) -> Result<Figure, Error> {
    let journal = open_journal(directory)?;
    let sample = streams.min(50_000);
    let step = usize::try_from(threads).unwrap_or(usize::MAX);
    let begin = Instant::now();
    let records = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..threads)
            .map(|thread| {
                let journal = &journal;
                scope.spawn(move || {
                    let mut records = 0;
                    for number in (thread..sample).step_by(step) {
                        let stream = stream(number.wrapping_mul(104_729) % streams);
                        records += journal.read_stream(stream, None)?.len() as u64;
                    }
                    Ok(records)
                })
            })
            .collect();
        let mut records = 0;
        for reader in readers {
            records += reader.join().unwrap_or(Err(Error::Closed))?;
        }
        Ok::<u64, Error>(records)
    })?;
    let took = begin.elapsed();
    let mut figure = Figure::new("rebuild", records, took).with_memory();
    figure.group = Some(records / sample.max(1));
    figure.streams_per_s = Some(per_second(sample, took));
    figure.threads = Some(threads);
    journal.close()?;
    Ok(figure)
}

/// Builds the index of a log anew.
pub fn index(directory: &Path) -> Result<Figure, Error> {
    let index = directory.join("index");
    if index.exists() {
        fs::remove_dir_all(&index).map_err(disk_error(index.display(), "removing"))?;
    }
    let options = Options { wait_for_index: false, ..Options::default() };
    let (journal, report) = Journal::open(directory, options, Arc::new(Tally), &mut |_| {})?;
    let begin = Instant::now();
    wait_for_index(&journal)?;
    let took = begin.elapsed();
    let mut figure = Figure::new("index", report.last.0, took).with_memory();
    journal.close()?;
    let Position(records) = report.last;
    figure.index_bytes_per_record = Some(ratio(directory_bytes(&index)?, records));
    Ok(figure)
}

/// Waits until the index has all that is durable.
pub(super) fn wait_for_index(journal: &Journal) -> Result<(), Error> {
    let mut applied = journal.index_caught_up();
    let last = journal.durable_position();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(disk_error("the runtime", "starting"))?;
    let reached = runtime.block_on(applied.wait_for(|applied| *applied >= last)).is_ok();
    if reached { Ok(()) } else { Err(Error::Index("its worker has ended".to_owned())) }
}

fn directory_bytes(directory: &Path) -> Result<u64, Error> {
    let wrong = |source| disk_error(directory.display(), "measuring")(source);
    let mut bytes = 0;
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let kind = entry.file_type().map_err(wrong)?;
        if kind.is_dir() {
            bytes += directory_bytes(&entry.path())?;
        } else {
            bytes += entry.metadata().map_err(wrong)?.len();
        }
    }
    Ok(bytes)
}

#[expect(clippy::cast_precision_loss, reason = "figures are for people; 52 bits are enough")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
