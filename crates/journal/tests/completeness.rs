//! The proof that these are all records of a stream, and what a dishonest prover tries.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::path::Path;

use common::{note, open, stream};
use journal::note::SigningKey;
use journal::{
    Checkpoint, Checkpoints, Expected, Journal, Position, ProofError, Reader, Record, StreamProof,
};

const ORIGIN: &str = "tebessa.example/log";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

fn sign(directory: &Path, journal: &Journal) -> Checkpoint {
    let note = Checkpoints::new(directory, ORIGIN).sign(journal, &[&key()]).unwrap();
    Checkpoint::verify(&note, ORIGIN, &[key().verifier()]).unwrap()
}

/// Appends to `streams` streams in turn, so that each has records all over the log.
fn append(journal: &Journal, count: u32, streams: u128) {
    let drafts = (0..count).map(|number| (note(u128::from(number) % streams, "x"), Expected::Any));
    for outcome in journal.append_all(drafts).wait() {
        outcome.unwrap();
    }
}

fn bytes(records: &[Record]) -> Vec<&[u8]> {
    records.iter().map(|record| record.bytes.as_slice()).collect()
}

/// A log of some segments with a checkpoint, and a stream's records and proof.
struct Court {
    _directory: tempfile::TempDir,
    checkpoint: Checkpoint,
    records: Vec<Record>,
    proof: StreamProof,
    journal: Journal,
}

fn court() -> Court {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append(&journal, 600, 60);
    let checkpoint = sign(directory.path(), &journal);
    let records = journal.read_stream(stream(7), None).unwrap();
    let proof = journal.prove_stream(stream(7), &checkpoint).unwrap();
    assert_eq!((records.len(), proof.positions.len()), (10, 10));
    Court { _directory: directory, checkpoint, records, proof, journal }
}

#[test]
fn all_records_of_every_stream_are_proved_by_a_checkpoint_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let mut checkpoints = Vec::new();
    for (count, streams) in [(1, 1), (2, 9), (700, 31), (3000, 13)] {
        append(&journal, count, streams);
        checkpoints.push(sign(directory.path(), &journal));
    }
    let reader = Reader::open(directory.path()).unwrap();
    for checkpoint in &checkpoints {
        let there = journal.read(Position(1), usize::try_from(checkpoint.size).unwrap()).unwrap();
        for number in 0..31 {
            let mine = stream(number);
            let mut records = there.clone();
            records.retain(|record| record.stream == mine);
            if records.is_empty() {
                assert!(journal.prove_stream(mine, checkpoint).is_err());
                assert!(reader.prove_stream(mine, checkpoint).is_err());
                continue;
            }
            let proof = journal.prove_stream(mine, checkpoint).unwrap();
            assert_eq!(reader.prove_stream(mine, checkpoint).unwrap(), proof);
            let json = serde_json::to_string(&proof).unwrap();
            let read: StreamProof = serde_json::from_str(&json).unwrap();
            assert_eq!(read.verify(&bytes(&records), checkpoint), Ok(()), "stream {number}");
        }
    }
    let reopened = {
        let size = checkpoints[2].size;
        let before = journal.prove_stream(stream(5), &checkpoints[2]).unwrap();
        journal.close().unwrap();
        let (journal, _) = open(directory.path()).unwrap();
        assert_eq!(journal.prove_stream(stream(5), &checkpoints[2]).unwrap(), before);
        (journal.prove_inclusion(Position(5), size).unwrap(), size)
    };
    assert_eq!(reader.prove_inclusion(Position(5), reopened.1).unwrap(), reopened.0);
    assert_eq!(reader.root_at(checkpoints[0].size).unwrap(), checkpoints[0].root);
}

#[test]
fn a_dropped_added_swapped_or_changed_record_is_refused() {
    let court = court();
    let (proof, checkpoint) = (&court.proof, &court.checkpoint);
    let all = bytes(&court.records);
    assert_eq!(proof.verify(&all, checkpoint), Ok(()));
    assert!(matches!(proof.verify(&all[..9], checkpoint), Err(ProofError::Count { .. })));
    assert!(matches!(proof.verify(&[], checkpoint), Err(ProofError::Count { .. })));

    // The last one left out, with its position and an honest path for the rest.
    let mut short = proof.clone();
    short.positions.pop();
    assert_eq!(short.verify(&all[..9], checkpoint), Err(ProofError::NotIncluded));
    let earlier = Checkpoint { size: proof.positions[8].0, ..checkpoint.clone() };
    let refused = court.journal.prove_stream(stream(7), &earlier);
    assert!(refused.is_err(), "a checkpoint that is none of the log: {refused:?}");

    let mut middle = proof.clone();
    middle.positions.remove(4);
    let mut gap = all.clone();
    gap.remove(4);
    let refused = middle.verify(&gap, checkpoint);
    assert!(matches!(refused, Err(ProofError::Record { number: 5, .. })), "{refused:?}");

    let mut swapped = all.clone();
    swapped.swap(3, 4);
    let refused = proof.verify(&swapped, checkpoint);
    assert!(matches!(refused, Err(ProofError::Record { number: 4, .. })), "{refused:?}");

    let changed = String::from_utf8(all[9].to_vec()).unwrap().replace("\"x\"", "\"y\"");
    let mut forged = all.clone();
    forged[9] = changed.as_bytes();
    assert_eq!(proof.verify(&forged, checkpoint), Err(ProofError::NotIncluded));

    let stranger = court.journal.read_stream(stream(8), None).unwrap();
    let refused = proof.verify(&bytes(&stranger), checkpoint);
    assert!(matches!(refused, Err(ProofError::Record { number: 1, .. })), "{refused:?}");
    let mut other = proof.clone();
    other.stream = stream(8);
    assert_eq!(other.verify(&bytes(&stranger), checkpoint), Err(ProofError::NotIncluded));
}

#[test]
fn an_honest_proof_of_the_first_nine_is_not_one_of_all_ten() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append(&journal, 9, 1);
    let early = sign(directory.path(), &journal);
    let nine = journal.read_stream(stream(0), None).unwrap();
    let first = journal.prove_stream(stream(0), &early).unwrap();
    append(&journal, 1, 1);
    let late = sign(directory.path(), &journal);
    assert_eq!(first.verify(&bytes(&nine), &early), Ok(()));
    let refused = first.verify(&bytes(&nine), &late);
    assert_eq!(refused, Err(ProofError::OtherSize { proof: 9, checkpoint: 10 }));

    // The nine are in the later log too, and a path that shows it can be made from honest parts:
    // what the prover cannot make is a head that ends with the ninth.
    let tenth = journal.read(Position(10), 1).unwrap()[0].leaf();
    let mut path = first.path.clone();
    path.push(tenth.0);
    let dishonest = StreamProof { size: 10, path, ..first };
    assert_eq!(dishonest.verify(&bytes(&nine), &late), Err(ProofError::NotComplete));
}

#[test]
fn another_logs_checkpoint_surplus_hashes_and_wild_numbers_are_refused() {
    let court = court();
    let (proof, checkpoint) = (&court.proof, &court.checkpoint);
    let all = bytes(&court.records);
    let expect = |proof: &StreamProof, wanted: ProofError| {
        assert_eq!(proof.verify(&all, checkpoint), Err(wanted), "{proof:?}");
    };
    let directory = tempfile::tempdir().unwrap();
    let (other, _) = open(directory.path()).unwrap();
    append(&other, 600, 60);
    let foreign = sign(directory.path(), &other);
    assert_eq!(proof.verify(&all, &foreign), Err(ProofError::NotIncluded));
    let headless = Checkpoint { heads: None, ..checkpoint.clone() };
    assert_eq!(proof.verify(&all, &headless), Err(ProofError::NoHeads));
    let mixed = Checkpoint { heads: foreign.heads, size: 600, ..checkpoint.clone() };
    let same = proof.verify(&all, &mixed);
    assert_eq!(same, Ok(()), "the heads of two logs alike in streams and positions are alike");

    let mut changed = proof.clone();
    changed.path.push([0; 32]);
    expect(&changed, ProofError::NotIncluded);
    changed.path.truncate(proof.path.len() - 1);
    expect(&changed, ProofError::NotIncluded);
    changed.path.clear();
    expect(&changed, ProofError::NotIncluded);

    let mut changed = proof.clone();
    changed.head_path.push([0; 32]);
    expect(&changed, ProofError::NotComplete);
    changed.head_path.truncate(proof.head_path.len() - 1);
    expect(&changed, ProofError::NotComplete);
    for index in [0, proof.head_index + 1, 60, u64::MAX] {
        let changed = StreamProof { head_index: index, ..proof.clone() };
        if index != proof.head_index {
            expect(&changed, ProofError::NotComplete);
        }
    }
    for size in [0, 1, u64::MAX] {
        let changed = StreamProof { size, ..proof.clone() };
        expect(&changed, ProofError::OtherSize { proof: size, checkpoint: 600 });
        let refused = changed.verify(&all, &Checkpoint { size, ..checkpoint.clone() });
        assert!(refused.is_err(), "size {size}");
    }
    for (number, position) in [(0, 0), (9, 601), (9, u64::MAX), (5, proof.positions[4].0)] {
        let mut changed = proof.clone();
        changed.positions[number] = Position(position);
        expect(&changed, ProofError::Order { number: number as u64 + 1 });
    }
    let mut moved = proof.clone();
    moved.positions[9] = proof.positions[9].next();
    expect(&moved, ProofError::NotIncluded);
}

#[test]
fn a_heads_line_that_is_written_in_a_second_way_is_no_checkpoint() {
    let text = court().checkpoint.to_string();
    assert!(Checkpoint::parse(&text).is_ok());
    for (from, to) in [("heads 60", "heads 060"), ("heads", "Heads"), ("heads 60 ", "heads 60  ")] {
        assert!(Checkpoint::parse(&text.replace(from, to)).is_err(), "{to}");
    }
    assert!(Checkpoint::parse(&format!("{text}more\n")).is_err());
}
