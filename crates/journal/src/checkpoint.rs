//! Checkpoints: the tree's size and root, signed, kept beside the log, and never taken back.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::disk::{RealDisk, sync_directory};
use crate::error::{Error, disk_error};
use crate::heads_tree::{HeadsRoot, HeadsTree};
use crate::journal::Journal;
use crate::note::{self, NoteError, SigningKey, VerifierKey};
use crate::record::Position;

/// The directory of the checkpoints within the data directory.
const CHECKPOINT_DIRECTORY: &str = "checkpoints";
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

    /// Reads a signed checkpoint of an origin; both and the keys are the verifier's own policy.
    pub fn verify(note: &str, origin: &str, keys: &[VerifierKey]) -> Result<Checkpoint, NoteError> {
        let checkpoint = Checkpoint::parse(note::verify(note, keys)?)?;
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

/// The checkpoints of a data directory, one file each, named by size.
#[derive(Debug)]
pub struct Checkpoints {
    directory: PathBuf,
    origin: String,
    keys: Vec<SigningKey>,
}

impl Checkpoints {
    /// The checkpoints in a data directory, signed with every one of the keys.
    #[must_use]
    pub fn new(data: &Path, origin: &str, keys: Vec<SigningKey>) -> Checkpoints {
        let directory = data.join(CHECKPOINT_DIRECTORY);
        Checkpoints { directory, origin: origin.to_owned(), keys }
    }

    /// The note of the largest checkpoint that was signed here.
    pub fn latest(&self) -> Result<Option<String>, Error> {
        let Some(size) = largest(&self.directory)? else { return Ok(None) };
        let path = self.directory.join(file_name(size));
        fs::read_to_string(&path).map(Some).map_err(disk_error(path.display(), "reading"))
    }

    /// Signs the log as it is now and keeps the note durably before it is given away.
    ///
    /// Nothing is signed that is smaller than, or does not begin with, what was signed before:
    /// then the log has lost or changed records, and the error says so. Unchanged since the last
    /// checkpoint, that one is given again.
    pub fn sign(&self, journal: &Journal) -> Result<String, Error> {
        let size = journal.durable().borrow().0;
        let root = journal.root_at(size)?;
        if let Some(before) = self.latest()? {
            let text = before.rfind("\n\n").and_then(|end| before.get(..=end)).unwrap_or_default();
            let last = Checkpoint::parse(text)
                .map_err(|error| Error::Request(format!("the last checkpoint: {error}")))?;
            if last.size > size {
                return Err(Error::LogLostRecords {
                    log: Position(size),
                    index: Position(last.size),
                });
            }
            if last.origin != self.origin || journal.root_at(last.size)? != last.root {
                let what = "the log does not begin with what the last checkpoint signed";
                return Err(Error::Request(what.to_owned()));
            }
            if last.size == size {
                return Ok(before);
            }
        }
        let heads = Some(HeadsTree::new(journal.heads_at(size)?).root()?);
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root, heads };
        let signed = note::sign(&checkpoint.to_string(), &self.keys);
        self.keep(size, &signed)?;
        Ok(signed)
    }

    fn keep(&self, size: u64, note: &str) -> Result<(), Error> {
        let wrong =
            |source| disk_error(self.directory.display(), "keeping a checkpoint in")(source);
        RealDisk::make(&self.directory).map_err(wrong)?;
        let fresh = self.directory.join("new");
        let mut file = fs::File::create(&fresh).map_err(wrong)?;
        file.write_all(note.as_bytes()).map_err(wrong)?;
        file.sync_all().map_err(wrong)?;
        fs::rename(&fresh, self.directory.join(file_name(size))).map_err(wrong)?;
        sync_directory(&self.directory).map_err(wrong)
    }
}

fn file_name(size: u64) -> String {
    format!("{size:020}.checkpoint")
}

fn largest(directory: &Path) -> Result<Option<u64>, Error> {
    let wrong = |source| disk_error(directory.display(), "listing")(source);
    if !directory.is_dir() {
        return Ok(None);
    }
    let mut largest = None;
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let name = entry.map_err(wrong)?.file_name();
        let size = name.to_str().and_then(|name| name.strip_suffix(".checkpoint")?.parse().ok());
        largest = largest.max(size);
    }
    Ok(largest)
}

/// The size of the largest checkpoint in a data directory; 0 when there is none.
pub(crate) fn signed_up_to(data: &Path) -> Result<Position, Error> {
    largest(&data.join(CHECKPOINT_DIRECTORY)).map(|size| Position(size.unwrap_or(0)))
}
