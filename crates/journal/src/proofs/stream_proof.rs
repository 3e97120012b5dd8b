//! The proof that these are all the records of a stream up to a checkpoint.
//!
//! It rests on what the checkpoint signs, and needs neither the log nor a network to be checked:
//! each record is in the log's tree; versions 1 to n and the chain of `prev` leave no gap between
//! them; and the heads tree says that version n was the stream's last. *What remains:* that the
//! heads tree is true is the signer's word. Whoever has the whole log makes it again from the
//! records ([`crate::verify`] does), and a false one convicts the signer by his own signature.

use serde::{Deserialize, Serialize};

use crate::envelope::Envelope;
use crate::error::Error;
use crate::proofs::hashes;
use crate::proofs::heads_tree::StreamHead;
use crate::proofs::proof::{InclusionProof, Nodes, range_root, split_of};
use crate::proofs::tree::node_hash;
use crate::record::{LeafHash, Position, StreamId, Version};
use crate::signed::checkpoint::Checkpoint;

/// A proof that some records are all that a stream has in the log of a checkpoint.
///
/// It is data for anyone: made by [`crate::Journal::prove_stream`] or
/// [`crate::Reader::prove_stream`], written as JSON, and checked by [`StreamProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamProof {
    /// The stream.
    pub stream: StreamId,
    /// The size of the log that it speaks of: that of the checkpoint.
    pub size: u64,
    /// Where each record stands, in the order of versions.
    pub positions: Vec<Position>,
    /// The roots of the largest subtrees of the log's tree that have none of the records, from
    /// left to right. The records' leaves and these make up the whole tree.
    #[serde(with = "hashes")]
    pub path: Vec<[u8; 32]>,
    /// The number of the stream's leaf in the heads tree, from 0.
    pub head_index: u64,
    /// The audit path of that leaf, from the leaf up.
    #[serde(with = "hashes")]
    pub head_path: Vec<[u8; 32]>,
}

/// Why a proof was not accepted. None of it says that the records are false; all of it says that
/// they are not proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The proof was made for another checkpoint. Ask for one for this checkpoint.
    #[error("the proof speaks of {proof} records, the checkpoint of {checkpoint}")]
    OtherSize {
        /// The size in the proof.
        proof: u64,
        /// The size in the checkpoint.
        checkpoint: u64,
    },
    /// The checkpoint signs no heads, so it can show no stream to be complete.
    #[error("the checkpoint says nothing of the heads of streams")]
    NoHeads,
    /// There is no record, or not a position for every record.
    #[error("there are {records} records, and the proof has {positions} positions")]
    Count {
        /// The records given.
        records: usize,
        /// The positions in the proof.
        positions: usize,
    },
    /// A record is not the stream's next: another stream, version or `prev`, or no record at all.
    #[error("record {number}: {what}")]
    Record {
        /// Which of the records, from 1.
        number: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The positions do not rise, or leave the log.
    #[error("the position of record {number} is not behind the one before it and within the log")]
    Order {
        /// Which of the records, from 1.
        number: u64,
    },
    /// Records and hashes do not make up the checkpoint's tree: a record was changed, moved or
    /// taken from another log, or the proof has too few or too many hashes.
    #[error("the records are not at their positions in the log of the checkpoint")]
    NotIncluded,
    /// The heads tree does not say that the last record shown is the stream's last.
    #[error("the checkpoint does not say that the last record shown is the stream's last")]
    NotComplete,
}

impl StreamProof {
    /// Checks that `records` are the stream's records up to the checkpoint: these, in this order,
    /// and no others. Never panics.
    ///
    /// `records` are the exact bytes in the order of versions. The checkpoint must come from
    /// [`Checkpoint::verify`] with the verifier's own origin and keys; this function checks no
    /// signature.
    pub fn verify(&self, records: &[&[u8]], checkpoint: &Checkpoint) -> Result<(), ProofError> {
        if self.size != checkpoint.size {
            let (proof, checkpoint) = (self.size, checkpoint.size);
            return Err(ProofError::OtherSize { proof, checkpoint });
        }
        let heads = checkpoint.heads.ok_or(ProofError::NoHeads)?;
        if records.is_empty() || records.len() != self.positions.len() {
            let (records, positions) = (records.len(), self.positions.len());
            return Err(ProofError::Count { records, positions });
        }
        let leaves = self.follow(records)?;
        let mut hashes = self.path.iter();
        let root = range(&leaves, &mut hashes, 0, self.size);
        if root != Some(checkpoint.root) || hashes.next().is_some() {
            return Err(ProofError::NotIncluded);
        }
        let position = self.positions.last().copied().unwrap_or_default();
        let version = Version(records.len() as u64);
        let head = StreamHead { stream: self.stream, version, position };
        let included = self.head_index.checked_add(1).is_some_and(|number| {
            let path = self.head_path.clone();
            let proof = InclusionProof { position: Position(number), size: heads.streams, path };
            proof.proves(head.leaf(), &heads.root)
        });
        if included { Ok(()) } else { Err(ProofError::NotComplete) }
    }

    /// Follows the chain; gives the index and the leaf of each record.
    fn follow(&self, records: &[&[u8]]) -> Result<Vec<(u64, LeafHash)>, ProofError> {
        let mut leaves: Vec<(u64, LeafHash)> = Vec::with_capacity(records.len());
        for ((bytes, position), number) in records.iter().zip(&self.positions).zip(1..) {
            let wrong = |what| ProofError::Record { number, what };
            let envelope = Envelope::parse(bytes).map_err(wrong)?;
            if envelope.stream != self.stream {
                return Err(wrong("it is of another stream"));
            }
            if envelope.version.0 != number {
                return Err(wrong("its caseversion does not follow"));
            }
            let before = leaves.last();
            if envelope.prev != before.map_or(LeafHash::NONE, |(_, leaf)| *leaf) {
                return Err(wrong("its prev is not the leaf hash of the record before"));
            }
            let index = position.0.checked_sub(1).filter(|index| {
                *index < self.size && before.is_none_or(|(before, _)| before < index)
            });
            leaves.push((index.ok_or(ProofError::Order { number })?, LeafHash::of(bytes)));
        }
        Ok(leaves)
    }
}

/// The root over the leaves from `start` to before `end`: from the known leaves where there are
/// some, else the next hash of the proof. `leaves` are those of the range, in order.
fn range(
    leaves: &[(u64, LeafHash)],
    hashes: &mut std::slice::Iter<'_, [u8; 32]>,
    start: u64,
    end: u64,
) -> Option<[u8; 32]> {
    match leaves {
        [] => hashes.next().copied(),
        [(_, leaf)] if end - start == 1 => Some(leaf.0),
        _ => {
            let split = start + split_of(end - start);
            let (left, right) =
                leaves.split_at(leaves.partition_point(|(index, _)| *index < split));
            let left = range(left, hashes, start, split)?;
            Some(node_hash(&left, &range(right, hashes, split, end)?))
        }
    }
}

/// The hashes that make up the tree of a size together with the leaves at the positions, which
/// must rise and be within it.
pub(crate) fn shared_path(
    nodes: &Nodes<'_>,
    positions: &[Position],
    size: u64,
) -> Result<Vec<[u8; 32]>, Error> {
    let mut path = Vec::new();
    collect(nodes, positions, 0, size, &mut path)?;
    Ok(path)
}

fn collect(
    nodes: &Nodes<'_>,
    positions: &[Position],
    start: u64,
    end: u64,
    path: &mut Vec<[u8; 32]>,
) -> Result<(), Error> {
    if positions.is_empty() {
        path.push(range_root(nodes, start, end)?);
        return Ok(());
    }
    if end - start <= 1 {
        return Ok(());
    }
    let split = start + split_of(end - start);
    let (left, right) =
        positions.split_at(positions.partition_point(|position| position.0 <= split));
    collect(nodes, left, start, split, path)?;
    collect(nodes, right, split, end, path)
}
