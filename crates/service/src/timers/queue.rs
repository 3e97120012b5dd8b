//! What runs, by case and by instant; and what of it was answered already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use case::deadlines::Running;
use case::{CaseId, DeadlineId, Instant, Recorded};
use jiff::Timestamp;

/// One firing: a deadline of a case at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Firing {
    pub(super) due: Instant,
    pub(super) case: CaseId,
    pub(super) deadline: DeadlineId,
}

/// The deadlines that run.
#[derive(Debug, Default)]
pub(super) struct Queue {
    cases: HashMap<CaseId, Vec<Running>>,
    waiting: BTreeSet<Firing>,
    /// Fired and not answered for good: when each may be tried again, on the monotonic clock.
    tried: BTreeMap<Firing, tokio::time::Instant>,
}

impl Queue {
    /// The queue of a snapshot. What was tried is tried again.
    pub(super) fn restore(cases: Vec<(CaseId, Vec<Running>)>) -> Self {
        let cases: HashMap<_, _> = cases.into_iter().collect();
        let of = |(case, all): (&CaseId, &Vec<Running>)| {
            let case = *case;
            all.iter().map(move |running| firing(case, running)).collect::<Vec<_>>()
        };
        let waiting = cases.iter().flat_map(of).collect();
        Self { cases, waiting, tried: BTreeMap::new() }
    }

    /// What a snapshot holds: everything that runs, by case.
    pub(super) fn running(&self) -> Vec<(CaseId, Vec<Running>)> {
        self.cases.iter().map(|(case, running)| (*case, running.clone())).collect()
    }

    /// Takes a record into account, by the same rules as the case itself.
    pub(super) fn apply(&mut self, record: &Recorded) {
        let case = record.envelope.case;
        let running = self.cases.entry(case).or_default();
        for firing in running.iter().map(|running| firing(case, running)) {
            self.waiting.remove(&firing);
        }
        case::deadlines::follow(running, record);
        self.waiting.extend(running.iter().map(|running| firing(case, running)));
        if running.is_empty() {
            self.cases.remove(&case);
        }
        let waiting = &self.waiting;
        self.tried.retain(|firing, _| firing.case != case || waiting.contains(firing));
    }

    /// How many deadlines run.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What is due by this clock and was not tried just now, the earliest first.
    pub(super) fn due(&self, now: Timestamp, most: usize) -> Vec<Firing> {
        let due = self.waiting.iter().take_while(|firing| firing.due.timestamp() <= now);
        let moment = tokio::time::Instant::now();
        let fresh =
            due.filter(|firing| self.tried.get(firing).is_none_or(|again| *again <= moment));
        fresh.take(most).copied().collect()
    }

    /// Notes that a firing was tried, and after which pause it may be tried again. When its event
    /// comes, both are forgotten.
    pub(super) fn tried(&mut self, firing: Firing, pause: std::time::Duration) {
        if self.waiting.contains(&firing) {
            self.tried.insert(firing, tokio::time::Instant::now() + pause);
        }
    }

    /// The rules say that there is nothing to expire here.
    pub(super) fn settle(&mut self, firing: Firing) {
        self.waiting.remove(&firing);
        self.tried.remove(&firing);
    }
}

fn firing(case: CaseId, running: &Running) -> Firing {
    Firing { due: running.due, case, deadline: running.deadline }
}
