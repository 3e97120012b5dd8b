//! Files of zeros, written out ahead: a sparse or an unwritten one costs twice at every sync.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, OFlags, fallocate};

use crate::disk::large_pages::LargePages;
use crate::disk::{DiskFile, Pace, at_most, direct};

/// What a disk writes whole, or a multiple of it; also where a page of the system's cache ends.
pub(crate) const PAGE_BYTES: usize = 4096;

/// How much is written at once. What the log writes meanwhile waits behind it.
const STEP_BYTES: usize = 256 << 10;
/// The same in a hurry: smaller steps take longer than a busy log needs to fill a segment.
const HURRIED_STEP_BYTES: usize = 1 << 20;
/// The same where each step is synced, which takes longer.
const SYNCED_STEP_BYTES: usize = 512 << 10;

/// Fills a file with zeros and makes them durable, in steps of their own, as large as they are at any
/// pace: the system would keep all of them in its cache, and the log's next sync would wait for all.
pub(crate) fn fill(
    file: &dyn DiskFile,
    length: u64,
    between: &mut dyn FnMut(u64) -> Pace,
) -> io::Result<()> {
    let zeros = vec![0; SYNCED_STEP_BYTES];
    let mut at = 0;
    while at < length {
        let part = zeros.get(..at_most(length - at, zeros.len())).unwrap_or_default();
        file.write_at(at, part)?;
        file.sync()?;
        at += part.len() as u64;
        between(at);
    }
    Ok(())
}

/// The same past the system's cache, which spares the copying and all syncs but the last.
/// `InvalidInput` or `Unsupported` where the file system or the length is not fit for it; then
/// [`fill`] is.
pub(crate) fn fill_directly(
    path: &Path,
    length: u64,
    between: &mut dyn FnMut(u64) -> Pace,
) -> io::Result<()> {
    if !length.is_multiple_of(PAGE_BYTES as u64) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = direct::open(path, OFlags::empty())?;
    fallocate(&file, FallocateFlags::empty(), 0, length)?;
    write(&file, length, between)?;
    file.sync_all()
}

fn write(file: &File, length: u64, between: &mut dyn FnMut(u64) -> Pace) -> io::Result<()> {
    let room = LargePages::new(HURRIED_STEP_BYTES)?;
    let zeros = room.bytes();
    let (mut at, mut pace) = (0, Pace::Calm);
    while at < length {
        let step = match pace {
            Pace::Calm => STEP_BYTES,
            Pace::Hurried => HURRIED_STEP_BYTES,
        };
        let part = zeros.get(..at_most(length - at, step)).unwrap_or_default();
        file.write_all_at(part, at)?;
        at += part.len() as u64;
        pace = between(at);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, Pace, RealDisk};

    #[test]
    fn a_file_has_as_many_zeros_as_asked_for_whatever_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(directory.path().to_owned());
        let page = PAGE_BYTES as u64;
        let (step, hurried) = (STEP_BYTES as u64, HURRIED_STEP_BYTES as u64);
        for length in [0, 1, page, 3 * page, 3 * page + 7, step + page, step + hurried + page] {
            disk.create("spare").unwrap().write_at(0, &[1; 2 * PAGE_BYTES]).unwrap();
            for pace in [Pace::Calm, Pace::Hurried] {
                let mut done = 0;
                let mut between = |at| {
                    assert!(at > done);
                    done = at;
                    pace
                };
                let file = disk.create_zeros("spare", length, &mut between).unwrap();
                assert_eq!(done, length);
                let mut found = vec![1; length as usize + 1];
                assert_eq!(file.read_at(0, &mut found).unwrap() as u64, length);
                assert!(found.iter().take(length as usize).all(|byte| *byte == 0), "{length}");
                assert_eq!(file.length().unwrap(), length);
            }
        }
    }
}
