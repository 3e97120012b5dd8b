//! The index can be lost, damaged or foreign: the log answers, and it is built anew.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Counting, note, open, stream};
use journal::{
    Error, Expected, IndexRebuild, Journal, Options, Position, Projection, Record, Version,
};
use proptest::prelude::*;

fn filled(directory: &Path, records: u32) -> Vec<u8> {
    let (journal, _) = open(directory).unwrap();
    let drafts = (0..records).map(|number| (note(u128::from(number % 11), "x"), Expected::Any));
    for outcome in journal.append_all(drafts).wait() {
        outcome.unwrap();
    }
    journal.close().unwrap();
    let (journal, report) = open(directory).unwrap();
    assert_eq!(report.index_rebuilt, None);
    journal.logical_dump().unwrap()
}

fn rebuilt(directory: &Path) -> (Option<IndexRebuild>, Vec<u8>) {
    let (journal, report) = open(directory).unwrap();
    (report.index_rebuilt, journal.logical_dump().unwrap())
}

/// The files of the index in use.
fn index_files(directory: &Path) -> Vec<PathBuf> {
    let generation = fs::read_dir(directory.join("index"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    fs::read_dir(generation)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn a_deleted_index_is_built_anew_with_the_same_content() {
    let directory = tempfile::tempdir().unwrap();
    let dump = filled(directory.path(), 2000);
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    assert_eq!(rebuilt(directory.path()), (Some(IndexRebuild::Missing), dump));
}

#[test]
fn a_pipe_in_the_place_of_its_state_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let dump = filled(directory.path(), 200);
    let index = directory.path().join("index");
    fs::remove_file(index.join("state")).unwrap();
    for name in ["state", "state.new"] {
        let made = std::process::Command::new("mkfifo").arg(index.join(name)).status();
        assert!(made.unwrap().success());
    }
    assert_eq!(rebuilt(directory.path()), (Some(IndexRebuild::Missing), dump));
}

#[test]
fn a_damaged_index_is_built_anew_with_the_same_content() {
    let directory = tempfile::tempdir().unwrap();
    let dump = filled(directory.path(), 2000);
    for (round, damage) in ["zero", "cut", "flip", "junk"].into_iter().enumerate() {
        for file in index_files(directory.path()) {
            let mut bytes = fs::read(&file).unwrap();
            let half = bytes.len() / 2;
            match damage {
                "zero" => bytes[..half].fill(0),
                "cut" => bytes.truncate(half),
                "flip" => bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x10),
                _ => bytes.fill(0xa5),
            }
            fs::write(&file, bytes).unwrap();
        }
        let (why, again) = rebuilt(directory.path());
        assert!(why.is_some(), "round {round}: {damage} was not noticed");
        assert_eq!(again, dump, "{damage}");
    }
}

#[test]
fn the_index_of_an_empty_log_is_there_when_it_was_waited_for() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let (journal, _) = open(directory.path()).unwrap();
        assert_eq!(journal.logical_dump().unwrap(), Vec::<u8>::new());
    }
}

#[test]
fn summaries_that_are_newer_than_the_cursor_are_not_applied_twice() {
    let directory = tempfile::tempdir().unwrap();
    let dump = filled(directory.path(), 500);
    // As after a kill between the summaries of a batch and its cursor: format, projection and log
    // stay, what is applied goes back to nothing, what was seen does not.
    let generation = index_files(directory.path())[0].parent().unwrap().to_owned();
    let db = sled::open(generation).unwrap();
    let mut meta = db.get(b"m").unwrap().unwrap().to_vec();
    meta[24..64].fill(0);
    db.insert(b"m", meta).unwrap();
    db.flush().unwrap();
    drop(db);
    assert_eq!(rebuilt(directory.path()), (None, dump));
}

#[test]
fn an_index_of_another_log_is_noticed() {
    let (mine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dump = filled(mine.path(), 300);
    filled(other.path(), 500);
    fs::remove_dir_all(mine.path().join("index")).unwrap();
    fs::rename(other.path().join("index"), mine.path().join("index")).unwrap();
    assert_eq!(rebuilt(mine.path()), (Some(IndexRebuild::Foreign), dump));
}

#[test]
fn an_index_ahead_of_the_log_refuses_to_write_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path(), 7);
    let (journal, _) = open(directory.path()).unwrap();
    let last = journal.append(&note(1, "the last"), Expected::Any).wait().unwrap();
    journal.close().unwrap();
    let file = directory.path().join("log").join(format!("{:020}.segment", 1));
    let mut bytes = fs::read(&file).unwrap();
    let group = bytes.windows(4).rposition(|window| window == b"\x89TBG").unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[group..end].fill(0);
    fs::write(&file, &bytes).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(
        matches!(refused, Error::LogLostRecords { log: Position(7), index } if index == last.position),
        "{refused:?}"
    );
    // Half of the group is there: it looks torn, but the index knows that it was durable.
    bytes[group + 50] = 1;
    fs::write(&file, &bytes).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, Error::Corrupt(_)), "{refused:?}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    // Without the index it is a torn tail.
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    let (_, report) = open(directory.path()).unwrap();
    assert!(report.torn_tail.is_some());
}

#[test]
fn how_far_the_index_has_seen_is_read_beside_it_and_changes_nothing() {
    let (directory, room) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let seen = |name: &str| {
        let scratch = room.path().join(name);
        fs::create_dir(&scratch).unwrap();
        let id = journal::Reader::id_in(directory.path()).unwrap();
        journal::seen_by_index(directory.path(), id, &scratch)
    };
    filled(directory.path(), 7);
    let contents = || -> Vec<_> {
        index_files(directory.path()).into_iter().map(|file| fs::read(file).unwrap()).collect()
    };
    let (files, before) = (index_files(directory.path()), contents());
    assert_eq!(seen("closed").unwrap(), Position(7));
    assert!(index_files(directory.path()) == files && contents() == before);
    let (journal, _) = open(directory.path()).unwrap();
    assert!(matches!(seen("open"), Err(journal::Unseen::InUse)));
    journal.close().unwrap();
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    assert!(matches!(seen("none"), Err(journal::Unseen::Missing)));
}

struct Panicking;

impl Projection for Panicking {
    fn version(&self) -> u32 {
        2
    }

    fn project(&self, _prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
        assert!(record.position.0 != 5, "a defect in the projection");
        Vec::new()
    }
}

#[test]
fn an_index_that_cannot_be_built_is_not_waited_for_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path(), 20);
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    fs::write(directory.path().join("index"), "in its place").unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let draft = (note(1, "x"), Expected::Any);
    assert!(journal.append_all([draft]).wait()[0].is_ok(), "the log takes and answers");
    let mut applied = journal.index_caught_up();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ended = runtime.block_on(applied.wait_for(|applied| applied.0 >= 20)).is_err();
    assert!(ended, "nobody waits for ever");
    let error = journal.summaries(None, &mut |_, _, _| ControlFlow::Continue(())).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("Not a directory") && said.contains("/index is removed"), "{said}");
    journal.close().unwrap();
    fs::remove_file(directory.path().join("index")).unwrap();
    assert_eq!(rebuilt(directory.path()).0, Some(IndexRebuild::Missing));
}

#[test]
fn a_projection_that_panics_takes_the_index_down_and_never_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) =
        Journal::open(directory.path(), Options::small(), Arc::new(Panicking), &mut |_| {})
            .unwrap();
    for _ in 0..9 {
        journal.append(&note(1, "x"), Expected::Any).wait().unwrap();
    }
    assert_eq!(journal.read_stream(stream(1), None).unwrap().len(), 9);
    journal.close().unwrap();
    let (journal, report) = open(directory.path()).unwrap();
    assert!(report.index_rebuilt.is_some());
    assert_eq!(journal.read_stream(stream(1), Some(Version(8))).unwrap().len(), 8);
}

/// Counts, except while it is told to panic.
struct Failing(AtomicBool);

impl Projection for Failing {
    fn version(&self) -> u32 {
        Counting.version()
    }
    fn project(&self, prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
        assert!(!self.0.load(Ordering::SeqCst), "it panics, as it was told to");
        Counting.project(prior, record)
    }
}

#[test]
fn an_index_that_failed_often_is_tried_again_while_the_journal_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::small();
    options.index_rest = Duration::from_millis(1);
    let failing = Arc::new(Failing(AtomicBool::new(false)));
    let projection = Arc::clone(&failing) as Arc<dyn Projection>;
    let (journal, _) = Journal::open(directory.path(), options, projection, &mut |_| {}).unwrap();
    let append = || journal.append(&note(1, "x"), Expected::Any).wait().unwrap().position;
    let summaries = || journal.summaries(None, &mut |_, _, _| ControlFlow::Continue(()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut applied = journal.index_caught_up();
    let first = append();
    runtime.block_on(applied.wait_for(|applied| *applied >= first)).unwrap();

    failing.0.store(true, Ordering::SeqCst);
    append();
    let failed = |error: &Error| error.to_string().contains("could not be built");
    while !summaries().is_err_and(|error| failed(&error)) {
        std::thread::yield_now();
    }
    failing.0.store(false, Ordering::SeqCst);
    let last = append();
    runtime.block_on(applied.wait_for(|applied| *applied >= last)).unwrap();
    summaries().unwrap();
    let dump = journal.logical_dump().unwrap();
    journal.close().unwrap();
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    assert_eq!(rebuilt(directory.path()), (Some(IndexRebuild::Missing), dump));
}

#[test]
fn another_version_of_the_projection_builds_the_index_anew() {
    struct Other;
    impl Projection for Other {
        fn version(&self) -> u32 {
            7
        }
        fn project(&self, _prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
            record.version.0.to_le_bytes().to_vec()
        }
    }
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path(), 100);
    let (journal, report) =
        Journal::open(directory.path(), Options::small(), Arc::new(Other), &mut |_| {}).unwrap();
    assert_eq!(report.index_rebuilt, Some(IndexRebuild::OtherVersion));
    let mut count = 0;
    journal
        .summaries(None, &mut |_, _, summary| {
            count += u64::from_le_bytes(summary.try_into().unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(count, 100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn however_it_grew_the_index_equals_a_fresh_build(
        rounds in prop::collection::vec(prop::collection::vec(0_u128..7, 0..120), 1..5),
    ) {
        let directory = tempfile::tempdir().unwrap();
        for round in rounds {
            let (journal, _) = open(directory.path()).unwrap();
            let drafts = round.iter().map(|number| (note(*number, "x"), Expected::Any));
            for outcome in journal.append_all(drafts).wait() {
                outcome.unwrap();
            }
            journal.close().unwrap();
        }
        let (journal, _) =
            Journal::open(directory.path(), Options::small(), Arc::new(Counting), &mut |_| {}).unwrap();
        let grown = journal.logical_dump().unwrap();
        journal.close().unwrap();
        fs::remove_dir_all(directory.path().join("index")).unwrap();
        prop_assert_eq!(rebuilt(directory.path()), (Some(IndexRebuild::Missing), grown));
    }
}
