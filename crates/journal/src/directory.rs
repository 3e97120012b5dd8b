//! Where the records of one segment stand: by position and by stream, kept while it is open.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::heads_tree::StreamHead;
use crate::record::{Position, StreamId, Version};

/// A hasher for stream ids, whose bits are random already: it folds them and no more.
#[derive(Default, Clone, Copy)]
pub(crate) struct StreamHasher(u64);

impl Hasher for StreamHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
            self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
}

/// A map by stream.
pub(crate) type StreamMap<T> = HashMap<StreamId, T, BuildHasherDefault<StreamHasher>>;

/// A prior position that was not looked up: the segments before are searched when it is needed.
pub(crate) const UNKNOWN_PRIOR: u64 = u64::MAX;

/// The records of one stream within one segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// The position of the stream's last record before this segment; 0 if there is none, or
    /// [`UNKNOWN_PRIOR`].
    pub(crate) prior: u64,
    /// The version of the first record here.
    pub(crate) first_version: u64,
    /// The positions of the records, less the segment's first position.
    pub(crate) relative: Vec<u32>,
}

impl Run {
    /// The version of the last record here.
    pub(crate) fn last_version(&self) -> u64 {
        (self.first_version + self.relative.len() as u64).saturating_sub(1)
    }

    /// The last record here that is not behind position `size`, in a segment that begins at
    /// `first`.
    pub(crate) fn head_at(&self, stream: StreamId, first: u64, size: u64) -> Option<StreamHead> {
        let count = self.relative.partition_point(|relative| first + u64::from(*relative) <= size);
        let last = self.relative.get(count.checked_sub(1)?)?;
        Some(StreamHead {
            stream,
            version: Version((self.first_version + count as u64).saturating_sub(1)),
            position: Position(first + u64::from(*last)),
        })
    }
}

/// The records of one segment that has no footer yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    /// The segment's first position.
    pub(crate) first: u64,
    /// Where each frame begins in the file, by position.
    pub(crate) offsets: Vec<u32>,
    /// The streams that have records here.
    pub(crate) streams: StreamMap<Run>,
    /// The time of the last record in microseconds.
    pub(crate) last_time_us: i64,
}

/// One record, as the directory takes it in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) stream: StreamId,
    pub(crate) version: u64,
    /// The position of the stream's record before, wherever that is; 0 if there is none.
    pub(crate) prior: u64,
    pub(crate) offset: u32,
    pub(crate) time_us: i64,
}

impl Directory {
    pub(crate) fn new(first: u64) -> Directory {
        Directory { first, ..Directory::default() }
    }

    /// Takes in the next record of the segment.
    pub(crate) fn add(&mut self, entry: Entry) {
        let relative = self.offsets.len() as u32;
        self.offsets.push(entry.offset);
        self.last_time_us = entry.time_us;
        let run = self.streams.entry(entry.stream).or_insert_with(|| Run {
            prior: entry.prior,
            first_version: entry.version,
            relative: Vec::new(),
        });
        run.relative.push(relative);
    }

    /// The position of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.offsets.len() as u64
    }

    /// Where the frame of a position begins.
    pub(crate) fn offset(&self, position: u64) -> Option<u64> {
        let index = position.checked_sub(self.first)?;
        self.offsets.get(usize::try_from(index).ok()?).map(|offset| u64::from(*offset))
    }
}
