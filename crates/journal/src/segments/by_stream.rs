//! The records of a segment in the order of their streams, as its footer has them.

use crate::background::let_others_go_on;
use crate::segments::directory::Directory;

/// The part of a stream's id by which streams are sorted first, see [`ByStream::of`].
const ALIKE: u128 = !0 << 32;

/// After so many records others may go on.
const PAUSED_RECORDS: u32 = 4096;

/// The records of a segment by stream. Each names the one before it in its stream, so only the first
/// ones have to be sorted.
pub(crate) struct ByStream {
    /// The first record of each stream here, in the order of the streams' ids.
    pub(crate) firsts: Vec<u32>,
    /// For each record the next of its stream; itself where there is none.
    next: Vec<u32>,
}

impl ByStream {
    /// The streams are sorted by the first 96 bits of their ids, with the record's number behind them:
    /// one word of 128 is sorted in half the time that a whole id and a number take. Those that are
    /// alike so far are sorted once more.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a segment has fewer than 2^32 records, and a key ends with the number of one"
    )]
    pub(crate) fn of(directory: &Directory) -> ByStream {
        let mut next: Vec<u32> = (0..directory.links.len() as u32).collect();
        let mut keys = Vec::new();
        for (link, relative) in directory.links.iter().zip(0..) {
            if relative % PAUSED_RECORDS == 0 {
                let_others_go_on();
            }
            let prior =
                link.prior.checked_sub(directory.first).filter(|at| *at < u64::from(relative));
            match prior.and_then(|at| next.get_mut(at as usize)) {
                Some(next) => *next = relative,
                None => keys.push((link.stream.0.as_u128() & ALIKE) | u128::from(relative)),
            }
        }
        let_others_go_on();
        keys.sort_unstable();
        let_others_go_on();
        let mut firsts: Vec<u32> = keys.iter().map(|key| *key as u32).collect();
        let stream =
            |relative: &u32| directory.links.get(*relative as usize).map(|link| link.stream);
        let mut rest = firsts.as_mut_slice();
        for alike in keys.chunk_by(|one, other| one & ALIKE == other & ALIKE) {
            let (these, behind) = rest.split_at_mut(alike.len());
            these.sort_by_key(stream);
            rest = behind;
        }
        ByStream { firsts, next }
    }

    /// The records of the stream whose first record is given, in their order.
    pub(crate) fn run(&self, first: u32) -> impl Iterator<Item = u32> {
        let next = |relative: &u32| {
            self.next.get(*relative as usize).copied().filter(|next| next > relative)
        };
        std::iter::successors(Some(first), next)
    }
}
