//! A damaged, forked or unfinished log is an alarm, and never a shorter log that looks whole.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::Path;

use common::files::{change, copy, groups, segments};
use common::{note, open, stream};
use journal::note::{SigningKey, sign};
use journal::{
    Checkpoint, Checkpoints, Error, Expected, Import, Journal, Lock, Position, ProvedBy, Reader,
    RepairOptions, backup, repair, restore,
};

fn append(journal: &Journal, count: u64, words: &str) {
    for number in 0..count {
        journal.append(&note(u128::from(number % 7), words), Expected::Any).wait().unwrap();
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed("log", &[1; 32]).unwrap()
}

/// A log whose one segment has no footer, of so many records, each a group of its own.
fn log(directory: &Path, records: u64) {
    let (journal, _) = open(directory).unwrap();
    append(&journal, records, "x");
    journal.close().unwrap();
}

fn corrupt(refused: &Error) -> bool {
    matches!(refused, Error::Corrupt(_))
}

#[test]
fn a_log_that_is_damaged_within_is_no_shorter_log_for_whoever_reads_or_copies_it() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    log(&data, 60);
    change(&segments(&data)[0], |bytes| {
        let at = groups(bytes)[31];
        bytes[at + 50] ^= 1;
    });
    let refused = Reader::open(&data).unwrap_err();
    assert!(corrupt(&refused) && refused.to_string().contains("position 32"), "{refused}");
    assert!(corrupt(&backup(&data, &out, &mut |_| {}).unwrap_err()));
    assert!(!out.join("log").exists());
    let back = home.path().join("back");
    fs::create_dir(&back).unwrap();
    let held = Lock::take(&back).unwrap();
    assert!(corrupt(&restore(&data, &held, &[], &mut |_| {}).unwrap_err()));
    assert!(!back.join("log").exists());
}

#[test]
fn a_log_without_the_end_that_was_signed_is_not_saved_nor_opened_when_it_was_restored() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    let (journal, _) = open(&data).unwrap();
    append(&journal, 60, "x");
    Checkpoints::new(&data, "log").sign(&journal, &[&key()]).unwrap();
    journal.close().unwrap();
    change(&segments(&data)[0], |bytes| {
        let at = *groups(bytes).last().unwrap();
        bytes[at + 50] ^= 1;
    });
    let refused = backup(&data, &out, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::LogLostRecords { log: Position(59), .. }), "{refused:?}");
    // The same of a backup that was damaged: its checkpoint goes along, whatever is left.
    let back = home.path().join("back");
    fs::create_dir(&back).unwrap();
    let held = Lock::take(&back).unwrap();
    let refused = restore(&data, &held, &[], &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::LogLostRecords { log: Position(59), .. }), "{refused:?}");
    drop(held);
    assert!(matches!(open(&back), Err(Error::LogLostRecords { .. })));
}

#[test]
fn a_backup_is_replaced_neither_by_other_records_nor_by_damaged_ones() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let (data, out) = (path("data"), path("backup"));
    log(&data, 30);
    copy(&data, &path("fork"));
    for (directory, count, words) in [(&data, 30, "x"), (&path("fork"), 40, "y")] {
        let (journal, _) = open(directory).unwrap();
        append(&journal, count, words);
        journal.close().unwrap();
    }
    backup(&data, &out, &mut |_| {}).unwrap();
    let good = fs::read(&segments(&out)[0]).unwrap();
    let refused = backup(&path("fork"), &out, &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("different records from position 31 on"), "{refused}");
    assert_eq!(fs::read(&segments(&out)[0]).unwrap(), good);

    // The segment is sealed, and then one of its records rots.
    let (journal, _) = open(&data).unwrap();
    let words = "z".repeat(2_000);
    while segments(&data).len() < 3 {
        append(&journal, 10, &words);
    }
    journal.close().unwrap();
    change(&segments(&data)[0], |bytes| {
        let at = groups(bytes)[31];
        bytes[at + 50] ^= 1;
    });
    assert!(corrupt(&backup(&data, &out, &mut |_| {}).unwrap_err()));
    assert_eq!(fs::read(&segments(&out)[0]).unwrap(), good);
    // It is what mends the log.
    let held = Lock::take(&data).unwrap();
    let mut source = Reader::open(&out).unwrap();
    let options = RepairOptions::default();
    repair(&held, &mut source, options, &mut |_| {}).unwrap();
    drop(held);
    backup(&data, &out, &mut |_| {}).unwrap();
}

#[test]
fn a_damaged_backup_is_named_and_no_log_is_put_where_a_checkpoint_contradicts() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    log(&path("data"), 30);
    copy(&path("data"), &path("fork"));
    let mut notes = Vec::new();
    for (directory, words) in [("data", "x"), ("fork", "y")] {
        let (journal, _) = open(&path(directory)).unwrap();
        append(&journal, 10, words);
        notes.push(Checkpoints::new(&path(directory), "log").sign(&journal, &[&key()]).unwrap());
        journal.close().unwrap();
    }
    let court = Checkpoint::verify(&notes[0], "log", &[key().verifier()]).unwrap();
    let elsewhere = vec![("the court's".to_owned(), court, notes[0].clone())];
    let back = path("back");
    fs::create_dir(&back).unwrap();
    let held = Lock::take(&back).unwrap();
    let refused = restore(&path("fork"), &held, &elsewhere, &mut |_| {}).unwrap_err();
    assert!(corrupt(&refused), "{refused:?}");
    assert!(!back.join("log").exists());
    restore(&path("data"), &held, &elsewhere, &mut |_| {}).unwrap();

    let out = path("backup");
    backup(&path("data"), &out, &mut |_| {}).unwrap();
    change(&segments(&out)[0], |bytes| {
        let at = groups(bytes)[3];
        bytes[at + 50] ^= 1;
    });
    let refused = backup(&path("data"), &out, &mut |_| {}).unwrap_err().to_string();
    assert!(refused.contains("backup/log/0"), "the copy's file is named: {refused}");
}

#[test]
fn a_restore_or_an_import_that_was_broken_off_leaves_no_log() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let (data, back) = (path("data"), path("back"));
    log(&data, 30);
    let out = path("backup");
    backup(&data, &out, &mut |_| {}).unwrap();
    // What a kill leaves is aside.
    copy(&out.join("log"), &back.join("restoring/log"));
    change(&segments(&back.join("restoring"))[0], |bytes| bytes.truncate(2_000));
    assert!(Reader::open(&back).is_err());
    let held = Lock::take(&back).unwrap();
    let restored = restore(&out, &held, &[], &mut |_| {}).unwrap();
    assert_eq!(restored.last, Position(30));
    assert!(!back.join("restoring").exists());

    let fresh = path("fresh");
    fs::create_dir(&fresh).unwrap();
    let held = Lock::take(&fresh).unwrap();
    let source = Reader::open(&data).unwrap();
    let records = source.read(Position(1), usize::MAX).unwrap();
    let mut begun = Import::begin(&held, source.id(), 4 << 10).unwrap();
    for record in records.iter().take(20) {
        begun.push(&record.bytes).unwrap();
    }
    drop(begun);
    assert!(Reader::open(&fresh).is_err());
    let mut import = Import::begin(&held, source.id(), 4 << 10).unwrap();
    for record in &records {
        import.push(&record.bytes).unwrap();
    }
    import.finish().unwrap();
    assert_eq!(Reader::open(&fresh).unwrap().read(Position(1), usize::MAX).unwrap(), records);
}

#[test]
fn a_damaged_footer_hides_no_record_of_a_stream() {
    let home = tempfile::tempdir().unwrap();
    let (journal, _) = open(home.path()).unwrap();
    while segments(home.path()).len() < 4 {
        append(&journal, 70, &"x".repeat(300));
    }
    journal.close().unwrap();
    let wanted = Reader::open(home.path()).unwrap().read_stream(stream(3), None).unwrap();
    change(&segments(home.path())[1], |bytes| {
        let id = stream(3).0.into_bytes();
        let at = bytes.windows(16).rposition(|window| window == id).unwrap();
        bytes[at + 15] ^= 1;
    });
    let reader = Reader::open(home.path()).unwrap();
    assert_eq!(reader.read_stream(stream(3), None).unwrap(), wanted);
}

#[test]
fn a_repair_asks_the_index_how_far_the_log_was_and_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    log(&data, 60);
    backup(&data, &out, &mut |_| {}).unwrap();
    log(&data, 20);
    change(&segments(&data)[0], |bytes| {
        let groups = groups(bytes);
        bytes[groups[31] + 50] ^= 1;
        bytes[groups[79] + 50] ^= 1;
    });
    let held = Lock::take(&data).unwrap();
    let mut source = Reader::open(&out).unwrap();
    let options = RepairOptions { accept_unproved: true, ..RepairOptions::default() };
    let refused = repair(&held, &mut source, options, &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("position 80"), "{refused}");
    assert!(data.join("index").exists());
    // Where it knows nothing, what is torn at the end was never acknowledged as far as anyone knows.
    fs::rename(data.join("index"), home.path().join("index")).unwrap();
    let report = repair(&held, &mut source, options, &mut |_| {}).unwrap();
    assert_eq!(report.last, Position(79));
}

#[test]
fn a_copy_that_is_damaged_itself_still_mends_what_it_has() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    log(&data, 60);
    backup(&data, &out, &mut |_| {}).unwrap();
    for (directory, group) in [(&data, 31), (&out, 40)] {
        change(&segments(directory)[0], |bytes| {
            let at = groups(bytes)[group];
            bytes[at + 50] ^= 1;
        });
    }
    assert!(corrupt(&Reader::open(&out).unwrap_err()));
    let held = Lock::take(&data).unwrap();
    let mut source = Reader::open_what_is_whole(&out).unwrap();
    let report = repair(&held, &mut source, RepairOptions::default(), &mut |_| {}).unwrap();
    assert_eq!((report.last, report.restored.len()), (Position(60), 1));
}

#[test]
fn a_torn_end_that_nobody_saw_is_not_looked_for_when_something_else_is_mended() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    log(&data, 60);
    backup(&data, &out, &mut |_| {}).unwrap();
    let (journal, _) = open(&data).unwrap();
    let drafts = (0..20_u32).map(|_| (note(3, "the last group"), Expected::Any));
    assert!(journal.append_all(drafts).wait().iter().all(Result::is_ok));
    journal.close().unwrap();
    fs::remove_dir_all(data.join("index")).unwrap();
    change(&segments(&data)[0], |bytes| {
        let groups = groups(bytes);
        bytes[groups[31] + 50] ^= 1;
        // Of the last group the power went in the middle.
        let at = *groups.last().unwrap();
        bytes[at + 700..].fill(0);
    });
    let held = Lock::take(&data).unwrap();
    let mut source = Reader::open(&out).unwrap();
    let options = RepairOptions::default();
    let report = repair(&held, &mut source, options, &mut |_| {}).unwrap();
    assert!(report.last >= Position(60), "{report:?}");
    assert_eq!(report.restored.len(), 1, "{report:?}");
    drop(held);
    open(&data).unwrap();
}

#[test]
fn a_checkpoint_that_no_key_signed_proves_nothing_and_none_that_was_kept_is_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let (data, fork) = (path("data"), path("fork"));
    log(&data, 30);
    copy(&data, &fork);
    let (journal, _) = open(&data).unwrap();
    append(&journal, 10, "x");
    Checkpoints::new(&data, "log").sign(&journal, &[&key()]).unwrap();
    journal.close().unwrap();
    // Somebody puts another history there, and a larger checkpoint of it that nobody signed.
    let (journal, _) = open(&fork).unwrap();
    append(&journal, 20, "y");
    let (size, root) = journal.root();
    let said = Checkpoint { origin: "log".to_owned(), size, root, heads: None };
    let forged = sign(&said.to_string(), &[&SigningKey::from_seed("nobody", &[9; 32]).unwrap()]);
    journal.close().unwrap();
    fs::create_dir(fork.join("checkpoints")).unwrap();
    fs::write(fork.join(format!("checkpoints/{size:020}.checkpoint")), &forged).unwrap();
    let signed = "checkpoints/00000000000000000040.checkpoint";
    fs::copy(data.join(signed), fork.join(signed)).unwrap();
    let refused = open(&fork).err().unwrap();
    assert!(corrupt(&refused) && refused.to_string().contains("0040.checkpoint"), "{refused}");

    // Nor does the forged one prove what a repair fetches.
    fs::remove_file(fork.join(signed)).unwrap();
    let source = path("source");
    copy(&fork, &source);
    change(&segments(&fork)[0], |bytes| {
        let at = *groups(bytes).last().unwrap();
        bytes[at..at + 600].fill(0);
    });
    let held = Lock::take(&fork).unwrap();
    fs::remove_dir_all(fork.join("index")).unwrap();
    let mut source = Reader::open(&source).unwrap();
    let keys = [key().verifier()];
    let options = RepairOptions { keys: &keys, ..RepairOptions::default() };
    let refused = repair(&held, &mut source, options, &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("nothing in the log proves"), "{refused}");
    // Who accepts what is not proved hears of each such record; the note may be of a lost key, and stays.
    let options = RepairOptions { accept_unproved: true, ..options };
    let report = repair(&held, &mut source, options, &mut |_| {}).unwrap();
    let proved = report.restored.iter().any(|one| one.proved_by == ProvedBy::Checkpoint);
    assert!(!proved && !report.restored.is_empty(), "{report:?}");
    assert!(report.checkpoints.is_empty(), "{report:?}");
    let kept = fork.join(format!("checkpoints/{size:020}.checkpoint"));
    assert_eq!(fs::read_to_string(kept).unwrap(), forged);
}
