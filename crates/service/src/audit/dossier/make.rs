//! The making of a dossier from a log, a checkpoint of it, and guidance files.

use std::collections::BTreeMap;

use case::replay::{Missing, Shelf};
use case::{CaseId, Event, Recorded, assessment};
use guidance::{GuidanceHash, Library};
use journal::{Checkpoint, Reader, StreamId, Version};

use super::archive::pack;
use super::build::build;
use super::check::Refused;
use super::{Disclosure, Inputs, MOST_BYTES};
use crate::audit::AuditError;

/// Why a dossier could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DossierError {
    /// The log could not be read, or has no such case.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Guidance is missing. Supply its file.
    #[error("{}", .0.sentence())]
    Missing(Missing),
    /// What would be made does not hold. Verify the log.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// With its files of evidence it would be longer than a dossier may be.
    #[error(
        "the dossier would have {0} bytes and may have {MOST_BYTES}; ask for fewer files, and hand \
         over the others as `tebessa evidence get` writes them: their digests are in it"
    )]
    TooLong(u64),
    /// The archive could not be packed.
    #[error("the archive could not be packed")]
    Pack(#[from] std::io::Error),
}

impl From<journal::Error> for DossierError {
    fn from(error: journal::Error) -> Self {
        Self::Audit(error.into())
    }
}

/// From what a dossier is made, beside the log.
pub struct Materials<'a> {
    /// The signed checkpoint.
    pub note: String,
    /// What it says. That the note says so is for the caller to have verified.
    pub checkpoint: &'a Checkpoint,
    /// All guidance files that are at hand; those are taken that the case names.
    pub files: &'a [Vec<u8>],
    /// The same, read: of a library each.
    pub libraries: &'a [Library],
    /// The files of evidence that go with it, by their SHA-256.
    pub evidence: BTreeMap<String, Vec<u8>>,
}

/// Makes the dossier of a case at a checkpoint. `disclose` gives what is disclosed of the records.
pub fn make<E: From<DossierError>>(
    reader: &Reader,
    case: CaseId,
    materials: Materials<'_>,
    disclose: impl FnOnce(&[Recorded]) -> Result<Vec<Disclosure>, E>,
) -> Result<Vec<u8>, E> {
    let Materials { note, checkpoint, files, libraries, evidence } = materials;
    let made = |error: journal::Error| E::from(error.into());
    let stream = StreamId(case.0);
    let there = reader.read_stream(stream, None).map_err(made)?;
    if there.first().is_none_or(|record| record.position.0 > checkpoint.size) {
        return Err(DossierError::from(AuditError::UnknownCase(case)).into());
    }
    let proof = reader.prove_stream(stream, checkpoint).map_err(made)?;
    let last = Version(proof.positions.len() as u64);
    let mut records = Vec::new();
    let mut recorded = Vec::new();
    for record in there.into_iter().filter(|record| record.version <= last) {
        let after = case::Version(record.version.0 - 1);
        recorded.push(crate::audit::next(&record, after).map_err(DossierError::from)?);
        records.push(record.bytes);
    }
    if recorded.iter().any(|record| matches!(record.event, Event::Register(_))) {
        return Err(DossierError::from(AuditError::IsRegister(case)).into());
    }
    let guidance = wanted(&recorded, files, Shelf(libraries))?;
    let mut disclosures = disclose(&recorded)?;
    disclosures.sort();
    let files = evidence;
    let inputs = Inputs { checkpoint: note, proof, records, guidance, disclosures, files };
    let built = build(&inputs, checkpoint).map_err(DossierError::from)?;
    let packed = pack(&built.members).map_err(DossierError::from)?;
    if packed.len() as u64 > MOST_BYTES {
        return Err(DossierError::TooLong(packed.len() as u64).into());
    }
    Ok(packed)
}

/// The guidance files that the case names, and the criteria that they pin.
fn wanted(
    records: &[Recorded],
    files: &[Vec<u8>],
    known: Shelf<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, DossierError> {
    let by_hash: BTreeMap<String, &Vec<u8>> =
        files.iter().map(|bytes| (GuidanceHash::of(bytes).to_string(), bytes)).collect();
    let mut wanted = BTreeMap::new();
    for record in records {
        let Event::Assessment(assessment::Event::AssessmentCompleted(event)) = &record.event else {
            continue;
        };
        let criteria = known.find(&event.guidance).map(|found| found.criteria_hash().to_string());
        for hash in [Some(event.guidance.clone()), criteria] {
            let found = hash.and_then(|hash| Some((by_hash.get(&hash).copied()?.clone(), hash)));
            let Some((bytes, hash)) = found else {
                let (hash, profile) = (event.guidance.clone(), event.profile.clone());
                return Err(DossierError::Missing(Missing::Guidance { hash, profile }));
            };
            wanted.insert(hash, bytes);
        }
    }
    Ok(wanted)
}
