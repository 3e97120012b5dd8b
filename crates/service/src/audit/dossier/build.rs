//! What follows from the inputs of a dossier: the same for who makes it and for who checks it.

use std::collections::{BTreeMap, BTreeSet};

use case::card::{Card, cards};
use case::replay::{Replay, Shelf, Step, Verdict};
use case::{Case, Event, Recorded, Version, assessment, strict};
use guidance::{GuidanceHash, Library};
use journal::Checkpoint;
use sha2::{Digest as _, Sha256};

use super::archive::{Members, file_name, guidance_name};
use super::check::Refused;
use super::{
    CHECKPOINT, DERIVED, DISCLOSURES, EVIDENCE, FORMAT, Inputs, MANIFEST, PAGE, PROOF, RECORDS,
};
use crate::audit::page::{Words, dossier_page};
use crate::personal::{self, Opened};

/// What stands in the manifest.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: String,
    /// The version of the software whose words the page is in.
    pub(super) software: String,
    pub(super) engine: String,
    pub(super) case: case::CaseId,
    pub(super) log: String,
    pub(super) size: u64,
    pub(super) root: String,
    pub(super) records: u64,
    pub(super) personal_fields: u64,
    pub(super) disclosed: u64,
    /// SHA-256 of every other file.
    pub(super) files: BTreeMap<String, String>,
}

#[derive(serde::Serialize)]
struct Derived {
    /// What the replay of every step gave.
    replay: Vec<Step>,
    /// The decisions with findings, read sets and derivations.
    decisions: Vec<Card>,
}

/// The inputs, read and derived from.
pub(super) struct Built {
    pub(super) members: Members,
    pub(super) steps: Vec<Step>,
    pub(super) case: Case,
    pub(super) fields: u64,
}

/// Makes every file of the dossier.
pub(super) fn build(inputs: &Inputs, checkpoint: &Checkpoint) -> Result<Built, Refused> {
    let records = read(inputs)?;
    let libraries = libraries(inputs, &records)?;
    let known = Shelf(&libraries);
    let mut replay = Replay::default();
    let steps: Vec<Step> = records.iter().filter_map(|record| replay.take(record, known)).collect();
    let cards = cards(&records, known);
    let fields = fields(&records)?;
    let total: u64 = fields.values().map(|fields| fields.len() as u64).sum();
    let words: Words = inputs
        .disclosures
        .iter()
        .map(|one| ((one.version, one.path.clone()), one.words.clone()))
        .collect();
    let Some(case) = replay.case.id else {
        return Err(Refused::at(RECORDS, "there is no record"));
    };
    evidence_files(inputs, &replay.case)?;
    let mut facts = vec![
        ("Log", checkpoint.origin.clone()),
        (
            "Signed with",
            format!("{} records, root {}", checkpoint.size, hex::encode(checkpoint.root)),
        ),
        ("Records", format!("{}, all that the case had then", records.len())),
        ("Personal fields", format!("{} of {total} disclosed", inputs.disclosures.len())),
        ("Replay", replayed(&steps)),
    ];
    if !inputs.files.is_empty() {
        let names: Vec<String> = inputs.files.keys().map(|sha256| file_name(sha256)).collect();
        facts.push(("Files of evidence", names.join(", ")));
    }
    let page = dossier_page(&cards, &records, &fields, &words, &facts);
    let mut members = Members::new();
    members.insert(CHECKPOINT.to_owned(), inputs.checkpoint.clone().into_bytes());
    members.insert(PROOF.to_owned(), json(&inputs.proof)?);
    members.insert(RECORDS.to_owned(), lines(&inputs.records));
    members.insert(DISCLOSURES.to_owned(), json(&inputs.disclosures)?);
    members.insert(EVIDENCE.to_owned(), json(&replay.case.evidence.items)?);
    members.insert(DERIVED.to_owned(), json(&Derived { replay: steps.clone(), decisions: cards })?);
    members.insert(PAGE.to_owned(), page.into_bytes());
    for (hash, bytes) in &inputs.guidance {
        members.insert(guidance_name(hash), bytes.clone());
    }
    for (sha256, bytes) in &inputs.files {
        members.insert(file_name(sha256), bytes.clone());
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        engine: guidance::ENGINE_VERSION.to_owned(),
        case,
        log: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: hex::encode(checkpoint.root),
        records: records.len() as u64,
        personal_fields: total,
        disclosed: inputs.disclosures.len() as u64,
        files: members.iter().map(|(name, bytes)| (name.clone(), digest(bytes))).collect(),
    };
    members.insert(MANIFEST.to_owned(), json(&manifest)?);
    Ok(Built { members, steps, case: replay.case, fields: total })
}

/// Every file is of an item of the case's evidence and has the digest that the record has.
fn evidence_files(inputs: &Inputs, case: &Case) -> Result<(), Refused> {
    for (sha256, bytes) in &inputs.files {
        let items = &case.evidence.items;
        if !items.values().any(|item| item.sha256.as_str() == sha256) {
            return Err(Refused::at(&file_name(sha256), "is of no evidence of the case"));
        }
        if digest(bytes) != *sha256 {
            let what = "is not the file whose digest the record has";
            return Err(Refused::at(&file_name(sha256), what));
        }
    }
    Ok(())
}

fn replayed(steps: &[Step]) -> String {
    let same = steps.iter().filter(|step| step.verdict == Verdict::Reproduced).count();
    format!("{same} of {} steps reproduced", steps.len())
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Refused> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| Refused::whole(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn lines(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        bytes.extend_from_slice(record);
        bytes.push(b'\n');
    }
    bytes
}

/// Reads the records strictly.
pub(super) fn read(inputs: &Inputs) -> Result<Vec<Recorded>, Refused> {
    let positions = inputs.proof.positions.iter();
    let mut records = Vec::with_capacity(inputs.records.len());
    for (bytes, position) in inputs.records.iter().zip(positions) {
        let wrong =
            |what: String| Refused::at(RECORDS, &format!("record {}: {what}", records.len() + 1));
        strict::parse(bytes).map_err(|error| wrong(error.to_string()))?;
        let record =
            Recorded::decode(bytes, position.0).map_err(|error| wrong(error.to_string()))?;
        records.push(record);
    }
    Ok(records)
}

/// The hashes of the guidance that the records name.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other event names guidance")]
pub(super) fn named(records: &[Recorded]) -> BTreeSet<&str> {
    let completed = records.iter().filter_map(|record| match &record.event {
        Event::Assessment(assessment::Event::AssessmentCompleted(event)) => {
            Some(event.guidance.as_str())
        }
        _ => None,
    });
    completed.collect()
}

/// The guidance that the records name, from the files of the dossier and no others.
fn libraries(inputs: &Inputs, records: &[Recorded]) -> Result<Vec<Library>, Refused> {
    let named = named(records);
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut libraries = Vec::new();
    for (hash, bytes) in &inputs.guidance {
        if GuidanceHash::of(bytes).to_string() != *hash {
            return Err(Refused::at(&guidance_name(hash), "is not the file of its hash"));
        }
    }
    let criteria = || inputs.guidance.iter().filter(|(hash, _)| !named.contains(hash.as_str()));
    for hash in &named {
        let wrong = |what: &str| Refused::at(&guidance_name(hash), what);
        let itself = inputs.guidance.get_key_value(*hash).ok_or_else(|| {
            wrong("is named by an assessment and missing; nothing can be derived without it")
        })?;
        let files = criteria().chain([itself]).map(own).collect::<Vec<_>>();
        let library = Library::from_files(files).map_err(|faults| {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            wrong(&format!("cannot be used: {first}"))
        })?;
        used.insert((*hash).to_owned());
        used.extend(library.all().map(|guidance| guidance.criteria_hash().to_string()));
        libraries.push(library);
    }
    if let Some(more) = inputs.guidance.keys().find(|hash| !used.contains(*hash)) {
        return Err(Refused::at(&guidance_name(more), "is used by no assessment of the case"));
    }
    Ok(libraries)
}

fn own((hash, bytes): (&String, &Vec<u8>)) -> (String, Vec<u8>) {
    (guidance_name(hash), bytes.clone())
}

/// The paths of the personal fields of every event.
pub(super) fn fields(records: &[Recorded]) -> Result<BTreeMap<Version, Vec<String>>, Refused> {
    let mut fields = BTreeMap::new();
    for record in records {
        let data = serde_json::to_value(&record.event)
            .map_err(|error| Refused::at(RECORDS, &error.to_string()))?;
        let found = personal::open(&data, |_, _| Opened::Withheld(String::new()));
        if !found.is_empty() {
            fields.insert(record.envelope.version, found.into_keys().collect());
        }
    }
    Ok(fields)
}
