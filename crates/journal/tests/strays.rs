//! Files of another time or place among those of a log: each is refused by its name, and nothing is cut for it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::Path;

use common::files::{change, copy, groups, segments};
use common::{note, open};
use crc_fast::crc32_iscsi;
use journal::note::SigningKey;
use journal::{
    Checkpoints, Error, Expected, Journal, Lock, Position, ProvedBy, Reader, RepairOptions, backup,
    repair, verify,
};

const RECORDS: u64 = 40;

fn append(journal: &Journal, count: u64) {
    for number in 0..count {
        journal.append(&note(u128::from(number % 7), "x"), Expected::Any).wait().unwrap();
    }
}

/// A log whose one segment has no footer, each of its records a group of its own, signed whole.
fn log(directory: &Path) -> SigningKey {
    let key = SigningKey::from_seed("log", &[1; 32]).unwrap();
    let (journal, _) = open(directory).unwrap();
    append(&journal, RECORDS);
    Checkpoints::new(directory, "log").sign(&journal, &[&key]).unwrap();
    journal.close().unwrap();
    key
}

/// A segment that begins with a position in the middle of the log's, as an older copy may have one.
fn stray(directory: &Path, first: u64, records: usize) {
    let bytes = fs::read(&segments(directory)[0]).unwrap();
    let begins = groups(&bytes);
    let from = usize::try_from(first).unwrap() - 1;
    let end = begins.get(from + records).copied().unwrap_or(bytes.len());
    let mut file = bytes[..64].to_vec();
    file[32..40].copy_from_slice(&first.to_le_bytes());
    let checksum = crc32_iscsi(&file[..60]).to_le_bytes();
    file[60..64].copy_from_slice(&checksum);
    file.extend_from_slice(&bytes[begins[from]..end]);
    fs::write(directory.join(format!("log/{first:020}.segment")), file).unwrap();
}

/// The names and bytes of a log's files.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let of = |path: &std::path::PathBuf| (path.display().to_string(), fs::read(path).unwrap());
    segments(directory).iter().map(of).collect()
}

#[test]
fn what_a_segment_has_behind_the_beginning_of_the_next_file_is_never_cut_off() {
    let home = tempfile::tempdir().unwrap();
    for (signed, records) in [(true, 21), (false, 21), (false, 5)] {
        let data = home.path().join(format!("{signed} {records}"));
        log(&data);
        let source = home.path().join(format!("copy {signed} {records}"));
        copy(&data, &source);
        if !signed {
            // As of an older copy, which nothing contradicts.
            for known in ["checkpoints", "index"] {
                fs::remove_dir_all(data.join(known)).unwrap();
            }
        }
        stray(&data, 20, records);
        let before = contents(&data);
        let held = Lock::take(&data).unwrap();
        let mut other = Reader::open(&source).unwrap();
        let options = RepairOptions { accept_unproved: true, ..Default::default() };
        let refusals = [
            repair(&held, &mut other, options, &mut |_| {}).err().unwrap(),
            verify(&data, &mut |_| {}).err().unwrap(),
            {
                drop(held);
                open(&data).err().unwrap()
            },
        ];
        for refused in refusals {
            let said = refused.to_string();
            assert!(matches!(refused, Error::Corrupt(_)), "{said}");
            assert!(said.contains("0001.segment") && said.contains("0020.segment"), "{said}");
        }
        assert_eq!(contents(&data), before, "{signed} {records}");
        fs::remove_file(data.join("log/00000000000000000020.segment")).unwrap();
        let (journal, report) = open(&data).unwrap();
        assert_eq!((report.last, report.torn_tail), (Position(RECORDS), None));
        journal.close().unwrap();
    }
}

#[test]
fn a_file_that_begins_where_the_log_has_been_or_never_was_is_named() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    log(&data);
    let source = home.path().join("copy");
    copy(&data, &source);
    for first in [0, RECORDS + 60] {
        let name = format!("{first:020}.segment");
        let file = data.join("log").join(&name);
        if first == 0 {
            fs::copy(&segments(&data)[0], &file).unwrap();
        } else {
            fs::write(&file, []).unwrap();
        }
        let held = Lock::take(&data).unwrap();
        let mut other = Reader::open(&source).unwrap();
        let mended = repair(&held, &mut other, RepairOptions::default(), &mut |_| {});
        drop(held);
        let refusals = [
            mended.err().unwrap(),
            verify(&data, &mut |_| {}).err().unwrap(),
            open(&data).err().unwrap(),
        ];
        for refused in &refusals[usize::from(first > 0)..] {
            assert!(refused.to_string().contains(&name), "{refused}");
        }
        fs::remove_file(file).unwrap();
    }
    // No frame stands behind 4 GiB: nobody makes room for what does.
    let (segment, length) =
        (segments(&data)[0].clone(), fs::metadata(&segments(&data)[0]).unwrap().len());
    let file = fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.set_len(40 << 30).unwrap();
    for refused in [verify(&data, &mut |_| {}).err().unwrap(), open(&data).err().unwrap()] {
        assert!(refused.to_string().contains("longer than a segment can be"), "{refused}");
    }
    file.set_len(length).unwrap();
    verify(&data, &mut |_| {}).unwrap();
}

#[test]
fn a_checksum_alone_is_no_proof_of_what_a_source_gives() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let key = log(&data);
    let (journal, _) = open(&data).unwrap();
    append(&journal, 1);
    journal.close().unwrap();
    let source = home.path().join("copy");
    copy(&data, &source);
    // The last record: no other names it, and nothing signed it.
    change(&segments(&data)[0], |bytes| {
        let at = *groups(bytes).last().unwrap();
        bytes[at + 32 + 8 + 100] ^= 1;
    });
    let held = Lock::take(&data).unwrap();
    let mut other = Reader::open(&source).unwrap();
    let keys = [key.verifier()];
    let options = RepairOptions { seen: Position(RECORDS + 1), keys: &keys, ..Default::default() };
    let refused = repair(&held, &mut other, options, &mut |_| {}).err().unwrap();
    assert!(refused.to_string().contains("nothing in the log proves"), "{refused}");
    let options = RepairOptions { accept_unproved: true, ..options };
    let report = repair(&held, &mut other, options, &mut |_| {}).unwrap();
    let accepted: Vec<_> =
        report.restored.iter().map(|one| (one.position.0, one.proved_by)).collect();
    assert_eq!(accepted, [(RECORDS + 1, ProvedBy::Checksum)]);
}

#[test]
fn a_checkpoint_that_contradicts_the_log_spoils_no_backup() {
    let home = tempfile::tempdir().unwrap();
    let (data, out) = (home.path().join("data"), home.path().join("backup"));
    log(&data);
    backup(&data, &out, &mut |_| {}).unwrap();
    let (journal, _) = open(&data).unwrap();
    append(&journal, 5);
    journal.close().unwrap();
    let kept =
        fs::read_to_string(data.join("checkpoints").join(format!("{RECORDS:020}.checkpoint")));
    let planted = kept.unwrap().replacen(&format!("\n{RECORDS}\n"), "\n42\n", 1);
    for note in [String::new(), planted] {
        let file = data.join("checkpoints/00000000000000000042.checkpoint");
        fs::write(&file, note).unwrap();
        let before = contents(&out);
        let refused = backup(&data, &out, &mut |_| {}).err().unwrap();
        assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
        assert_eq!(contents(&out), before);
        assert_eq!(fs::read_dir(out.join("checkpoints")).unwrap().count(), 1);
        fs::remove_file(file).unwrap();
    }
    // One that was spoilt before this was looked at is made right again.
    fs::write(out.join("checkpoints").join(format!("{RECORDS:020}.checkpoint")), "").unwrap();
    let report = backup(&data, &out, &mut |_| {}).unwrap();
    assert_eq!((report.last, report.checkpoints), (Position(RECORDS + 5), 1));
}

#[test]
fn whoever_reads_a_log_that_ends_before_what_was_signed_hears_of_it() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    log(&data);
    change(&segments(&data)[0], |bytes| {
        let at = groups(bytes)[30];
        bytes.truncate(at);
    });
    let refused = Reader::open(&data).unwrap_err();
    assert!(matches!(refused, Error::LogLostRecords { log: Position(30), .. }), "{refused:?}");
}
