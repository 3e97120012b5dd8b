//! The file that comes beside a command: what the service must find in it before it accepts.

use super::Command;
use crate::token::Sha256Hex;
use crate::{EvidenceId, UploadId};

/// A file that was uploaded for an item of evidence, as its command describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The item.
    pub evidence: EvidenceId,
    /// The object of the inbox.
    pub upload: UploadId,
    /// SHA-256 of its bytes.
    pub sha256: Sha256Hex,
    /// Its size in bytes.
    pub size: u64,
}

impl Command {
    /// The file that comes beside the command, if one does.
    #[must_use]
    pub fn file(&self) -> Option<File> {
        match self {
            Self::Attach(item) => Some(File {
                evidence: item.evidence,
                upload: item.upload?,
                sha256: item.sha256.clone(),
                size: item.size,
            }),
            Self::AttachCountryInfo(info) => Some(File {
                evidence: info.evidence,
                upload: info.upload?,
                sha256: info.sha256.clone(),
                size: info.size,
            }),
            Self::Translate(_)
            | Self::AssessAuthenticity(_)
            | Self::Link(_)
            | Self::Withdraw(_)
            | Self::DiscloseCountryInfo(_)
            | Self::ScheduleInterview(_)
            | Self::RescheduleInterview(_)
            | Self::HoldInterview(_)
            | Self::RecordAbsence(_)
            | Self::ServeTranscript(_)
            | Self::CorrectTranscript(_)
            | Self::FindFact(_)
            | Self::SupersedeFact(_) => None,
        }
    }
}
