//! A log of format version 1 that was written once and is kept for ever: today's code reads it.
//!
//! `tests/fixtures/log/v1` is never written again: what it holds, every later version must read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::files::copy;
use common::{note, open, stream};
use journal::note::VerifierKey;
use journal::{Checkpoint, Checkpoints, Expected, Position, Reader, StreamProof, verify};

const ORIGIN: &str = "tebessa.example/frozen";
const RECORDS: u64 = 120;
const ROOT: &str = include_str!("../../../tests/fixtures/log/v1/root.txt");

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/log/v1")
}

#[test]
fn the_first_format_is_verified_proved_and_written_on() {
    let report = verify(&fixture(), &mut |_| {}).unwrap();
    assert_eq!((report.records, report.streams), (RECORDS, 5));
    assert!(report.segments > 2 && report.sealed + 1 == report.segments, "{report:?}");
    assert_eq!((report.checkpoints, report.heads), (2, 2));
    let root = report.root.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(root, ROOT.trim());

    let key = fs::read_to_string(fixture().join("key.txt")).unwrap();
    let key = VerifierKey::parse(key.trim()).unwrap();
    let signed = Checkpoints::new(&fixture(), ORIGIN).all().unwrap();
    let last = Checkpoint::verify(&signed[1].note, ORIGIN, std::slice::from_ref(&key)).unwrap();
    let first = Checkpoint::verify(&signed[0].note, ORIGIN, &[key]).unwrap();
    let reader = Reader::open(&fixture()).unwrap();
    let records = reader.read_stream(stream(3), None).unwrap();
    let bytes: Vec<&[u8]> = records.iter().map(|record| record.bytes.as_slice()).collect();
    let proof = fs::read(fixture().join("stream-proof.json")).unwrap();
    let proof: StreamProof = serde_json::from_slice(&proof).unwrap();
    assert_eq!(proof.verify(&bytes, &last), Ok(()));
    assert_eq!(reader.prove_stream(stream(3), &last).unwrap(), proof);
    let consistent = reader.prove_consistency(first.size, last.size).unwrap();
    assert!(consistent.proves(&first.root, &last.root));

    let home = tempfile::tempdir().unwrap();
    copy(&fixture(), home.path());
    let (journal, report) = open(home.path()).unwrap();
    assert_eq!((report.last, report.torn_tail), (Position(RECORDS), None));
    journal.append(&note(3, "today's"), Expected::Any).wait().unwrap();
    journal.close().unwrap();
    assert_eq!(verify(home.path(), &mut |_| {}).unwrap().records, RECORDS + 1);
}

#[test]
fn the_second_reader_finds_the_same_in_it() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/read_log.py");
    let read = |at: &Path| Command::new("python3").arg(&script).arg(at).output().unwrap();
    let output = read(&fixture());
    assert!(output.status.success(), "{output:?}");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["records"], &found["streams"]), (&RECORDS.into(), &5.into()));
    assert_eq!((&found["root"], &found["checkpoints"]), (&ROOT.trim().into(), &2.into()));

    // It finds a changed record, a changed checkpoint, and a log that ends too early.
    let home = tempfile::tempdir().unwrap();
    copy(&fixture(), home.path());
    let signed = home.path().join("checkpoints").join(format!("{RECORDS:020}.checkpoint"));
    let text = fs::read_to_string(&signed).unwrap();
    for (from, to, said) in [
        ("heads 5", "heads 4", "signs something else"),
        ("\n120\n", "\n121\n", "the log ends at 120"),
    ] {
        fs::write(&signed, text.replacen(from, to, 1)).unwrap();
        let output = read(home.path());
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}
