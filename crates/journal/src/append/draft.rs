//! What a user of the journal brings to be appended.

use serde::Serialize;

use crate::record::StreamId;

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
