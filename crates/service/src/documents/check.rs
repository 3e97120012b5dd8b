//! `tebessa.query.evidence-check`: whether a kept file is still the one that the record names.
//!
//! The node reads it, as only the node can: it lies sealed. Nothing of it leaves, so this is no view
//! of the case and stands in no access log.

use case::token::Sha256Hex;
use case::{CaseId, EvidenceId};
use sha2::{Digest as _, Sha256};

use super::Error;
use super::read::{Kept, Reading};
use super::store::parts;
use crate::keys;
use crate::reply::Failure;

/// Asks whether the file of an item of evidence is whole.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FileCheckQuery {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub evidence: EvidenceId,
}

/// What was found of a file.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FileCheckReply {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub evidence: EvidenceId,
    /// SHA-256 of the file, as the record has it.
    pub sha256: Sha256Hex,
    /// The file's size in bytes, as the record has it.
    pub size: u64,
    /// What was found.
    pub found: FileFound,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What became of a kept file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FileFound {
    /// It was read to its end, opens, and has the size and the digest of the record.
    Whole,
    /// It is there, and is not what was kept. Restore it from a copy of the store.
    Damaged,
    /// It is not there. Restore it from a copy of the store.
    Missing,
    /// It was erased with the claimant's key.
    Erased,
}

impl Reading {
    /// Reads a file to its end and compares its digest. Holds one part of it at a time; how many files are
    /// read so at once is for those who ask.
    pub(crate) async fn check(&self, query: &FileCheckQuery) -> Result<FileCheckReply, Failure> {
        let kept = self.kept(query.case, query.evidence).await?;
        let (found, why) = match self.digest(&kept).await {
            Ok(digest) if digest == kept.sha256.as_str() => (FileFound::Whole, None),
            Ok(digest) => (FileFound::Damaged, Some(format!("it has the SHA-256 {digest}"))),
            Err(Error::Damaged { why, .. }) => (FileFound::Damaged, Some(why.to_owned())),
            Err(Error::Missing { .. }) => (FileFound::Missing, None),
            Err(Error::Key(keys::Error::KeyDestroyed { .. })) => (FileFound::Erased, None),
            Err(error) => return Err(error.into()),
        };
        let Kept { sha256, size, .. } = kept;
        Ok(FileCheckReply { case: query.case, evidence: query.evidence, sha256, size, found, why })
    }

    async fn digest(&self, kept: &Kept) -> Result<String, Error> {
        let name = self.name(kept)?;
        self.documents.store.check_length(&name, kept.size).await?;
        let mut digest = Sha256::new();
        for part in 0..parts(kept.size) {
            digest.update(self.read(&name, kept, part).await?);
        }
        Ok(hex::encode(digest.finalize()))
    }
}
