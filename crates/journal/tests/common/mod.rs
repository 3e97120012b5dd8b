//! What the tests share: a draft, a projection and a journal in a temporary directory.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a test may panic")]

pub mod sim;

use std::path::Path;
use std::sync::Arc;

use journal::{
    Draft, EncodeError, Journal, OpenReport, Options, Projection, Record, Slot, StreamId,
};
use uuid::Uuid;

/// A record with some words in it.
#[derive(Debug, Clone)]
pub struct Note {
    pub stream: StreamId,
    pub words: String,
}

impl Draft for Note {
    fn stream(&self) -> StreamId {
        self.stream
    }

    fn encode(&self, slot: &Slot, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        use std::io::Write;
        write!(
            out,
            "{{\"subject\":\"{}\",\"time\":\"{}\",\"caseversion\":{},\"prev\":\"{}\",\"data\":\"{}\"}}",
            self.stream, slot.time, slot.version, slot.prev, self.words
        )
        .map_err(|error| EncodeError(error.to_string()))
    }
}

/// A stream by number.
pub fn stream(number: u128) -> StreamId {
    StreamId(Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))
}

/// A draft for a stream by number.
pub fn note(number: u128, words: &str) -> Box<dyn Draft> {
    Box::new(Note { stream: stream(number), words: words.to_owned() })
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
