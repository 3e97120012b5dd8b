//! Every record read strictly, and every case folded, on all cores and in bounded memory.
//!
//! The log is walked in order, several times where it is long: each walk folds the cases of one
//! part, chosen by their ids, so that only these are in memory at once.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use case::{Case, CaseId, Recorded, Summary, strict};
use journal::{Position, Reader, Record, StreamId};

use super::Stop;
use super::files::{self, KeptFile};
use super::keys::{self, NamedKey};
use super::report::Damage;
use crate::output::Bar;

/// How many records are read at once.
const BATCH: usize = 2_048;
/// How many records are folded in one walk: of each, a folded case keeps about half a kilobyte.
const RECORDS_OF_A_WALK: u64 = 500_000;

/// What was read and folded.
pub(super) struct Refolded {
    pub(super) records: u64,
    pub(super) cases: u64,
    /// Every case in a few words, as an index must have it.
    pub(super) summaries: HashMap<CaseId, Summary>,
    /// The files of evidence that are kept.
    pub(super) files: Vec<KeptFile>,
    /// The keys that seal what was not erased.
    pub(super) keys: Vec<NamedKey>,
}

/// Reads the first `records` records and folds their cases.
pub(super) fn refold(directory: &Path, records: u64) -> Result<Refolded, Stop> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let parts = cores.max(records.div_ceil(RECORDS_OF_A_WALK));
    let next_part = AtomicU64::new(0);
    let done = AtomicU64::new(0);
    let results: Vec<Result<Refolded, Stop>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core| {
                let (next_part, done) = (&next_part, &done);
                scope.spawn(move || {
                    let mut bar = (core == 0).then(|| Bar::new("Refolding the cases"));
                    let mut total = empty();
                    loop {
                        let part = next_part.fetch_add(1, Ordering::Relaxed);
                        if part >= parts {
                            return Ok(total);
                        }
                        let walk = Walk { directory, records, part, parts, done };
                        let walked = walk.run(&mut |done| {
                            if let Some(bar) = &mut bar {
                                bar.show(done, records, "records");
                            }
                        });
                        if walked.is_err() {
                            // The others need not begin another walk.
                            next_part.store(parts, Ordering::Relaxed);
                        }
                        total = merge(total, walked?);
                    }
                })
            })
            .collect();
        workers.into_iter().map(joined).collect()
    });
    first_fault(results)
}

fn joined(worker: thread::ScopedJoinHandle<'_, Result<Refolded, Stop>>) -> Result<Refolded, Stop> {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn empty() -> Refolded {
    Refolded {
        records: 0,
        cases: 0,
        summaries: HashMap::new(),
        files: Vec::new(),
        keys: Vec::new(),
    }
}

fn merge(mut one: Refolded, other: Refolded) -> Refolded {
    one.records += other.records;
    one.cases += other.cases;
    one.summaries.extend(other.summaries);
    one.files.extend(other.files);
    one.keys.extend(other.keys);
    one
}

/// All together, or of several faults the one that comes first in the log.
fn first_fault(results: Vec<Result<Refolded, Stop>>) -> Result<Refolded, Stop> {
    let mut total = empty();
    let mut first: Option<Stop> = None;
    for result in results {
        match (result, &first) {
            (Ok(part), _) => total = merge(total, part),
            (Err(Stop::Damage(new)), Some(Stop::Damage(old))) if new.position < old.position => {
                first = Some(Stop::Damage(new));
            }
            (Err(stop), None) => first = Some(stop),
            (Err(_), Some(_)) => {}
        }
    }
    first.map_or(Ok(total), Err)
}

/// A case as far as it was read.
#[derive(Default)]
struct Folded {
    case: Case,
    summary: Option<Summary>,
}

/// One walk through the log, for the cases of one part.
struct Walk<'a> {
    directory: &'a Path,
    records: u64,
    part: u64,
    parts: u64,
    done: &'a AtomicU64,
}

impl Walk<'_> {
    fn run(&self, progress: &mut dyn FnMut(u64)) -> Result<Refolded, Stop> {
        let reader = Reader::open(self.directory)?;
        let mut cases: HashMap<StreamId, Folded> = HashMap::new();
        let mut refolded = empty();
        let mut next = Position(1);
        while next.0 <= self.records {
            let left = self.records - next.0 + 1;
            let most = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
            let batch = reader.read(next, most)?;
            let Some(last) = batch.last() else { break };
            next = last.position.next();
            let mut mine = 0;
            for record in batch.iter().filter(|record| self.is_mine(record.stream)) {
                take(cases.entry(record.stream).or_default(), record)?;
                mine += 1;
            }
            refolded.records += mine;
            progress(self.done.fetch_add(mine, Ordering::Relaxed) + mine);
        }
        refolded.files = cases
            .iter()
            .flat_map(|(id, folded)| files::of_case(CaseId(id.0), &folded.case))
            .collect();
        refolded.keys = cases
            .iter()
            .filter_map(|(id, folded)| keys::of_case(CaseId(id.0), &folded.case))
            .collect();
        refolded.summaries = cases
            .into_values()
            .filter_map(|folded| folded.summary.map(|summary| (summary.case, summary)))
            .collect();
        refolded.cases = refolded.summaries.len() as u64;
        Ok(refolded)
    }

    /// The ids of cases are random, so their last bits part them evenly.
    fn is_mine(&self, stream: StreamId) -> bool {
        let (_, low) = stream.0.as_u64_pair();
        low % self.parts == self.part
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
