//! The failures of the journal, each with what to do about it.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::append::draft::EncodeError;
use crate::record::{Position, StreamId, Version};

/// A failure of the journal.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Someone else appended to this stream first. Load again and decide again.
    #[error("stream {stream} is at version {actual}, not {expected}")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// What the append expected.
        expected: Version,
        /// What the stream has, durably.
        actual: Version,
    },
    /// The draft refused to be encoded. Nothing was written; fix the caller.
    #[error("a record of stream {stream} was refused")]
    Encode {
        /// The stream.
        stream: StreamId,
        /// Why.
        #[source]
        source: EncodeError,
    },
    /// The record is longer than a record may be. Nothing was written; send less.
    #[error("a record of {length} bytes is longer than the {most} bytes a record may have")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        most: usize,
    },
    /// More drafts wait than the queue may hold. Nothing was written; try again later.
    #[error("too many appends are waiting")]
    Busy,
    /// A write or an fsync failed, now or before. The writer is poisoned for good, for what is on
    /// the disk is not known any more: stop the program, look at the disk, open again.
    #[error("the log could not be written; nothing more is accepted until it is opened again")]
    Poisoned(#[source] Arc<io::Error>),
    /// The journal was closed. Open it again.
    #[error("the journal is closed")]
    Closed,
    /// Another program holds the data directory. Stop that one, or choose another directory.
    #[error("the data directory {directory} is held by {holder}")]
    Held {
        /// The directory.
        directory: String,
        /// Who holds it, as far as the lock file says.
        holder: String,
    },
    /// A file could not be read or made outside the way of an append. Look at the disk.
    #[error("{file}: {doing} failed")]
    Disk {
        /// The file or directory.
        file: String,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Arc<io::Error>,
    },
    /// Something that was durable is damaged. Nothing was changed: repair or restore it.
    #[error("the log is damaged: {0}")]
    Corrupt(Fault),
    /// The index, a checkpoint or the caller has seen records that the log does not have: the log
    /// has lost acknowledged records. Nothing was changed: restore the log from a backup, the
    /// stream or another node.
    #[error(
        "the log ends at position {log}, but position {index} has been seen by the index, a \
         checkpoint or the stream: the log has lost records"
    )]
    LogLostRecords {
        /// The last position of the log.
        log: Position,
        /// The last position that was seen.
        index: Position,
    },
    /// The file is of a format that this version does not know. Use a newer program.
    #[error("{file} has format version {version}, which this program does not know")]
    UnknownFormat {
        /// The file.
        file: String,
        /// The version in the file.
        version: u8,
    },
    /// The file of the log's keys is refused. Nothing was signed: fix the file or restore it.
    #[error("{file} {what}")]
    Keys {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The index cannot answer now; it is being built anew. Try again later.
    #[error("the index cannot answer: {0}")]
    Index(String),
    /// A request that makes no sense, such as a proof for more than there is. Fix the caller.
    #[error("{0}")]
    Request(String),
}

/// A damaged place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, without its directory.
    pub file: String,
    /// The byte within the file.
    pub offset: u64,
    /// The position of the record, or of the first record of the damaged group.
    pub position: Option<Position>,
    /// The stream, where it can be told.
    pub stream: Option<StreamId>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, byte {}", self.file, self.offset)?;
        if let Some(position) = self.position {
            write!(out, ", position {position}")?;
        }
        if let Some(stream) = self.stream {
            write!(out, ", stream {stream}")?;
        }
        write!(out, ": {}", self.what)
    }
}

/// Names the file and the deed of an input or output error.
pub(crate) fn disk_error(
    file: impl fmt::Display,
    doing: &'static str,
) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Disk { file: file.to_string(), doing, source: Arc::new(source) }
}

/// Damage at a position of a file.
pub(crate) fn fault(file: &str, offset: u64, position: u64, what: &str) -> Error {
    Error::Corrupt(Fault {
        file: file.to_owned(),
        offset,
        position: Some(Position(position)),
        stream: None,
        what: what.to_owned(),
    })
}

/// A failure with all its causes, for where only words can be kept of it: alone it does not say what
/// the system said.
pub(crate) fn chain(failure: &dyn std::error::Error) -> String {
    let mut words = failure.to_string();
    let mut cause = failure.source();
    while let Some(below) = cause {
        let said = below.to_string();
        // An error of the system that holds another one says what that says.
        if !words.ends_with(&said) {
            words.push_str(": ");
            words.push_str(&said);
        }
        cause = below.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_in_words_says_what_the_system_said() {
        let full = || disk_error("1.segment", "sealing")(io::ErrorKind::StorageFull.into());
        let wanted = "1.segment: sealing failed: no storage space";
        assert_eq!(chain(&full()), wanted);
        // As it is when the writer is poisoned by it, and each sentence is there once.
        let cause = io::Error::other(full());
        assert_eq!(chain(&cause), wanted);
        let poisoned = chain(&Error::Poisoned(Arc::new(cause)));
        assert!(poisoned.ends_with(&format!("it is opened again: {wanted}")), "{poisoned}");
    }
}
