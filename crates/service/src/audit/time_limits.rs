//! The time limits of one case or of the whole log, computed again.

use std::path::Path;

use case::time_limits::{ClockShelf, TimeLimit, again};
use case::{Case, CaseId};
use jiff::Timestamp;
use journal::{Record, StreamId};

use super::walk::{Walk, walk};
use super::{AuditError, next, of_a_case};

/// One time limit of one case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TimeLimitEntry {
    /// The case.
    pub case: CaseId,
    /// When it was recorded.
    pub time: Timestamp,
    /// The time limit.
    #[serde(flatten)]
    pub limit: TimeLimit,
}

/// Computes every time limit of the log in a data directory again, in the order of positions.
pub fn time_limits_of_all(
    directory: &Path,
    records: u64,
    known: ClockShelf<'_>,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<TimeLimitEntry>, AuditError> {
    let mut entries = walk(directory, records, &Computing { known }, progress)?;
    entries.sort_unstable_by_key(|entry| entry.limit.position);
    Ok(entries)
}

/// Computes the time limits of one case again from its records, which must begin with the first.
pub fn time_limits_of_case(
    records: &[Record],
    known: ClockShelf<'_>,
) -> Result<Vec<TimeLimitEntry>, AuditError> {
    of_a_case(records)?;
    let (mut case, mut entries) = (Case::default(), Vec::new());
    for record in records {
        Computing { known }.take(&mut case, record, &mut entries)?;
    }
    Ok(entries)
}

struct Computing<'a> {
    known: ClockShelf<'a>,
}

impl Walk for Computing<'_> {
    type State = Case;
    type Found = TimeLimitEntry;

    fn take(
        &self,
        case: &mut Case,
        record: &Record,
        entries: &mut Vec<TimeLimitEntry>,
    ) -> Result<(), AuditError> {
        let StreamId(id) = record.stream;
        let read = next(record, case.version)?;
        if let Some(limit) = again(case, &read, self.known) {
            entries.push(TimeLimitEntry { case: CaseId(id), time: record.time, limit });
        }
        case.evolve(&read);
        case.answers.clear();
        Ok(())
    }

    fn end(&self, _: CaseId, _: Case, _: &mut Vec<TimeLimitEntry>) {}
}
