//! Slips of documents under way: written before a document is stored, removed when its command is
//! decided. What a crash leaves between the two is found by them, without looking through log or
//! store.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use case::CaseId;
use case::token::Sha256Hex;

use super::Error;
use crate::replace::{ASIDE, replace};
use crate::{private, regular};

/// A case's id and a digest have some 150.
const MOST_BYTES: u64 = 4 << 10;

/// A document that may be stored, and whose command may be accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Slip {
    pub(super) case: CaseId,
    pub(super) sha256: Sha256Hex,
}

/// The directory of slips, one file each, named as its document.
#[derive(Debug, Clone)]
pub(super) struct Slips {
    directory: PathBuf,
}

impl Slips {
    pub(super) fn open(directory: PathBuf) -> Result<Self, Error> {
        private::make(&directory).map_err(failed(&directory, "made"))?;
        Ok(Self { directory })
    }

    /// Writes a slip; when this returns it is synced, and a crash cannot hide the document. One that was
    /// there is replaced whole: it may be all that tells of a document. Blocks.
    pub(super) fn write(&self, name: &str, slip: &Slip) -> Result<(), Error> {
        let path = self.directory.join(name);
        let bytes = serde_json::to_vec(slip)
            .map_err(std::io::Error::other)
            .map_err(failed(&path, "encoded"))?;
        replace(&path, &bytes).map_err(failed(&path, "written"))
    }

    /// Removes a slip. One that a crash brings back is settled once more, which changes nothing. Blocks.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.directory.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(&path, "removed")(error)),
        }
    }

    /// Whether a slip is there. Where that cannot be seen, it is: then it is looked at.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.directory.join(name).try_exists().unwrap_or(true)
    }

    /// Every slip by the name of its document; `None` where it cannot be read. What a crash left aside
    /// is removed: its document was not begun. Blocks.
    pub(super) fn all(&self) -> Result<Vec<(String, Option<Slip>)>, Error> {
        let directory = &self.directory;
        let mut slips = Vec::new();
        for file in std::fs::read_dir(directory).map_err(failed(directory, "listed"))? {
            let file = file.map_err(failed(directory, "listed"))?;
            let Ok(name) = file.file_name().into_string() else { continue };
            if name.ends_with(ASIDE) {
                self.remove(&name)?;
                continue;
            }
            let slip = match regular::read(&file.path(), MOST_BYTES) {
                Ok(bytes) => serde_json::from_slice(&bytes).ok(),
                Err(error) if error.kind() == ErrorKind::InvalidData => None,
                Err(error) => return Err(failed(&file.path(), "read")(error)),
            };
            slips.push((name, slip));
        }
        Ok(slips)
    }
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Slip { path, action, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slip(case: u128, digit: &str) -> Slip {
        Slip {
            case: CaseId(uuid::Uuid::from_u128(case)),
            sha256: Sha256Hex::new(&digit.repeat(64)).unwrap(),
        }
    }

    #[test]
    fn a_slip_that_is_written_again_is_never_less_than_whole() {
        let home = tempfile::tempdir().unwrap();
        let slips = Slips::open(home.path().join("pending")).unwrap();
        let (first, second) = (slip(1, "a"), slip(2, "b"));
        slips.write("name", &first).unwrap();
        // Killed while the second was written: it lies aside, cut short, and the first is what holds.
        std::fs::write(home.path().join("pending/name.new"), "{\"ca").unwrap();
        assert_eq!(slips.all().unwrap(), [("name".to_owned(), Some(first))]);
        assert!(!home.path().join("pending/name.new").exists());
        slips.write("name", &second).unwrap();
        assert_eq!(slips.all().unwrap(), [("name".to_owned(), Some(second))]);
        slips.remove("name").unwrap();
        assert_eq!(slips.all().unwrap(), []);
        // Nothing of these is waited for, or read to its end.
        let pipe = home.path().join("pending/pipe");
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(slips.all().unwrap(), [("pipe".to_owned(), None)]);
    }
}
