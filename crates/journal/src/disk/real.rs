//! The door to the real file system.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustix::fs::{AtFlags, CWD, OFlags, Statx, StatxFlags, statx};

use crate::disk::direct::{self, Pool, Recent};
use crate::disk::door::{Disk, DiskFile, FileId, Pace, Standing};
use crate::disk::zeros;

/// A directory of the real file system.
#[derive(Debug)]
pub struct RealDisk {
    directory: PathBuf,
    pool: Pool,
}

impl RealDisk {
    /// Uses a directory, which must be there.
    #[must_use]
    pub fn new(directory: PathBuf) -> RealDisk {
        RealDisk { directory, pool: Pool::default() }
    }

    /// Makes a directory durably: its parent's list of names is synced too. Who may enter it is what the
    /// process leaves open to others.
    pub fn make(directory: &Path) -> io::Result<()> {
        make(directory, 0o777)
    }

    /// The same for its owner only, also what is missing above it: a record says much of people, although
    /// their words are sealed. One that is there keeps its mode.
    pub fn make_private(directory: &Path) -> io::Result<()> {
        make(directory, 0o700)
    }
}

fn make(directory: &Path, mode: u32) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make(parent, mode)?;
    }
    DirBuilder::new().mode(mode).create(directory).or_else(accept_existing)?;
    sync_directory(parent.unwrap_or(Path::new(".")))
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
            // What has a segment's name and is no file is not passed over: to open it says so.
            names.extend(entry?.file_name().into_string());
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
        Ok(Arc::new(RealFile::new(file)))
    }

    fn create_zeros(
        &self,
        name: &str,
        length: u64,
        between: &mut dyn FnMut(u64) -> Pace,
    ) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.create(name)?;
        match zeros::fill_directly(&self.directory.join(name), length, between) {
            Ok(()) => {
                self.pool.prepare(length);
                self.open(name, true)
            }
            Err(error) if direct::is_unsupported(&error) => {
                file.set_length(0)?;
                zeros::fill(file.as_ref(), length, between)?;
                Ok(file)
            }
            Err(error) => Err(error),
        }
    }

    fn open(&self, name: &str, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.directory.join(name);
        // A link to a file is as good as the file. To open a pipe would wait for who writes to it.
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let file = OpenOptions::new().read(true).write(write).open(&path)?;
        let recent = match write.then(|| direct::open(&path, OFlags::DSYNC)) {
            Some(Ok(direct)) => Some(Recent::new(direct, file.metadata()?.len(), &self.pool)),
            Some(Err(error)) if !direct::is_unsupported(&error) => return Err(error),
            _ => None,
        };
        Ok(Arc::new(RealFile { file, recent: RwLock::new(recent) }))
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

    fn identify(&self, name: &str) -> io::Result<Option<FileId>> {
        // Asked for no times, see `standing`.
        let found = statx(CWD, self.directory.join(name), AtFlags::empty(), StatxFlags::INO)?;
        Ok(Some(id_of(&found)))
    }
}

struct RealFile {
    file: File,
    /// As long as the file is only appended to.
    recent: RwLock<Option<Recent>>,
}

impl RealFile {
    /// A file that is not appended to.
    fn new(file: File) -> RealFile {
        RealFile { file, recent: RwLock::new(None) }
    }

    fn recent(&self) -> RwLockReadGuard<'_, Option<Recent>> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent_mut(&self) -> RwLockWriteGuard<'_, Option<Recent>> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads on until `out` is full or nothing more is there; `some` is told how much was read before.
fn read_all(
    out: &mut [u8],
    mut some: impl FnMut(usize, &mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = out.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match some(read, rest) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        read_all(out, |read, rest| self.file.read_at(rest, offset + read as u64))
    }

    fn read_recent_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        read_all(out, |read, rest| {
            let offset = offset + read as u64;
            let kept = self.recent().as_ref().and_then(|recent| recent.read(offset, rest));
            kept.map_or_else(|| self.file.read_at(rest, offset), Ok)
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(recent) = self.recent_mut().as_mut() {
            recent.forget();
        }
        self.file.write_all_at(bytes, offset)
    }

    fn append_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let fits = match self.recent_mut().as_mut() {
            Some(recent) => recent.take_in(&self.file, offset, bytes)?,
            None => false,
        };
        let recent = self.recent();
        match recent.as_ref().filter(|_| fits).map(|recent| recent.write(offset)) {
            Some(Err(error)) if direct::is_unsupported(&error) => {
                drop(recent);
                *self.recent_mut() = None;
            }
            Some(written) => return written,
            None => drop(recent),
        }
        self.write_at(offset, bytes)?;
        self.sync()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        *self.recent_mut() = None;
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn standing(&self) -> io::Result<Option<Standing>> {
        // Asked for no times: Linux gives a file whose times were looked at a new one at its next write,
        // and to make that durable too took half as long again (from 6.13 on).
        let wanted = StatxFlags::NLINK | StatxFlags::SIZE | StatxFlags::INO;
        let found = statx(&self.file, "", AtFlags::EMPTY_PATH, wanted)?;
        let (names, length) = (found.stx_nlink, found.stx_size);
        Ok(Some(Standing { names, length, id: id_of(&found) }))
    }
}

fn id_of(found: &Statx) -> FileId {
    FileId { device: (found.stx_dev_major, found.stx_dev_minor), inode: found.stx_ino }
}
