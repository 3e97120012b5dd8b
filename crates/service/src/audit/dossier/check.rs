//! The check of a dossier, by whoever has the file and a key of the log from elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use case::replay::Verdict;
use case::{CaseId, Version};
use journal::note::VerifierKey;
use journal::{Checkpoint, StreamProof};

use super::archive::{Members, file_of, hash_of, unpack};
use super::build::{Built, Manifest, build, digest, read};
use super::{
    CHECKPOINT, DISCLOSURES, Disclosure, FORMAT, Inputs, MANIFEST, MOST_BYTES, PROOF, RECORDS,
};
use crate::keys::{SALT_LENGTH, commits};
use crate::personal::{self, Opened};

/// Why a dossier is not believed: what is wrong, and in which of its files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    /// The file within the archive, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl Refused {
    pub(super) fn whole(what: String) -> Self {
        Self { file: None, what }
    }

    pub(super) fn at(file: &str, what: &str) -> Self {
        Self { file: Some(file.to_owned()), what: what.to_owned() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{file}: {}", self.what),
            None => write!(f, "the dossier: {}", self.what),
        }
    }
}

impl std::error::Error for Refused {}

/// What a dossier that holds says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// The case.
    pub case: CaseId,
    /// How many records it had, all of which are here.
    pub records: u64,
    /// The name of the log.
    pub log: String,
    /// How many records the log had when it was signed.
    pub size: u64,
    /// The steps that were derived again, each as it was recorded.
    pub reproduced: u64,
    /// The case's personal fields.
    pub personal_fields: u64,
    /// Those that are disclosed, each as it was sealed.
    pub disclosed: u64,
    /// The files of evidence that are in it, each with the digest that the record has.
    pub files: u64,
    /// Where the case stood.
    pub status: case::vocabulary::Status,
}

/// Checks every byte of a dossier. `keys` are the checker's own.
pub fn check(bytes: &[u8], keys: &[VerifierKey]) -> Result<Checked, Refused> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Refused::whole(format!("it is longer than {MOST_BYTES} bytes")));
    }
    let members = unpack(bytes)?;
    digests(&members)?;
    let inputs = inputs(&members)?;
    let checkpoint = signed(&inputs.checkpoint, keys)?;
    let records: Vec<&[u8]> = inputs.records.iter().map(Vec::as_slice).collect();
    inputs
        .proof
        .verify(&records, &checkpoint)
        .map_err(|error| Refused::at(PROOF, &error.to_string()))?;
    disclosed(&inputs)?;
    let built = build(&inputs, &checkpoint)?;
    compare(&members, &built)?;
    for step in &built.steps {
        let what = match &step.verdict {
            Verdict::Reproduced => continue,
            Verdict::NotDerived(missing) => missing.sentence(),
            Verdict::Diverged(found) => format!(
                "{} of version {} was recorded as {} and comes out as {}",
                found.node, step.version, found.recorded, found.derived
            ),
        };
        return Err(Refused::at(RECORDS, &what));
    }
    Ok(Checked {
        case: CaseId(inputs.proof.stream.0),
        records: inputs.records.len() as u64,
        log: checkpoint.origin,
        size: checkpoint.size,
        reproduced: built.steps.len() as u64,
        personal_fields: built.fields,
        disclosed: inputs.disclosures.len() as u64,
        files: inputs.files.len() as u64,
        status: built.case.status(),
    })
}

/// Finds by the manifest which file was changed. It proves nothing: a forger writes it anew.
fn digests(members: &Members) -> Result<(), Refused> {
    let manifest: Manifest = serde_json::from_slice(file(members, MANIFEST)?)
        .map_err(|_| Refused::at(MANIFEST, "is not of the form of a dossier"))?;
    if manifest.format != FORMAT {
        return Err(Refused::at(MANIFEST, "is of another form than this program reads"));
    }
    if manifest.software != env!("CARGO_PKG_VERSION") {
        let what = format!(
            "was made by version {}: check it with that version, this is {}",
            manifest.software.chars().filter(char::is_ascii_graphic).take(20).collect::<String>(),
            env!("CARGO_PKG_VERSION")
        );
        return Err(Refused::at(MANIFEST, &what));
    }
    for (name, bytes) in members.iter().filter(|(name, _)| *name != MANIFEST) {
        match manifest.files.get(name) {
            None => return Err(Refused::at(name, "is not in the manifest")),
            Some(said) if *said != digest(bytes) => {
                return Err(Refused::at(name, "was changed: the manifest has another digest"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn file<'m>(members: &'m Members, name: &str) -> Result<&'m [u8], Refused> {
    members.get(name).map(Vec::as_slice).ok_or_else(|| Refused::at(name, "is missing"))
}

fn inputs(members: &Members) -> Result<Inputs, Refused> {
    let checkpoint = String::from_utf8(file(members, CHECKPOINT)?.to_vec())
        .map_err(|_| Refused::at(CHECKPOINT, "is no text"))?;
    let proof: StreamProof = serde_json::from_slice(file(members, PROOF)?)
        .map_err(|_| Refused::at(PROOF, "is not of the form of a proof"))?;
    let disclosures: Vec<Disclosure> = serde_json::from_slice(file(members, DISCLOSURES)?)
        .map_err(|_| Refused::at(DISCLOSURES, "is not of the form of disclosures"))?;
    let lines = file(members, RECORDS)?
        .strip_suffix(b"\n")
        .ok_or_else(|| Refused::at(RECORDS, "does not end with a line's end"))?;
    let records = lines.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let guidance: BTreeMap<String, Vec<u8>> =
        members.iter().filter_map(|(name, bytes)| Some((hash_of(name)?, bytes.clone()))).collect();
    let files: BTreeMap<String, Vec<u8>> =
        members.iter().filter_map(|(name, bytes)| Some((file_of(name)?, bytes.clone()))).collect();
    Ok(Inputs { checkpoint, proof, records, guidance, disclosures, files })
}

/// The checkpoint, if one of the keys signed it. A key bears the name of its log.
fn signed(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, Refused> {
    let origins: BTreeSet<&str> = keys.iter().map(VerifierKey::name).collect();
    let said = note.lines().next().unwrap_or_default();
    if !origins.contains(said) {
        return Err(Refused::at(CHECKPOINT, "is of a log that no given key belongs to"));
    }
    Checkpoint::verify(note, said, keys)
        .map_err(|error| Refused::at(CHECKPOINT, &error.to_string()))
}

/// Every disclosed field is one of the case's and holds these words; they stand in order, once.
fn disclosed(inputs: &Inputs) -> Result<(), Refused> {
    if inputs.disclosures.is_empty() {
        return Ok(());
    }
    let refuse = |what: &str| Err(Refused::at(DISCLOSURES, what));
    let in_order = inputs.disclosures.windows(2).all(|pair| match pair {
        [one, next] => (one.version, &one.path) < (next.version, &next.path),
        _ => true,
    });
    if !in_order {
        return refuse("its fields are not in order, each once");
    }
    let mut left: BTreeMap<(Version, String), &Disclosure> =
        inputs.disclosures.iter().map(|one| ((one.version, one.path.clone()), one)).collect();
    let mut wrong = None;
    for record in read(inputs)? {
        let data = serde_json::to_value(&record.event)
            .map_err(|error| Refused::at(RECORDS, &error.to_string()))?;
        let version = record.envelope.version;
        personal::open(&data, |sealed, path| {
            if let Some(one) = left.remove(&(version, path.to_owned())) {
                let mut salt = [0; SALT_LENGTH];
                let text = serde_json::Value::String(one.words.clone()).to_string();
                let read = hex::decode_to_slice(&one.salt, &mut salt).is_ok();
                if !read || one.salt != hex::encode(salt) || !commits(sealed, &salt, &text) {
                    wrong.get_or_insert((version, path.to_owned()));
                }
            }
            Opened::Withheld(String::new())
        });
    }
    if let Some((version, path)) = wrong {
        return refuse(&format!("{path} of version {version} is not what was sealed there"));
    }
    match left.keys().next() {
        Some((version, _)) => {
            refuse(&format!("version {version} has no such personal field as is disclosed"))
        }
        None => Ok(()),
    }
}

/// What follows from the inputs must be what stands in the file, byte for byte.
fn compare(members: &Members, built: &Built) -> Result<(), Refused> {
    for (name, bytes) in &built.members {
        let there = file(members, name)?;
        if there != bytes.as_slice() {
            let differs = there.iter().zip(bytes).position(|(one, other)| one != other);
            let at = differs.unwrap_or_else(|| there.len().min(bytes.len()));
            let what = format!("byte {at} is not what follows from the records");
            return Err(Refused::at(name, &what));
        }
    }
    match members.keys().find(|name| !built.members.contains_key(*name)) {
        Some(name) => Err(Refused::at(name, "belongs not to this dossier")),
        None => Ok(()),
    }
}
