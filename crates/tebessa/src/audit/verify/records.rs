//! Every record read strictly, and every case folded, on all cores and in bounded memory.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use case::{Case, CaseId, Recorded, Summary, strict};
use journal::Record;
use service::audit::{AuditError, Walk, walk};

use super::Stop;
use super::files::{self, KeptFile};
use super::keys::{self, NamedKey};
use super::report::Damage;
use crate::output::Bar;

/// What was read and folded.
#[derive(Default)]
pub(super) struct Refolded {
    pub(super) records: u64,
    pub(super) cases: u64,
    /// Whether the authority's register is there, a stream beside those of the cases.
    pub(super) register: bool,
    /// Under which names the authority recorded: one, unless a log changed its name when nothing refused it.
    pub(super) sources: BTreeSet<String>,
    /// The names of those that have a register.
    pub(super) registers: BTreeSet<String>,
    /// Every case in a few words, as an index must have it.
    pub(super) summaries: HashMap<CaseId, Summary>,
    /// The files of evidence that are kept.
    pub(super) files: Vec<KeptFile>,
    /// The keys that seal what was not erased.
    pub(super) keys: Vec<NamedKey>,
}

/// Reads the first `records` records and folds their cases; of several faults it tells the one that
/// comes first in the log.
pub(super) fn refold(directory: &Path, records: u64) -> Result<Refolded, Stop> {
    let mut bar = Bar::new("Refolding the cases");
    let mut told = |done| bar.show(done, records, "records");
    let mut refolded = Refolded::default();
    let mut first: Option<Damage> = None;
    for found in walk(directory, records, &Refolding, &mut told)? {
        match found {
            Ok(case) => {
                refolded.records += case.records;
                refolded.register |= case.register;
                if case.register {
                    refolded.registers.extend(case.sources.first().cloned());
                }
                refolded.sources.extend(case.sources);
                refolded.summaries.extend(case.summary.map(|summary| (summary.case, summary)));
                refolded.files.extend(case.files);
                refolded.keys.extend(case.key);
            }
            Err(damage) => {
                if first.as_ref().is_none_or(|first| damage.position < first.position) {
                    first = Some(damage);
                }
            }
        }
    }
    refolded.cases = refolded.summaries.len() as u64;
    first.map_or(Ok(refolded), |damage| Err(damage.into()))
}

/// A case as far as it was read.
#[derive(Default)]
struct Folded {
    case: Case,
    summary: Option<Summary>,
    records: u64,
    sources: Vec<String>,
    damaged: bool,
}

/// A case that was read to its end.
struct Ended {
    records: u64,
    register: bool,
    sources: Vec<String>,
    summary: Option<Summary>,
    files: Vec<KeptFile>,
    key: Option<NamedKey>,
}

struct Refolding;

impl Walk for Refolding {
    type State = Folded;
    type Found = Result<Ended, Damage>;

    /// Folded case and summary keep about half a kilobyte for each record.
    const RECORDS: u64 = 500_000;

    /// Behind the first fault of a case nothing more can be said of it.
    fn take(
        &self,
        folded: &mut Folded,
        record: &Record,
        found: &mut Vec<Self::Found>,
    ) -> Result<(), AuditError> {
        if !folded.damaged
            && let Err(damage) = take(folded, record)
        {
            folded.damaged = true;
            found.push(Err(damage));
        }
        Ok(())
    }

    fn end(&self, id: CaseId, folded: Folded, found: &mut Vec<Self::Found>) {
        let Folded { case, summary, records, sources, .. } = folded;
        let (register, files) = (!case.register.is_empty(), files::of_case(id, &case));
        let key = keys::of_case(id, &case);
        found.push(Ok(Ended { records, register, sources, summary, files, key }));
    }
}

/// Reads a record strictly and applies it to its case.
fn take(folded: &mut Folded, record: &Record) -> Result<(), Damage> {
    let damage = |what: String| Damage::of_record(record, what);
    strict::parse(&record.bytes).map_err(|malformed| damage(malformed.to_string()))?;
    let recorded = Recorded::decode(&record.bytes, record.position.0)
        .map_err(|error| damage(error.to_string()))?;
    if recorded.envelope.version.0 != folded.case.version.0 + 1 {
        return Err(damage(format!(
            "version {} of the case follows version {}",
            recorded.envelope.version, folded.case.version
        )));
    }
    folded.summary = Summary::after(folded.summary.take(), &recorded);
    folded.case.evolve(&recorded);
    folded.records += 1;
    if !folded.sources.contains(&recorded.envelope.source) {
        folded.sources.push(recorded.envelope.source);
    }
    if !folded.case.register.is_empty() {
        return Ok(());
    }
    let Some(summary) = &folded.summary else {
        return Err(damage("the first record of the case registers no claim".to_owned()));
    };
    let (status, outcome) = (folded.case.status(), folded.case.outcome());
    if (summary.status, summary.outcome) != (status, outcome) {
        return Err(damage(format!(
            "the case folds to {status}, but its summary says {}",
            summary.status
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use journal::{Draft, Expected, Journal, Options, Progress, StreamId};
    use uuid::Uuid;

    use super::*;

    /// Whole in the log, and no record of a case.
    #[derive(serde::Serialize)]
    struct Nothing {
        subject: StreamId,
        time: (),
        caseversion: (),
        prev: (),
    }

    impl Draft for Nothing {
        fn stream(&self) -> StreamId {
            self.subject
        }
    }

    #[tokio::test]
    async fn of_several_faults_the_first_in_the_log_is_told() {
        let home = tempfile::tempdir().unwrap();
        let none = &mut |_: Progress| {};
        let summaries = Arc::new(service::Summaries);
        let (journal, _) = Journal::open(home.path(), Options::default(), summaries, none).unwrap();
        for case in (1..=16).rev() {
            let subject = StreamId(Uuid::from_u128(case));
            let record = Nothing { subject, time: (), caseversion: (), prev: () };
            journal.append(&record, Expected::Any).await.unwrap();
        }
        journal.close().unwrap();
        let Err(Stop::Damage(first)) = refold(home.path(), 16) else { panic!("it is damaged") };
        assert_eq!(first.position, Some(1));
    }
}
