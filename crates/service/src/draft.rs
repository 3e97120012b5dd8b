//! An event on its way into the journal.

use case::record::Unstamped;
use journal::{Draft, StreamId};
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
