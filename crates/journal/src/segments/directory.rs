//! Where the records of one segment stand: by position and by stream, kept while it is open.

use crate::proofs::heads_tree::StreamHead;
use crate::record::{Position, StreamId, Version};

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

/// The records of one segment that has no footer yet; to take one in costs no search.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    /// The segment's first position.
    pub(crate) first: u64,
    /// Where each frame begins in the file, by position.
    pub(crate) offsets: Vec<u32>,
    /// The streams of the records, by position.
    pub(crate) links: Vec<Link>,
    /// The time of the last record in microseconds.
    pub(crate) last_time_us: i64,
}

/// A record's place in its stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) stream: StreamId,
    pub(crate) version: u64,
    /// The position of the stream's record before; 0 if there is none. That of the stream's first
    /// record in a segment may be [`UNKNOWN_PRIOR`].
    pub(crate) prior: u64,
}

/// One record, as the directory takes it in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) link: Link,
    pub(crate) offset: u32,
    pub(crate) time_us: i64,
}

impl Directory {
    pub(crate) fn new(first: u64) -> Directory {
        Directory { first, ..Directory::default() }
    }

    /// Begins anew with another segment, keeping the room.
    pub(crate) fn begin(&mut self, first: u64) {
        self.first = first;
        self.offsets.clear();
        self.links.clear();
        self.last_time_us = 0;
    }

    /// Takes in the next record of the segment.
    pub(crate) fn add(&mut self, entry: Entry) {
        self.offsets.push(entry.offset);
        self.links.push(entry.link);
        self.last_time_us = entry.time_us;
    }

    /// The position of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.offsets.len() as u64
    }

    /// Where the frame of a position begins.
    pub(crate) fn offset(&self, position: u64) -> Option<u64> {
        self.offsets.get(self.index(position)?).map(|offset| u64::from(*offset))
    }

    fn index(&self, position: u64) -> Option<usize> {
        usize::try_from(position.checked_sub(self.first)?).ok()
    }

    /// The records of a stream up to a position. If that is a record of the stream, nothing is looked
    /// through; else all before it may be.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a segment has fewer than 2^32 records: each takes more than a byte of its 4 GiB"
    )]
    pub(crate) fn run(&self, stream: StreamId, up_to: u64) -> Option<Run> {
        let end = self.index(up_to)?.saturating_add(1).min(self.links.len());
        let before = self.links.get(..end)?;
        let mut at = before.iter().rposition(|link| link.stream == stream)?;
        let mut relative = vec![at as u32];
        let mut link = before.get(at)?;
        while let Some(index) = self.index(link.prior).filter(|index| *index < at) {
            (at, link) = (index, before.get(index)?);
            relative.push(at as u32);
        }
        relative.reverse();
        Some(Run { prior: link.prior, first_version: link.version, relative })
    }
}

/// Where a frame begins, as directories and footers have it. The words tell why one is refused that
/// begins too far into its file: none is written there.
pub(crate) fn offset_of(at: u64) -> Result<u32, &'static str> {
    u32::try_from(at).map_err(|_| "the record begins behind the first 4 GiB of its segment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_its_place_within_the_first_4_gib() {
        assert_eq!(offset_of(u64::from(u32::MAX)), Ok(u32::MAX));
        assert!(offset_of(1 << 32).is_err());
    }

    fn stream(number: u128) -> StreamId {
        StreamId(uuid::Uuid::from_u128(number))
    }

    /// A segment from position 10 on: stream, version, prior.
    fn directory(links: &[(u128, u64, u64)]) -> Directory {
        let mut directory = Directory::new(10);
        for (number, version, prior) in links {
            let link = Link { stream: stream(*number), version: *version, prior: *prior };
            directory.add(Entry { link, offset: 0, time_us: 0 });
        }
        directory
    }

    #[test]
    fn a_run_has_the_records_of_its_stream_up_to_a_position() {
        let directory = directory(&[(1, 3, 4), (2, 1, 0), (1, 4, 10), (1, 5, 12), (2, 2, 11)]);
        let run = |number, up_to| directory.run(stream(number), up_to);
        let one = |relative: &[u32]| {
            Some(Run { prior: 4, first_version: 3, relative: relative.to_vec() })
        };
        assert_eq!(run(1, 13), one(&[0, 2, 3]), "a position of its own");
        assert_eq!(run(1, 14), one(&[0, 2, 3]), "one of another");
        assert_eq!(run(1, 1_000), one(&[0, 2, 3]), "one behind all");
        assert_eq!(run(1, 12), one(&[0, 2]));
        assert_eq!(run(1, 11), one(&[0]));
        assert_eq!(run(2, 10), None, "none is there yet");
        assert_eq!(run(2, 14).map(|run| run.prior), Some(0));
        assert_eq!(run(3, 14), None);
        assert_eq!(run(1, 9), None, "a position before the segment");
    }

    #[test]
    fn a_run_keeps_that_its_prior_is_unknown() {
        let directory = directory(&[(1, 7, UNKNOWN_PRIOR), (1, 8, 10)]);
        let wanted = Run { prior: UNKNOWN_PRIOR, first_version: 7, relative: vec![0, 1] };
        assert_eq!(directory.run(stream(1), 11), Some(wanted));
    }
}
