//! The RFC 6962 Merkle tree over all positions, kept incrementally.
//!
//! In memory are what the last, unfinished tile of 256 leaves is made of, and every full subtree of
//! 256 leaves or more: two hashes for 256 records. What is below a full tile is hashed again from the
//! log when a proof asks for it.
//!
//! A tile is made of branches of 16 leaves. Their roots can be made by others beforehand, so that who
//! adds them has little left to hash.

use sha2::{Digest, Sha256};

use crate::proofs::lanes::{LANES, sha256_each};
use crate::record::LeafHash;

/// How many leaves a tile has.
pub const TILE_LEAVES: u64 = 256;
/// The level of a tile's root: 2^8 = 256 leaves.
pub(crate) const TILE_LEVEL: u32 = 8;

/// How many leaves a branch has.
pub(crate) const BRANCH_LEAVES: usize = 16;
const TILE_BRANCHES: usize = (1 << TILE_LEVEL) / BRANCH_LEAVES;

/// What an inner node begins with.
const NODE: u8 = 1;

/// The hash of an inner node: SHA-256 of one byte 1 and the two below.
#[must_use]
pub fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut below = [0; 64];
    let (first, second) = below.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    node_of(&below)
}

fn node_of(below: &[u8; 64]) -> [u8; 32] {
    // Put together first: the hasher takes in one piece with less ado than two.
    let mut node = [NODE; 65];
    node.split_at_mut(1).1.copy_from_slice(below);
    Sha256::digest(node).into()
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> [u8; 32] {
    Sha256::digest([]).into()
}

/// The tree over positions 1 to `size`.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    /// The leaves behind the last full branch, fewer than 16.
    leaves: Vec<[u8; 32]>,
    /// The roots of the full branches behind the last full tile, fewer than 16.
    branches: Vec<[u8; 32]>,
    /// Full subtrees: `levels[k]` has the roots of 2^(8+k) leaves each.
    levels: Vec<Vec<[u8; 32]>>,
}

impl Tree {
    /// The tree without leaves.
    #[must_use]
    pub fn new() -> Tree {
        Tree::default()
    }

    /// How many leaves the tree has: the last position.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the leaf of the next position.
    pub fn push(&mut self, leaf: LeafHash) {
        self.leaves.push(leaf.0);
        self.size += 1;
        if self.leaves.len() == BRANCH_LEAVES {
            let root = fold_full(&self.leaves);
            self.leaves.clear();
            self.add_branch(root);
        }
    }

    /// Adds the leaves of the next 16 positions by the root over them. The tree must stand at the edge
    /// of a branch.
    pub(crate) fn push_branch(&mut self, root: [u8; 32]) {
        self.size += BRANCH_LEAVES as u64;
        self.add_branch(root);
    }

    fn add_branch(&mut self, root: [u8; 32]) {
        self.branches.push(root);
        if self.branches.len() == TILE_BRANCHES {
            let root = fold_full(&self.branches);
            self.branches.clear();
            self.push_tile(root);
        }
    }

    /// Adds a whole tile by its root. The tree must stand at the edge of a tile.
    pub(crate) fn restore_tile(&mut self, root: [u8; 32]) {
        self.size += TILE_LEAVES;
        self.push_tile(root);
    }

    /// Goes back to the edge of the last full tile.
    pub(crate) fn drop_unfinished(&mut self) {
        self.size -= self.size % TILE_LEAVES;
        self.leaves.clear();
        self.branches.clear();
    }

    fn push_tile(&mut self, root: [u8; 32]) {
        let mut carry = root;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else { return };
            row.push(carry);
            let [.., left, right] = row.as_slice() else { return };
            if row.len() % 2 == 1 {
                return;
            }
            carry = node_hash(left, right);
        }
    }

    /// The roots of the tiles from number `from` on.
    pub(crate) fn tiles_from(&self, from: u64) -> Vec<[u8; 32]> {
        let row = self.levels.first().map(Vec::as_slice).unwrap_or_default();
        usize::try_from(from).ok().and_then(|from| row.get(from..)).unwrap_or_default().to_vec()
    }

    /// The root of a full subtree of 2^level leaves, if it is kept; `level` is 8 or more.
    pub(crate) fn kept(&self, level: u32, index: u64) -> Option<[u8; 32]> {
        let row = self.levels.get(level.checked_sub(TILE_LEVEL)? as usize)?;
        row.get(usize::try_from(index).ok()?).copied()
    }

    /// The frontier: the roots of the full subtrees that the tree is made of, the largest first.
    #[must_use]
    pub fn peaks(&self) -> Vec<[u8; 32]> {
        let mut peaks = Vec::new();
        for row in self.levels.iter().rev() {
            if row.len() % 2 == 1 {
                peaks.extend(row.last());
            }
        }
        for mut rest in [self.branches.as_slice(), self.leaves.as_slice()] {
            while !rest.is_empty() {
                let (full, behind) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(fold_full(full));
                rest = behind;
            }
        }
        peaks
    }

    /// The root hash.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        root_of_peaks(&self.peaks())
    }
}

/// The root of the tree that a frontier stands for.
#[must_use]
pub fn root_of_peaks(peaks: &[[u8; 32]]) -> [u8; 32] {
    peaks
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(empty_root)
}

/// The root of a full subtree; the number of leaves is a power of two.
pub(crate) fn fold_full(leaves: &[[u8; 32]]) -> [u8; 32] {
    let mut row = leaves.to_vec();
    while row.len() > 1 {
        row = row_above(&row);
    }
    row.first().copied().unwrap_or_else(empty_root)
}

/// The nodes above a row of them, two by two.
fn row_above(row: &[[u8; 32]]) -> Vec<[u8; 32]> {
    let (pairs, _) = row.as_flattened().as_chunks::<64>();
    let (lanes, rest) = pairs.as_chunks::<LANES>();
    let mut above = Vec::with_capacity(pairs.len());
    for pairs in lanes {
        above.extend(sha256_each(NODE, pairs.each_ref().map(<[u8; 64]>::as_slice)));
    }
    above.extend(rest.iter().map(node_of));
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, 2.1, word for word.
    fn by_definition(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                node_hash(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let mut tree = Tree::new();
        let mut leaves = Vec::new();
        for size in 0..1100_u32 {
            assert_eq!(tree.root(), by_definition(&leaves), "size {size}");
            let leaf = LeafHash::of(&size.to_le_bytes());
            tree.push(leaf);
            leaves.push(leaf.0);
        }
    }

    #[test]
    fn a_tree_restored_from_tiles_branches_and_leaves_is_the_same() {
        let leaves: Vec<_> =
            (0..700_u32).map(|number| LeafHash::of(&number.to_le_bytes())).collect();
        let mut tree = Tree::new();
        for leaf in &leaves {
            tree.push(*leaf);
        }
        let mut restored = Tree::new();
        for tile in tree.tiles_from(0) {
            restored.restore_tile(tile);
        }
        assert_eq!(restored.size(), 512);
        let (branches, rest) = leaves.get(512..).unwrap().as_chunks::<BRANCH_LEAVES>();
        for branch in branches {
            restored.push_branch(fold_full(&branch.map(|leaf| leaf.0)));
        }
        for leaf in rest {
            restored.push(*leaf);
        }
        assert_eq!((restored.size(), restored.peaks()), (700, tree.peaks()));
        restored.drop_unfinished();
        assert_eq!((restored.size(), restored.peaks()), (512, vec![tree.kept(9, 0).unwrap()]));
    }
}
