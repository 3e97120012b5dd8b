//! What was promised of the log: checkpoints, compared with the tree and the heads on the way.

use std::collections::VecDeque;

use crate::error::{Error, Fault};
use crate::proofs::heads_tree::{HeadsTree, StreamHead};
use crate::proofs::tree::Tree;
use crate::record::Position;
use crate::signed::checkpoint::Checkpoint;

/// How many heads are hashed for older checkpoints, all in all; those of the newest always are.
/// 500,000 take about half a second.
const MOST_HEADS: u64 = 1_000_000;

/// The checkpoints that the log must keep to, the smallest first.
pub(super) struct Promises {
    waiting: VecDeque<(String, Checkpoint)>,
    heads_left: u64,
    /// Checkpoints whose root was found right.
    pub(super) kept: u64,
    /// The size of the largest of them.
    pub(super) signed_up_to: u64,
    /// Of these, how many had their heads compared too.
    pub(super) heads: u64,
}

impl Promises {
    pub(super) fn new(mut promised: Vec<(String, Checkpoint)>) -> Promises {
        promised.sort_by_key(|(_, checkpoint)| checkpoint.size);
        Promises {
            waiting: promised.into(),
            heads_left: MOST_HEADS,
            kept: 0,
            signed_up_to: 0,
            heads: 0,
        }
    }

    /// The size that the next checkpoint speaks of.
    pub(super) fn next(&self) -> Option<u64> {
        self.waiting.front().map(|(_, checkpoint)| checkpoint.size)
    }

    /// Compares the checkpoints of the tree's size; `streams` is how many streams there are.
    pub(super) fn compare(
        &mut self,
        tree: &Tree,
        streams: u64,
        heads: &dyn Fn() -> Vec<StreamHead>,
    ) -> Result<(), Error> {
        let mut made = None;
        while self.next() == Some(tree.size()) {
            let Some((file, checkpoint)) = self.waiting.pop_front() else { break };
            let wrong = |what: &str| {
                Error::Corrupt(Fault {
                    file: file.clone(),
                    offset: 0,
                    position: Some(Position(checkpoint.size)),
                    stream: None,
                    what: what.to_owned(),
                })
            };
            if checkpoint.root != tree.root() {
                return Err(wrong(
                    "the checkpoint signs another root than the records have: records were \
                     changed, or the checkpoint is of another log",
                ));
            }
            self.kept += 1;
            self.signed_up_to = checkpoint.size;
            let Some(signed) = checkpoint.heads else { continue };
            if !self.waiting.is_empty() && streams > self.heads_left {
                continue;
            }
            let found = match made {
                Some(found) => found,
                None => *made.insert(HeadsTree::new(heads()).root()?),
            };
            self.heads_left = self.heads_left.saturating_sub(streams);
            if found != signed {
                return Err(wrong(
                    "the checkpoint signs other heads of streams than the records have: it could \
                     prove a case complete that is not",
                ));
            }
            self.heads += 1;
        }
        Ok(())
    }

    /// The largest size that was promised.
    pub(super) fn up_to(&self) -> Position {
        Position(self.waiting.back().map_or(0, |(_, checkpoint)| checkpoint.size))
    }
}
