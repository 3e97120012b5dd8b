//! A damaged log: what is torn is cut, what is corrupt is refused, and every flipped bit is found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::sim::SimDisk;
use common::{note, open, stream};
use journal::{
    Error, Expected, Fault, Journal, OpenReport, Options, Position, Reader, verify_at_least,
    verify_on,
};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// The only segment file.
fn segment(directory: &Path) -> PathBuf {
    directory.join("log").join(format!("{:020}.segment", 1))
}

fn append_all(journal: &Journal, from: u32, count: u32) {
    for number in from..from + count {
        let draft = note(u128::from(number % 3), &format!("words {number}"));
        journal.append(&draft, Expected::Any).wait().unwrap();
    }
}

/// A directory with a log of `count` groups and no index, and where the groups end.
fn small_log(count: u32) -> (tempfile::TempDir, usize) {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append_all(&journal, 0, count);
    journal.close().unwrap();
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    let bytes = fs::read(segment(directory.path())).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (directory, end)
}

/// A log with other bytes, on a disk in memory.
fn with_bytes(bytes: &[u8]) -> SimDisk {
    SimDisk::with_file(&format!("{:020}.segment", 1), bytes)
}

fn open_sim(disk: &SimDisk) -> Result<(Journal, OpenReport), Error> {
    let mut options = Options::small();
    options.segment_bytes = 4 << 10;
    Journal::open_on(Arc::new(disk.clone()), options)
}

fn records(directory: &Path) -> Vec<Vec<u8>> {
    let reader = Reader::open(directory).unwrap();
    let records = reader.read(Position(1), usize::MAX).unwrap();
    records.into_iter().map(|record| record.bytes).collect()
}

#[test]
fn a_torn_tail_is_cut_whole_reported_and_kept() {
    let (directory, end) = small_log(5);
    let all = records(directory.path());
    let mut bytes = fs::read(segment(directory.path())).unwrap();
    bytes[end - 3..].fill(0);
    fs::write(segment(directory.path()), &bytes).unwrap();
    let (journal, report) = open(directory.path()).unwrap();
    let torn = report.torn_tail.unwrap();
    assert_eq!((report.last, torn.position), (Position(4), Position(5)));
    let kept = fs::read(directory.path().join("log").join(&torn.kept_in)).unwrap();
    let offset = usize::try_from(torn.offset).unwrap();
    assert_eq!(kept, bytes[offset..end - 3]);
    append_all(&journal, 4, 1);
    journal.close().unwrap();
    let again = records(directory.path());
    assert_eq!(again[..4], all[..4]);
    assert_eq!(again.len(), 5);
    assert!(open(directory.path()).unwrap().1.torn_tail.is_none());
}

#[test]
fn a_damaged_group_with_a_valid_one_behind_it_is_refused_with_file_offset_and_position() {
    let (directory, _) = small_log(5);
    let mut bytes = fs::read(segment(directory.path())).unwrap();
    let at = bytes.windows(7).position(|window| window == b"words 2").unwrap();
    bytes[at] ^= 1;
    fs::write(segment(directory.path()), &bytes).unwrap();
    let refused = open(directory.path()).unwrap_err();
    let Error::Corrupt(Fault { file, offset, position, .. }) = refused else {
        panic!("not refused as corrupt: {refused:?}")
    };
    assert_eq!(file, format!("{:020}.segment", 1));
    assert_eq!(position, Some(Position(3)));
    assert!(at as u64 - offset < 400, "{offset} is not near {at}");
    assert_eq!(fs::read(segment(directory.path())).unwrap(), bytes, "it was changed");
    let fault = verify_at_least(directory.path(), Position(0), &mut |_| {}).unwrap_err();
    assert!(
        matches!(&fault, Error::Corrupt(Fault { position: Some(Position(3)), .. })),
        "{fault:?}"
    );
}

#[test]
fn a_log_cut_at_any_byte_opens_with_a_prefix_of_whole_groups() {
    let (directory, end) = small_log(4);
    let all = records(directory.path());
    let mut bytes = fs::read(segment(directory.path())).unwrap();
    bytes.truncate(end + 512);
    for length in 0..=end {
        let cut = with_bytes(&bytes[..length]);
        match open_sim(&cut) {
            Ok((journal, report)) => {
                let found: Vec<_> = journal.read(Position(1), 100).unwrap();
                let found: Vec<_> = found.into_iter().map(|record| record.bytes).collect();
                assert_eq!(found, all[..found.len()], "cut at {length}");
                assert_eq!(report.last.0, found.len() as u64);
                append_all(&journal, u32::try_from(found.len()).unwrap(), 1);
            }
            Err(Error::Corrupt(fault)) => assert!(length < 64, "cut at {length}: {fault}"),
            Err(error) => panic!("cut at {length}: {error:?}"),
        }
    }
}

#[test]
fn every_flipped_bit_is_found_or_irrelevant() {
    let (directory, end) = small_log(3);
    let all = records(directory.path());
    let mut bytes = fs::read(segment(directory.path())).unwrap();
    bytes.truncate(end + 512);
    let mut found = 0;
    for bit in 0..end * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let place = with_bytes(&flipped);
        let checked = verify_on(&place, Position(3), &mut |_| {});
        assert!(checked.is_err(), "bit {bit} was not found by verify");
        match open_sim(&place) {
            // The damage hit the last group, which looks like one that was never finished.
            Ok((journal, report)) => {
                assert!(report.torn_tail.is_some(), "bit {bit}");
                let left: Vec<_> = journal.read(Position(1), 100).unwrap();
                let left: Vec<_> = left.into_iter().map(|record| record.bytes).collect();
                assert_eq!(left, all[..2], "bit {bit}");
            }
            Err(Error::Corrupt(_)) => found += 1,
            Err(error) => panic!("bit {bit}: {error:?}"),
        }
    }
    assert!(found > end * 4, "only {found} of {} were refused", end * 8);
}

/// The segments of the frozen log, four of them, three with footers.
fn sealed_log() -> Vec<(String, Vec<u8>)> {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/log/v1/log");
    let mut files: Vec<_> = fs::read_dir(log)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_changed_byte_of_a_sealed_segment_and_a_cut_is_found_or_costs_a_footer() {
    let whole = sealed_log();
    let check = |files: &[(String, Vec<u8>)]| {
        verify_on(&SimDisk::with_files(files), Position(120), &mut |_| {})
    };
    assert_eq!(check(&whole).unwrap().sealed, 3);
    let length = whole[1].1.len();
    let mut files = whole.clone();
    let root = check(&whole).unwrap().root;
    for at in (0..length).step_by(5) {
        files[1].1[at] ^= 1 << (at % 8);
        match check(&files) {
            Err(Error::Corrupt(_)) => {}
            // Without a trailer the footer is none, and is made again from the records.
            Ok(report) if at >= length - 96 => {
                assert_eq!((report.sealed, report.root), (2, root));
                assert_eq!(report.unsound_footers, [files[1].0.clone()]);
            }
            other => panic!("byte {at}: {other:?}"),
        }
        files[1].1[at] = whole[1].1[at];
    }
    let (mut unsealed, mut unnamed) = (0, Vec::new());
    // Every byte of the footer, and every eleventh before it.
    for cut in (0..length).filter(|cut| cut % 11 == 0 || cut + 3_000 > length) {
        files[1].1.truncate(cut);
        match check(&files) {
            Err(Error::Corrupt(_)) => {}
            // All groups are there and no footer: as after a stop before the sealing.
            Ok(report) => {
                assert_eq!(report.sealed, 2, "cut at {cut}");
                unsealed += 1;
                if report.unsound_footers.is_empty() {
                    unnamed.push(cut);
                }
            }
            Err(error) => panic!("cut at {cut}: {error:?}"),
        }
        files[1].1.clone_from(&whole[1].1);
    }
    assert!(unsealed > 200, "cuts within the footer lose nothing");
    assert_eq!(unnamed.len(), 1, "only a cut where the footer begins leaves no trace: {unnamed:?}");
}

#[test]
fn swapped_records_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    for words in ["aaaa", "bbbb", "cccc"] {
        journal.append(&note(1, words), Expected::Any).wait().unwrap();
    }
    journal.close().unwrap();
    let mut bytes = fs::read(segment(directory.path())).unwrap();
    let starts: Vec<usize> = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"\x89TBG")
        .map(|(at, _)| at)
        .collect();
    let length = starts[2] - starts[1];
    let (first, second) = bytes[starts[1]..].split_at_mut(length);
    first.swap_with_slice(&mut second[..length]);
    fs::write(segment(directory.path()), &bytes).unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Corrupt(_))));
    let checked = verify_at_least(directory.path(), Position(0), &mut |_| {});
    assert!(matches!(checked, Err(Error::Corrupt(_))), "{checked:?}");
}

#[test]
fn a_missing_segment_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    for number in 0..3000 {
        journal.append(&note(number % 5, &"x".repeat(200)), Expected::Any).wait().unwrap();
    }
    journal.close().unwrap();
    let mut names: Vec<_> = fs::read_dir(directory.path().join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "segment"))
        .collect();
    names.sort();
    assert!(names.len() > 3);
    fs::remove_file(&names[1]).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, Error::Corrupt(_)), "{refused:?}");
    assert!(verify_at_least(directory.path(), Position(0), &mut |_| {}).is_err());
}

#[test]
fn a_damaged_footer_is_made_anew_and_verify_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    for number in 0..3000 {
        journal.append(&note(number % 5, &"x".repeat(200)), Expected::Any).wait().unwrap();
    }
    let root = journal.root();
    journal.close().unwrap();
    let before = verify_at_least(directory.path(), Position(3000), &mut |_| {}).unwrap();
    assert_eq!((before.records, before.streams, before.root), (3000, 5, root.1));
    assert!(before.sealed > 2);
    let mut bytes = fs::read(segment(directory.path())).unwrap();
    let at = bytes.len() - 500;
    bytes[at] ^= 4;
    fs::write(segment(directory.path()), &bytes).unwrap();
    assert!(verify_at_least(directory.path(), Position(0), &mut |_| {}).is_err());
    let (journal, report) = open(directory.path()).unwrap();
    assert_eq!(report.footers_remade, 1);
    assert_eq!(journal.root(), root);
    assert_eq!(journal.read_stream(stream(3), None).unwrap().len(), 600);
    journal.close().unwrap();
    assert_eq!(verify_at_least(directory.path(), Position(3000), &mut |_| {}).unwrap(), before);
}

#[test]
fn a_segment_that_is_a_link_is_read_and_written_and_what_is_no_file_is_named() {
    let (directory, _) = small_log(5);
    let (path, elsewhere) = (segment(directory.path()), directory.path().join("elsewhere"));
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    let (journal, report) = open(directory.path()).unwrap();
    assert_eq!(report.last, Position(5));
    append_all(&journal, 5, 1);
    journal.close().unwrap();
    assert_eq!(records(directory.path()).len(), 6);
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());

    let refused = |what: &str| {
        let named = |error: Error| {
            let Error::Disk { file, source, .. } = error else { panic!("{error}") };
            assert!(path.ends_with(file) && source.to_string().contains(what), "{source}");
        };
        named(open(directory.path()).map(drop).unwrap_err());
        named(Reader::open(directory.path()).map(drop).unwrap_err());
        named(journal::verify(directory.path(), &mut |_| {}).map(drop).unwrap_err());
    };
    fs::remove_file(&elsewhere).unwrap();
    refused("No such file");
    fs::create_dir(&elsewhere).unwrap();
    refused("not a file");
    fs::remove_file(&path).unwrap();
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).unwrap();
    refused("not a file");
}

#[test]
fn a_log_that_ends_before_what_others_have_seen_is_said_to_have_lost_records() {
    let (directory, _) = small_log(3);
    let checked = verify_at_least(directory.path(), Position(4), &mut |_| {});
    let lost =
        matches!(checked, Err(Error::LogLostRecords { log: Position(3), index: Position(4) }));
    assert!(lost, "{checked:?}");
}
