//! The audit: what the record says, derived again, questioned, and handed over.
//!
//! In scope: reading the log without a lock and giving the pure rules of `case` what they need. Out
//! of scope: whether the log itself is whole, which `journal` verifies.

pub mod dossier;
mod page;
mod point;
mod replay;
mod supposable;
mod time_limits;
mod walk;
mod what_if;

pub use self::page::{Words, card_page};
pub use self::point::{BadPoint, Known, Point, difference_between, picture_at, time_or_day};
pub use self::replay::{Entry, replay_all, replay_case};
pub use self::supposable::{NotSupposable, check_leaf, check_outcome, check_profile};
pub use self::time_limits::{TimeLimitEntry, time_limits_of_all, time_limits_of_case};
pub use self::walk::{Walk, walk};
pub use self::what_if::{Cause, Inputs, Question, WhatIf, WhatIfEntry, what_if};

use case::CaseId;

/// Why an audit could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The log could not be read; see its own error.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A record cannot be read or does not follow. Verify the log.
    #[error("position {position}, case {case}: {what}; `tebessa audit verify` checks the log")]
    Record {
        /// Its position.
        position: u64,
        /// Its case.
        case: CaseId,
        /// What is wrong.
        what: String,
    },
    /// There is no such case.
    #[error("there is no case {0}")]
    UnknownCase(CaseId),
    /// It is no case.
    #[error("{0} is the authority's register: tebessa register show")]
    IsRegister(CaseId),
    /// The case has fewer events.
    #[error("case {case} has {last} events; there is no version {version}")]
    Beyond {
        /// The case.
        case: CaseId,
        /// The version that was asked for.
        version: case::Version,
        /// Its last one.
        last: case::Version,
    },
    /// The log is shorter.
    #[error("the log ends at position {last}; there is no position {position}")]
    BeyondLog {
        /// The position that was asked for.
        position: u64,
        /// Its last one.
        last: u64,
    },
    /// Nothing of the case was recorded yet.
    #[error("at {point} nothing of case {case} was recorded")]
    NotYet {
        /// The case.
        case: CaseId,
        /// The point that was asked for.
        point: Point,
    },
}

/// Refuses the register, of which nothing is derived: silence would look like an answer. What cannot be read
/// is told by whoever reads on.
pub(crate) fn of_a_case(records: &[journal::Record]) -> Result<(), AuditError> {
    let Some(first) = records.first() else { return Ok(()) };
    let read = case::Recorded::decode(&first.bytes, first.position.0);
    if read.is_ok_and(|read| matches!(read.event, case::Event::Register(_))) {
        return Err(AuditError::IsRegister(CaseId(first.stream.0)));
    }
    Ok(())
}

/// Reads a record that must be the next of its case.
pub(crate) fn next(
    record: &journal::Record,
    after: case::Version,
) -> Result<case::Recorded, AuditError> {
    let wrong = |what: String| AuditError::Record {
        position: record.position.0,
        case: CaseId(record.stream.0),
        what,
    };
    let read = case::Recorded::decode(&record.bytes, record.position.0)
        .map_err(|error| wrong(error.to_string()))?;
    if read.envelope.version.0 != after.0 + 1 {
        return Err(wrong(format!("version {} follows version {after}", read.envelope.version)));
    }
    Ok(read)
}
