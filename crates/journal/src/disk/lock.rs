//! One writer per data directory: a locked file that says who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, disk_error};

const LOCK: &str = "lock";

/// Holds a data directory: nobody else writes there. The system lets it go when the program ends,
/// however it ends.
#[derive(Debug)]
pub struct Lock {
    directory: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock of a directory, which must be there, and writes the program's id into it.
    pub fn take(directory: &Path) -> Result<Lock, Error> {
        let path = directory.join(LOCK);
        let wrong = |doing| disk_error(path.display(), doing);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(wrong("opening"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder =
                    if known { holder.trim().to_owned() } else { "another process".to_owned() };
                return Err(Error::Held { directory: directory.display().to_string(), holder });
            }
            Err(TryLockError::Error(source)) => {
                let file = path.display().to_string();
                return Err(Error::Disk { file, doing: "locking", source: Arc::new(source) });
            }
        }
        file.set_len(0).map_err(wrong("writing"))?;
        file.rewind().map_err(wrong("writing"))?;
        writeln!(file, "process {}", std::process::id()).map_err(wrong("writing"))?;
        Ok(Lock { directory: directory.to_owned(), _file: file })
    }

    /// The directory that is held.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}
