//! Makes proofs from a log, its tree and its heads, beside a writer or without one.

use crate::error::Error;
use crate::proofs::heads_tree::HeadsTree;
use crate::proofs::proof::{ConsistencyProof, InclusionProof, consistency, inclusion, root_at};
use crate::proofs::stream_proof::{StreamProof, shared_path};
use crate::proofs::tree::{TILE_LEVEL, Tree, fold_full};
use crate::record::{LeafHash, Position, StreamId};
use crate::segments::log::Log;
use crate::signed::checkpoint::Checkpoint;

/// A log and a tree over at least as many records as are asked for.
pub(crate) struct Prover<'l> {
    pub(crate) log: &'l Log,
    pub(crate) tree: Tree,
}

impl Prover<'_> {
    fn node(&self, level: u32, index: u64) -> Result<[u8; 32], Error> {
        log_node(self.log, &self.tree, level, index)
    }

    fn limit(&self, size: u64) -> Result<(), Error> {
        let there = self.tree.size();
        if size <= there {
            return Ok(());
        }
        Err(Error::Request(format!("the log has {there} records, not {size}")))
    }

    pub(crate) fn root_at(&self, size: u64) -> Result<[u8; 32], Error> {
        self.limit(size)?;
        root_at(&|level, index| self.node(level, index), size)
    }

    pub(crate) fn inclusion(&self, position: Position, size: u64) -> Result<InclusionProof, Error> {
        self.limit(size)?;
        let index = position.0.checked_sub(1).filter(|index| *index < size).ok_or_else(|| {
            Error::Request(format!("position {position} is not among the first {size}"))
        })?;
        let path = inclusion(&|level, index| self.node(level, index), index, size)?;
        Ok(InclusionProof { position, size, path })
    }

    pub(crate) fn consistency(&self, old_size: u64, size: u64) -> Result<ConsistencyProof, Error> {
        self.limit(size)?;
        if old_size > size {
            return Err(Error::Request(format!("{old_size} records are more than {size}")));
        }
        let path = consistency(&|level, index| self.node(level, index), old_size, size)?;
        Ok(ConsistencyProof { old_size, size, path })
    }

    pub(crate) fn stream(
        &self,
        stream: StreamId,
        checkpoint: &Checkpoint,
        heads: &HeadsTree,
    ) -> Result<StreamProof, Error> {
        let size = checkpoint.size;
        if self.root_at(size)? != checkpoint.root || Some(heads.root()?) != checkpoint.heads {
            let what = "the checkpoint is not one of this log, or says nothing of its streams";
            return Err(Error::Request(what.to_owned()));
        }
        let Some(head) = heads.prove(stream)? else {
            let what = format!("stream {stream} has no record among the first {size}");
            return Err(Error::Request(what));
        };
        let last = self.log.find_last(stream, size + 1)?.unwrap_or(0);
        let places = self.log.places(stream, last, 1)?;
        let positions: Vec<Position> =
            places.iter().map(|place| Position(place.position)).collect();
        let path = shared_path(&|level, index| self.node(level, index), &positions, size)?;
        let head_index = head.position.0.saturating_sub(1);
        Ok(StreamProof { stream, size, positions, path, head_index, head_path: head.path })
    }
}

/// The nodes of a log's tree: kept from level 8 on, hashed again from the log below.
fn log_node(log: &Log, tree: &Tree, level: u32, index: u64) -> Result<[u8; 32], Error> {
    if level >= TILE_LEVEL {
        return tree.kept(level, index).ok_or_else(|| {
            Error::Request(format!("the tree has no node {index} at level {level}"))
        });
    }
    let first = (index << level) + 1;
    let count = 1_usize << level;
    let mut leaves = Vec::with_capacity(count);
    log.scan(first, &mut |_, _, _, bytes| {
        leaves.push(LeafHash::of(bytes).0);
        Ok(leaves.len() < count)
    })?;
    if leaves.len() < count {
        return Err(Error::Request(format!(
            "the log ends before position {}",
            first + count as u64
        )));
    }
    Ok(fold_full(&leaves))
}
