//! C2SP tlog-proof: one text with checkpoint and inclusion proof, for tools that are not ours.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::proofs::proof::InclusionProof;
use crate::record::{LeafHash, MAX_RECORD_BYTES, Position};
use crate::signed::checkpoint::Checkpoint;
use crate::signed::note::{NoteError, VerifierKey};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A tree has no more levels than this.
const MOST_HASHES: usize = 64;

/// A proof that a record is in a signed log, checked offline against keys alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Where the record stands; the index in the text is one less.
    pub position: Position,
    /// The sibling hashes from the leaf up.
    pub path: Vec<[u8; 32]>,
    /// The record's exact bytes, when they go with it as extra data.
    pub record: Option<Vec<u8>>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why a proof in a text was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// The text is no such proof.
    #[error("this is no tlog-proof: {0}")]
    Malformed(&'static str),
    /// The checkpoint is not signed by a key of the policy, or not of the origin.
    #[error("the checkpoint in the proof is not believed")]
    Checkpoint(#[from] NoteError),
    /// The record is not at the position in the log that the checkpoint signs.
    #[error("the record is not at position {0} of the log that the checkpoint signs")]
    NotIncluded(Position),
}

impl fmt::Display for TlogProof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{HEADER}")?;
        if let Some(record) = &self.record {
            writeln!(out, "extra {}", STANDARD.encode(record))?;
        }
        writeln!(out, "index {}", self.position.0.saturating_sub(1))?;
        for hash in &self.path {
            writeln!(out, "{}", STANDARD.encode(hash))?;
        }
        write!(out, "\n{}", self.checkpoint)
    }
}

impl TlogProof {
    /// Whether a text begins as such a proof does.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with(HEADER)
    }

    /// Reads the text; believes nothing of it yet.
    pub fn parse(text: &str) -> Result<TlogProof, TlogProofError> {
        let wrong = TlogProofError::Malformed;
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(wrong("it has no checkpoint behind an empty line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(wrong("it does not begin with c2sp.org/tlog-proof@v1"));
        }
        let mut record = None;
        if let Some(extra) = lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            let bytes = STANDARD.decode(extra).map_err(|_| wrong("the extra data is no base64"))?;
            if bytes.len() > MAX_RECORD_BYTES {
                return Err(wrong("the extra data is longer than a record may be"));
            }
            record = Some(bytes);
            lines.next();
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.filter(|digits| *digits == "0" || !digits.starts_with(['0', '+']));
        let index: Option<u64> = index.and_then(|digits| digits.parse().ok());
        let position = index.and_then(|index| index.checked_add(1)).map(Position);
        let position = position.ok_or(wrong("it has no index"))?;
        let mut path = Vec::new();
        for line in lines {
            let hash = STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok());
            path.push(hash.ok_or(wrong("a hash is not 32 bytes in base64"))?);
            if path.len() > MOST_HASHES {
                return Err(wrong("it has more hashes than a tree has levels"));
            }
        }
        Ok(TlogProof { position, path, record, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that a record is where the proof says, in a log of this origin that one of the keys
    /// has signed. Origin and keys are the verifier's own policy.
    pub fn verify(
        &self,
        record: &[u8],
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::verify(&self.checkpoint, origin, keys)?;
        let path = self.path.clone();
        let proof = InclusionProof { position: self.position, size: checkpoint.size, path };
        if proof.proves(LeafHash::of(record), &checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err(TlogProofError::NotIncluded(self.position))
        }
    }
}
