//! Appending past the system's cache. Every page that is new to that cache costs a copy and, on a
//! machine that gives memory back when it is not used, far more than the write itself.
//!
//! What is appended is read again at once, by those who follow the log, so the newest bytes are kept
//! for them in memory of our own, which is used again and again. All others read the file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::OFlags;

use crate::disk::at_most;
use crate::disk::large_pages::LargePages;
use crate::disk::zeros::PAGE_BYTES;

/// How much of a file's end is kept; a multiple of a page.
const KEPT_BYTES: usize = 16 << 20;
/// The most that one read copies, so that the writer need not wait long for it.
const COPY_BYTES: usize = 128 << 10;

const PAGE: u64 = PAGE_BYTES as u64;

/// Opens a file for writing past the system's cache; `how` else, with [`OFlags::DSYNC`] for writes
/// that are durable when they return.
pub(crate) fn open(path: &Path, how: OFlags) -> io::Result<File> {
    let flags = i32::try_from((OFlags::DIRECT | how).bits()).map_err(io::Error::other)?;
    OpenOptions::new().write(true).custom_flags(flags).open(path)
}

/// Whether an error says that the way past the cache is not for this file system, and nothing else:
/// nothing has failed then.
pub(crate) fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// How many a log has: a file that is full keeps its own until it is sealed, and the next one is
/// written to meanwhile.
const MEMORIES: usize = 2;

#[derive(Debug, Default)]
struct Memories {
    /// Those that no file has now.
    free: Vec<Memory>,
    /// How many there are.
    count: usize,
}

/// Memory that files no longer need, for the next: memory that was used before costs less.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<Memories>>);

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Memories> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has memory ready for one more file of a length, so that no append waits for it. Where there is
    /// none now, it is taken when it is needed.
    pub(crate) fn prepare(&self, length: u64) {
        if length < KEPT_BYTES as u64 || self.lock().count >= MEMORIES {
            return;
        }
        if let Ok(memory) = Memory::new() {
            memory.0.populate();
            let mut memories = self.lock();
            memories.count += 1;
            memories.free.push(memory);
        }
    }

    fn take(&self) -> io::Result<Memory> {
        let mut memories = self.lock();
        if let Some(free) = memories.free.pop() {
            return Ok(free);
        }
        let memory = Memory::new()?;
        memories.count += 1;
        Ok(memory)
    }

    fn give_back(&self, memory: Memory) {
        let mut memories = self.lock();
        if memories.count > MEMORIES {
            memories.count -= 1;
        } else {
            memories.free.push(memory);
        }
    }
}

/// Room for the last [`KEPT_BYTES`] bytes of a file: each has its place by its offset, so that what
/// begins at a page in the file does so in memory.
#[derive(Debug)]
struct Memory(LargePages);

impl Memory {
    fn new() -> io::Result<Memory> {
        LargePages::new(KEPT_BYTES).map(Memory)
    }

    /// Where the byte at an offset of the file has its place, and how many bytes are behind it
    /// before the places begin anew.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "less than what is kept, which is in memory"
    )]
    fn place(offset: u64) -> (usize, usize) {
        let at = (offset % KEPT_BYTES as u64) as usize;
        (at, KEPT_BYTES - at)
    }

    /// The bytes at an offset, at most `most`; fewer where the places begin anew.
    fn get(&self, offset: u64, most: u64) -> &[u8] {
        let (at, room) = Memory::place(offset);
        let length = at_most(most, room);
        self.0.bytes().get(at..at + length).unwrap_or_default()
    }

    fn put(&mut self, mut offset: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (at, room) = Memory::place(offset);
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            if let Some(place) = self.0.bytes_mut().get_mut(at..at + now.len()) {
                place.copy_from_slice(now);
            }
            offset += now.len() as u64;
            bytes = rest;
        }
    }
}

/// The end of a file that is appended to, and the way to write it.
#[derive(Debug)]
pub(crate) struct Recent {
    direct: File,
    length: u64,
    /// Made when it is first needed.
    memory: Option<Memory>,
    /// Which bytes of the file are in memory; `from` is at a page.
    from: u64,
    end: u64,
    pool: Pool,
}

impl Recent {
    /// For a file of a fixed length that was opened by [`open`] for durable writes.
    pub(crate) fn new(direct: File, length: u64, pool: &Pool) -> Recent {
        Recent { direct, length, memory: None, from: 0, end: 0, pool: pool.clone() }
    }

    /// Takes bytes in that are to be written; `false` where [`Recent::write`] cannot write them.
    /// They must end at a page's end, and behind them the file must have nothing but zeros.
    #[expect(clippy::cast_possible_truncation, reason = "less than a page")]
    pub(crate) fn take_in(&mut self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<bool> {
        let end = offset + bytes.len() as u64;
        let most = (KEPT_BYTES - PAGE_BYTES) as u64;
        if !end.is_multiple_of(PAGE) || end > self.length || bytes.len() as u64 > most {
            return Ok(false);
        }
        let page = offset - offset % PAGE;
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None => self.pool.take()?,
        };
        if page < self.from || offset > self.end {
            let mut before = vec![0; (offset - page) as usize];
            file.read_exact_at(&mut before, page)?;
            memory.put(page, &before);
            self.from = page;
        }
        memory.put(offset, bytes);
        self.memory = Some(memory);
        self.end = end;
        self.from = self.from.max(end.saturating_sub(KEPT_BYTES as u64));
        Ok(true)
    }

    /// Writes what was taken in from an offset on, durably.
    pub(crate) fn write(&self, offset: u64) -> io::Result<()> {
        let mut at = offset - offset % PAGE;
        let Some(memory) = &self.memory else { return Ok(()) };
        while at < self.end {
            let bytes = memory.get(at, self.end - at);
            self.direct.write_all_at(bytes, at)?;
            at += bytes.len() as u64;
        }
        Ok(())
    }

    /// Reads some bytes, as many as `out` has or fewer; `None` if they are not in memory.
    pub(crate) fn read(&self, offset: u64, out: &mut [u8]) -> Option<usize> {
        let memory = self.memory.as_ref().filter(|_| offset >= self.from)?;
        if offset >= self.end {
            let zeros = at_most(self.length.saturating_sub(offset), out.len());
            out.get_mut(..zeros)?.fill(0);
            return Some(zeros);
        }
        let most = (self.end - offset).min(out.len().min(COPY_BYTES) as u64);
        let bytes = memory.get(offset, most);
        out.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(bytes.len())
    }

    /// Forgets what is in memory, since the file is written in another way.
    pub(crate) fn forget(&mut self) {
        (self.from, self.end) = (0, 0);
        if let Some(memory) = self.memory.take() {
            self.pool.give_back(memory);
        }
    }
}

impl Drop for Recent {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, DiskFile, Pace, RealDisk};

    const LENGTH: u64 = KEPT_BYTES as u64 * 2;

    /// A file of zeros, its disk, and what the file is to have.
    fn begin() -> (tempfile::TempDir, RealDisk, Arc<dyn DiskFile>, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(directory.path().to_owned());
        let file = disk.create_zeros("log", LENGTH, &mut |_| Pace::Hurried).unwrap();
        (directory, disk, file, vec![0; LENGTH as usize])
    }

    /// Appends bytes that tell their place, padded to a page's end as the writer does.
    fn append(file: &dyn DiskFile, wanted: &mut [u8], offset: usize, length: usize) {
        let bytes = wanted.get_mut(offset..offset + length).unwrap();
        for (number, byte) in bytes.iter_mut().enumerate() {
            *byte = ((offset + number) * 31 % 255) as u8 + 1;
        }
        let padded = (offset + length).next_multiple_of(PAGE_BYTES);
        file.append_at(offset as u64, wanted.get(offset..padded).unwrap()).unwrap();
    }

    /// What is read from memory, and from the file.
    fn read(file: &dyn DiskFile, offset: usize, length: usize) -> Vec<u8> {
        let mut out = vec![7; length];
        let read = file.read_recent_at(offset as u64, &mut out).unwrap();
        out.truncate(read);
        let mut stored = vec![7; length];
        assert_eq!(file.read_at(offset as u64, &mut stored).unwrap(), read);
        stored.truncate(read);
        assert!(stored == out);
        out
    }

    #[test]
    fn what_is_appended_is_read_from_memory_and_from_the_file() {
        let (_directory, disk, file, mut wanted) = begin();
        file.write_at(0, b"head").unwrap();
        wanted.splice(..4, *b"head");
        let (mut offset, mut length) = (4, 1);
        while offset + length < wanted.len() - PAGE_BYTES {
            append(file.as_ref(), &mut wanted, offset, length);
            let from = offset.saturating_sub(length / 2);
            assert_eq!(read(file.as_ref(), from, length), wanted.get(from..from + length).unwrap());
            offset += length;
            length = (length * 7 + 11) % 1_500_000;
        }
        assert!(offset > KEPT_BYTES * 3 / 2, "the places began anew");
        file.sync().unwrap();
        for reader in [file, disk.open("log", false).unwrap()] {
            for from in [0, offset - KEPT_BYTES - 100, offset - 100, offset] {
                let there = wanted.get(from..).unwrap();
                assert!(read(reader.as_ref(), from, LENGTH as usize) == there, "from {from}");
            }
        }
    }

    #[test]
    fn an_end_within_a_page_and_other_writes_are_seen_by_the_next_append() {
        let (_directory, disk, file, mut wanted) = begin();
        append(file.as_ref(), &mut wanted, 10, 5_000);
        file.append_at(5_010, b"within").unwrap();
        wanted.splice(5_010..5_016, *b"within");
        append(file.as_ref(), &mut wanted, 5_016, 9_000);
        file.write_at(100, b"elsewhere").unwrap();
        wanted.splice(100..109, *b"elsewhere");
        append(file.as_ref(), &mut wanted, 14_016, 3);
        assert!(read(file.as_ref(), 0, 20_000) == wanted.get(..20_000).unwrap());
        file.sync().unwrap();
        let fresh = disk.open("log", false).unwrap();
        assert!(read(fresh.as_ref(), 0, LENGTH as usize) == wanted);
    }

    #[test]
    fn memory_is_prepared_for_as_many_files_as_are_written_to_and_comes_back() {
        let pool = Pool::default();
        let free = || pool.lock().free.len();
        pool.prepare(KEPT_BYTES as u64 - 1);
        assert_eq!(free(), 0, "a short file does not need all of it");
        for wanted in [1, 2, 2] {
            pool.prepare(LENGTH);
            assert_eq!(free(), wanted);
        }
        let taken: Vec<_> = (0..3).map(|_| pool.take().unwrap()).collect();
        pool.prepare(LENGTH);
        assert_eq!(free(), 0, "the files have theirs");
        for memory in taken {
            pool.give_back(memory);
        }
        assert_eq!((free(), pool.lock().count), (2, 2));
    }

    #[test]
    fn memory_goes_from_file_to_file() {
        let (_directory, disk, file, mut wanted) = begin();
        append(file.as_ref(), &mut wanted, 0, 50_000);
        file.set_length(50_000).unwrap();
        assert_eq!(read(file.as_ref(), 49_000, 2_000), wanted.get(49_000..50_000).unwrap());
        let next = disk.create_zeros("next", LENGTH, &mut |_| Pace::Hurried).unwrap();
        let mut wanted = vec![0; LENGTH as usize];
        append(next.as_ref(), &mut wanted, 20_000, 10);
        assert!(read(next.as_ref(), 0, 60_000) == wanted.get(..60_000).unwrap());
    }
}
