//! A disk that knows when a segment is being preallocated, so that a limit is not measured beside it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::disk::{Disk, DiskFile, Pace, RealDisk};

/// The real disk, watched.
pub(super) struct Watched {
    disk: RealDisk,
    /// How many files of zeros are being written.
    making: Mutex<u32>,
    changed: Condvar,
}

impl Watched {
    pub(super) fn new(directory: &Path) -> Arc<Watched> {
        let disk = RealDisk::new(directory.to_owned());
        Arc::new(Watched { disk, making: Mutex::new(0), changed: Condvar::new() })
    }

    /// Blocks until no segment is being preallocated.
    pub(super) fn wait_until_quiet(&self) {
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(making, |making| *making > 0));
    }

    fn count(&self, change: impl FnOnce(&mut u32)) {
        change(&mut self.making.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

impl Disk for Watched {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(name)
    }

    fn create_zeros(
        &self,
        name: &str,
        length: u64,
        between: &mut dyn FnMut(u64) -> Pace,
    ) -> io::Result<Arc<dyn DiskFile>> {
        self.count(|making| *making += 1);
        let made = self.disk.create_zeros(name, length, between);
        self.count(|making| *making -= 1);
        made
    }

    fn open(&self, name: &str, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name, write)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.disk.sync_directory()
    }
}
