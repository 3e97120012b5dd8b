//! All that stands between the log and the disk.

mod direct;
mod door;
mod large_pages;
pub(crate) mod lock;
mod real;
mod whole;
pub(crate) mod zeros;

pub use door::{Disk, DiskFile, FileId, Pace, Standing};
pub use real::RealDisk;
pub(crate) use real::sync_directory;
pub(crate) use whole::{WholeFile, write_whole};

/// A length in a file, of which no more is taken than memory has room for.
pub(crate) fn at_most(length: u64, room: usize) -> usize {
    usize::try_from(length).map_or(room, |length| length.min(room))
}
