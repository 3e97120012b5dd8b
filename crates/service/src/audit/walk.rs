//! Every case of a log folded by some state, on all cores and in bounded memory.
//!
//! The log is walked in order, several times where it is long: each walk folds the cases of one
//! part, chosen by their ids, so that only these are in memory at once.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use case::CaseId;
use journal::{Position, Reader, Record, StreamId};

use super::AuditError;

/// How many records are read at once.
const BATCH: usize = 2_048;

/// What is done with the records of each case.
pub trait Walk: Sync {
    /// What is kept of a case between its records.
    type State: Default;
    /// What is found.
    type Found: Send;

    /// How many records are folded in one walk: of each, a folded case keeps some hundred bytes.
    const RECORDS: u64 = 2_000_000;

    /// Takes the next record of a case.
    fn take(
        &self,
        state: &mut Self::State,
        record: &Record,
        found: &mut Vec<Self::Found>,
    ) -> Result<(), AuditError>;

    /// Ends a case behind its last record.
    fn end(&self, case: CaseId, state: Self::State, found: &mut Vec<Self::Found>);
}

/// Walks through the first `records` records of the log in a data directory. What is found comes in
/// no particular order. `progress` is told how many records are done.
pub fn walk<W: Walk>(
    directory: &Path,
    records: u64,
    with: &W,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<W::Found>, AuditError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let parts = cores.max(records.div_ceil(W::RECORDS));
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let worker = |mut told: Option<&mut (dyn FnMut(u64) + Send)>| {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= parts {
                return Ok(found);
            }
            let one = Part { directory, records, number, parts };
            let walked = one.run(with, &mut found, &mut |taken| {
                let sum = done.fetch_add(taken, Ordering::Relaxed) + taken;
                if let Some(told) = &mut told {
                    told(sum);
                }
            });
            if walked.is_err() {
                // The others need not begin another walk.
                next.store(parts, Ordering::Relaxed);
            }
            walked?;
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(|| worker(None))).collect();
        let mut all: Result<Vec<W::Found>, AuditError> = worker(Some(progress));
        for other in others {
            let found = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            if let Ok(all) = &mut all {
                all.extend(found?);
            }
        }
        all
    })
}

struct Part<'a> {
    directory: &'a Path,
    records: u64,
    number: u64,
    parts: u64,
}

impl Part<'_> {
    fn run<W: Walk>(
        &self,
        with: &W,
        found: &mut Vec<W::Found>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), AuditError> {
        let reader = Reader::open(self.directory)?;
        let mut cases: HashMap<StreamId, W::State> = HashMap::new();
        let mut next = Position(1);
        while next.0 <= self.records {
            let left = self.records - next.0 + 1;
            let most = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
            let batch = reader.read(next, most)?;
            let Some(last) = batch.last() else { break };
            next = last.position.next();
            let mut mine = 0;
            for record in batch.iter().filter(|record| self.is_mine(record.stream)) {
                with.take(cases.entry(record.stream).or_default(), record, found)?;
                mine += 1;
            }
            progress(mine);
        }
        for (stream, state) in cases {
            with.end(CaseId(stream.0), state, found);
        }
        Ok(())
    }

    /// The ids of cases are random, so their last bits part them evenly.
    fn is_mine(&self, stream: StreamId) -> bool {
        let (_, low) = stream.0.as_u64_pair();
        low % self.parts == self.number
    }
}
