//! The timers' store: what runs, and up to which position of the stream that is so.
//!
//! One file, written whole, synced and renamed before the consumer acknowledges what is in it. It is
//! no truth: whatever is wrong with it, the stream is read again from its first record.

use std::io;
use std::path::{Path, PathBuf};

use case::deadlines::Running;
use case::{CaseId, Leaf};
use sha2::{Digest as _, Sha256};

use crate::regular;
use crate::replace::replace;

/// Changes when an older file can no longer be read, or what it says would be followed otherwise.
const FORMAT: u32 = 1;
/// Some four million deadlines; a longer file is made anew.
const MOST_BYTES: u64 = 1 << 30;

/// What runs after a position of a stream.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    pub(super) format: u32,
    /// When the stream was made, as the server says: another one is another stream.
    pub(super) stream: String,
    /// The durable consumer that goes with it.
    pub(super) consumer: String,
    /// The last position that was taken into account.
    pub(super) position: u64,
    /// The leaf hash of the record there; `None` at position 0.
    pub(super) leaf: Option<Leaf>,
    /// The deadlines that run, by case.
    pub(super) running: Vec<(CaseId, Vec<Running>)>,
}

impl Snapshot {
    /// Nothing, before the first record of a stream.
    pub(super) const fn empty(stream: String, consumer: String) -> Self {
        Self { format: FORMAT, stream, consumer, position: 0, leaf: None, running: Vec::new() }
    }
}

/// Where snapshots are kept, if anywhere.
#[derive(Debug)]
pub(super) struct Store {
    path: Option<PathBuf>,
    /// One process at a time: two would share a consumer, and each would see half of the stream.
    _lock: Option<journal::Lock>,
}

impl Store {
    /// Opens the store in a directory, which is made where it is missing, and holds it. Without a
    /// directory nothing is kept.
    pub(super) fn open(directory: Option<PathBuf>) -> Result<Self, journal::Error> {
        let Some(directory) = directory else { return Ok(Self { path: None, _lock: None }) };
        crate::private::make(&directory).map_err(|source| journal::Error::Disk {
            file: directory.display().to_string(),
            doing: "making",
            source: source.into(),
        })?;
        let lock = journal::Lock::take(&directory)?;
        Ok(Self { path: Some(directory.join("timers")), _lock: Some(lock) })
    }

    /// Whether anything outlives this process.
    pub(super) const fn keeps(&self) -> bool {
        self.path.is_some()
    }

    /// Where a snapshot is written and read; see [`write`] and [`read`].
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.path.clone()
    }
}

/// The last snapshot; `None` where there is none, or none that is whole. Blocks.
pub(super) fn read(path: &Path) -> Option<Snapshot> {
    let bytes = match regular::read(path, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(%error, "the timers' store cannot be read and is made anew");
            return None;
        }
    };
    let snapshot = decode(&bytes);
    if snapshot.is_none() {
        tracing::warn!("the timers' store is not whole and is made anew");
    }
    snapshot
}

/// A digest in the first line finds what a disk did to the rest.
fn decode(bytes: &[u8]) -> Option<Snapshot> {
    let (digest, body) = bytes.split_at_checked(65)?;
    if digest != format!("{}\n", hex::encode(Sha256::digest(body))).as_bytes() {
        return None;
    }
    let snapshot: Snapshot = serde_json::from_slice(body).ok()?;
    (snapshot.format == FORMAT).then_some(snapshot)
}

/// Writes a snapshot; see [`replace`]. Blocks.
pub(super) fn write(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let body = serde_json::to_vec(snapshot)?;
    let mut bytes = hex::encode(Sha256::digest(&body)).into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(&body);
    replace(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_comes_back_as_it_was_and_a_damaged_one_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(Some(home.path().join("deadlines"))).unwrap();
        let path = store.path().unwrap();
        assert_eq!(read(&path), None);
        let mut snapshot = Snapshot::empty("made then".to_owned(), "deadlines-1".to_owned());
        snapshot.position = 7;
        snapshot.leaf = Some(Leaf::of(b"record"));
        write(&path, &snapshot).unwrap();
        assert_eq!(read(&path), Some(snapshot));
        let whole = std::fs::read(&path).unwrap();
        for byte in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[byte] ^= 1;
            assert_eq!(decode(&bytes), None, "byte {byte}");
            assert_eq!(decode(&whole[..byte]), None, "cut at {byte}");
        }
    }

    #[test]
    fn a_pipe_in_the_place_of_a_snapshot_is_none_and_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(Some(home.path().join("deadlines"))).unwrap();
        let path = store.path().unwrap();
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(read(&path), None);
        let snapshot = Snapshot::empty("made then".to_owned(), "deadlines-1".to_owned());
        write(&path, &snapshot).unwrap();
        assert_eq!(read(&path), Some(snapshot));
    }

    #[test]
    fn a_store_is_held_by_one_process() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("deadlines");
        let _held = Store::open(Some(directory.clone())).unwrap();
        assert!(matches!(Store::open(Some(directory)), Err(journal::Error::Held { .. })));
    }
}
