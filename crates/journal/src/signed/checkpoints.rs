//! The checkpoints that were signed: kept beside the log, and never taken back.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use rustix::fs::{Mode, OFlags};

use crate::disk::{RealDisk, write_whole};
use crate::error::{Error, Fault, chain, disk_error};
use crate::journal::Journal;
use crate::proofs::heads_tree::HeadsTree;
use crate::proofs::prover::Prover;
use crate::record::Position;
use crate::signed::checkpoint::Checkpoint;
use crate::signed::note::{self, SigningKey};

/// The directory of the checkpoints within the data directory.
pub(crate) const CHECKPOINT_DIRECTORY: &str = "checkpoints";
/// How many of the newest are kept; of those before, the first of each day.
const KEPT: usize = 100;
/// A file longer than this is no checkpoint, with whatever signatures of witnesses.
const MOST_BYTES: u64 = 64 << 10;
const DAY_S: u64 = 86_400;

/// The checkpoints of a data directory, one file each, named by size.
#[derive(Debug)]
pub struct Checkpoints {
    directory: PathBuf,
    origin: String,
    /// Held while it is signed: the sizes of the checkpoints that the log was found to begin with.
    kept: Mutex<BTreeSet<u64>>,
}

/// A signed checkpoint as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Its file, as named from the data directory.
    pub file: String,
    /// The signed note.
    pub note: String,
}

impl StoredCheckpoint {
    /// What it says. Its signatures are not looked at: [`Checkpoint::verify`] does.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        Checkpoint::unverified(&self.note)
            .ok()
            .filter(|said| self.file.ends_with(&file_name(said.size)))
            .ok_or_else(|| self.fault("it is not the checkpoint that its name says"))
    }

    /// A fault in this file.
    #[must_use]
    pub fn fault(&self, what: &str) -> Error {
        Error::Corrupt(Fault {
            file: self.file.clone(),
            offset: 0,
            position: None,
            stream: None,
            what: what.to_owned(),
        })
    }
}

impl Checkpoints {
    /// The checkpoints in a data directory, of an origin.
    #[must_use]
    pub fn new(data: &Path, origin: &str) -> Checkpoints {
        let directory = data.join(CHECKPOINT_DIRECTORY);
        Checkpoints { directory, origin: origin.to_owned(), kept: Mutex::default() }
    }

    /// The largest checkpoint that was signed here.
    pub fn latest(&self) -> Result<Option<StoredCheckpoint>, Error> {
        sizes(&self.directory)?.last().map(|size| read(&self.directory, *size)).transpose()
    }

    /// Whether any is kept.
    pub fn any(&self) -> Result<bool, Error> {
        Ok(!sizes(&self.directory)?.is_empty())
    }

    /// All checkpoints that are kept, the smallest first.
    pub fn all(&self) -> Result<Vec<StoredCheckpoint>, Error> {
        self.each()?.map(|(_, stored)| stored).collect()
    }

    /// The same by their files, each with its error where it is no text that could be one.
    pub fn each(
        &self,
    ) -> Result<impl Iterator<Item = (String, Result<StoredCheckpoint, Error>)>, Error> {
        let stored = |size| (named(size), read(&self.directory, size));
        Ok(sizes(&self.directory)?.into_iter().map(stored))
    }

    /// Signs the log as it is now with every one of the keys, and keeps the note durably before
    /// it is given away.
    ///
    /// Nothing is signed that is smaller than, or does not begin with, what was signed before:
    /// then the log has lost or changed records, and the error says so. Unchanged since the last
    /// checkpoint, and signed by these keys, that one is given again.
    pub fn sign(&self, journal: &Journal, keys: &[&SigningKey]) -> Result<String, Error> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = journal.durable_position().0;
        let root = journal.root_at(size)?;
        let heads = |size| HeadsTree::new(journal.heads_at(size)?).root();
        let there = sizes(&self.directory)?;
        // Of those that were thinned out nothing is asked any more; one that comes back is read again.
        kept.retain(|size| there.binary_search(size).is_ok());
        for before in there {
            if before > size {
                return Err(Error::LogLostRecords { log: Position(size), index: Position(before) });
            }
            if before < size && kept.contains(&before) {
                continue;
            }
            let stored = read(&self.directory, before)?;
            let said = stored.checkpoint()?;
            if said.origin != self.origin || journal.root_at(before)? != said.root {
                let what = "the log does not begin with what this checkpoint signed";
                return Err(stored.fault(what));
            }
            kept.insert(before);
            if before == size && signed_by_all(&stored.note, keys) {
                return Ok(stored.note);
            }
        }
        let heads = Some(heads(size)?);
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root, heads };
        let signed = note::sign(&checkpoint.to_string(), keys);
        keep(&self.directory, size, &signed)?;
        kept.insert(size);
        self.thin_out()?;
        Ok(signed)
    }

    /// Removes old checkpoints but the first of each day: one a minute would be half a million
    /// files a year, and each newer one was checked to begin with the older.
    fn thin_out(&self) -> Result<(), Error> {
        let sizes = sizes(&self.directory)?;
        let old = sizes.len().saturating_sub(KEPT);
        let mut days = BTreeSet::new();
        for size in sizes.iter().take(old) {
            let path = self.directory.join(file_name(*size));
            let wrong = |source| disk_error(path.display(), "thinning out")(source);
            let written = fs::metadata(&path).and_then(|about| about.modified()).map_err(wrong)?;
            let seconds = written.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            if !days.insert(seconds / DAY_S) {
                fs::remove_file(&path).map_err(wrong)?;
            }
        }
        Ok(())
    }
}

/// Keeps a note durably, whole or not at all.
fn keep(directory: &Path, size: u64, note: &str) -> Result<(), Error> {
    let wrong = |source| disk_error(directory.display(), "keeping a checkpoint in")(source);
    RealDisk::make_private(directory).map_err(wrong)?;
    write_whole(&directory.join(file_name(size)), "new", note.as_bytes()).map_err(wrong)
}

/// Keeps a checkpoint of elsewhere in a data directory; one that is there stays, if it is one.
pub(crate) fn keep_in(data: &Path, size: u64, note: &str) -> Result<(), Error> {
    let directory = data.join(CHECKPOINT_DIRECTORY);
    let there = directory.join(file_name(size)).exists()
        && read(&directory, size).is_ok_and(|stored| stored.checkpoint().is_ok());
    if there { Ok(()) } else { keep(&directory, size, note) }
}

fn signed_by_all(note: &str, keys: &[&SigningKey]) -> bool {
    keys.iter().all(|key| note::verify(note, &[key.verifier()]).is_ok())
}

/// The file of a checkpoint, as named from the data directory.
fn named(size: u64) -> String {
    format!("{CHECKPOINT_DIRECTORY}/{}", file_name(size))
}

/// The size that such a name says.
pub(crate) fn promised_size(file: &str) -> Option<u64> {
    let (_, name) = file.rsplit_once('/')?;
    name.strip_suffix(".checkpoint")?.parse().ok()
}

fn file_name(size: u64) -> String {
    format!("{size:020}.checkpoint")
}

fn read(directory: &Path, size: u64) -> Result<StoredCheckpoint, Error> {
    let name = file_name(size);
    let path = directory.join(&name);
    let wrong = |source| disk_error(path.display(), "reading")(source);
    // Not to wait, should it be a pipe.
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let found = rustix::fs::open(&path, how, Mode::empty()).map(File::from);
    let found = found.map_err(|error| wrong(error.into()))?;
    let stored = StoredCheckpoint { file: named(size), note: String::new() };
    if !found.metadata().map_err(wrong)?.is_file() {
        return Err(stored.fault("it is no file"));
    }
    let mut bytes = Vec::new();
    found.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(stored.fault("it is too long for a checkpoint"));
    }
    match String::from_utf8(bytes) {
        Ok(note) => Ok(StoredCheckpoint { note, ..stored }),
        Err(_) => Err(stored.fault("it is not text")),
    }
}

/// The sizes of the checkpoints that are kept, the smallest first.
fn sizes(directory: &Path) -> Result<Vec<u64>, Error> {
    let wrong = |source| disk_error(directory.display(), "listing")(source);
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut sizes = Vec::new();
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let name = entry.map_err(wrong)?.file_name();
        let size = name.to_str().and_then(|name| name.strip_suffix(".checkpoint")?.parse().ok());
        sizes.extend(size.filter(|size| name.to_str() == Some(&file_name(*size))));
    }
    sizes.sort_unstable();
    Ok(sizes)
}

/// What a log must begin with and reach.
#[derive(Debug, Default)]
pub(crate) struct Promised {
    /// The size of the largest checkpoint; 0 when there is none.
    pub(crate) up_to: Position,
    /// Not the largest alone: anyone who can write there could put a larger one beside it.
    /// The smallest first.
    pub(crate) checkpoints: Vec<(StoredCheckpoint, Checkpoint)>,
}

impl Promised {
    /// What the checkpoints in a data directory promise; each must say what its name does.
    pub(crate) fn whole(data: &Path) -> Result<Promised, Error> {
        let directory = data.join(CHECKPOINT_DIRECTORY);
        let promise = |size| {
            let stored = read(&directory, size)?;
            stored.checkpoint().map(|said| (stored, said))
        };
        let checkpoints =
            sizes(&directory)?.into_iter().map(promise).collect::<Result<Vec<_>, _>>()?;
        let up_to = checkpoints.last().map_or(Position(0), |(_, said)| Position(said.size));
        Ok(Promised { up_to, checkpoints })
    }

    /// The same for a log that is to be written on, where one that cannot be read is told of.
    pub(crate) fn read(data: &Path) -> Result<Promised, Error> {
        let directory = data.join(CHECKPOINT_DIRECTORY);
        let mut promised = Promised { up_to: signed_up_to(data)?, ..Promised::default() };
        for size in sizes(&directory)? {
            let stored = read(&directory, size)?;
            match stored.checkpoint() {
                Ok(said) => promised.checkpoints.push((stored, said)),
                // It says nothing against the log; nothing is signed until someone looked at it.
                Err(error) => {
                    tracing::warn!(reason = %chain(&error), "a checkpoint cannot be read");
                }
            }
        }
        Ok(promised)
    }

    /// A log that does not begin with what each checkpoint signed is not this log any more.
    pub(crate) fn compare(&self, log: &Prover<'_>) -> Result<(), Error> {
        for (stored, said) in &self.checkpoints {
            if said.size <= log.tree.size() && log.root_at(said.size)? != said.root {
                return Err(stored.fault("the log does not begin with what this checkpoint signed"));
            }
        }
        Ok(())
    }
}

/// The size of the largest checkpoint in a data directory; 0 when there is none.
pub(crate) fn signed_up_to(data: &Path) -> Result<Position, Error> {
    let sizes = sizes(&data.join(CHECKPOINT_DIRECTORY))?;
    Ok(Position(sizes.last().copied().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::options::Options;

    #[test]
    fn what_is_no_file_or_too_long_is_a_fault_and_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(directory.path(), "log");
        let kept = directory.path().join(CHECKPOINT_DIRECTORY);
        fs::create_dir(&kept).unwrap();
        let path = kept.join(file_name(7));
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR, 0)
            .unwrap();
        assert!(matches!(checkpoints.latest(), Err(Error::Corrupt(_))));
        fs::remove_file(&path).unwrap();
        fs::write(&path, vec![b'a'; 65_537]).unwrap();
        assert!(matches!(checkpoints.all(), Err(Error::Corrupt(_))));
    }

    #[test]
    fn what_was_thinned_out_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Arc::new(RealDisk::new(directory.path().to_owned()));
        let (journal, _) = Journal::open_on(disk, Options::small()).unwrap();
        let checkpoints = Checkpoints::new(directory.path(), "log");
        checkpoints.kept.lock().unwrap().extend([7, 12]);
        let key = SigningKey::from_seed("log", &[9; 32]).unwrap();
        checkpoints.sign(&journal, &[&key]).unwrap();
        assert!(checkpoints.kept.lock().unwrap().iter().eq(&[0]));
    }
}
