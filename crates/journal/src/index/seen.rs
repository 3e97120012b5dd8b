//! How far the index has seen the log, for those who compare the two: without opening the journal.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use uuid::Uuid;

use crate::index::state::State;
use crate::index::store::{Store, wait_for_release};
use crate::record::Position;

/// What is read of the index is one entry.
const CACHE_BYTES: u64 = 1 << 20;
/// An index that is larger is not copied: who only looks should not fill the disk.
const MOST_BYTES: u64 = 1 << 30;

/// Why the index does not say how far it has seen the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unseen {
    /// There is no index, as in a backup.
    #[error("there is no index here")]
    Missing,
    /// A journal is open on the directory, and its index changes. Ask that.
    #[error("the index is in use")]
    InUse,
    /// It is of another log: it says nothing of this one.
    #[error("the index is of another log")]
    OtherLog,
    /// It is larger than what is copied to look at it.
    #[error("the index is larger than 1 GiB")]
    Large,
    /// It is damaged; the text is that of its store.
    #[error("the index cannot be read: {0}")]
    Damaged(String),
    /// It could not be copied.
    #[error("the index could not be copied")]
    Copy(#[source] io::Error),
}

/// The last position of a log that the index in its data directory has seen. Records are durable before the
/// index sees them, so that a log which ends earlier has lost some.
///
/// Changes nothing there and holds no lock: to open an index writes to it, so that it is copied into
/// `scratch`, an empty directory, and opened there. Where a journal is open on the directory it is in use.
pub fn seen_by_index(directory: &Path, log: Uuid, scratch: &Path) -> Result<Position, Unseen> {
    let state = State::read(&directory.join("index"));
    if state.generation.is_none() {
        return Err(Unseen::Missing);
    }
    if is_held(directory) {
        return Err(Unseen::InUse);
    }
    let mut left = MOST_BYTES;
    copy(&state.directory(), scratch, &mut left)?;
    // Opened meanwhile, it may be torn.
    if is_held(directory) {
        return Err(Unseen::InUse);
    }
    let meta = Store::open(scratch, CACHE_BYTES).and_then(|store| store.meta());
    wait_for_release(scratch);
    match meta {
        Ok(Some(meta)) if meta.log == log => Ok(Position(meta.seen)),
        Ok(Some(_)) => Err(Unseen::OtherLog),
        Ok(None) => Err(Unseen::Missing),
        Err(damage) => Err(Unseen::Damaged(damage.0)),
    }
}

/// Which log the index in a directory has seen, and up to which position, if it can be read. Whoever
/// asks holds the journal's directory.
pub(crate) fn seen_in(directory: &Path) -> Option<(Uuid, Position)> {
    let state = State::read(directory);
    state.generation?;
    let place = state.directory();
    let meta = Store::open(&place, CACHE_BYTES).and_then(|store| store.meta()).ok().flatten();
    wait_for_release(&place);
    meta.map(|meta| (meta.log, Position(meta.seen)))
}

/// Whether a journal is open on a directory. What cannot be looked at counts as held.
fn is_held(directory: &Path) -> bool {
    match File::open(directory.join("lock")) {
        // Let go at once, and shared: only a start at this very instant could meet it.
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        },
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

fn copy(from: &Path, to: &Path, left: &mut u64) -> Result<(), Unseen> {
    for entry in fs::read_dir(from).map_err(Unseen::Copy)? {
        let entry = entry.map_err(Unseen::Copy)?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let found = entry.metadata().map_err(Unseen::Copy)?;
        if found.is_dir() {
            fs::create_dir(&to).map_err(Unseen::Copy)?;
            copy(&from, &to, left)?;
        } else if found.is_file() {
            *left = left.checked_sub(found.len()).ok_or(Unseen::Large)?;
            fs::copy(&from, &to).map_err(Unseen::Copy)?;
        }
    }
    Ok(())
}
