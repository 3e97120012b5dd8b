//! The frames of a group, and the leaf hashes of their records.
//!
//! Hashing is most of what an append costs, and the disk need not wait for it: the hashes are made
//! while it writes, by the thread that stamps when it has nothing else to do and by the one that
//! tells. The next record of the same stream may need one sooner, and makes it.
//!
//! Where time is left the roots of the tree's branches are made too, so that who tells has less to do.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::proofs::lanes::LANES;
use crate::proofs::tree::{BRANCH_LEAVES, Tree, fold_full};
use crate::record::LeafHash;
use crate::segments::group::GroupBuffer;

struct Place {
    /// Where the frame begins within the group.
    at: u32,
    leaf: Made,
}

/// A hash, once it is made. Who makes it anew makes the same, so nobody waits for another.
#[derive(Default)]
struct Made {
    words: [AtomicU64; 4],
    there: AtomicBool,
}

impl Made {
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

    fn set(&self, hash: LeafHash) {
        for (bytes, word) in hash.0.as_chunks().0.iter().zip(&self.words) {
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
    /// How many of them, from the first on, were hashed while records were still added.
    ahead: usize,
    /// The roots of the branches that the group has whole, once it is closed.
    branches: Vec<Made>,
    /// How many parts, see [`Frames::part`], somebody has taken on to hash.
    taken: AtomicUsize,
    /// How many branches somebody has taken on.
    folded: AtomicUsize,
}

impl Frames {
    /// Begins anew at a position, keeping the room.
    pub(super) fn begin(&mut self, first: u64) {
        self.buffer.begin(first);
        self.places.clear();
        self.branches.clear();
        self.ahead = 0;
        *self.taken.get_mut() = 0;
        *self.folded.get_mut() = 0;
    }

    /// Adds the next record, which `fill` writes. One that is too long is not added; then its length
    /// is returned.
    #[expect(clippy::cast_possible_truncation, reason = "the options limit the bytes of a group")]
    pub(super) fn push(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), usize> {
        let (at, _) = self.buffer.push(fill)?;
        self.places.push(Place { at: at as u32, leaf: Made::default() });
        Ok(())
    }

    /// No record is added any more.
    pub(super) fn close(&mut self) {
        self.buffer.close();
        let whole = (self.count() - self.lead()) / BRANCH_LEAVES;
        self.branches.resize_with(whole, Made::default);
    }

    /// How many records at the beginning end a branch that an earlier group began.
    #[expect(clippy::cast_possible_truncation, reason = "at most a branch")]
    fn lead(&self) -> usize {
        let before = self.first().saturating_sub(1) % BRANCH_LEAVES as u64;
        ((BRANCH_LEAVES as u64 - before) as usize % BRANCH_LEAVES).min(self.count())
    }

    /// What is hashed together: part 0 ends a branch, which may be nothing; each other begins one.
    fn part(&self, number: usize) -> Option<&[Place]> {
        let (lead, rest) = self.places.split_at(self.lead());
        match number.checked_sub(1) {
            None => Some(lead),
            Some(number) => rest.chunks(BRANCH_LEAVES).nth(number),
        }
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

    /// Where the frames begin within the group.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.places.iter().map(|place| place.at)
    }

    /// The leaf hashes of all records.
    pub(super) fn leaves(&self) -> Vec<LeafHash> {
        self.places.iter().map(|place| self.hash(place)).collect()
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
        if self.part(self.taken.load(Ordering::Relaxed)).is_none() {
            return false;
        }
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let (lanes, rest) = self.part(number).unwrap_or_default().as_chunks();
        for places in lanes {
            if places.iter().any(|place| place.leaf.get().is_some()) {
                for place in places {
                    self.hash(place);
                }
            } else {
                self.hash_each(places);
            }
        }
        for place in rest {
            self.hash(place);
        }
        true
    }

    /// Makes the root of one branch of the tree that nobody has taken on; `false` where there is none.
    pub(super) fn fold_some(&self) -> bool {
        if self.folded.load(Ordering::Relaxed) >= self.branches.len() {
            return false;
        }
        let number = self.folded.fetch_add(1, Ordering::Relaxed);
        if let Some((branch, places)) = self.branches.get(number).zip(self.part(number + 1)) {
            let leaves: Vec<_> = places.iter().map(|place| self.hash(place).0).collect();
            branch.set(LeafHash(fold_full(&leaves)));
        }
        true
    }

    /// Adds the leaves to the tree, which must stand before the first record.
    pub(super) fn add_to(&self, tree: &mut Tree) {
        for number in 0.. {
            let Some(places) = self.part(number) else { return };
            let branch = number.checked_sub(1).and_then(|branch| self.branches.get(branch));
            match branch.and_then(Made::get) {
                Some(root) => tree.push_branch(root.0),
                None => places.iter().for_each(|place| tree.push(self.hash(place))),
            }
        }
    }

    /// Hashes the next few of a group that is still open; `false` where there are not as many as are
    /// hashed at once on one core.
    pub(super) fn hash_lanes(&mut self) -> bool {
        let Some(places) = self.places.get(self.ahead..).and_then(<[_]>::first_chunk) else {
            return false;
        };
        self.hash_each(places);
        self.ahead += LANES;
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
                assert_eq!(frames.leaves(), wanted);
            });
            assert!(!frames.hash_some(), "all were taken on");
            assert!(frames.places.iter().all(|place| place.leaf.get().is_some()));
        }
    }

    #[test]
    fn the_tree_is_that_of_the_leaves_wherever_a_group_begins_and_whoever_folds() {
        let (mut frames, mut tree, mut wanted) = (Frames::default(), Tree::new(), Tree::new());
        for (turn, count) in [1, 15, 16, 40, 3, 300, 5, 1_000, 0, 12, 256, 33].iter().enumerate() {
            frames.begin(tree.size() + 1);
            for number in 0..*count {
                let record = format!("{turn} {number}");
                frames.push(|out| out.extend_from_slice(record.as_bytes())).unwrap();
                wanted.push(LeafHash::of(record.as_bytes()));
            }
            frames.close();
            // None of the branches, some or all are made before.
            (0..turn % 3).for_each(|_| assert!(frames.fold_some() || frames.branches.len() < 2));
            if turn % 2 == 0 {
                while frames.fold_some() {}
                assert!(frames.branches.iter().all(|branch| branch.get().is_some()));
            }
            frames.add_to(&mut tree);
            assert_eq!((tree.size(), tree.peaks()), (wanted.size(), wanted.peaks()), "{count}");
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
