//! The settings of a journal, what opening it reports, and its progress.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::record::Position;

/// The settings of a journal. The defaults are meant for production.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The length of a segment file in bytes, at most 2 GiB; it is preallocated, and one more of it, two
    /// once one was filled.
    pub segment_bytes: u64,
    /// The most records that one group commit takes.
    pub group_records: usize,
    /// The most bytes that one group commit takes, besides its first record; at most 1 GiB.
    pub group_bytes: usize,
    /// How many appends may wait before more are refused as busy.
    pub queue_records: usize,
    /// The cache of the index in bytes.
    pub index_cache_bytes: u64,
    /// How long the index waits for more records before it applies a batch.
    pub index_delay: Duration,
    /// How long the index rests before it is built anew once more, when that has failed often: on a full
    /// disk, say.
    pub index_rest: Duration,
    /// Whether `open` returns only when the index has caught up with the log.
    pub wait_for_index: bool,
    /// The clock that the writer stamps with; only tests need another.
    pub clock: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: 64 << 20,
            group_records: 4096,
            group_bytes: 4 << 20,
            queue_records: 65_536,
            index_cache_bytes: 128 << 20,
            index_delay: Duration::from_millis(5),
            index_rest: Duration::from_secs(30),
            wait_for_index: true,
            clock: Arc::new(jiff::Timestamp::now),
        }
    }
}

/// The longest segment that may be asked for, in bytes, and the longest group: the first of a segment
/// may be longer than the segment was meant to be. Offsets in footers are 32 bits wide.
const MOST_SEGMENT_BYTES: u64 = 2 << 30;
const MOST_GROUP_BYTES: usize = 1 << 30;

/// Refuses segments that are longer than the format allows.
pub(crate) fn check_segment_bytes(segment_bytes: u64) -> Result<(), Error> {
    if segment_bytes <= MOST_SEGMENT_BYTES {
        return Ok(());
    }
    let what = format!("a segment has at most {MOST_SEGMENT_BYTES} bytes, not {segment_bytes}");
    Err(Error::Request(what))
}

impl Options {
    /// Refuses what the format does not allow.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.group_bytes > MOST_GROUP_BYTES {
            let asked = self.group_bytes;
            let what = format!("a group has at most {MOST_GROUP_BYTES} bytes, not {asked}");
            return Err(Error::Request(what));
        }
        check_segment_bytes(self.segment_bytes)
    }

    /// Settings for tests: small segments, so that making a journal writes little.
    #[must_use]
    pub fn small() -> Options {
        Options { segment_bytes: 256 << 10, index_cache_bytes: 4 << 20, ..Options::default() }
    }
}

/// How far opening a journal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The log is read: footers of sealed segments, and the tail whole.
    Log {
        /// Segments read.
        done: u64,
        /// Segments there.
        total: u64,
    },
    /// The index applies what it lacks.
    Index {
        /// The position it has applied.
        done: Position,
        /// The last position of the log.
        total: Position,
    },
}

/// What opening a journal found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenReport {
    /// The last durable position.
    pub last: Position,
    /// A torn tail that was cut off whole; it was never acknowledged.
    pub torn_tail: Option<TornTail>,
    /// Footers that were missing or damaged and were made anew from their segments.
    pub footers_remade: u64,
    /// Why the index was built anew, if it was.
    pub index_rebuilt: Option<IndexRebuild>,
}

/// The remains of a group that was being written when the program or the machine stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The segment file.
    pub file: String,
    /// Where the torn group began.
    pub offset: u64,
    /// How many bytes there were not zero from there on.
    pub bytes: u64,
    /// The position that its first record would have had.
    pub position: Position,
    /// The file that keeps the bytes that were cut off.
    pub kept_in: String,
}

/// Why the index was built anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexRebuild {
    /// There was none.
    Missing,
    /// It could not be opened, was damaged, or panicked.
    Damaged,
    /// It belongs to another log.
    Foreign,
    /// It was made by another version of the projection or of the index.
    OtherVersion,
    /// The machine stopped while it was open: the disk may lack some of its writes.
    Unclean,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_32_bits_is_refused_before_anything_is_made() {
        assert!(Options::default().check().is_ok());
        assert!(Options { segment_bytes: 2 << 30, ..Options::default() }.check().is_ok());
        assert!(Options { segment_bytes: (2 << 30) + 1, ..Options::default() }.check().is_err());
        assert!(Options { group_bytes: (1 << 30) + 1, ..Options::default() }.check().is_err());
    }
}
