//! The proof vectors of transparency-dev/merkle: what they accept and refuse, we accept and refuse.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use journal::{ConsistencyProof, InclusionProof, LeafHash, Position};
use serde_json::Value;

fn hash(text: &Value) -> Option<[u8; 32]> {
    STANDARD.decode(text.as_str()?).ok()?.try_into().ok()
}

/// Some vectors have words for a root, which only matter in being equal: stand-ins for those.
fn root(text: &Value) -> Option<[u8; 32]> {
    hash(text).or_else(|| Some(LeafHash::of(text.as_str()?.as_bytes()).0))
}

fn path(proof: &Value) -> Option<Vec<[u8; 32]>> {
    proof.as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

/// Runs a check over every vector; a hash that is not 32 bytes long cannot even be given to us.
///
/// `apart` names the vectors on which we differ on purpose.
fn run(file: &str, apart: &[&str], check: fn(&Value) -> Option<bool>) {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/merkle/");
    let text = std::fs::read_to_string(format!("{directory}{file}")).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let accepted = check(&vector).unwrap_or(false);
        let differ = apart.contains(&vector["file"].as_str().unwrap());
        assert_eq!(accepted != differ, !vector["wantErr"].as_bool().unwrap(), "{line}");
        count += 1;
    }
    assert_eq!(count, 98);
}

#[test]
fn inclusion_proofs_are_judged_as_by_the_reference() {
    run("inclusion.jsonl", &[], |vector| {
        let proof = InclusionProof {
            position: Position(vector["leafIdx"].as_u64()?.checked_add(1)?),
            size: vector["treeSize"].as_u64()?,
            path: path(&vector["proof"])?,
        };
        Some(proof.proves(LeafHash(hash(&vector["leafHash"])?), &hash(&vector["root"])?))
    });
}

#[test]
fn consistency_proofs_are_judged_as_by_the_reference() {
    // The tree without records is the beginning of every tree: C2SP's witness protocol needs it.
    let apart = ["consistency/additional/size1-is-zero-and-size2-is-not-zero.json"];
    run("consistency.jsonl", &apart, |vector| {
        let proof = ConsistencyProof {
            old_size: vector["size1"].as_u64()?,
            size: vector["size2"].as_u64()?,
            path: path(&vector["proof"])?,
        };
        Some(proof.proves(&root(&vector["root1"])?, &root(&vector["root2"])?))
    });
}
