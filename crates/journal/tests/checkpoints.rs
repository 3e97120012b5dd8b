//! Checkpoints are signed, kept, and never smaller or inconsistent; proofs fit them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::process::Command;

use common::{note, open};
use journal::note::{NoteError, SigningKey};
use journal::{
    Checkpoint, Checkpoints, Error, Expected, Journal, Position, Seen, verify, verify_against,
};

const ORIGIN: &str = "tebessa.example/log";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

fn append(journal: &Journal, count: u32) {
    let drafts = (0..count).map(|number| (note(u128::from(number % 7), "x"), Expected::Any));
    for outcome in journal.append_all(drafts).wait() {
        outcome.unwrap();
    }
}

#[test]
fn a_record_is_proved_by_the_checkpoint_alone_and_one_checkpoint_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let checkpoints = Checkpoints::new(directory.path(), ORIGIN);
    let policy = [key(1).verifier()];
    append(&journal, 1000);
    let old = Checkpoint::verify(&checkpoints.sign(&journal, &[&key(1)]).unwrap(), ORIGIN, &policy)
        .unwrap();
    append(&journal, 777);
    let new = Checkpoint::verify(&checkpoints.sign(&journal, &[&key(1)]).unwrap(), ORIGIN, &policy)
        .unwrap();
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
    assert_eq!(
        checkpoints.sign(&journal, &[&key(1)]).unwrap(),
        checkpoints.latest().unwrap().unwrap().note
    );
    let other = Checkpoint::verify(&checkpoints.latest().unwrap().unwrap().note, "other", &policy);
    assert_eq!(other, Err(NoteError::Unknown), "a key of one log does not speak for another");
    let as_other = SigningKey::from_seed("other", &[1; 32]).unwrap();
    let forged = journal::note::sign(&new.to_string(), &[&as_other]);
    let both = [policy[0].clone(), as_other.verifier()];
    assert_eq!(Checkpoint::verify(&forged, ORIGIN, &both), Err(NoteError::Unknown));
    assert!(Checkpoint::verify(&forged, "other", &both).is_err());
}

#[test]
fn nothing_smaller_or_inconsistent_is_ever_signed() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append(&journal, 20);
    Checkpoints::new(directory.path(), ORIGIN).sign(&journal, &[&key(1)]).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (short, _) = open(other.path()).unwrap();
    append(&short, 10);
    let checkpoints = Checkpoints::new(directory.path(), ORIGIN);
    assert!(matches!(checkpoints.sign(&short, &[&key(1)]), Err(Error::LogLostRecords { .. })));
    append(&short, 30);
    let foreign = directory.path().join("checkpoints");
    fs::create_dir(other.path().join("checkpoints")).unwrap();
    for entry in fs::read_dir(foreign).unwrap() {
        let entry = entry.unwrap();
        let to = other.path().join("checkpoints").join(entry.file_name());
        fs::copy(entry.path(), to).unwrap();
    }
    assert!(matches!(checkpoints.sign(&short, &[&key(1)]), Err(Error::Corrupt(_))));
    short.close().unwrap();
    let refused = open(other.path()).unwrap_err();
    assert!(refused.to_string().contains("does not begin with"), "{refused}");
}

#[test]
fn verify_makes_the_roots_and_the_heads_of_all_checkpoints_again() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let checkpoints = Checkpoints::new(directory.path(), ORIGIN);
    checkpoints.sign(&journal, &[&key(1)]).unwrap();
    for _ in 0..3 {
        append(&journal, 500);
        checkpoints.sign(&journal, &[&key(1)]).unwrap();
    }
    let both = checkpoints.sign(&journal, &[&key(1), &key(2)]).unwrap();
    assert_eq!(both.matches('\u{2014}').count(), 2, "the new key signs the same size again");
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert_eq!((report.checkpoints, report.heads), (4, 4));

    // A checkpoint that a dishonest signer made: true roots, but the heads of fewer streams.
    let stored = checkpoints.all().unwrap();
    let honest = stored[2].checkpoint().unwrap();
    let heads = Some(journal::HeadsRoot { streams: 6, ..honest.heads.unwrap() });
    let file = directory.path().join(&stored[2].file);
    for (said, what) in [
        (Checkpoint { heads, ..honest.clone() }, "other heads"),
        (Checkpoint { root: [7; 32], ..honest.clone() }, "another root"),
        (Checkpoint { size: 1001, ..honest.clone() }, "its name says"),
    ] {
        fs::write(&file, journal::note::sign(&said.to_string(), &[&key(1)])).unwrap();
        let found = verify(directory.path(), &mut |_| {}).unwrap_err();
        assert!(
            matches!(&found, Error::Corrupt(fault) if fault.file == stored[2].file),
            "{found:?}"
        );
        assert!(found.to_string().contains(what), "{found}");
    }
    fs::write(&file, &stored[2].note).unwrap();
    assert!(verify(directory.path(), &mut |_| {}).is_ok());
    let elsewhere = Checkpoint { size: 1501, ..honest };
    let seen = Seen { checkpoints: vec![("peer".to_owned(), elsewhere)], ..Seen::default() };
    let lost = verify_against(directory.path(), seen, &mut |_| {});
    assert!(matches!(lost, Err(Error::LogLostRecords { .. })), "{lost:?}");
}

#[test]
fn a_log_cut_off_before_its_checkpoint_is_refused_even_without_the_index() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append(&journal, 5);
    journal.append(&note(1, "the last"), Expected::Any).wait().unwrap();
    Checkpoints::new(directory.path(), ORIGIN).sign(&journal, &[&key(1)]).unwrap();
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
