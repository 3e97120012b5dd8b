//! What a checkpoint says: the log's size and root and the heads of its streams, as signed text.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::proofs::heads_tree::HeadsRoot;
use crate::signed::note::{self, NoteError, VerifierKey};

/// The word that the extension line of the heads begins with.
const HEADS: &str = "heads";

/// What a checkpoint says: C2SP tlog-checkpoint, with one extension line for the heads of streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: a name that is unique and never used for another.
    pub origin: String,
    /// How many records; the last position.
    pub size: u64,
    /// The root of the tree over them.
    pub root: [u8; 32],
    /// The heads of all streams at that size: what a [`crate::StreamProof`] is checked against.
    pub heads: Option<HeadsRoot>,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root))?;
        match &self.heads {
            Some(heads) => {
                writeln!(out, "{HEADS} {} {}", heads.streams, STANDARD.encode(heads.root))
            }
            None => Ok(()),
        }
    }
}

impl Checkpoint {
    /// Reads the text of a checkpoint; refuses any other extension line and any second way of
    /// writing it.
    pub fn parse(text: &str) -> Result<Checkpoint, NoteError> {
        let wrong = NoteError::Malformed("a checkpoint is origin, size, root and heads");
        let lines: Vec<&str> = text.split('\n').collect();
        let (origin, size, root, heads) = match lines.as_slice() {
            [origin, size, root, ""] => (origin, size, root, None),
            [origin, size, root, heads, ""] => (origin, size, root, Some(heads)),
            _ => return Err(wrong),
        };
        let hash = |text: &str| STANDARD.decode(text).ok()?.try_into().ok();
        let heads = match heads {
            None => None,
            Some(line) => Some(read_heads(line, hash).ok_or(wrong)?),
        };
        let checkpoint = Checkpoint {
            origin: (*origin).to_owned(),
            size: size.parse().map_err(|_| wrong)?,
            root: hash(root).ok_or(wrong)?,
            heads,
        };
        if origin.is_empty() || checkpoint.to_string() != text {
            Err(wrong)
        } else {
            Ok(checkpoint)
        }
    }

    /// What a signed note says. Its signatures are not looked at: [`Checkpoint::verify`] does.
    pub fn unverified(note: &str) -> Result<Checkpoint, NoteError> {
        let end = note.rfind("\n\n").map_or(0, |end| end + 1);
        Checkpoint::parse(note.get(..end).unwrap_or_default())
    }

    /// Reads a signed checkpoint of an origin; both and the keys are the verifier's own policy.
    ///
    /// Only keys that bear the origin as their name count: whoever believes the keys of several logs
    /// does not let one of them speak for another (C2SP tlog-proof: a key of that origin).
    pub fn verify(note: &str, origin: &str, keys: &[VerifierKey]) -> Result<Checkpoint, NoteError> {
        let keys: Vec<_> = keys.iter().filter(|key| key.name() == origin).cloned().collect();
        let checkpoint = Checkpoint::parse(note::verify(note, &keys)?)?;
        if checkpoint.origin == origin {
            Ok(checkpoint)
        } else {
            Err(NoteError::Malformed("the checkpoint is of another origin"))
        }
    }
}

fn read_heads(line: &str, hash: impl Fn(&str) -> Option<[u8; 32]>) -> Option<HeadsRoot> {
    let (streams, root) = line.strip_prefix(HEADS)?.strip_prefix(' ')?.split_once(' ')?;
    Some(HeadsRoot { streams: streams.parse().ok()?, root: hash(root)? })
}
