//! All that stands between the log and the disk.

mod direct;
mod large_pages;
pub(crate) mod lock;
mod real;
pub(crate) mod zeros;

pub(crate) use real::sync_directory;
pub use real::{Disk, DiskFile, Pace, RealDisk};
