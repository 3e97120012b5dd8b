//! The one small door to the disk, so that a simulated disk can be put under the writer.

use std::io;
use std::sync::Arc;

use crate::disk::zeros;

/// A directory of log files.
///
/// A name is durable only after [`Disk::sync_directory`], a file's bytes only after
/// [`DiskFile::sync`].
pub trait Disk: Send + Sync {
    /// The names of all that is in the directory, in no order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes an empty file to write to; what had that name is gone.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Makes a file of so many zeros, which are durable; what had that name is gone. It is written in
    /// steps, and `between` them is told how many bytes are done and says how to go on.
    fn create_zeros(
        &self,
        name: &str,
        length: u64,
        between: &mut dyn FnMut(u64) -> Pace,
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
    /// Which file has a name now, by way of a link too; `None` where the disk does not tell files apart.
    fn identify(&self, _name: &str) -> io::Result<Option<FileId>> {
        Ok(None)
    }
}

/// Which file it is, whatever its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    /// The device that it is on, by major and minor number.
    pub device: (u32, u32),
    /// Its number there.
    pub inode: u64,
}

/// What becomes of a file while it is open, at the hands of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many names it has: one that was removed while it is open takes bytes, and is gone with the
    /// program.
    pub names: u32,
    /// Its length in bytes.
    pub length: u64,
    /// Which file it is.
    pub id: FileId,
}

/// How a file that nobody has asked for yet is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// In small steps, so that what else is written need not wait long.
    Calm,
    /// As quickly as can be.
    Hurried,
}

/// A file of the log, written and read by offset.
pub trait DiskFile: Send + Sync {
    /// The length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Reads at an offset as many bytes as fit or are there; returns how many.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize>;
    /// The same, where what was appended lately may come from memory: for those who follow the log.
    /// Whoever looks whether the record is unaltered reads what is on the disk.
    fn read_recent_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.read_at(offset, out)
    }
    /// Writes all the bytes at an offset; not durable until `sync`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// The same at the end of what was written, and durable when it returns: behind the bytes there
    /// are only zeros, all before them was synced, and one thread at a time appends. What a disk has
    /// to write again of the bytes before them stays as it was, also where the write is torn.
    fn append_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_at(offset, bytes)?;
        self.sync()
    }
    /// Cuts or lengthens the file; added bytes read as zeros.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Makes bytes and length durable.
    fn sync(&self) -> io::Result<()>;
    /// How the file stands; `None` where nobody else can lay hands on it.
    fn standing(&self) -> io::Result<Option<Standing>> {
        Ok(None)
    }
}
