//! The streams whose records are applied to the index together, with their summaries.
//!
//! Summaries lie together in memory that is given back at once. Each by itself, the allocator kept
//! most of what half a million of them had taken.

use super::store::{Changed, Summary};
use crate::record::StreamId;
use crate::streams::table::StreamMap;

/// The most memory that a batch takes, about.
const MOST_BYTES: usize = 256 << 20;
/// A summary has room for a multiple of so many bytes: most grow a little with each record.
const ROOM_BYTES: usize = 32;

/// A stream with records in a batch.
struct Touched {
    stream: StreamId,
    /// The position of its first record.
    first: u64,
    /// After which of its records the summary is; 0 where there is none.
    version: u64,
    /// Where the summary is, how long it is, and for how much there is room.
    at: usize,
    length: usize,
    room: usize,
    changed: bool,
}

/// The records that are applied together.
pub(super) struct Batch {
    touched: Vec<Touched>,
    /// Where in it each stream is.
    numbers: StreamMap<u32>,
    summaries: Vec<u8>,
    /// The position of the last record.
    pub(super) last: u64,
    records: u64,
    most: u64,
}

/// A stream of a batch by its number there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(u32);

impl Batch {
    /// An empty batch for at most so many records.
    pub(super) fn of(most: u64) -> Batch {
        let (touched, numbers) = (Vec::new(), StreamMap::default());
        Batch { touched, numbers, summaries: Vec::new(), last: 0, records: 0, most }
    }

    /// Takes note that the record at a position was taken in; `false` where there is no room for
    /// another.
    pub(super) fn count(&mut self, position: u64) -> bool {
        self.last = position;
        self.records += 1;
        let streams = self.touched.len() * (size_of::<Touched>() + size_of::<(StreamId, u32)>());
        self.records < self.most && streams + self.summaries.len() < MOST_BYTES
    }

    /// A stream of which the batch has a record.
    pub(super) fn get(&self, stream: StreamId) -> Option<Number> {
        self.numbers.get(&stream).copied().map(Number)
    }

    /// Takes a stream in that it does not have, as it is in the index.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch has a few million records, and no more streams"
    )]
    pub(super) fn add(
        &mut self,
        stream: StreamId,
        first: u64,
        summary: Option<&Summary>,
    ) -> Number {
        let number = Number(self.touched.len() as u32);
        let (version, changed) = (0, false);
        self.touched.push(Touched { stream, first, version, at: 0, length: 0, room: 0, changed });
        self.numbers.insert(stream, number.0);
        if let Some(Summary { version, bytes }) = summary {
            self.put(number, *version, bytes);
        }
        number
    }

    /// A stream's summary, and after which of its records.
    pub(super) fn summary(&self, number: Number) -> Option<(u64, &[u8])> {
        let touched = self.touched.get(number.0 as usize).filter(|touched| touched.version > 0)?;
        Some((touched.version, self.bytes_of(touched)))
    }

    /// Sets the summary that a stream has after one more record.
    pub(super) fn change(&mut self, number: Number, version: u64, summary: &[u8]) {
        self.put(number, version, summary);
        if let Some(touched) = self.touched.get_mut(number.0 as usize) {
            touched.changed = true;
        }
    }

    fn put(&mut self, number: Number, version: u64, summary: &[u8]) {
        let Some(touched) = self.touched.get_mut(number.0 as usize) else { return };
        touched.version = version;
        touched.length = summary.len();
        if touched.room < summary.len() {
            touched.at = self.summaries.len();
            touched.room = summary.len().next_multiple_of(ROOM_BYTES);
            self.summaries.resize(touched.at + touched.room, 0);
        }
        if let Some(place) = self.summaries.get_mut(touched.at..touched.at + summary.len()) {
            place.copy_from_slice(summary);
        }
    }

    fn bytes_of(&self, touched: &Touched) -> &[u8] {
        self.summaries.get(touched.at..touched.at + touched.length).unwrap_or_default()
    }

    /// The summaries that changed, in the order of their keys, which sled likes best.
    pub(super) fn changed(&self) -> Vec<Changed<'_>> {
        let changed = self.touched.iter().filter(|touched| touched.changed);
        let mut changed: Vec<_> = changed
            .map(|touched| Changed {
                first: touched.first,
                stream: touched.stream,
                version: touched.version,
                summary: self.bytes_of(touched),
            })
            .collect();
        changed.sort_unstable_by_key(|changed| changed.first);
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(number: u128) -> StreamId {
        StreamId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn summaries_that_grow_and_shrink_are_what_was_set_last() {
        let mut batch = Batch::of(u64::MAX);
        let numbers: Vec<_> =
            (1..=50).map(|first| batch.add(stream(first.into()), 51 - first, None)).collect();
        assert!(numbers.iter().all(|number| batch.summary(*number).is_none()));
        let text = |round: u64, at: u64| vec![at as u8; ((round * 37 + at * 11) % 90) as usize];
        for round in 1..=9 {
            for (number, at) in numbers.iter().zip(0..) {
                batch.change(*number, round, &text(round, at));
            }
            for (number, at) in numbers.iter().zip(0..) {
                assert_eq!(batch.summary(*number), Some((round, text(round, at).as_slice())));
            }
        }
        let changed = batch.changed();
        assert!(changed.is_sorted_by_key(|changed| changed.first));
        assert_eq!(changed.len(), 50);
        for Changed { first, stream: of, version, summary } in changed {
            assert_eq!((of, version), (stream((51 - first).into()), 9));
            assert_eq!(summary, text(9, 50 - first));
        }
    }

    #[test]
    fn what_was_loaded_is_there_and_not_changed() {
        let mut batch = Batch::of(u64::MAX);
        let summary = Summary { version: 3, bytes: b"three".to_vec() };
        let number = batch.add(stream(1), 7, Some(&summary));
        assert_eq!(batch.summary(number), Some((3, b"three".as_slice())));
        assert_eq!(batch.get(stream(1)).and_then(|number| batch.summary(number)).unwrap().0, 3);
        assert!(batch.get(stream(2)).is_none() && batch.changed().is_empty());
        batch.change(number, 4, b"");
        assert_eq!(batch.summary(number), Some((4, b"".as_slice())));
        assert_eq!(batch.changed().len(), 1);
    }

    #[test]
    fn a_batch_ends_with_its_records_or_its_memory() {
        let mut batch = Batch::of(3);
        assert_eq!([7, 8, 9].map(|position| batch.count(position)), [true, true, false]);
        assert_eq!(batch.last, 9);
        let mut batch = Batch::of(u64::MAX);
        let number = batch.add(stream(1), 1, None);
        batch.change(number, 1, &vec![0; MOST_BYTES / 2]);
        assert!(batch.count(1));
        let number = batch.add(stream(2), 2, None);
        batch.change(number, 1, &vec![0; MOST_BYTES / 2]);
        assert!(!batch.count(2));
    }
}
