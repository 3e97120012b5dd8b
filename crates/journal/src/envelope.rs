//! The head of a record's envelope: the four fields that the journal reads, and no more.

use serde::Deserialize;

use crate::record::{LeafHash, StreamId, Version};

/// What the journal knows of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// The record's stream, from `subject`.
    pub stream: StreamId,
    /// Its number in the stream, from `caseversion`.
    pub version: Version,
    /// The leaf hash of the record before it in the stream, from `prev`.
    pub prev: LeafHash,
    /// Its time of recording, from `time`.
    pub time: jiff::Timestamp,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    subject: &'a str,
    caseversion: u64,
    prev: &'a str,
    time: &'a str,
}

impl Envelope {
    /// Reads the head of a record's bytes; an error is a short reason without any content.
    ///
    /// All of the bytes are checked to be one JSON value, but nothing else in them is looked at.
    pub fn parse(bytes: &[u8]) -> Result<Envelope, &'static str> {
        let fields: Fields<'_> = serde_json::from_slice(bytes)
            .map_err(|_| "the record is not JSON with subject, caseversion, prev and time")?;
        let stream = uuid::Uuid::try_parse(fields.subject)
            .map_err(|_| "the record's subject is not a UUID")?;
        let prev = LeafHash::from_hex(fields.prev)
            .ok_or("the record's prev is not 64 hexadecimal digits")?;
        let time = fields.time.parse().map_err(|_| "the record's time is not a timestamp")?;
        Ok(Envelope { stream: StreamId(stream), version: Version(fields.caseversion), prev, time })
    }
}
