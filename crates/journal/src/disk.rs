//! The one small door to the disk, so that a simulated disk can be put under the writer.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::zeros;

/// A directory of log files.
///
/// A name is durable only after [`Disk::sync_directory`], a file's bytes only after
/// [`DiskFile::sync`].
pub trait Disk: Send + Sync {
    /// The names of all files in the directory, in no order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes an empty file to write to; what had that name is gone.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Makes a file of so many zeros, which are durable; what had that name is gone. It is written in
    /// steps, and `between` them is told how many bytes are done.
    fn create_zeros(
        &self,
        name: &str,
        length: u64,
        between: &mut dyn FnMut(u64),
    ) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.create(name)?;
        zeros::fill(file.as_ref(), length, between)?;
        Ok(file)
    }
    /// Opens a file; `write` asks for the right to write.
    fn open(&self, name: &str, write: bool) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name; what had that name is gone.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes the names durable.
    fn sync_directory(&self) -> io::Result<()>;
}

/// A file of the log, written and read by offset.
pub trait DiskFile: Send + Sync {
    /// The length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Reads at an offset as many bytes as fit or are there; returns how many.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize>;
    /// Writes all the bytes at an offset; not durable until `sync`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts or lengthens the file; added bytes read as zeros.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Makes bytes and length durable.
    fn sync(&self) -> io::Result<()>;
}

/// A directory of the real file system.
#[derive(Debug)]
pub struct RealDisk {
    directory: PathBuf,
}

impl RealDisk {
    /// Uses a directory, which must be there.
    #[must_use]
    pub fn new(directory: PathBuf) -> RealDisk {
        RealDisk { directory }
    }

    /// Makes a directory durably: its parent's list of names is synced too.
    pub fn make(directory: &Path) -> io::Result<()> {
        if directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            RealDisk::make(parent)?;
            fs::create_dir(directory).or_else(accept_existing)?;
            return sync_directory(parent);
        }
        fs::create_dir(directory).or_else(accept_existing)?;
        sync_directory(Path::new("."))
    }
}

fn accept_existing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.directory.join(name))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn create_zeros(
        &self,
        name: &str,
        length: u64,
        between: &mut dyn FnMut(u64),
    ) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.create(name)?;
        match zeros::fill_directly(&self.directory.join(name), length, between) {
            Ok(()) => Ok(file),
            // Only this says that nothing failed: the way past the cache is not for this file system.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                file.set_length(0)?;
                zeros::fill(file.as_ref(), length, between)?;
                Ok(file)
            }
            Err(error) => Err(error),
        }
    }

    fn open(&self, name: &str, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(write).open(self.directory.join(name))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.directory.join(from), self.directory.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.directory.join(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        sync_directory(&self.directory)
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while let Some(rest) = out.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
