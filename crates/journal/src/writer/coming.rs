//! The heads of the streams as they will be when what is on its way is durable, and the frames of the
//! groups on their way, in which those heads stand.

use std::collections::VecDeque;
use std::sync::Arc;

use super::frames::Frames;
use crate::record::{LeafHash, StreamId};
use crate::streams::table::StreamMap;

/// The last record of a stream, on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ComingHead {
    pub(super) version: u64,
    pub(super) position: u64,
    /// The group that it is in.
    pub(super) group: u64,
}

/// Heads that groups on their way will set. Those of groups that were told are dropped in two
/// steps, so that nothing has to be looked through.
#[derive(Default)]
pub(super) struct Coming {
    young: StreamMap<ComingHead>,
    old: StreamMap<ComingHead>,
    /// The last group that set one of `old`.
    old_until: u64,
    /// The last group that set one of `young`.
    young_until: u64,
    /// All up to this group were told: what they set is with the heads of all.
    told: u64,
    /// The groups handed over behind that, without those that were told at once.
    groups: VecDeque<(u64, Arc<Frames>)>,
    /// Frames of groups that were told, to be used again once nobody else has them.
    used: Vec<Arc<Frames>>,
}

impl Coming {
    pub(super) fn get(&self, stream: StreamId) -> Option<ComingHead> {
        let head = self.young.get(&stream).or_else(|| self.old.get(&stream)).copied();
        head.filter(|head| head.group > self.told)
    }

    pub(super) fn set(&mut self, stream: StreamId, head: ComingHead) {
        self.young_until = head.group;
        self.young.insert(stream, head);
    }

    /// The leaf hash of a head in a group that was handed over.
    pub(super) fn leaf(&self, head: &ComingHead) -> Option<LeafHash> {
        let (_, frames) = self.groups.iter().find(|(number, _)| *number == head.group)?;
        frames.leaf(usize::try_from(head.position.checked_sub(frames.first())?).ok()?)
    }

    /// Keeps the frames of a group that is handed over.
    pub(super) fn hand_over(&mut self, group: u64, frames: Arc<Frames>) {
        self.groups.push_back((group, frames));
    }

    /// Hashes a few records of the groups handed over, and then what stands over them in the tree;
    /// `false` where all is hashed, or is being.
    pub(super) fn hash_some(&self) -> bool {
        self.groups.iter().any(|(_, frames)| frames.hash_some())
            || self.groups.iter().any(|(_, frames)| frames.fold_some())
    }

    /// Drops what every reader of the heads sees by now, all up to the group `told`.
    pub(super) fn forget(&mut self, told: u64) {
        self.told = told;
        while let Some((_, frames)) = self.groups.pop_front_if(|(number, _)| *number <= told) {
            self.used.push(frames);
        }
        if told >= self.old_until && !self.young.is_empty() {
            self.old.clear();
            std::mem::swap(&mut self.young, &mut self.old);
            self.old_until = self.young_until;
        }
    }

    /// Keeps the frames of a group that was told.
    pub(super) fn keep(&mut self, frames: Arc<Frames>) {
        self.used.push(frames);
    }

    /// Room for frames, used before if possible.
    pub(super) fn room(&mut self) -> Frames {
        let unused = self.used.iter_mut().position(|frames| Arc::get_mut(frames).is_some());
        let frames = unused.map(|at| self.used.swap_remove(at));
        frames.and_then(Arc::into_inner).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(number: u64) -> StreamId {
        StreamId(uuid::Uuid::from_u128(number.into()))
    }

    /// Hands a group with one record of each stream over.
    fn hand_over(coming: &mut Coming, group: u64, streams: u64) {
        let mut frames = coming.room();
        let first = (group - 1) * streams + 1;
        frames.begin(first);
        for number in 0..streams {
            frames.push(|out| out.extend_from_slice(&group.to_le_bytes())).unwrap();
            let head = ComingHead { version: group, position: first + number, group };
            coming.set(stream(number), head);
        }
        frames.close();
        coming.hand_over(group, Arc::new(frames));
    }

    #[test]
    fn a_head_is_kept_until_its_group_was_told() {
        let mut coming = Coming::default();
        hand_over(&mut coming, 1, 8);
        coming.forget(0);
        hand_over(&mut coming, 2, 4);
        coming.forget(0);
        let head = |coming: &Coming, number| {
            let head = coming.get(stream(number))?;
            Some((head.version, coming.leaf(&head).unwrap()))
        };
        let leaf = |group: u64| Some((group, LeafHash::of(&group.to_le_bytes())));
        assert_eq!((head(&coming, 0), head(&coming, 7)), (leaf(2), leaf(1)));
        coming.forget(1);
        assert_eq!((head(&coming, 0), head(&coming, 7)), (leaf(2), None));
        hand_over(&mut coming, 3, 2);
        coming.forget(2);
        assert_eq!((head(&coming, 0), head(&coming, 3)), (leaf(3), None));
        coming.forget(3);
        assert_eq!(head(&coming, 0), None);
    }

    #[test]
    fn frames_are_used_again_once_nobody_has_them() {
        let mut coming = Coming::default();
        hand_over(&mut coming, 1, 8);
        let held = Arc::clone(&coming.groups.front().unwrap().1);
        coming.forget(1);
        assert_eq!(coming.room().count(), 0, "another has them");
        drop(held);
        assert_eq!(coming.room().count(), 8);
    }
}
