//! What is derived again from the record of one case or of all: read, and counted.

use std::collections::BTreeSet;
use std::path::Path;

use case::CaseId;
use journal::{Reader, Record, StreamId};
use service::audit::AuditError;

use crate::output::{ASIDE, BAD, Bar, CliError, GOOD, Screen, count};

/// How one came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// As it was recorded.
    Reproduced,
    /// Otherwise.
    Diverged,
    /// Not at all: what it was derived by is not here.
    NotDerived,
}

/// How many came out how.
#[derive(Debug, serde::Serialize)]
pub(super) struct Tally {
    /// Whether all came out as recorded.
    pub(super) ok: bool,
    /// The records that were read.
    records: u64,
    /// The cases with one.
    cases: u64,
    reproduced: u64,
    diverged: u64,
    not_derived: u64,
}

impl Tally {
    pub(super) fn of(records: u64, each: impl Iterator<Item = (CaseId, Came)>) -> Self {
        let mut cases = BTreeSet::new();
        let (mut reproduced, mut diverged, mut not_derived) = (0, 0, 0);
        for (case, came) in each {
            cases.insert(case);
            match came {
                Came::Reproduced => reproduced += 1,
                Came::Diverged => diverged += 1,
                Came::NotDerived => not_derived += 1,
            }
        }
        let ok = diverged + not_derived == 0;
        Self { ok, records, cases: cases.len() as u64, reproduced, diverged, not_derived }
    }

    /// The last lines: how many of them all, of how many records, and what else is to be said.
    pub(super) fn show(
        &self,
        (one, many): (&str, &str),
        aside: &str,
        screen: &mut Screen,
    ) -> Result<(), CliError> {
        let all = self.reproduced + self.diverged + self.not_derived;
        let read = count(self.records, "record", "records");
        let read = format!("{ASIDE}{read} read{aside}{ASIDE:#}");
        if all == 0 {
            // That all of nothing came out right is no answer.
            screen.line(&format!("there is no {one} to derive again"))?;
            screen.line(&read)?;
            return screen.flush();
        }
        let lead = if self.ok { GOOD } else { BAD };
        let word = if self.ok { "all reproduced" } else { "not all reproduced" };
        screen.line(&format!(
            "{lead}{word}{lead:#}  {} of {} in {}",
            count(self.reproduced, one, many),
            all,
            count(self.cases, "case", "cases"),
        ))?;
        screen.line(&read)?;
        screen.flush()
    }
}

/// Derives from the records of one case, or of all with a bar; gives how many were read, and what was
/// found.
pub(super) fn read<E>(
    directory: &Path,
    case: Option<CaseId>,
    doing: &'static str,
    of_case: impl FnOnce(&[Record]) -> Result<Vec<E>, AuditError>,
    of_all: impl FnOnce(u64, &mut (dyn FnMut(u64) + Send)) -> Result<Vec<E>, AuditError>,
) -> Result<(u64, Vec<E>), CliError> {
    let reader = Reader::open(directory).map_err(CliError::other)?;
    if let Some(case) = case {
        let records = reader.read_stream(StreamId(case.0), None).map_err(CliError::other)?;
        if records.is_empty() {
            return Err(CliError::message(format!("there is no case {case}")));
        }
        return Ok((records.len() as u64, of_case(&records).map_err(CliError::other)?));
    }
    let records = reader.last().0;
    let mut bar = Bar::new(doing);
    let told = &mut |done| bar.show(done, records, "records");
    Ok((records, of_all(records, told).map_err(CliError::other)?))
}
