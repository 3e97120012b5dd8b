//! A thread of the writer panics: everybody is answered, nothing is lost, nobody waits for ever.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use common::note;
use common::sim::SimDisk;
use journal::disk::{Disk, DiskFile};
use journal::{Error, Expected, Journal, Options, PendingAll, Position};

/// A disk whose syncs wait at a gate, and that can be made to panic.
#[derive(Clone)]
struct Gated {
    disk: SimDisk,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    shut: Mutex<bool>,
    changed: Condvar,
    panics: AtomicBool,
}

impl Gate {
    fn shut(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.changed.notify_all();
    }
}

impl Gated {
    fn file(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(GatedFile { file, gate: Arc::clone(&self.gate) })
    }
}

impl Disk for Gated {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(name).map(|file| self.file(file))
    }
    fn open(&self, name: &str, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name, write).map(|file| self.file(file))
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

struct GatedFile {
    file: Arc<dyn DiskFile>,
    gate: Arc<Gate>,
}

impl DiskFile for GatedFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, out)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        assert!(!self.gate.panics.load(Ordering::Acquire), "the disk panics, as it was told to");
        self.file.write_at(offset, bytes)
    }
    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }
    fn sync(&self) -> io::Result<()> {
        let mut shut = self.gate.shut.lock().unwrap();
        while *shut {
            shut = self.gate.changed.wait(shut).unwrap();
        }
        drop(shut);
        self.file.sync()
    }
}

fn gated() -> (Gated, Journal) {
    let disk = Gated { disk: SimDisk::default(), gate: Arc::default() };
    let mut options = Options::default();
    options.group_records = 100;
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), options).unwrap();
    (disk, journal)
}

fn append(journal: &Journal, streams: std::ops::Range<u128>) -> PendingAll {
    journal.append_all(streams.map(|number| (note(number, "words"), Expected::Any)))
}

fn acknowledge_ten(journal: &Journal) {
    for outcome in append(journal, 0..10).wait() {
        outcome.unwrap();
    }
}

/// Nobody hangs, no later append is taken, and what was acknowledged is there after a restart.
fn check(disk: &Gated, journal: Journal, pending: PendingAll, acknowledged: u64) {
    let mut told = acknowledged;
    for outcome in pending.wait() {
        match outcome {
            Ok(appended) => told = told.max(appended.position.0),
            Err(Error::Poisoned(_) | Error::Closed) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    for refused in append(&journal, 0..200).wait() {
        assert!(matches!(refused, Err(Error::Poisoned(_))), "{refused:?}");
    }
    assert!(journal.poisoned());
    assert!(matches!(journal.close(), Err(Error::Poisoned(_))));
    let (again, report) =
        Journal::open_on(Arc::new(disk.disk.clone()), Options::default()).unwrap();
    assert!(report.last >= Position(told), "{:?} of {told}", report.last);
    append(&again, 0..1).wait().pop().unwrap().unwrap();
}

/// A group of one is written by the thread that stamps, one of a hundred by the one for the disk.
#[test]
fn a_disk_that_panics_poisons_the_writer() {
    for records in [1, 100, 1_000] {
        let (disk, journal) = gated();
        acknowledge_ten(&journal);
        disk.gate.panics.store(true, Ordering::Release);
        let pending = append(&journal, 0..records);
        check(&disk, journal, pending, 10);
    }
}

/// What a caller hangs on an answer is called by the thread that answers.
#[test]
fn a_caller_that_panics_when_it_is_woken_poisons_the_writer() {
    struct Panics(Sender<()>);
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.send(()).unwrap();
            panic!("the caller panics, as it was told to");
        }
    }
    for records in [1, 100, 1_000] {
        let (disk, journal) = gated();
        acknowledge_ten(&journal);
        disk.gate.shut(true);
        let mut pending = append(&journal, 0..records);
        let (to, woken) = mpsc::channel();
        let waker = Waker::from(Arc::new(Panics(to)));
        let all = Pin::new(&mut pending);
        assert!(matches!(all.poll(&mut Context::from_waker(&waker)), Poll::Pending));
        disk.gate.shut(false);
        // Waiting for the answers themselves would put another waker in the place of this one.
        woken.recv().unwrap();
        check(&disk, journal, pending, 10);
    }
}
