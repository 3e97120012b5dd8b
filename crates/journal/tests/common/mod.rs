//! What the tests share: a draft, a projection and a journal in a temporary directory.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a test may panic")]

pub mod files;
pub mod sim;

use std::path::Path;
use std::sync::Arc;

use journal::{Draft, Journal, OpenReport, Options, Projection, Record, StreamId};
use serde::Serialize;
use uuid::Uuid;

/// A record with some words in it.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    pub subject: StreamId,
    time: (),
    caseversion: (),
    prev: (),
    data: String,
}

impl Draft for Note {
    fn stream(&self) -> StreamId {
        self.subject
    }
}

/// A stream by number.
pub fn stream(number: u128) -> StreamId {
    StreamId(Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))
}

/// A draft for a stream by number.
pub fn note(number: u128, words: &str) -> Note {
    let data = words.to_owned();
    Note { subject: stream(number), time: (), caseversion: (), prev: (), data }
}

/// Counts the records of a stream and keeps the length of the last.
pub struct Counting;

impl Projection for Counting {
    fn version(&self) -> u32 {
        1
    }

    fn project(&self, prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
        let count =
            prior.and_then(<[u8]>::first_chunk).map_or(0, |count| u32::from_le_bytes(*count));
        let mut summary = (count + 1).to_le_bytes().to_vec();
        summary.extend_from_slice(&record.bytes.len().to_le_bytes());
        summary
    }
}

/// Opens a journal with small segments and the counting projection.
pub fn open(directory: &Path) -> Result<(Journal, OpenReport), journal::Error> {
    Journal::open(directory, Options::small(), Arc::new(Counting), &mut |_| {})
}
