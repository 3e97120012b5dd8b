//! Checkpoints are signed, kept, and never smaller or inconsistent; proofs fit them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::process::Command;

use common::{note, open};
use journal::note::{NoteError, SigningKey};
use journal::{Checkpoint, Checkpoints, Error, Expected, Journal, Position, verify};

const ORIGIN: &str = "tebessa.example/log";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed("tebessa.example", &[seed; 32]).unwrap()
}

fn append(journal: &Journal, count: u32) {
    let drafts = (0..count).map(|number| (note(u128::from(number % 7), "x"), Expected::Any));
    for pending in journal.append_all(drafts) {
        pending.wait().unwrap();
    }
}

#[test]
fn a_record_is_proved_by_the_checkpoint_alone_and_one_checkpoint_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let checkpoints = Checkpoints::new(directory.path(), ORIGIN, vec![key(1)]);
    let policy = [key(1).verifier()];
    append(&journal, 1000);
    let old = Checkpoint::verify(&checkpoints.sign(&journal).unwrap(), ORIGIN, &policy).unwrap();
    append(&journal, 777);
    let new = Checkpoint::verify(&checkpoints.sign(&journal).unwrap(), ORIGIN, &policy).unwrap();
    assert_eq!((old.size, new.size), (1000, 1777));
    let proof = journal.prove_consistency(old.size, new.size).unwrap();
    assert!(proof.proves(&old.root, &new.root));
    for position in [1, 255, 256, 257, 999, 1000] {
        let leaf = journal.read(Position(position), 1).unwrap()[0].leaf();
        for checkpoint in [&old, &new] {
            let proof = journal.prove_inclusion(Position(position), checkpoint.size).unwrap();
            assert!(proof.proves(leaf, &checkpoint.root), "position {position}");
        }
    }
    assert!(journal.prove_inclusion(Position(1001), old.size).is_err());
    assert!(journal.prove_consistency(0, 2000).is_err());
    assert_eq!(checkpoints.sign(&journal).unwrap(), checkpoints.latest().unwrap().unwrap());
    let other = Checkpoint::verify(&checkpoints.latest().unwrap().unwrap(), "other", &policy);
    assert!(matches!(other, Err(NoteError::Malformed(_))));
}

#[test]
fn nothing_smaller_or_inconsistent_is_ever_signed() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append(&journal, 20);
    Checkpoints::new(directory.path(), ORIGIN, vec![key(1)]).sign(&journal).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (short, _) = open(other.path()).unwrap();
    append(&short, 10);
    let checkpoints = Checkpoints::new(directory.path(), ORIGIN, vec![key(1)]);
    assert!(matches!(checkpoints.sign(&short), Err(Error::LogLostRecords { .. })));
    append(&short, 30);
    assert!(matches!(checkpoints.sign(&short), Err(Error::Request(_))));
}

#[test]
fn a_log_cut_off_before_its_checkpoint_is_refused_even_without_the_index() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append(&journal, 5);
    journal.append(note(1, "the last"), Expected::Any).wait().unwrap();
    Checkpoints::new(directory.path(), ORIGIN, vec![key(1)]).sign(&journal).unwrap();
    journal.close().unwrap();
    let file = directory.path().join("log").join(format!("{:020}.segment", 1));
    let mut bytes = fs::read(&file).unwrap();
    let group = bytes.windows(4).rposition(|window| window == b"\x89TBG").unwrap();
    bytes.truncate(group);
    fs::write(&file, &bytes).unwrap();
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, Error::LogLostRecords { .. }), "{refused:?}");
    assert!(matches!(verify(directory.path(), &mut |_| {}), Err(Error::LogLostRecords { .. })));
}

#[test]
fn a_second_reader_in_another_language_finds_the_same_root() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    for _ in 0..3 {
        append(&journal, 900);
    }
    journal.close().unwrap();
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert!(report.sealed > 0);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/read_log.py");
    let read = || Command::new("python3").arg(script).arg(directory.path()).output().unwrap();
    let output = read();
    assert!(output.status.success(), "{output:?}");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["records"], 2700);
    assert_eq!(found["streams"], 7);
    assert_eq!(found["root"], report.root.map(|byte| format!("{byte:02x}")).concat());
    let file = directory.path().join("log").join(format!("{:020}.segment", 1));
    let mut bytes = fs::read(&file).unwrap();
    bytes[5000] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let output = read();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("byte"), "{output:?}");
}
