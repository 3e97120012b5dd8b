//! Replay of one case or of the whole log.

use std::path::Path;

use case::CaseId;
use case::replay::{Replay, Shelf, Step};
use jiff::Timestamp;
use journal::{Record, StreamId};

use super::walk::{Walk, walk};
use super::{AuditError, next, of_a_case};

/// One step of one case and what its replay gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Entry {
    /// The case.
    pub case: CaseId,
    /// When it was recorded.
    pub time: Timestamp,
    /// The step.
    #[serde(flatten)]
    pub step: Step,
}

/// Replays every case of the log in a data directory. The entries come in the order of positions.
pub fn replay_all(
    directory: &Path,
    records: u64,
    known: Shelf<'_>,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<Entry>, AuditError> {
    let mut entries = walk(directory, records, &Replaying { known }, progress)?;
    entries.sort_unstable_by_key(|entry| entry.step.position);
    Ok(entries)
}

/// Replays one case from its records, which must begin with the first.
pub fn replay_case(records: &[Record], known: Shelf<'_>) -> Result<Vec<Entry>, AuditError> {
    of_a_case(records)?;
    let (mut replay, mut entries) = (Replay::default(), Vec::new());
    for record in records {
        take(&mut replay, record, known, &mut entries)?;
    }
    Ok(entries)
}

struct Replaying<'a> {
    known: Shelf<'a>,
}

impl Walk for Replaying<'_> {
    type State = Replay;
    type Found = Entry;

    fn take(
        &self,
        replay: &mut Replay,
        record: &Record,
        entries: &mut Vec<Entry>,
    ) -> Result<(), AuditError> {
        take(replay, record, self.known, entries)
    }

    fn end(&self, _: CaseId, _: Replay, _: &mut Vec<Entry>) {}
}

fn take(
    replay: &mut Replay,
    record: &Record,
    known: Shelf<'_>,
    entries: &mut Vec<Entry>,
) -> Result<(), AuditError> {
    let StreamId(case) = record.stream;
    let read = next(record, replay.case.version)?;
    if let Some(step) = replay.take(&read, known) {
        entries.push(Entry { case: CaseId(case), time: record.time, step });
    }
    Ok(())
}
