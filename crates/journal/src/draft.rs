//! What a user of the journal brings: drafts to append and a projection to index.

use std::ops::ControlFlow;

use crate::record::{Position, Record, Slot, StreamId};

/// A draft could not be encoded. The log is untouched; sending the same again will not help.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the record could not be encoded: {0}")]
pub struct EncodeError(pub String);

/// One record that is to be stamped by the one writer.
pub trait Draft {
    /// The stream that the record goes to.
    fn stream(&self) -> StreamId;

    /// Writes the record's bytes to `out`, which is empty.
    ///
    /// The bytes must be one JSON object with `subject` (the stream), `caseversion`, `prev`
    /// (64 hexadecimal digits) and `time` as the slot says; the record is refused otherwise. The
    /// slot holds placeholders: when the record's turn comes, the writer puts the true values into
    /// these three fields, and changes nothing else. Called once, on the thread that appends.
    fn encode(&self, slot: &Slot, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

/// Sees one summary: the stream, the position of its first record, and the bytes.
pub type SummaryVisitor<'v> = dyn FnMut(StreamId, Position, &[u8]) -> ControlFlow<()> + 'v;

/// The summaries that the index keeps beside each stream.
///
/// Pure: the same records give the same summaries, now and in a rebuild.
pub trait Projection: Send + Sync {
    /// Changes whenever `project` would give other bytes; the index is then built anew.
    fn version(&self) -> u32;

    /// The summary of a stream after `record`, given the summary before it.
    fn project(&self, prior: Option<&[u8]>, record: &Record) -> Vec<u8>;
}

/// A projection that keeps nothing, for those who need no summaries.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProjection;

impl Projection for NoProjection {
    fn version(&self) -> u32 {
        0
    }

    fn project(&self, _prior: Option<&[u8]>, _record: &Record) -> Vec<u8> {
        Vec::new()
    }
}
