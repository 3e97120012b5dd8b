//! Follows a whole log as it will be: what of it is in order, and what proves each restored record.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use serde::Serialize;

use crate::envelope::Envelope;
use crate::error::{Error, fault};
use crate::proofs::tree::Tree;
use crate::record::LeafHash;
use crate::signed::checkpoint::Checkpoint;
use crate::streams::table::StreamMap;

/// What proves that a restored record is the one that was lost, the strongest there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProvedBy {
    /// Nothing in the log: it only follows the records before it.
    Nothing,
    /// Length and CRC-32C of its damaged frame are those of the record. That is no proof against a source
    /// that lies: a CRC is linear, and other words with the same one are found in no time.
    Checksum,
    /// The next record of its stream, which was not damaged, names its leaf hash.
    Chain,
    /// A footer of the log holds the tree's frontier over it.
    Tree,
    /// A checkpoint covers it that a believed key signed.
    Checkpoint,
}

/// Why the walk cannot go on.
pub(crate) enum Stop {
    /// A failure, or damage of another kind.
    Error(Error),
    /// Whole frames contradict each other or what was signed: one of these records was changed
    /// since it was written.
    Doubt { error: Error, suspects: Vec<RangeInclusive<u64>> },
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

/// A checkpoint that was kept beside the log.
#[derive(Debug, Clone)]
pub(crate) struct Promise {
    pub(crate) file: String,
    pub(crate) said: Checkpoint,
    /// Whether a key that is believed signed it. One that nobody did proves nothing, and may still
    /// contradict.
    pub(crate) believed: bool,
}

/// Follows the whole log as it will be, and gathers what proves the restored records.
pub(crate) struct Walk {
    tree: Tree,
    heads: StreamMap<(u64, LeafHash, u64)>,
    last_time_us: i64,
    /// Up to here the tree was found right.
    sure: u64,
    promises: VecDeque<Promise>,
    /// The restored records, with what proves each so far.
    pub(super) restored: BTreeMap<u64, ProvedBy>,
}

impl Walk {
    /// `promises` in the order of their sizes.
    pub(crate) fn new(promises: Vec<Promise>) -> Walk {
        Walk {
            tree: Tree::new(),
            heads: StreamMap::default(),
            last_time_us: i64::MIN,
            sure: 0,
            promises: promises.into(),
            restored: BTreeMap::new(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(crate) fn root(&self) -> [u8; 32] {
        self.tree.root()
    }

    /// Takes in the next record; `restored` says what its own frame proves, if it was restored.
    pub(crate) fn follow(
        &mut self,
        file: &str,
        bytes: &[u8],
        restored: Option<ProvedBy>,
    ) -> Result<(), Stop> {
        let position = self.tree.size() + 1;
        let doubt =
            |what: &str, suspects| Stop::Doubt { error: fault(file, 0, position, what), suspects };
        let own = position..=position;
        let envelope = Envelope::parse(bytes).map_err(|what| doubt(what, vec![own.clone()]))?;
        let time_us = envelope.time.as_microsecond();
        if time_us < self.last_time_us {
            let what = "the record's time is before that of the record before it";
            return Err(doubt(what, vec![position - 1..=position]));
        }
        let leaf = LeafHash::of(bytes);
        let head = (envelope.version.0, leaf, position);
        let before = self.heads.insert(envelope.stream, head);
        let (version, prev, at) = before.unwrap_or((0, LeafHash::NONE, 0));
        if envelope.version.0 != version + 1 || envelope.prev != prev {
            let what = "the record does not follow the one before it in its stream";
            return Err(doubt(what, vec![at..=at, own]));
        }
        if restored.is_none() {
            // A record that was never damaged vouches for the one before it.
            self.raise(at..=at, ProvedBy::Chain);
        }
        self.last_time_us = time_us;
        self.tree.push(leaf);
        if let Some(proved_by) = restored {
            self.restored.insert(position, proved_by);
        }
        while self.promises.front().is_some_and(|promise| promise.said.size <= position) {
            let Some(Promise { file, said, believed }) = self.promises.pop_front() else { break };
            if said.size == position && said.root == self.tree.root() {
                if believed {
                    self.raise(1..=position, ProvedBy::Checkpoint);
                }
                self.sure = position;
            } else if said.size == position {
                let what = format!("the records contradict {file}");
                return Err(doubt(&what, vec![self.sure + 1..=position]));
            }
        }
        Ok(())
    }

    /// Compares a frontier that a footer of the log holds.
    pub(super) fn compare(&mut self, file: &str, peaks: &[[u8; 32]]) -> Result<(), Stop> {
        if self.tree.peaks() == peaks {
            self.raise(1..=self.tree.size(), ProvedBy::Tree);
            self.sure = self.tree.size();
            return Ok(());
        }
        let (size, what) = (self.tree.size(), "the records contradict the tree in the footer");
        let error = fault(file, 0, size, what);
        Err(Stop::Doubt { error, suspects: vec![self.sure + 1..=size] })
    }

    fn raise(&mut self, positions: RangeInclusive<u64>, to: ProvedBy) {
        for proved_by in self.restored.range_mut(positions).map(|(_, by)| by) {
            *proved_by = (*proved_by).max(to);
        }
    }
}
