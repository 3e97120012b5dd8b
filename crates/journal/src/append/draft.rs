//! What a user of the journal brings: drafts to append and a projection to index.

use std::ops::ControlFlow;

use serde::Serialize;

use crate::record::{Position, Record, StreamId};

/// A draft could not be encoded. The log is untouched; sending the same again will not help.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the record could not be encoded: {0}")]
pub struct EncodeError(pub String);

/// One record that is to be stamped by the one writer.
///
/// It is serialised once, on the thread that appends, to a struct or a map whose members become those
/// of the record's JSON object, in their order. `subject`, `time`, `caseversion` and `prev` must be
/// among them, each once; the record is refused otherwise. In these four the journal puts its own
/// values, whatever the draft has there: the stream, and when the record's turn comes the time of
/// recording, the number in the stream and the leaf hash of the stream's record before. Nothing else
/// is changed.
///
/// ```
/// # use journal::{Draft, StreamId};
/// #[derive(serde::Serialize)]
/// struct Note {
///     subject: StreamId,
///     time: (),
///     caseversion: (),
///     prev: (),
///     data: String,
/// }
///
/// impl Draft for Note {
///     fn stream(&self) -> StreamId {
///         self.subject
///     }
/// }
/// ```
pub trait Draft: Serialize {
    /// The stream that the record goes to.
    fn stream(&self) -> StreamId;
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
