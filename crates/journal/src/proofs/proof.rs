//! RFC 6962 proofs: made from the tree and the log, checked from nothing but themselves.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::journal::Journal;
use crate::proofs::hashes;
use crate::proofs::heads_tree::HeadsTree;
use crate::proofs::stream_proof::StreamProof;
use crate::proofs::tree::node_hash;
use crate::record::{LeafHash, Position, StreamId};
use crate::signed::checkpoint::Checkpoint;

/// A proof that a record is in the tree of a size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The record's position; its leaf index is one less.
    pub position: Position,
    /// The size of the tree: the last position that it covers.
    pub size: u64,
    /// The sibling hashes from the leaf up.
    #[serde(with = "hashes")]
    pub path: Vec<[u8; 32]>,
}

/// A proof that the tree of one size is the beginning of the tree of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub old_size: u64,
    /// The greater size.
    pub size: u64,
    /// The hashes, in the order of RFC 6962.
    #[serde(with = "hashes")]
    pub path: Vec<[u8; 32]>,
}

impl InclusionProof {
    /// Whether the leaf is at the position in the tree with this root. Never panics, and accepts
    /// no proof that is too long or too short.
    #[must_use]
    pub fn proves(&self, leaf: LeafHash, root: &[u8; 32]) -> bool {
        let Some(mut node) = self.position.0.checked_sub(1) else { return false };
        if node >= self.size {
            return false;
        }
        let mut last = self.size - 1;
        let mut hash = leaf.0;
        // RFC 9162, 2.1.3.2.
        for sibling in &self.path {
            if last == 0 {
                return false;
            }
            if node & 1 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        last == 0 && hash == *root
    }
}

impl ConsistencyProof {
    /// Whether the tree with the old root is the beginning of the one with the new root. The tree
    /// of size 0 is the beginning of every tree.
    #[must_use]
    pub fn proves(&self, old_root: &[u8; 32], root: &[u8; 32]) -> bool {
        if self.old_size == 0 && *old_root != crate::proofs::tree::empty_root() {
            return false;
        }
        if self.old_size == self.size {
            return self.path.is_empty() && old_root == root;
        }
        if self.old_size == 0 {
            return self.path.is_empty();
        }
        if self.old_size > self.size {
            return false;
        }
        // RFC 9162, 2.1.4.2.
        let mut path = self.path.iter();
        let first = if self.old_size.is_power_of_two() { Some(old_root) } else { path.next() };
        let Some(first) = first else { return false };
        let (mut node, mut last) = (self.old_size - 1, self.size - 1);
        let shift = node.trailing_ones();
        node >>= shift;
        last >>= shift;
        let (mut old, mut new) = (*first, *first);
        for hash in path {
            if last == 0 {
                return false;
            }
            if node & 1 == 1 || node == last {
                old = node_hash(hash, &old);
                new = node_hash(hash, &new);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                new = node_hash(&new, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        last == 0 && old == *old_root && new == *root
    }
}

/// Gives the root of the full subtree of 2^level leaves with a number.
pub(crate) type Nodes<'n> = dyn Fn(u32, u64) -> Result<[u8; 32], Error> + 'n;

/// The root over the leaves from `start` to before `end`, where `start` is at the edge of a
/// subtree that is large enough, as it is in every split of RFC 6962.
pub(crate) fn range_root(nodes: &Nodes<'_>, start: u64, end: u64) -> Result<[u8; 32], Error> {
    let count = end - start;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return nodes(level, start >> level);
    }
    let split = start + split_of(count);
    Ok(node_hash(&range_root(nodes, start, split)?, &range_root(nodes, split, end)?))
}

/// The largest power of two below a count of 2 or more.
pub(crate) fn split_of(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The root of the tree of a size.
pub(crate) fn root_at(nodes: &Nodes<'_>, size: u64) -> Result<[u8; 32], Error> {
    if size == 0 { Ok(crate::proofs::tree::empty_root()) } else { range_root(nodes, 0, size) }
}

/// The path of a leaf index in the tree of a size, from the leaf up.
pub(crate) fn inclusion(nodes: &Nodes<'_>, index: u64, size: u64) -> Result<Vec<[u8; 32]>, Error> {
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let split = start + split_of(end - start);
        if index < split {
            path.push(range_root(nodes, split, end)?);
            end = split;
        } else {
            path.push(range_root(nodes, start, split)?);
            start = split;
        }
    }
    path.reverse();
    Ok(path)
}

/// The path that shows the tree of `old` leaves to be the beginning of that of `size`.
pub(crate) fn consistency(nodes: &Nodes<'_>, old: u64, size: u64) -> Result<Vec<[u8; 32]>, Error> {
    let mut path = Vec::new();
    if old == 0 || old == size {
        return Ok(path);
    }
    let (mut start, mut end, mut whole) = (0, size, true);
    while end != old {
        let split = start + split_of(end - start);
        if old <= split {
            path.push(range_root(nodes, split, end)?);
            end = split;
        } else {
            path.push(range_root(nodes, start, split)?);
            start = split;
            whole = false;
        }
    }
    if !whole {
        path.push(range_root(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

impl Journal {
    /// The root of the tree over the first `size` records.
    pub fn root_at(&self, size: u64) -> Result<[u8; 32], Error> {
        self.prover().root_at(size)
    }

    /// Proves that the record at a position is in the tree of the first `size` records.
    pub fn prove_inclusion(&self, position: Position, size: u64) -> Result<InclusionProof, Error> {
        self.prover().inclusion(position, size)
    }

    /// Proves that the tree of the first `old_size` records is the beginning of that of `size`.
    pub fn prove_consistency(&self, old_size: u64, size: u64) -> Result<ConsistencyProof, Error> {
        self.prover().consistency(old_size, size)
    }

    /// Proves that a stream's records are all that it has up to a checkpoint of this log.
    ///
    /// The newer the checkpoint, the quicker: the heads of streams that went on since are looked
    /// up in the footers. With 500,000 streams it hashes for about half a second.
    pub fn prove_stream(
        &self,
        stream: StreamId,
        checkpoint: &Checkpoint,
    ) -> Result<StreamProof, Error> {
        let heads = HeadsTree::new(self.heads_at(checkpoint.size)?);
        self.prover().stream(stream, checkpoint, &heads)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proofs::tree::fold_full;

    fn leaves(count: u64) -> Vec<LeafHash> {
        (0..count).map(|number| LeafHash::of(&number.to_le_bytes())).collect()
    }

    fn nodes(leaves: &[LeafHash]) -> impl Fn(u32, u64) -> Result<[u8; 32], Error> {
        move |level, index| {
            let from = usize::try_from(index << level).unwrap();
            let row: Vec<_> = leaves[from..from + (1 << level)].iter().map(|leaf| leaf.0).collect();
            Ok(fold_full(&row))
        }
    }

    proptest! {
        #[test]
        fn every_leaf_is_proved_and_no_other(size in 1_u64..600, pick in 0_u64..600, other in 0_u64..600) {
            let leaves = leaves(size);
            let nodes = nodes(&leaves);
            let (index, other) = (pick % size, other % size);
            let root = root_at(&nodes, size).unwrap();
            let path = inclusion(&nodes, index, size).unwrap();
            let mut proof = InclusionProof { position: Position(index + 1), size, path };
            let leaf = |index: u64| leaves[usize::try_from(index).unwrap()];
            prop_assert!(proof.proves(leaf(index), &root));
            prop_assert_eq!(proof.proves(leaf(other), &root), other == index);
            prop_assert!(!proof.proves(leaf(index), &[7; 32]));
            proof.path.push([0; 32]);
            prop_assert!(!proof.proves(leaf(index), &root));
            proof.path.truncate(proof.path.len().saturating_sub(2));
            prop_assert_eq!(proof.proves(leaf(index), &root), size == 1);
        }

        #[test]
        fn a_beginning_is_proved_and_nothing_else(size in 1_u64..600, old in 0_u64..600) {
            let leaves = leaves(size);
            let nodes = nodes(&leaves);
            let old_size = old % (size + 1);
            let (old_root, root) = (root_at(&nodes, old_size).unwrap(), root_at(&nodes, size).unwrap());
            let path = consistency(&nodes, old_size, size).unwrap();
            let mut proof = ConsistencyProof { old_size, size, path };
            prop_assert!(proof.proves(&old_root, &root));
            prop_assert!(!proof.proves(&[1; 32], &root));
            if old_size > 0 {
                prop_assert!(!proof.proves(&old_root, &[1; 32]));
            }
            proof.path.push([0; 32]);
            prop_assert!(!proof.proves(&old_root, &root));
        }
    }
}
