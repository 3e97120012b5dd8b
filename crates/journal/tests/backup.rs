//! Backup, restore, export and import: the same records, at the same positions, with the same root.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{note, open, stream};
use journal::note::SigningKey;
use journal::{
    Checkpoint, Checkpoints, CopyReport, Error, Expected, Import, Journal, Lock, Position, Reader,
    backup, restore, verify,
};

fn append(journal: &Journal, count: u32) {
    for from in (0..count).step_by(200) {
        let numbers = from..count.min(from + 200);
        let drafts =
            numbers.map(|number| (note(u128::from(number % 70), &"x".repeat(100)), Expected::Any));
        for outcome in journal.append_all(drafts).wait() {
            outcome.unwrap();
        }
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed("log", &[1; 32]).unwrap()
}

fn sign(directory: &Path, journal: &Journal) -> String {
    Checkpoints::new(directory, "log").sign(journal, &[&key()]).unwrap()
}

struct SetOnDrop<'f>(&'f AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn saved(from: &Path, to: &Path) -> Result<CopyReport, Error> {
    backup(from, to, &mut |_| {})
}

/// How many segments of a copy end with a footer: FORMAT.md, "Footer". The last one that is full may
/// have none yet.
fn sealed(copy: &Path) -> u64 {
    let mut sealed = 0;
    for entry in fs::read_dir(copy.join("log")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        // Behind the magic are 4 zeros and a checksum.
        let footer = bytes.split_last_chunk::<8>();
        sealed += u64::from(footer.is_some_and(|(bytes, _)| bytes.ends_with(b"\x89TBSFOO\n")));
    }
    sealed
}

#[test]
fn a_backup_beside_a_writer_is_whole_and_copies_no_sealed_segment_twice() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    let (journal, _) = open(&data).unwrap();
    append(&journal, 6000);
    sign(&data, &journal);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Set however this ends, or the writer would go on for ever.
        let _done = SetOnDrop(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                append(&journal, 50);
            }
        });
        let first = saved(&data, &out).unwrap();
        assert!(first.last >= Position(6000) && first.copied > 2, "{first:?}");
        assert_eq!((first.unchanged, first.checkpoints), (0, 1));
        let mut last = first.last;
        for _ in 0..5 {
            let sealed = sealed(&out);
            assert!(sealed > 2, "{first:?}");
            let more = saved(&data, &out).unwrap();
            assert!(more.last >= last);
            assert!(more.unchanged >= sealed, "{more:?} after {sealed} sealed, {first:?}");
            last = more.last;
        }
    });
    let last = saved(&data, &out).unwrap();
    assert_eq!((last.last.0, last.root), journal.root());
    journal.close().unwrap();

    // The log loses records: its backup is not overwritten with less.
    let kept = Reader::open(&out).unwrap().last();
    let (other, _) = open(&home.path().join("other")).unwrap();
    append(&other, 10);
    let refused = saved(&home.path().join("other"), &out).unwrap_err();
    assert!(refused.to_string().contains("another log"), "{refused}");
    let log = data.join("log");
    let mut segments: Vec<_> = fs::read_dir(&log).unwrap().map(|e| e.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|ending| ending == "segment"));
    segments.sort();
    fs::remove_file(segments.last().unwrap()).unwrap();
    let refused = saved(&data, &out).unwrap_err();
    assert!(matches!(refused, Error::LogLostRecords { index, .. } if index == kept), "{refused:?}");
    assert_eq!(Reader::open(&out).unwrap().last(), kept);
}

#[test]
fn a_backup_goes_neither_onto_its_own_log_nor_where_another_writes() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let (data, out) = (path("data"), path("backup"));
    let (journal, _) = open(&data).unwrap();
    append(&journal, 100);
    fs::create_dir(path("link")).unwrap();
    std::os::unix::fs::symlink(data.join("log"), path("link").join("log")).unwrap();
    for itself in [data.clone(), path("link"), data.join("log").join("..")] {
        let refused = saved(&data, &itself).unwrap_err();
        assert!(refused.to_string().contains("is the log itself"), "{refused}");
    }
    saved(&data, &out).unwrap();
    // Another node goes on with the copy.
    let (other, _) = open(&out).unwrap();
    append(&other, 20);
    append(&journal, 50);
    let refused = saved(&data, &out).unwrap_err();
    assert!(matches!(refused, Error::Held { .. }), "{refused:?}");
    append(&other, 20);
    let (wanted, others) = (journal.root(), other.root());
    other.close().unwrap();
    journal.close().unwrap();
    for (directory, root) in [(&data, wanted), (&out, others)] {
        let report = verify(directory, &mut |_| {}).unwrap();
        assert_eq!((report.records, report.root), root);
    }
}

#[test]
fn a_restored_log_goes_on_and_one_that_is_behind_is_not_served() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    let (journal, _) = open(&data).unwrap();
    append(&journal, 3000);
    sign(&data, &journal);
    saved(&data, &out).unwrap();
    let root = journal.root();
    append(&journal, 500);
    let newer = sign(&data, &journal);
    journal.close().unwrap();

    let back = home.path().join("back");
    fs::create_dir(&back).unwrap();
    let held = Lock::take(&back).unwrap();
    let report = restore(&out, &held, &[], &mut |_| {}).unwrap();
    assert_eq!((report.last, report.root, report.checkpoints), (Position(3000), root.1, 1));
    assert!(restore(&out, &held, &[], &mut |_| {}).is_err(), "a log is there already");
    drop(held);
    let (again, opened) = open(&back).unwrap();
    assert_eq!((opened.torn_tail, again.root()), (None, root));
    append(&again, 100);
    assert_eq!(again.read_stream(stream(5), None).unwrap().len(), 45);
    again.close().unwrap();
    assert_eq!(verify(&back, &mut |_| {}).unwrap().records, 3100);

    let behind = home.path().join("behind");
    fs::create_dir(&behind).unwrap();
    let held = Lock::take(&behind).unwrap();
    let said = Checkpoint::verify(&newer, "log", &[key().verifier()]).unwrap();
    let elsewhere = vec![("the court's".to_owned(), said, newer)];
    let refused = restore(&out, &held, &elsewhere, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::LogLostRecords { .. }), "{refused:?}");
    drop(held);
    assert!(matches!(open(&behind), Err(Error::LogLostRecords { .. })), "it is not served");
    // The rest comes from the log that has it, and the checkpoint proves it.
    let held = Lock::take(&behind).unwrap();
    let mut source = Reader::open(&data).unwrap();
    let keys = [key().verifier()];
    let options = journal::RepairOptions { keys: &keys, ..Default::default() };
    let mended = journal::repair(&held, &mut source, options, &mut |_| {}).unwrap();
    assert_eq!(mended.last, Position(3500));
    drop(held);
    assert!(open(&behind).is_ok());
}

#[test]
fn an_import_has_the_same_positions_bytes_and_root_and_refuses_what_does_not_follow() {
    let home = tempfile::tempdir().unwrap();
    let (journal, _) = open(&home.path().join("data")).unwrap();
    append(&journal, 5000);
    let records = journal.read(Position(1), usize::MAX).unwrap();
    let to = home.path().join("fresh");
    fs::create_dir(&to).unwrap();
    let held = Lock::take(&to).unwrap();
    let mut import = Import::begin(&held, journal.id(), 256 << 10).unwrap();
    for record in &records {
        assert_eq!(import.next(), record.position);
        import.push(&record.bytes).unwrap();
    }
    assert_eq!(import.finish().unwrap(), (Position(5000), journal.root().1));
    assert!(Import::begin(&held, journal.id(), 256 << 10).is_err(), "a log is there already");
    drop(held);
    let (imported, report) = open(&to).unwrap();
    assert!(report.footers_remade >= 1, "{report:?}");
    assert_eq!(imported.read(Position(1), usize::MAX).unwrap(), records);
    assert_eq!((imported.id(), imported.root()), (journal.id(), journal.root()));
    append(&imported, 10);
    imported.close().unwrap();
    verify(&to, &mut |_| {}).unwrap();

    let wrong = home.path().join("wrong");
    fs::create_dir(&wrong).unwrap();
    let held = Lock::take(&wrong).unwrap();
    let mut import = Import::begin(&held, journal.id(), 256 << 10).unwrap();
    import.push(&records[0].bytes).unwrap();
    let refused = import.push(&records[70].bytes.clone()).and_then(|()| import.push(b"{}"));
    assert!(matches!(refused, Err(Error::Request(_))), "{refused:?}");
    import.abandon().unwrap();
    assert!(!wrong.join("log").exists());
}
