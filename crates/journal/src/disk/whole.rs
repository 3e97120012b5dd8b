//! Files that have their name only once they are whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::disk::sync_directory;

/// A file that is written aside, in the directory where it belongs.
///
/// What has its name stays as it was until then: a crash leaves that or the new file, whole, and
/// perhaps the one aside. That was never in use, so the next one to be begun removes it unopened: it
/// may be a link or a pipe. Whoever begins one keeps others from beginning the same.
#[derive(Debug)]
pub(crate) struct WholeFile {
    file: File,
    aside: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// Begins the file at a path; `aside` is its name until it is whole.
    pub(crate) fn begin(path: &Path, aside: &str) -> io::Result<WholeFile> {
        WholeFile::with_mode(path, aside, 0o666)
    }

    /// The same for a file that its owner alone may read, from the first byte on.
    pub(crate) fn begin_secret(path: &Path, aside: &str) -> io::Result<WholeFile> {
        WholeFile::with_mode(path, aside, 0o600)
    }

    fn with_mode(path: &Path, aside: &str, mode: u32) -> io::Result<WholeFile> {
        let aside = path.with_file_name(aside);
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&aside)?;
        Ok(WholeFile { file, aside, path: path.to_owned() })
    }

    /// Makes the bytes durable, gives the file its name and makes that durable too.
    pub(crate) fn finish(self) -> io::Result<()> {
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).to_owned();
        self.finish_unsynced()?;
        sync_directory(&directory)
    }

    /// The same for one of many in a directory, which the caller syncs behind the last: the name is
    /// not durable before.
    pub(crate) fn finish_unsynced(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.aside, &self.path)
    }

    /// Removes it again.
    pub(crate) fn abandon(self) -> io::Result<()> {
        fs::remove_file(&self.aside)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Gives the file at a path these bytes, whole or not at all, durably when it returns; see
/// [`WholeFile`].
pub(crate) fn write_whole(path: &Path, aside: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::begin(path, aside)?;
    file.write_all(bytes)?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_the_old_one_until_the_new_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write_whole(&path, "aside", b"old").unwrap();
        let mut new = WholeFile::begin(&path, "aside").unwrap();
        new.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        new.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        WholeFile::begin(&path, "aside").unwrap().abandon().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_stands_aside_is_removed_and_never_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("file"), directory.path().join("other"));
        fs::write(&other, "somebody else's").unwrap();
        symlink(&other, directory.path().join("aside")).unwrap();
        let mut secret = WholeFile::begin_secret(&path, "aside").unwrap();
        secret.write_all(b"secret").unwrap();
        secret.finish().unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"somebody else's");
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
