//! A disk that is really full, and one that may not be written: on a small tmpfs of their own.
//!
//! Needs the right to mount; where that is missing, a line says what was not tested.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::print_stderr, reason = "says what could not be tested")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc;

use common::sim::SimDisk;
use common::{note, open};
use journal::disk::Disk;
use journal::{Error, Expected, Journal, Options, Position, verify_at_least};

/// A mounted tmpfs, gone when dropped.
struct Tmpfs(tempfile::TempDir);

fn mount(arguments: &[&str], at: &Path) -> bool {
    let mut command = Command::new("mount");
    command.args(arguments).arg(at).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Tmpfs {
    fn new(size: &str) -> Option<Tmpfs> {
        let at = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0700");
        if mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], at.path()) {
            return Some(Tmpfs(at));
        }
        eprintln!("not tested: mounting a tmpfs is not allowed here");
        None
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("data")
    }

    fn remount(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], self.0.path()));
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.0.path().display());
        }
    }
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged_and_serves_again_when_there_is_room() {
    let Some(disk) = Tmpfs::new("6m") else { return };
    let (journal, _) = open(&disk.path()).unwrap();
    let mut told = Vec::new();
    let refused = loop {
        let drafts = (0..20).map(|number| (note(number % 7, &"x".repeat(900)), Expected::Any));
        let mut refused = None;
        for outcome in journal.append_all(drafts).wait() {
            match outcome {
                Ok(appended) => told.push(appended),
                Err(error) => refused = Some(error),
            }
        }
        if let Some(error) = refused {
            break error;
        }
        assert!(told.len() < 20_000, "6 MiB never fill up");
    };
    let Error::Poisoned(cause) = &refused else { panic!("{refused:?}") };
    assert_eq!(cause.raw_os_error(), Some(28), "the cause is ENOSPC: {cause}");
    let late = journal.append(&note(1, "late"), Expected::Any).wait();
    assert!(matches!(late, Err(Error::Poisoned(_))), "{late:?}");
    let last = told.last().unwrap().position;
    assert_eq!(journal.read(Position(1), usize::MAX).unwrap().len() as u64, last.0, "reads go on");
    assert!(journal.close().is_err());
    match open(&disk.path()) {
        Ok((journal, report)) => {
            assert!(report.last >= last, "{report:?}");
            drop(journal);
        }
        Err(error) => assert!(matches!(error, Error::Disk { .. }), "{error:?}"),
    }

    disk.remount("size=32m");
    let (journal, report) = open(&disk.path()).unwrap();
    assert!(report.last >= last, "{report:?}");
    for appended in &told {
        let record = journal.read(appended.position, 1).unwrap().pop().unwrap();
        assert_eq!(record.leaf(), appended.leaf);
    }
    journal.append(&note(1, "again"), Expected::Any).wait().unwrap();
    journal.close().unwrap();
    verify_at_least(&disk.path(), last, &mut |_| {}).unwrap();
}

#[test]
fn room_that_is_made_while_a_log_is_open_is_used() {
    let disk = SimDisk::default();
    let open = || Journal::open_on(Arc::new(disk.clone()), Options::small()).unwrap().0;
    open().close().unwrap();
    let (refused, told) = mpsc::channel();
    disk.refuse_files(Some(refused));
    let journal = open();
    told.recv().unwrap();
    disk.refuse_files(None);
    let begun = || disk.list().unwrap().iter().filter(|name| name.ends_with(".segment")).count();
    assert_eq!(begun(), 1);
    let mut appended = 0;
    while begun() < 3 {
        let drafts = (0..20).map(|number| (note(number % 7, &"x".repeat(900)), Expected::Any));
        for outcome in journal.append_all(drafts).wait() {
            outcome.unwrap();
        }
        appended += 20;
        assert!(appended < 20_000, "a segment never fills up");
    }
    journal.close().unwrap();
}

#[test]
fn a_directory_that_may_not_be_written_is_named_and_still_read() {
    let Some(disk) = Tmpfs::new("8m") else { return };
    let (journal, _) = open(&disk.path()).unwrap();
    journal.append(&note(1, "kept"), Expected::Any).wait().unwrap();
    journal.close().unwrap();
    disk.remount("ro");
    let refused = open(&disk.path()).unwrap_err();
    let Error::Disk { file, source, .. } = &refused else { panic!("{refused:?}") };
    assert!(file.contains("data"), "{refused}");
    assert_eq!(source.raw_os_error(), Some(30), "the cause is EROFS: {source}");
    assert_eq!(verify_at_least(&disk.path(), Position(1), &mut |_| {}).unwrap().records, 1);
}
