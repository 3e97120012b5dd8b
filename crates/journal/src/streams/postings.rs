//! The positions of every stream's records, packed in memory: about three bytes a record.
//!
//! They follow from the log alone: the footers and the tail give them at open, the index's worker
//! adds what becomes durable. What they lack, the segments' own directories answer.

use std::collections::hash_map::Entry;
use std::sync::{PoisonError, RwLock};

use crate::record::StreamId;
use crate::segments::format::{Fields, put_varint, varint_bytes};
use crate::streams::table::{StreamMap, StreamTable};

/// How many bytes a list grows by at least: a few records' worth, for most streams are short.
const GROWTH_BYTES: usize = 16;

/// The positions of one stream's records, from its first on without a gap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// The first position, then what each next one adds, as varints.
    packed: Vec<u8>,
    count: u64,
    last: u64,
}

impl List {
    /// Makes room for several positions that are to be added, and no more: at opening they are most that
    /// the list will ever have.
    fn reserve(&mut self, positions: &[u64]) {
        let mut before = self.last;
        let mut bytes = 0;
        for position in positions {
            bytes += varint_bytes(position.saturating_sub(before));
            before = *position;
        }
        self.packed.reserve_exact(bytes);
    }

    fn add(&mut self, position: u64) {
        if self.packed.capacity() - self.packed.len() < varint_bytes(position - self.last) {
            self.packed.reserve_exact(GROWTH_BYTES.max(self.packed.len() / 4));
        }
        put_varint(&mut self.packed, position - self.last);
        self.count += 1;
        self.last = position;
    }

    fn positions(&self) -> impl Iterator<Item = u64> {
        let mut fields = Fields(&self.packed);
        let mut position = 0;
        std::iter::from_fn(move || {
            position += fields.varint()?;
            Some(position)
        })
    }
}

/// The lists of all streams, in the making.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    streams: StreamTable<List>,
    /// Up to where all records were taken in.
    last: u64,
}

impl Lists {
    /// Takes in a record. One that does not follow its stream's list is left out, and so is what
    /// comes after it there: a list is shorter then, but never wrong.
    pub(crate) fn add(&mut self, stream: StreamId, version: u64, position: u64) {
        add_run(self.streams.part_mut(stream), stream, version, &[position]);
    }

    /// The parts of the table, to be filled with [`add_run`].
    pub(crate) fn parts_mut(&mut self) -> &mut [StreamMap<List>] {
        self.streams.parts_mut()
    }

    /// Says that all records up to a position were taken in.
    pub(crate) fn reach(&mut self, position: u64) {
        self.last = self.last.max(position);
    }
}

/// Takes in records of a stream whose versions follow each other, `version` being the first's; each as
/// [`Lists::add`] does.
pub(crate) fn add_run(
    lists: &mut StreamMap<List>,
    stream: StreamId,
    version: u64,
    positions: &[u64],
) {
    let list = match lists.entry(stream) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(_) if version != 1 => return,
        Entry::Vacant(entry) => entry.insert(List::default()),
    };
    if positions.len() > 1 {
        list.reserve(positions);
    }
    for (position, version) in positions.iter().zip(version..) {
        if list.count + 1 == version && list.last < *position {
            list.add(*position);
        }
    }
}

/// The lists of all streams, read while they grow.
#[derive(Debug)]
pub(crate) struct Postings(RwLock<Lists>);

impl Postings {
    pub(crate) fn new(lists: Lists) -> Postings {
        Postings(RwLock::new(lists))
    }

    /// Up to where all records were taken in.
    pub(crate) fn last(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).last
    }

    /// The positions of a stream's records from its first on, at most `most`, as far as known.
    pub(crate) fn of(&self, stream: StreamId, most: u64) -> Vec<u64> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = lists.streams.get(stream) else { return Vec::new() };
        let most = usize::try_from(list.count.min(most)).unwrap_or(usize::MAX);
        let mut positions = Vec::with_capacity(most);
        positions.extend(list.positions().take(most));
        positions
    }

    /// The position of a stream's first record.
    pub(crate) fn first(&self, stream: StreamId) -> Option<u64> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lists.streams.get(stream)?.positions().next()
    }

    /// Takes in the records up to a position: stream, version, position. Readers wait for it.
    pub(crate) fn extend(&self, records: &[(StreamId, u64, u64)], last: u64) {
        let mut lists = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (stream, version, position) in records {
            lists.add(*stream, *version, *position);
        }
        lists.reach(last);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn stream(number: u128) -> StreamId {
        StreamId(Uuid::from_u128(number))
    }

    proptest! {
        #[test]
        fn every_list_is_what_was_taken_in(gaps in prop::collection::vec(1_u64..1 << 40, 1..200)) {
            let postings = Postings::new(Lists::default());
            let mut position = 0;
            let records: Vec<_> = gaps
                .iter()
                .zip(1_u64..)
                .map(|(gap, version)| {
                    position += gap;
                    (stream(7), version, position)
                })
                .collect();
            let (before, after) = records.split_at(records.len() / 2);
            postings.extend(before, 0);
            postings.extend(after, position);
            let wanted: Vec<u64> = records.iter().map(|(_, _, position)| *position).collect();
            prop_assert_eq!(postings.first(stream(7)), wanted.first().copied());
            prop_assert_eq!(postings.of(stream(7), u64::MAX), wanted);
            prop_assert_eq!(postings.last(), position);
        }
    }

    #[test]
    fn a_list_with_a_gap_ends_before_it() {
        let postings = Postings::new(Lists::default());
        postings.extend(&[(stream(1), 1, 4), (stream(1), 3, 9), (stream(2), 2, 10)], 10);
        assert_eq!(postings.of(stream(1), 9), [4]);
        assert!(postings.of(stream(2), 9).is_empty());
        assert_eq!(postings.first(stream(2)), None);
    }
}
