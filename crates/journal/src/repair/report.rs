//! What a repair tells: the segments that were replaced, and what proves each restored record.

use std::path::PathBuf;

use serde::Serialize;

use super::{ProvedBy, RepairedCheckpoint};
use crate::record::Position;

/// What a repair did. It is also written, as JSON, beside the files that were kept aside.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RepairReport {
    /// The last position of the log, after it.
    pub last: Position,
    /// The segments that were replaced.
    pub segments: Vec<RepairedSegment>,
    /// The checkpoints that were replaced or put aside.
    pub checkpoints: Vec<RepairedCheckpoint>,
    /// The records that were fetched, in order.
    pub restored: Vec<Restored>,
    /// Where the damaged files and the report are kept; `None` when nothing was damaged.
    pub kept_in: Option<PathBuf>,
}

/// A segment that was replaced.
#[derive(Debug, Clone, Serialize)]
pub struct RepairedSegment {
    /// The file.
    pub file: String,
    /// What was wrong with it first.
    pub what: String,
    /// Where, in bytes.
    pub offset: u64,
    /// How many of its records were still whole.
    pub whole: u64,
    /// How many were fetched.
    pub fetched: u64,
}

/// A record that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Where it stands.
    pub position: Position,
    /// What proves that it is the one that was lost. In JSON its name is `evidence`.
    #[serde(rename = "evidence")]
    pub proved_by: ProvedBy,
}
