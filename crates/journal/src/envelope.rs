//! The head of a record's envelope: the four fields that the journal reads, and no more.

use serde::Deserialize;

use crate::append::template::TIME_BYTES;
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
        EnvelopeReader::default().parse(bytes)
    }
}

/// Reads the heads of records that follow one another: those stamped together have the same time, and
/// that is read once.
#[derive(Default)]
pub(crate) struct EnvelopeReader {
    /// The last time that stood there as the writer puts it.
    time: Option<([u8; TIME_BYTES], jiff::Timestamp)>,
}

impl EnvelopeReader {
    /// The same as [`Envelope::parse`].
    pub(crate) fn parse(&mut self, bytes: &[u8]) -> Result<Envelope, &'static str> {
        // The parser looks at each string by itself where it is not told that all of it is UTF-8.
        // What it skips may be something else: such a record is read the slower way.
        let fields: Fields<'_> = match str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(bytes),
        }
        .map_err(|_| "the record is not JSON with subject, caseversion, prev and time")?;
        let stream = uuid::Uuid::try_parse(fields.subject)
            .map_err(|_| "the record's subject is not a UUID")?;
        let prev = LeafHash::from_hex(fields.prev)
            .ok_or("the record's prev is not 64 hexadecimal digits")?;
        let time = self.time(fields.time).ok_or("the record's time is not a timestamp")?;
        Ok(Envelope { stream: StreamId(stream), version: Version(fields.caseversion), prev, time })
    }

    fn time(&mut self, text: &str) -> Option<jiff::Timestamp> {
        match self.time {
            Some((known, time)) if known == text.as_bytes() => Some(time),
            _ => {
                let time = text.parse().ok()?;
                self.time = text.as_bytes().try_into().ok().map(|text| (text, time));
                Some(time)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_alike_whether_or_not_what_is_skipped_is_utf_8() {
        let text = format!(
            r##"{{"subject":"{}","time":"2026-11-25T02:48:30Z","caseversion":3,"prev":"{}","data":"#"}}"##,
            uuid::Uuid::from_u128(7),
            LeafHash([9; 32]),
        );
        let read = Envelope::parse(text.as_bytes()).unwrap();
        assert_eq!((read.stream.0.as_u128(), read.version), (7, Version(3)));
        let with = |from: &str, to: u8| {
            let mut bytes = text.clone().into_bytes();
            bytes[text.find(from).unwrap()] = to;
            bytes
        };
        assert_eq!(Envelope::parse(&with("#", 0xff)), Ok(read));
        assert!(Envelope::parse(&with("2026", 0xff)).is_err(), "in a field that is read");
        assert!(Envelope::parse(&with("}", 0xff)).is_err(), "outside of strings");
    }

    #[test]
    fn a_reader_reads_each_time_as_it_stands() {
        let record = |time: &str| {
            let (stream, prev) = (uuid::Uuid::from_u128(7), LeafHash([9; 32]));
            format!(r#"{{"subject":"{stream}","time":"{time}","caseversion":3,"prev":"{prev}"}}"#)
        };
        let (early, late) = ("2026-11-25T02:48:30Z", "2026-11-25T02:48:30.000001Z");
        let later = "2026-11-25T02:48:30.000002Z";
        let mut reader = EnvelopeReader::default();
        for time in ["", early, early, late, late, "yesterday", late, later, early, later] {
            let read = reader.parse(record(time).as_bytes()).ok().map(|envelope| envelope.time);
            assert_eq!(read, time.parse().ok(), "{time}");
        }
    }
}
