//! Maps by stream: small ones, and large ones in parts by the first bits of the ids.
//!
//! A part that must grow moves its own entries only, so nobody waits for all of them to be moved; and
//! several threads may fill a table at once, each some of its parts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::record::StreamId;

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

/// A table has two to the power of this many parts.
pub(crate) const PART_BITS: u32 = 6;
const PARTS: usize = 1 << PART_BITS;

/// A large map by stream.
#[derive(Debug)]
pub(crate) struct StreamTable<T>([StreamMap<T>; PARTS]);

impl<T> Default for StreamTable<T> {
    fn default() -> StreamTable<T> {
        StreamTable(std::array::from_fn(|_| StreamMap::default()))
    }
}

impl<T> StreamTable<T> {
    /// The part that a stream is in.
    pub(crate) fn part(&self, stream: StreamId) -> &StreamMap<T> {
        let [first, more @ ..] = &self.0;
        part_of(stream).checked_sub(1).and_then(|part| more.get(part)).unwrap_or(first)
    }

    /// The same to be changed.
    pub(crate) fn part_mut(&mut self, stream: StreamId) -> &mut StreamMap<T> {
        let [first, more @ ..] = &mut self.0;
        part_of(stream).checked_sub(1).and_then(|part| more.get_mut(part)).unwrap_or(first)
    }

    /// All parts, in the order of the ids in them.
    pub(crate) fn parts_mut(&mut self) -> &mut [StreamMap<T>] {
        &mut self.0
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<&T> {
        self.part(stream).get(&stream)
    }

    /// Sets what a stream has; gives back what it had.
    pub(crate) fn insert(&mut self, stream: StreamId, value: T) -> Option<T> {
        self.part_mut(stream).insert(stream, value)
    }

    /// How many streams there are.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(StreamMap::len).sum()
    }

    /// All streams, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StreamId, &T)> {
        self.0.iter().flatten()
    }
}

fn part_of(stream: StreamId) -> usize {
    (stream.0.as_u128() >> (u128::BITS - PART_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that begin with every byte there is.
    fn streams() -> impl Iterator<Item = StreamId> {
        (0..1024_u128).map(|number| StreamId(uuid::Uuid::from_u128(number << 118 | number)))
    }

    #[test]
    fn what_was_set_last_is_found_and_counted_once() {
        let mut table = StreamTable::default();
        for (stream, number) in streams().zip(0..) {
            assert_eq!(table.insert(stream, number), None);
        }
        for (stream, number) in streams().zip(0..) {
            assert_eq!(table.insert(stream, number + 1), Some(number));
        }
        assert!(streams().zip(1..).all(|(stream, number)| table.get(stream) == Some(&number)));
        assert_eq!((table.len(), table.iter().count()), (1024, 1024));
        assert_eq!(table.get(StreamId(uuid::Uuid::from_u128(1))), None);
    }

    #[test]
    fn the_parts_have_the_ids_in_their_order() {
        let mut table = StreamTable::default();
        for stream in streams() {
            table.insert(stream, ());
        }
        let parts = table.parts_mut().iter();
        let ranges: Vec<_> = parts.map(|part| (part.keys().min(), part.keys().max())).collect();
        assert!(ranges.is_sorted_by(|(_, before), (after, _)| before < after), "{ranges:?}");
        assert!(ranges.iter().all(|(least, _)| least.is_some()), "{ranges:?}");
    }
}
