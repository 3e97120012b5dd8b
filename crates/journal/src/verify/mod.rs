//! Checks a whole log on all cores: frames, chains, times, tree and footers.
//!
//! One thread walks along the groups' headers and cuts the log into chunks; workers check and hash
//! the chunks; the calling thread takes the results in order and follows the chains.

mod chunk;
mod promises;
mod sequence;
mod walk;

use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::disk::{Disk, RealDisk};
use crate::error::{Error, disk_error, fault};
use crate::journal::LOG_DIRECTORY;
use crate::options::TornTail;
use crate::record::Position;
use crate::segments::format::segment_position;
use crate::signed::checkpoint::Checkpoint;
use crate::signed::checkpoints::Promised;

use chunk::Checked;
use promises::Promises;
use sequence::Sequence;
use walk::{Step, Walked};

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyProgress {
    /// Records checked.
    pub records: u64,
    /// Bytes of the log checked.
    pub bytes: u64,
    /// Bytes of all segment files, with what is preallocated.
    pub total_bytes: u64,
}

/// What a verification found that has no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Which log it is.
    pub log: uuid::Uuid,
    /// How many records it has, all of them checked; also the last position.
    pub records: u64,
    /// How many streams they are in.
    pub streams: u64,
    /// How many segment files.
    pub segments: u64,
    /// Segments that have a footer; the last one has none while it is written.
    pub sealed: u64,
    /// The root of the Merkle tree over all records.
    pub root: [u8; 32],
    /// The length of the records alone in bytes.
    pub record_bytes: u64,
    /// The length of everything but what is preallocated, in bytes.
    pub log_bytes: u64,
    /// A last group that is not whole: a writer is at it now, or was stopped at it. It was not
    /// acknowledged, unless someone has seen a later position: see [`verify_at_least`].
    pub unfinished: Option<TornTail>,
    /// Segments whose footer is damaged, was cut off, or is being written now: it follows from the
    /// records and is made again at the next open. Nothing that was acknowledged is in it.
    pub unsound_footers: Vec<String>,
    /// Checkpoints whose root is that of the records. Signatures are not looked at here.
    pub checkpoints: u64,
    /// The size of the largest of them.
    pub signed_up_to: u64,
    /// Of these, how many had their heads of streams made again too: the newest, and older ones
    /// as long as they are cheap.
    pub heads: u64,
}

/// What others have seen of a log, and it must still have.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The last position that anyone has seen: the index, the stream, another node.
    pub position: Position,
    /// Checkpoints from elsewhere, each with the name to give in a fault. Those that are kept
    /// beside the log are compared in any case.
    pub checkpoints: Vec<(String, Checkpoint)>,
}

/// Checks the whole log in a data directory, whether a writer is at work there or not.
///
/// Every group, frame, checksum and record head, the chain of every stream, the order of times,
/// the tree, the footers, and the checkpoints that are kept beside the log: their roots, and the
/// heads of the streams. The first fault is an [`Error::Corrupt`] that names file, byte, position
/// and stream. A log that was cut off at the end of a group looks whole: [`verify_against`]
/// notices.
pub fn verify(
    directory: &Path,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, Error> {
    verify_against(directory, Seen::default(), progress)
}

/// The same, and a log that ends before `at_least` is an [`Error::LogLostRecords`], or an
/// [`Error::Corrupt`] where something stands behind its end that is not whole.
pub fn verify_at_least(
    directory: &Path,
    at_least: Position,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, Error> {
    let seen = Seen { position: at_least, ..Seen::default() };
    verify_against(directory, seen, progress)
}

/// The same, and a log that ends before, or contradicts, what was seen elsewhere is a fault.
pub fn verify_against(
    directory: &Path,
    mut seen: Seen,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, Error> {
    let promised = Promised::whole(directory)?.checkpoints;
    seen.checkpoints.extend(promised.into_iter().map(|(stored, said)| (stored.file, said)));
    run(&RealDisk::new(directory.join(LOG_DIRECTORY)), seen, progress)
}

/// The same for a log on any disk, without the checkpoints beside it.
pub fn verify_on(
    disk: &dyn Disk,
    at_least: Position,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, Error> {
    run(disk, Seen { position: at_least, ..Seen::default() }, progress)
}

fn run(
    disk: &dyn Disk,
    seen: Seen,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, Error> {
    let segments = open_segments(disk)?;
    let promises = Promises::new(seen.checkpoints);
    let at_least = seen.position.max(promises.up_to());
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let report = thread::scope(|scope| {
        // The bounds keep what is in flight to a few chunks for every worker.
        let (steps, inbox) = mpsc::sync_channel::<(u64, Step)>(workers);
        let (done, results) = mpsc::sync_channel(workers * 2);
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..workers {
            let (inbox, done, segments) = (Arc::clone(&inbox), done.clone(), &segments);
            scope.spawn(move || work(&inbox, segments, &done));
        }
        drop((inbox, done));
        let walked = &segments;
        scope.spawn(move || walk::walk(walked, &steps));
        let sequence = Sequence::new(&segments, promises);
        let finished = take_in_order(&results, sequence, progress);
        // Lets the workers and the walker end when a fault was found before the end.
        drop(results);
        finished
    })?;
    if Position(report.records) < at_least {
        if let Some(torn) = &report.unfinished {
            let what = format!(
                "the last write is not whole, but position {at_least} was acknowledged: it had been durable"
            );
            return Err(fault(&torn.file, torn.offset, torn.position.0, &what));
        }
        return Err(Error::LogLostRecords { log: Position(report.records), index: at_least });
    }
    Ok(report)
}

fn open_segments(disk: &dyn Disk) -> Result<Vec<Walked>, Error> {
    let names = disk.list().map_err(disk_error("log", "listing"))?;
    let mut segments = Vec::new();
    for name in names {
        if let Some(first) = segment_position(&name) {
            let file = disk.open(&name, false).map_err(disk_error(&name, "opening"))?;
            let length = file.length().map_err(disk_error(&name, "measuring"))?;
            segments.push(Walked { name, first, file, length });
        }
    }
    segments.sort_unstable_by_key(|segment| segment.first);
    if segments.is_empty() {
        return Err(Error::Request("there is no log here".to_owned()));
    }
    Ok(segments)
}

enum Outcome {
    Checked(Checked),
    Step(Step),
}

fn work(
    inbox: &Mutex<Receiver<(u64, Step)>>,
    segments: &[Walked],
    done: &SyncSender<(u64, Outcome)>,
) {
    let mut room = Vec::new();
    loop {
        let received = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, step)) = received else { return };
        let outcome = match step {
            Step::Chunk(chunk) => Outcome::Checked(chunk::check(segments, &chunk, &mut room)),
            other @ (Step::End { .. } | Step::Failed(_)) => Outcome::Step(other),
        };
        if done.send((number, outcome)).is_err() {
            // The sequence found a fault and listens no more.
            return;
        }
    }
}

fn take_in_order(
    results: &Receiver<(u64, Outcome)>,
    mut sequence: Sequence<'_>,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, Error> {
    sequence.keep_promises()?;
    let mut early = std::collections::BTreeMap::new();
    let mut next = 0;
    while let Ok((number, outcome)) = results.recv() {
        early.insert(number, outcome);
        while let Some(outcome) = early.remove(&next) {
            next += 1;
            match outcome {
                Outcome::Checked(checked) => sequence.take_in(checked)?,
                Outcome::Step(Step::End { segment, end }) => sequence.end_segment(segment, &end)?,
                Outcome::Step(Step::Failed(error)) => return Err(error),
                Outcome::Step(Step::Chunk(_)) => {}
            }
            progress(sequence.progress());
        }
    }
    sequence.finish()
}
