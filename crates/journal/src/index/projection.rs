//! What a user of the journal brings for the index: the summary that is kept beside each stream.

use std::ops::ControlFlow;

use crate::record::{Position, Record, StreamId};

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
