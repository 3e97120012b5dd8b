//! The log as others see it: tiles and proofs checked by tools that are not ours.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{note, open};
use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use journal::note::SigningKey;
use journal::{Checkpoint, Checkpoints, Expected, Journal, Position, Reader, export_tiles};
use sha2::Sha256;
use tlog_tiles::{
    Hash, HashReader, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record,
    prove_tree, record_hash, stored_hash_index, tree_hash,
};

fn append(journal: &Journal, count: u32) {
    for from in (0..count).step_by(4000) {
        let numbers = from..count.min(from + 4000);
        let drafts = numbers.map(|number| (note(u128::from(number % 7), "x"), Expected::Any));
        for outcome in journal.append_all(drafts).wait() {
            outcome.unwrap();
        }
    }
}

fn sign(directory: &Path, journal: &Journal) -> (String, Checkpoint) {
    let key = SigningKey::from_seed("log", &[1; 32]).unwrap();
    let note = Checkpoints::new(directory, "log").sign(journal, &[&key]).unwrap();
    let checkpoint = Checkpoint::verify(&note, "log", &[key.verifier()]).unwrap();
    (note, checkpoint)
}

/// The exported directory, as a static server would give it to a client.
struct Served(PathBuf);

impl TileReader for Served {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            // Their path names the height too, which C2SP's layout leaves out.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            Ok(fs::read(self.0.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}")))
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

/// The records in the bundles of entries, up to a size.
fn entries(directory: &Path, size: u64) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while (entries.len() as u64) < size {
        let number = entries.len() / 256;
        let width = (size - entries.len() as u64).min(256);
        let part = if width < 256 { format!(".p/{width}") } else { String::new() };
        let path = directory.join(format!("tile/entries/{number:03}{part}"));
        let bytes = fs::read(path).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((length, behind)) = rest.split_first_chunk() {
            let (entry, behind) = behind.split_at(usize::from(u16::from_be_bytes(*length)));
            entries.push(entry.to_vec());
            rest = behind;
        }
    }
    entries
}

#[test]
fn a_client_of_tlog_tiles_verifies_the_exported_log_record_by_record() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let out = directory.path().join("tiles");
    let mut older: Option<(u64, Hash)> = None;
    for count in [3_u32, 253, 400, 66_000] {
        append(&journal, count);
        let (note, checkpoint) = sign(directory.path(), &journal);
        let reader = Reader::open(directory.path()).unwrap();
        let report = export_tiles(&reader, &note, &checkpoint, &out, &mut |_| {}).unwrap();
        assert_eq!(report.size, checkpoint.size);
        let before = older.as_ref().is_some_and(|(size, _)| *size >= 256);
        assert_eq!(report.unchanged > 0, before, "full tiles are written once: {report:?}");

        let text = fs::read_to_string(out.join("checkpoint")).unwrap();
        let body = text.split_once("\n\n").unwrap().0.to_owned() + "\n";
        let theirs = tlog_tiles::Checkpoint::from_bytes(body.as_bytes()).unwrap();
        let (size, root) = (checkpoint.size, Hash(checkpoint.root));
        assert_eq!((theirs.size(), theirs.hash()), (size, &root));
        let served = Served(out.clone());
        let hashes = TileHashReader::new(size, root, &served);
        assert_eq!(tree_hash(size, &hashes).unwrap(), root);
        let entries = entries(&out, size);
        assert_eq!(entries.len() as u64, size);
        for index in (0..size).step_by(usize::try_from(size / 40 + 1).unwrap()).chain([size - 1]) {
            let record = &entries[usize::try_from(index).unwrap()];
            assert_eq!(record, &journal.read(Position(index + 1), 1).unwrap()[0].bytes);
            let leaf = hashes.read_hashes(&[stored_hash_index(0, index)]).unwrap();
            assert_eq!(leaf, [record_hash(record)]);
            // Their proof is ours.
            let proof = prove_record(size, index, &hashes).unwrap();
            check_record(&proof, size, root, index, record_hash(record)).unwrap();
            let own = journal.prove_inclusion(Position(index + 1), size).unwrap();
            assert_eq!(proof.iter().map(|hash| hash.0).collect::<Vec<_>>(), own.path);
        }
        if let Some((old_size, old_root)) = older {
            let proof = prove_tree(size, old_size, &hashes).unwrap();
            check_tree(&proof, size, root, old_size, old_root).unwrap();
            let own = journal.prove_consistency(old_size, size).unwrap();
            assert_eq!(proof.iter().map(|hash| hash.0).collect::<Vec<_>>(), own.path);
        }
        older = Some((size, root));
    }
    let (note, checkpoint) = sign(directory.path(), &journal);
    let wrong = Checkpoint { root: [7; 32], ..checkpoint };
    let reader = Reader::open(directory.path()).unwrap();
    let elsewhere = directory.path().join("elsewhere");
    assert!(export_tiles(&reader, &note, &wrong, &elsewhere, &mut |_| {}).is_err());
    assert!(!elsewhere.join("checkpoint").exists());
    // What is there and is not of this log is never given a checkpoint.
    for (file, at) in [("tile/0/001", 500), ("tile/entries/001", 50)] {
        let path = out.join(file);
        let sound = fs::read(&path).unwrap();
        let mut altered = sound.clone();
        altered[at] ^= 1;
        fs::write(&path, &altered).unwrap();
        append(&journal, 1);
        let (note, checkpoint) = sign(directory.path(), &journal);
        let reader = Reader::open(directory.path()).unwrap();
        let before = fs::read(out.join("checkpoint")).unwrap();
        let refused = export_tiles(&reader, &note, &checkpoint, &out, &mut |_| {}).unwrap_err();
        assert!(refused.to_string().contains(file), "{refused}");
        assert_eq!(fs::read(out.join("checkpoint")).unwrap(), before);
        fs::write(&path, &sound).unwrap();
        export_tiles(&reader, &note, &checkpoint, &out, &mut |_| {}).unwrap();
    }
}

/// What was published is never shorter, forked, or another log's.
#[test]
fn a_published_checkpoint_goes_neither_back_nor_aside() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("tiles");
    let make = |name: &str, count| {
        let directory = place.path().join(name);
        fs::create_dir(&directory).unwrap();
        let (journal, _) = open(&directory).unwrap();
        append(&journal, count);
        let (note, checkpoint) = sign(&directory, &journal);
        (Reader::open(&directory).unwrap(), note, checkpoint)
    };
    let (reader, note, checkpoint) = make("log", 30);
    export_tiles(&reader, &note, &checkpoint, &out, &mut |_| {}).unwrap();
    let published = fs::read(out.join("checkpoint")).unwrap();
    let mut others = vec![make("shorter", 20), make("fork", 40)];
    let (reader, note, checkpoint) = make("other", 40);
    let origin = "tebessa/log/another".to_owned();
    others.push((reader, note, Checkpoint { origin, ..checkpoint }));
    let reasons = ["never goes back", "are others", "is of the log"];
    for ((reader, note, checkpoint), reason) in others.iter().zip(reasons) {
        let refused = export_tiles(reader, note, checkpoint, &out, &mut |_| {}).unwrap_err();
        assert!(refused.to_string().contains(reason), "{reason}: {refused}");
        assert_eq!(fs::read(out.join("checkpoint")).unwrap(), published);
    }
}

#[test]
fn ct_merkle_has_the_same_roots_and_accepts_our_proofs() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    append(&journal, 700);
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let records = journal.read(Position(1), usize::MAX).unwrap();
    let mut old: Option<RootHash<Sha256>> = None;
    for record in &records {
        theirs.push(record.bytes.clone());
        let size = record.position.0;
        if size % 97 != 0 && !size.is_power_of_two() {
            continue;
        }
        let root = theirs.root();
        assert_eq!(root.as_bytes().as_slice(), journal.root_at(size).unwrap(), "size {size}");
        for position in [1, size / 2 + 1, size] {
            let own = journal.prove_inclusion(Position(position), size).unwrap();
            let proof = ct_merkle::InclusionProof::<Sha256>::from_bytes(own.path.concat());
            let bytes = &records[usize::try_from(position - 1).unwrap()].bytes;
            root.verify_inclusion(bytes, position - 1, &proof).unwrap();
        }
        if let Some(old) = old {
            let own = journal.prove_consistency(old.num_leaves(), size).unwrap();
            let proof = ct_merkle::ConsistencyProof::<Sha256>::try_from_bytes(own.path.concat());
            root.verify_consistency(&old, &proof.unwrap()).unwrap();
        }
        old = Some(root);
    }
}
