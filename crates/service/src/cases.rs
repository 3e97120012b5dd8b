//! Folded cases in memory: one lock per case, filled from the journal, bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use case::{Case, CaseId, Recorded};
use journal::{Journal, StreamId};

use crate::reply::Failure;

/// A case, or nothing where it is not loaded.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Case>>>;

/// The folded cases. Whoever decides on a case holds its lock until the event is durable, so that
/// nobody decides on what may yet fail.
pub(crate) struct Cases {
    slots: Mutex<HashMap<CaseId, Slot>>,
    most: usize,
}

impl Cases {
    pub(crate) fn new(most: usize) -> Self {
        Self { slots: Mutex::new(HashMap::new()), most }
    }

    /// The slot of a case. When too many are kept, those that nobody holds are dropped: they can
    /// be folded again at any time.
    pub(crate) fn slot(&self, id: CaseId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= self.most && !slots.contains_key(&id) {
            let mut keep = self.most / 2;
            slots.retain(|_, slot| {
                let held = Arc::strong_count(slot) > 1;
                keep = keep.saturating_sub(1);
                held || keep > 0
            });
        }
        slots.entry(id).or_default().clone()
    }
}

/// Reads and folds a case from the journal, whole or up to a version.
pub(crate) fn load(
    journal: &Journal,
    id: CaseId,
    up_to: Option<case::Version>,
) -> Result<Case, Failure> {
    let mut case = Case::default();
    for record in records(journal, id, up_to)? {
        case.evolve(&record);
    }
    Ok(case)
}

/// Reads the records of a case.
pub(crate) fn records(
    journal: &Journal,
    id: CaseId,
    up_to: Option<case::Version>,
) -> Result<Vec<Recorded>, Failure> {
    raw_records(journal, id, up_to)?
        .iter()
        .map(|record| {
            Recorded::decode(&record.bytes, record.position.0).map_err(|error| {
                Failure::unavailable(format!("position {}: {error}", record.position))
            })
        })
        .collect()
}

/// Reads the records of a case as they are stored.
pub(crate) fn raw_records(
    journal: &Journal,
    id: CaseId,
    up_to: Option<case::Version>,
) -> Result<Vec<journal::Record>, Failure> {
    let up_to = up_to.map(|version| journal::Version(version.0));
    journal.read_stream(StreamId(id.0), up_to).map_err(|error| Failure::because(&error))
}
