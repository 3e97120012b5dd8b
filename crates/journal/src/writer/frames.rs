//! The frames of a group, and the leaf hashes of their records.
//!
//! Hashing is most of what an append costs, and the disk need not wait for it: the hashes are made
//! while it writes, by the thread that stamps when it has nothing else to do and by the one that
//! tells. The next record of the same stream may need one sooner, and makes it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::format::GroupBuffer;
use crate::lanes::LANES;
use crate::record::LeafHash;

/// So many records are hashed before a look whether there is something better to do.
const HASHED_AT_ONCE: usize = 16;

struct Place {
    /// Where the frame begins within the group.
    at: u32,
    leaf: Leaf,
}

/// A leaf hash, once it is made. Who makes it anew makes the same, so nobody waits for another.
#[derive(Default)]
struct Leaf {
    words: [AtomicU64; 4],
    there: AtomicBool,
}

impl Leaf {
    fn get(&self) -> Option<LeafHash> {
        if !self.there.load(Ordering::Acquire) {
            return None;
        }
        let mut hash = [0; 32];
        for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(&self.words) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        Some(LeafHash(hash))
    }

    fn set(&self, leaf: LeafHash) {
        for (bytes, word) in leaf.0.as_chunks().0.iter().zip(&self.words) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        self.there.store(true, Ordering::Release);
    }
}

/// The frames of a group: added by one thread, then read by several.
#[derive(Default)]
pub(super) struct Frames {
    buffer: GroupBuffer,
    places: Vec<Place>,
    /// How many of them, from the first on, somebody has taken on to hash.
    taken: AtomicUsize,
}

impl Frames {
    /// Begins anew at a position, keeping the room.
    pub(super) fn begin(&mut self, first: u64) {
        self.buffer.begin(first);
        self.places.clear();
        *self.taken.get_mut() = 0;
    }

    /// Adds the next record, which `fill` writes. One that is too long is not added; then its length
    /// is returned.
    pub(super) fn push(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), usize> {
        let (at, _) = self.buffer.push(fill)?;
        self.places.push(Place { at: at as u32, leaf: Leaf::default() });
        Ok(())
    }

    /// No record is added any more.
    pub(super) fn close(&mut self) {
        self.buffer.close();
    }

    /// How many records there are.
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// The position of the first record.
    pub(super) fn first(&self) -> u64 {
        self.buffer.first()
    }

    /// The position of the next record.
    pub(super) fn next(&self) -> u64 {
        self.buffer.next()
    }

    /// The length with the group's header in bytes.
    pub(super) fn length(&self) -> usize {
        self.buffer.length()
    }

    /// The bytes to write, see [`GroupBuffer::padded`].
    pub(super) fn padded(&self, offset: u64, most: u64) -> &[u8] {
        self.buffer.padded(offset, most)
    }

    /// Where the frames begin within the group, with their records' leaf hashes.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, LeafHash)> {
        self.places.iter().map(|place| (place.at, self.hash(place)))
    }

    /// The leaf hash of the record with an index, which is below [`Frames::count`].
    pub(super) fn leaf(&self, index: usize) -> Option<LeafHash> {
        self.places.get(index).map(|place| self.hash(place))
    }

    fn record(&self, place: &Place) -> &[u8] {
        self.buffer.record(place.at as usize).unwrap_or_default()
    }

    fn hash(&self, place: &Place) -> LeafHash {
        place.leaf.get().unwrap_or_else(|| {
            let leaf = LeafHash::of(self.record(place));
            place.leaf.set(leaf);
            leaf
        })
    }

    fn hash_each(&self, places: &[Place; LANES]) {
        let records = places.each_ref().map(|place| self.record(place));
        for (place, leaf) in places.iter().zip(LeafHash::of_each(records)) {
            place.leaf.set(leaf);
        }
    }

    /// Hashes a few records that nobody has taken on; `false` where there are none.
    pub(super) fn hash_some(&self) -> bool {
        if self.taken.load(Ordering::Relaxed) >= self.places.len() {
            return false;
        }
        let from = self.taken.fetch_add(HASHED_AT_ONCE, Ordering::Relaxed);
        let some = self.places.get(from..).unwrap_or_default();
        let (lanes, rest) = some.get(..HASHED_AT_ONCE).unwrap_or(some).as_chunks();
        for places in lanes {
            self.hash_each(places);
        }
        for place in rest {
            self.hash(place);
        }
        true
    }

    /// Hashes the next few of a group that is still open; `false` where there are not as many as are
    /// hashed at once on one core.
    pub(super) fn hash_lanes(&mut self) -> bool {
        let from = *self.taken.get_mut();
        let Some(places) = self.places.get(from..).and_then(<[_]>::first_chunk) else {
            return false;
        };
        self.hash_each(places);
        *self.taken.get_mut() = from + LANES;
        true
    }

    /// Hashes all that nobody has taken on.
    pub(super) fn hash_all(&self) {
        while self.hash_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Frames whose records tell their number, and the hashes that they should have.
    fn begin(frames: &mut Frames, count: u64) -> Vec<LeafHash> {
        frames.begin(7);
        let record = |number: u64| number.to_string().repeat(1 + number as usize % 50).into_bytes();
        for number in 0..count {
            frames.push(|out| out.extend_from_slice(&record(number))).unwrap();
        }
        (0..count).map(|number| LeafHash::of(&record(number))).collect()
    }

    #[test]
    fn the_hashes_are_those_of_the_records_whoever_makes_them() {
        let mut frames = Frames::default();
        for count in [0, 1, 16, 17, 1_000, 40] {
            let wanted = begin(&mut frames, count);
            let middle = count as usize / 2;
            assert_eq!(frames.leaf(middle), wanted.get(middle).copied(), "before it is closed");
            let mut lanes = 0;
            while lanes < middle && frames.hash_lanes() {
                lanes += LANES;
            }
            let there = frames.places.iter().take(lanes).filter(|place| place.leaf.get().is_some());
            assert_eq!(there.count(), lanes);
            frames.close();
            thread::scope(|scope| {
                scope.spawn(|| while frames.hash_some() {});
                scope.spawn(|| frames.hash_all());
                let leaves: Vec<_> = frames.all().map(|(_, leaf)| leaf).collect();
                assert_eq!(leaves, wanted);
            });
            assert!(!frames.hash_some(), "all were taken on");
            assert!(frames.places.iter().all(|place| place.leaf.get().is_some()));
        }
    }

    #[test]
    fn a_record_that_is_too_long_leaves_no_place() {
        let mut frames = Frames::default();
        frames.begin(1);
        assert!(frames.push(|out| out.resize(out.len() + (1 << 16), b'x')).is_err());
        let wanted = frames.push(|out| out.push(b'y')).map(|()| LeafHash::of(b"y"));
        assert_eq!((frames.count(), frames.next()), (1, 2));
        assert_eq!(frames.leaf(0), wanted.ok());
    }
}
