//! Notes of documents under way: written before a document is stored, removed when its command is
//! decided. What a crash leaves between the two is found by them, without looking through log or
//! store.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use case::CaseId;
use case::token::Sha256Hex;

use super::Error;

/// A document that may be stored, and whose command may be accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Note {
    pub(super) case: CaseId,
    pub(super) sha256: Sha256Hex,
}

/// The directory of notes, one file each, named as its document.
#[derive(Debug, Clone)]
pub(super) struct Notes {
    directory: PathBuf,
}

impl Notes {
    pub(super) fn open(directory: PathBuf) -> Result<Self, Error> {
        std::fs::create_dir_all(&directory).map_err(failed(&directory, "made"))?;
        Ok(Self { directory })
    }

    /// Writes a note; when this returns it is synced, and a crash cannot hide the document.
    pub(super) fn write(&self, name: &str, note: &Note) -> Result<(), Error> {
        let path = self.directory.join(name);
        let bytes = serde_json::to_vec(note)
            .map_err(std::io::Error::other)
            .map_err(failed(&path, "encoded"))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed(&path, "made"))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(&self.directory)?.sync_all())
            .map_err(failed(&path, "written"))
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.directory.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(&path, "removed")(error)),
        }
    }

    /// Every note. One that was cut short was written before its document was begun, so there is
    /// no document to it, and it is removed.
    pub(super) fn all(&self) -> Result<Vec<(String, Note)>, Error> {
        let directory = &self.directory;
        let mut notes = Vec::new();
        for file in std::fs::read_dir(directory).map_err(failed(directory, "listed"))? {
            let file = file.map_err(failed(directory, "listed"))?;
            let Ok(name) = file.file_name().into_string() else { continue };
            let bytes = std::fs::read(file.path()).map_err(failed(&file.path(), "read"))?;
            match serde_json::from_slice(&bytes) {
                Ok(note) => notes.push((name, note)),
                Err(_) => self.remove(&name)?,
            }
        }
        Ok(notes)
    }
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Note { path, action, source }
}
