//! The tree over the heads of all streams, whose root a checkpoint signs beside the log's.
//!
//! The log's tree shows that records are there; it cannot show that none is missing. This one has
//! one leaf for every stream, with the stream's last version and position at the checkpoint.

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::proofs::proof::{InclusionProof, inclusion, root_at};
use crate::proofs::tree::{fold_full, node_hash};
use crate::record::{LeafHash, Position, StreamId, Version};
use crate::segments::directory::UNKNOWN_PRIOR;
use crate::segments::log::Log;

/// A stream's last record at some size of the log: a leaf of the heads tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamHead {
    /// The stream.
    pub stream: StreamId,
    /// How many records it has.
    pub version: Version,
    /// Where the last of them stands.
    pub position: Position,
}

impl StreamHead {
    /// The leaf hash: that of RFC 6962 over the stream's 16 bytes, the version and the position,
    /// each 8 bytes, little endian.
    #[must_use]
    pub fn leaf(&self) -> LeafHash {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(self.stream.0.as_bytes());
        hasher.update(self.version.0.to_le_bytes());
        hasher.update(self.position.0.to_le_bytes());
        LeafHash(hasher.finalize().into())
    }
}

/// What a checkpoint says of the heads of all streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadsRoot {
    /// How many streams there are.
    pub streams: u64,
    /// The root of the tree over their heads, in the order of the streams' ids.
    pub root: [u8; 32],
}

/// The tree over the heads at one size of the log.
#[derive(Debug)]
pub(crate) struct HeadsTree {
    heads: Vec<StreamHead>,
    /// `rows[k]` has the roots of the full subtrees of 2^k leaves.
    rows: Vec<Vec<[u8; 32]>>,
}

impl HeadsTree {
    /// Hashes the heads, in any order, one for each stream.
    pub(crate) fn new(mut heads: Vec<StreamHead>) -> HeadsTree {
        heads.sort_unstable();
        let mut rows = vec![heads.iter().map(|head| head.leaf().0).collect::<Vec<_>>()];
        while let Some(row) = rows.last().filter(|row| row.len() > 1) {
            let pair = |pair: &[[u8; 32]]| match pair {
                [left, right] => node_hash(left, right),
                other => fold_full(other),
            };
            rows.push(row.chunks_exact(2).map(pair).collect());
        }
        HeadsTree { heads, rows }
    }

    fn node(&self, level: u32, index: u64) -> Result<[u8; 32], Error> {
        let row = self.rows.get(level as usize);
        row.and_then(|row| row.get(usize::try_from(index).ok()?)).copied().ok_or_else(|| {
            Error::Request(format!("the heads tree has no node {index} at level {level}"))
        })
    }

    fn size(&self) -> u64 {
        self.heads.len() as u64
    }

    pub(crate) fn root(&self) -> Result<HeadsRoot, Error> {
        let nodes = |level, index| self.node(level, index);
        Ok(HeadsRoot { streams: self.size(), root: root_at(&nodes, self.size())? })
    }

    /// Proves a stream's leaf, whose "position" is its number from 1; `None` for a stream that is
    /// not there.
    pub(crate) fn prove(&self, stream: StreamId) -> Result<Option<InclusionProof>, Error> {
        let Ok(index) = self.heads.binary_search_by_key(&stream, |head| head.stream) else {
            return Ok(None);
        };
        let (index, size) = (index as u64, self.size());
        let path = inclusion(&|level, index| self.node(level, index), index, size)?;
        Ok(Some(InclusionProof { position: Position(index + 1), size, path }))
    }
}

/// The head that a stream had when the log had `size` records, given where it has a later one.
pub(crate) fn head_before(
    log: &Log,
    stream: StreamId,
    from: u64,
    size: u64,
) -> Result<Option<StreamHead>, Error> {
    let mut position = from;
    while position > 0 {
        let segment = log.segment(position)?;
        let run = segment.run(stream, position)?.ok_or_else(|| {
            segment.fault(0, position, "the footer does not know a stream that it has")
        })?;
        if let Some(head) = run.head_at(stream, segment.first, size) {
            return Ok(Some(head));
        }
        position = match run.prior {
            UNKNOWN_PRIOR => log.find_last(stream, segment.first)?.unwrap_or(0),
            prior => prior,
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_head_is_proved_at_every_size_and_a_stranger_is_not() {
        for count in 0..70_u64 {
            let heads: Vec<_> = (0..count)
                .map(|number| StreamHead {
                    stream: StreamId(Uuid::from_u128(u128::from(number.wrapping_mul(0x9e37_79b9)))),
                    version: Version(number + 1),
                    position: Position(number * 3 + 1),
                })
                .collect();
            let tree = HeadsTree::new(heads.clone());
            let root = tree.root().unwrap();
            assert_eq!(root.streams, count);
            for head in &heads {
                let proof = tree.prove(head.stream).unwrap().unwrap();
                assert!(proof.proves(head.leaf(), &root.root), "{count} heads");
                let later = StreamHead { version: head.version.next(), ..*head };
                assert!(!proof.proves(later.leaf(), &root.root));
            }
            assert_eq!(tree.prove(StreamId(Uuid::max())).unwrap(), None);
        }
    }
}
