//! The dossier: one case in one file that proves itself, without node, network or trust.
//!
//! A dossier is what was recorded and signed (records, proof, checkpoint, guidance, disclosed
//! words), and what follows from it (manifest, evidence digests, derivations, a page for people).
//! Whoever checks it verifies the first against keys of their own, makes the second again and
//! compares every byte: so nothing in the file can be changed unseen.
//!
//! *Invariant:* the same inputs give the same bytes.
//! *Invariant:* a check believes no key, no digest and no result that stands in the file.

mod archive;
mod build;
mod check;
mod disclose;
mod make;

pub use self::check::{Checked, Refused, check};
pub use self::disclose::{disclosures, names};
pub use self::make::{DossierError, Materials, make};

use std::collections::BTreeMap;

use case::Version;
use journal::StreamProof;

/// The name of the form.
pub const FORMAT: &str = "tebessa-dossier/v1";
/// A longer file is refused before it is read.
pub const MOST_BYTES: u64 = 256 << 20;

const MANIFEST: &str = "manifest.json";
const CHECKPOINT: &str = "checkpoint.txt";
const PROOF: &str = "proof.json";
const RECORDS: &str = "records.jsonl";
const DISCLOSURES: &str = "disclosures.json";
const EVIDENCE: &str = "evidence.json";
const DERIVED: &str = "derived.json";
const PAGE: &str = "index.html";

/// One personal field, disclosed: with salt and words anyone can make its commitment again.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The event.
    pub version: Version,
    /// The field within its data, such as `onus[0].reason`.
    pub path: String,
    /// The salt, 32 bytes in hexadecimal.
    pub salt: String,
    /// The words.
    pub words: String,
}

/// From what a dossier is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The proof that the records are all of the case at the checkpoint.
    pub proof: StreamProof,
    /// The exact bytes of the records, in the order of versions.
    pub records: Vec<Vec<u8>>,
    /// The guidance files by their hash, `sha256:` and 64 digits.
    pub guidance: BTreeMap<String, Vec<u8>>,
    /// What is disclosed, in order.
    pub disclosures: Vec<Disclosure>,
    /// Files of evidence by their SHA-256, 64 digits in hexadecimal, as far as they were asked for.
    pub files: BTreeMap<String, Vec<u8>>,
}
