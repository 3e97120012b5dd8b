//! All that stands between the log and the disk.

mod direct;
mod door;
mod large_pages;
pub(crate) mod lock;
mod real;
pub(crate) mod zeros;

pub use door::{Disk, DiskFile, Pace};
pub use real::RealDisk;
pub(crate) use real::sync_directory;
