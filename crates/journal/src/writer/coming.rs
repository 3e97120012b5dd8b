//! The heads of the streams as they will be when what is on its way is durable.

use crate::directory::StreamMap;
use crate::heads::HeadEntry;
use crate::record::StreamId;

/// So many heads are kept for their own sake.
const KEPT: usize = 8_192;

/// Heads that groups on their way will set. Those of groups that were told are dropped in two
/// steps, so that nothing has to be looked through.
#[derive(Default)]
pub(super) struct Coming {
    young: StreamMap<HeadEntry>,
    old: StreamMap<HeadEntry>,
    /// The last group that set one of `old`.
    old_until: u64,
    /// The last group that set one of `young`.
    young_until: u64,
}

impl Coming {
    pub(super) fn get(&self, stream: StreamId) -> Option<HeadEntry> {
        self.young.get(&stream).or_else(|| self.old.get(&stream)).copied()
    }

    pub(super) fn set(&mut self, stream: StreamId, head: HeadEntry, group: u64) {
        self.young.insert(stream, head);
        self.young_until = group;
    }

    /// Drops what every reader of the heads sees by now, all up to the group `told`, once it is
    /// much: until then it spares a look at the heads of all.
    pub(super) fn forget(&mut self, told: u64) {
        if told < self.old_until || self.young.len() < KEPT {
            return;
        }
        self.old.clear();
        std::mem::swap(&mut self.young, &mut self.old);
        self.old_until = self.young_until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(version: u64) -> HeadEntry {
        HeadEntry { version, position: version, leaf: None }
    }

    #[test]
    fn a_head_is_kept_until_its_group_was_told() {
        let stream = |number| StreamId(uuid::Uuid::from_u128(number as u128));
        let mut coming = Coming::default();
        let set_all = |coming: &mut Coming, group| {
            (0..KEPT).for_each(|number| coming.set(stream(number), head(group), group));
        };
        set_all(&mut coming, 1);
        coming.forget(0);
        set_all(&mut coming, 2);
        coming.forget(0);
        assert_eq!(coming.get(stream(0)).unwrap().version, 2);
        coming.forget(1);
        assert_eq!(coming.get(stream(0)).unwrap().version, 2, "group 2 is not told yet");
        set_all(&mut coming, 3);
        coming.forget(2);
        assert_eq!(coming.get(stream(0)).unwrap().version, 3, "group 3 is not told yet");
        coming.set(stream(KEPT), head(4), 4);
        coming.forget(3);
        coming.forget(4);
        assert_eq!(coming.get(stream(KEPT)).unwrap().version, 4, "a few are kept");
    }
}
