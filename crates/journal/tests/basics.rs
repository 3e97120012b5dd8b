//! What a journal promises when nothing goes wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs::{self, OpenOptions};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Counting, note, open, stream};
use journal::{Error, Expected, Journal, LeafHash, Options, Position, Reader, Version};

#[test]
fn what_was_appended_is_read_back_in_order_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, report) = open(directory.path()).unwrap();
    assert_eq!(report.last, Position(0));
    let mut told = Vec::new();
    for number in 0..3000 {
        let pending = journal.append(&note(number % 70, &"x".repeat(200)), Expected::Any);
        told.push(pending.wait().unwrap());
    }
    for (index, appended) in told.iter().enumerate() {
        assert_eq!(appended.position.0, index as u64 + 1);
        assert_eq!(appended.version.0, index as u64 / 70 + 1);
    }
    let before = journal.root();
    journal.close().unwrap();
    let (journal, report) = open(directory.path()).unwrap();
    assert_eq!(report.last, Position(3000));
    assert_eq!((report.torn_tail, report.index_rebuilt), (None, None));
    assert_eq!(journal.root(), before);
    let records = journal.read(Position(1), usize::MAX).unwrap();
    assert_eq!(records.len(), 3000);
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.read(Position(1), usize::MAX).unwrap(), records);
    for number in [0, 13, 69] {
        let mine: Vec<_> =
            records.iter().filter(|record| record.stream == stream(number)).cloned().collect();
        assert_eq!(journal.read_stream(stream(number), None).unwrap(), mine);
        assert_eq!(reader.read_stream(stream(number), None).unwrap(), mine);
        assert_eq!(journal.read_stream(stream(number), Some(Version(7))).unwrap(), mine[..7]);
        assert_eq!(reader.read_stream(stream(number), Some(Version(7))).unwrap(), mine[..7]);
        let head = journal.head(stream(number)).unwrap().unwrap();
        let last = mine.last().unwrap();
        assert_eq!((head.version, head.position), (last.version, last.position));
        assert_eq!(head.leaf, last.leaf());
        let mut prev = LeafHash::NONE;
        for record in mine {
            assert_eq!(journal::Envelope::parse(&record.bytes).unwrap().prev, prev);
            prev = record.leaf();
        }
    }
    assert!(journal.read_stream(stream(99), None).unwrap().is_empty());
    assert!(reader.read_stream(stream(99), None).unwrap().is_empty());
}

#[test]
fn a_log_whose_file_was_removed_acknowledges_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    journal.append(&note(1, "before"), Expected::Any).wait().unwrap();
    std::fs::remove_dir_all(directory.path().join("log")).unwrap();
    for _ in 0..2 {
        let refused = journal.append(&note(1, "after"), Expected::Any).wait().unwrap_err();
        let Error::Poisoned(cause) = &refused else { panic!("{refused:?}") };
        assert!(cause.to_string().contains("00000000000000000001.segment was removed"), "{cause}");
    }
    assert_eq!(journal.read(Position(1), usize::MAX).unwrap().len(), 1, "reads go on");
}

fn open_with(directory: &Path, segment_bytes: u64) -> (Journal, journal::OpenReport) {
    let mut options = Options::default();
    options.segment_bytes = segment_bytes;
    Journal::open(directory, options, Arc::new(Counting), &mut |_| {}).unwrap()
}

/// Appends until the writer is poisoned, and says why it is; for three seconds, in which a name is looked
/// at twice at least.
fn poisoned_by(journal: &Journal) -> String {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        match journal.append(&note(1, "after"), Expected::Any).wait() {
            Ok(_) => {}
            Err(Error::Poisoned(cause)) => return cause.to_string(),
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("appends are still acknowledged")
}

/// What is done to a segment, with a path aside.
type Harm = fn(&Path, &Path);

#[test]
fn a_log_whose_file_is_not_the_one_at_its_name_any_more_acknowledges_nothing_more() {
    let segment = "00000000000000000001.segment";
    let harms: [(&str, Harm); 4] = [
        ("was replaced by another file", |path, aside| {
            fs::rename(path, aside).unwrap();
            fs::copy(aside, path).unwrap();
        }),
        ("was removed", |path, aside| {
            // Another name keeps the file, but not where the next start looks.
            fs::hard_link(path, aside).unwrap();
            fs::remove_file(path).unwrap();
        }),
        ("was removed", |path, _| {
            let log = path.parent().unwrap();
            fs::rename(log, log.with_extension("elsewhere")).unwrap();
        }),
        ("was cut short", |path, _| {
            OpenOptions::new().write(true).open(path).unwrap().set_len(81_920).unwrap();
        }),
    ];
    for (why, harm) in harms {
        let directory = tempfile::tempdir().unwrap();
        // Not full within those seconds: nothing is found only because the next segment begins.
        let (journal, _) = open_with(directory.path(), 32 << 20);
        journal.append(&note(1, "before"), Expected::Any).wait().unwrap();
        harm(&directory.path().join("log").join(segment), &directory.path().join("aside"));
        let cause = poisoned_by(&journal);
        assert!(cause.contains(&format!("{segment} {why}")), "{cause}");
        assert!(journal.poisoned());
    }
}

#[test]
fn a_file_that_is_cut_short_is_refused_at_the_next_append_also_where_that_ends_the_segment() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open_with(directory.path(), 64 << 10);
    let append = |length| journal.append(&note(1, &"x".repeat(length)), Expected::Any).wait();
    append(100).unwrap();
    let path = directory.path().join("log/00000000000000000001.segment");
    OpenOptions::new().write(true).open(path).unwrap().set_len(4096).unwrap();
    // As long as before, once this is written, and with a hole in it.
    let refused = append(63_000).unwrap_err();
    let Error::Poisoned(cause) = &refused else { panic!("{refused:?}") };
    assert!(cause.to_string().contains("was cut short"), "{cause}");
}

#[test]
fn a_segment_that_is_a_link_goes_on_being_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log/00000000000000000001.segment");
    open(directory.path()).unwrap().0.close().unwrap();
    fs::rename(&path, directory.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    journal.append(&note(1, "by a link"), Expected::Any).wait().unwrap();
}

#[test]
fn summaries_come_in_the_order_of_the_first_records() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    for number in [5, 3, 9, 3, 5, 5] {
        journal.append(&note(number, "x"), Expected::Any).wait().unwrap();
    }
    journal.close().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let mut seen = Vec::new();
    journal
        .summaries(None, &mut |stream, first, summary| {
            seen.push((stream, first.0, summary[0]));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, vec![(stream(5), 1, 3), (stream(3), 2, 2), (stream(9), 3, 1)]);
    let mut behind = Vec::new();
    journal
        .summaries(Some(Position(1)), &mut |_, first, _| {
            behind.push(first.0);
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(behind, vec![2]);
}

#[test]
fn a_stale_expected_version_is_a_conflict_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let new = Expected::Exactly(Version(0));
    journal.append(&note(1, "first"), new).wait().unwrap();
    let refused = journal.append(&note(1, "again"), new).wait();
    assert!(matches!(refused, Err(Error::Conflict { actual: Version(1), .. })), "{refused:?}");
    assert_eq!(journal.read(Position(1), 10).unwrap().len(), 1);
    journal.append(&note(1, "second"), Expected::Exactly(Version(1))).wait().unwrap();
}

#[test]
fn a_second_opener_is_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let refused = open(directory.path()).unwrap_err();
    let holder = format!("process {}", std::process::id());
    assert!(matches!(&refused, Error::Held { holder: who, .. } if *who == holder), "{refused:?}");
    drop(journal);
    open(directory.path()).unwrap();
}

#[test]
fn a_record_that_is_too_long_is_refused_and_the_next_goes_in() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let long = journal.append(&note(1, &"x".repeat(66_000)), Expected::Any).wait();
    assert!(matches!(long, Err(Error::TooLong { .. })), "{long:?}");
    let largest = journal.append(&note(1, &"x".repeat(65_000)), Expected::Any).wait().unwrap();
    assert_eq!(largest.position, Position(1));
}
