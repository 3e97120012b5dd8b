//! An event on its way into the journal, and the summaries that the index keeps.

use case::record::Unstamped;
use case::{Recorded, Summary};
use journal::{Draft, Projection, Record, StreamId};
use serde::{Serialize, Serializer};

/// An event that the journal's writer stamps and encodes.
pub(crate) struct EventDraft<'a>(pub(crate) &'a Unstamped);

impl Draft for EventDraft<'_> {
    fn stream(&self) -> StreamId {
        StreamId(self.0.case.0)
    }
}

impl Serialize for EventDraft<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.written(None).serialize(to)
    }
}

/// Keeps a [`Summary`] per case in the journal's index.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summaries;

impl Projection for Summaries {
    fn version(&self) -> u32 {
        5
    }

    /// A record that cannot be read leaves the summary as it was: reading the case itself reports
    /// it, with its position.
    fn project(&self, prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
        let before = prior.unwrap_or_default();
        let Ok(recorded) = Recorded::decode(&record.bytes, record.position.0) else {
            return before.to_vec();
        };
        let summary = serde_json::from_slice::<Summary>(before).ok();
        match Summary::after(summary, &recorded).and_then(|after| serde_json::to_vec(&after).ok()) {
            Some(bytes) => bytes,
            None => before.to_vec(),
        }
    }
}
