//! A disk that knows when segments are being preallocated, so that a limit is not measured beside it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::disk::{Disk, DiskFile, FileId, Pace, RealDisk};
use crate::upkeep::shelf::{AHEAD, SPARES};

/// The files of zeros.
#[derive(Default)]
struct Spares {
    /// How many are being written, and how many were.
    making: usize,
    made: usize,
    /// How many of those became segments.
    named: usize,
}

impl Spares {
    /// Whether nothing is being made, and nothing is about to be: one is there before a segment was
    /// full, and then as many as the shelf holds. What is full is sealed before another is made.
    fn quiet(&self) -> bool {
        let wanted = if self.named > 1 { AHEAD } else { 1 };
        self.making == 0 && self.made - self.named == wanted
    }
}

/// The real disk, watched.
pub(super) struct Watched {
    disk: RealDisk,
    spares: Mutex<Spares>,
    changed: Condvar,
}

impl Watched {
    pub(super) fn new(directory: &Path) -> Arc<Watched> {
        let disk = RealDisk::new(directory.to_owned());
        Arc::new(Watched { disk, spares: Mutex::default(), changed: Condvar::new() })
    }

    /// Blocks until no segment is being preallocated.
    pub(super) fn wait_until_quiet(&self) {
        let spares = self.spares.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(spares, |spares| !spares.quiet()));
    }

    fn count(&self, change: impl FnOnce(&mut Spares)) {
        change(&mut self.spares.lock().unwrap_or_else(PoisonError::into_inner));
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
        self.count(|spares| spares.making += 1);
        let made = self.disk.create_zeros(name, length, between);
        self.count(|spares| {
            spares.making -= 1;
            spares.made += 1;
        });
        made
    }

    fn open(&self, name: &str, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name, write)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if SPARES.contains(&from) {
            self.count(|spares| spares.named += 1);
        }
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.disk.sync_directory()
    }

    fn identify(&self, name: &str) -> io::Result<Option<FileId>> {
        self.disk.identify(name)
    }
}
