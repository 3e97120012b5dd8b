//! Whether a small group waits a moment for more.
//!
//! Callers who were answered together come back one after the other within some ten microseconds. A
//! group that is closed at the first of them costs a sync for one, and all others wait behind it: 64
//! callers took two syncs a round. So a group looks for as many as the one before had, for a moment:
//! who comes alone was alone before, and does not wait.

use std::time::{Duration, Instant};

use super::SMALL;

/// How long a group looks for more, as long as some come: about a sync of a quick disk, which is what
/// it can save. Where none comes it ends sooner, see [`crate::append::queue::linger`].
const LONGEST: Duration = Duration::from_micros(100);

/// What is known of the group that is open and of the one before.
#[derive(Default)]
pub(super) struct Gather {
    /// How many records the last group had.
    last: usize,
    /// When this group first looked for more.
    begun: Option<Instant>,
}

impl Gather {
    /// Whether a group that has so many records `now` looks for more.
    pub(super) fn looks(&mut self, records: usize, now: Instant) -> bool {
        let begun = *self.begun.get_or_insert(now);
        records < self.last.min(SMALL) && now.saturating_duration_since(begun) < LONGEST
    }

    /// A group was closed with so many records.
    pub(super) fn closed(&mut self, records: usize) {
        *self = Gather { last: records, begun: None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_looks_for_as_many_as_the_last_had_but_not_for_long() {
        let begun = Instant::now();
        let mut gather = Gather::default();
        assert!(!gather.looks(1, begun), "who comes alone does not wait");
        gather.closed(3);
        assert!(gather.looks(2, begun));
        assert!(!gather.looks(3, begun));
        assert!(gather.looks(2, begun + LONGEST / 2));
        assert!(!gather.looks(2, begun + LONGEST), "it was long enough");
        gather.closed(2);
        assert!(gather.looks(1, begun + LONGEST));
        gather.closed(1_000);
        assert!(!gather.looks(SMALL, begun), "a larger one is worth a sync");
    }
}
