//! A record before it is stamped: its bytes, and the three places where the writer's values go.
//!
//! It is made on the caller's thread, so that the one writer only copies and hashes. What the bytes
//! are, [`object`](crate::append::object) answers for: they are not read again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::append::draft::{Draft, EncodeError};
use crate::append::object::{Hole, Holes, ObjectSerializer};
use crate::error::Error;
use crate::record::{LeafHash, MAX_RECORD_BYTES, StreamId, Version};

/// The length of a time as the writer puts it: RFC 3339 in UTC with microseconds.
pub(crate) const TIME_BYTES: usize = 27;
/// The length of a hash as the writer puts it.
const PREV_BYTES: usize = 64;
/// A record before it is stamped lacks at least so much.
const LEAST_STAMP_BYTES: usize = 1 + TIME_BYTES + PREV_BYTES;

/// A record that waits for its stamp. Its bytes stand with those of others, which came with it.
pub(crate) struct Template {
    pub(crate) stream: StreamId,
    /// Where its bytes begin and end.
    start: u32,
    end: u32,
    holes: Holes,
}

/// The writer's values.
pub(crate) struct Stamp<'a> {
    pub(crate) version: Version,
    pub(crate) prev: LeafHash,
    pub(crate) time: &'a [u8; TIME_BYTES],
}

impl Template {
    /// Of a stream, with nothing in it.
    pub(crate) fn new(stream: StreamId) -> Template {
        Template { stream, start: 0, end: 0, holes: Holes::default() }
    }

    /// Has a draft of its stream encoded and adds its bytes to `bytes`, which are less than 4 GiB; where
    /// it is refused, nothing is added.
    ///
    /// It is filled where it stands: a processor that reads what it wrote a moment ago, but in other
    /// pieces, waits until its cache has it.
    pub(crate) fn encode(&mut self, draft: &impl Draft, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let start = bytes.len();
        let encoded = self.encode_behind(start, draft, bytes);
        if encoded.is_err() {
            bytes.truncate(start);
        }
        encoded
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch is a few hundred records of at most 64 KiB"
    )]
    fn encode_behind(
        &mut self,
        start: usize,
        draft: &impl Draft,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (stream, holes) = (self.stream, &mut self.holes);
        let mut object = ObjectSerializer::new(stream, bytes, holes);
        catch_unwind(AssertUnwindSafe(|| draft.serialize(&mut object)))
            .map_err(|_| EncodeError("encoding panicked".to_owned()))
            .and_then(|done| done.map_err(|error| EncodeError(error.to_string())))
            .map_err(|source| Error::Encode { stream, source })?;
        let length = bytes.len() - start + LEAST_STAMP_BYTES;
        if length > MAX_RECORD_BYTES {
            return Err(Error::TooLong { length, most: MAX_RECORD_BYTES });
        }
        (self.start, self.end) = (start as u32, bytes.len() as u32);
        Ok(())
    }

    /// The same where its bytes have been moved behind so many others.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch is a few hundred records of at most 64 KiB"
    )]
    pub(crate) fn behind(self, others: usize) -> Template {
        let others = others as u32;
        Template { start: self.start + others, end: self.end + others, ..self }
    }

    /// Appends the record's bytes to `out`; `bytes` are those that it was added to.
    pub(crate) fn stamp(&self, bytes: &[u8], stamp: &Stamp<'_>, out: &mut Vec<u8>) {
        let bytes = bytes.get(self.start as usize..self.end as usize).unwrap_or_default();
        let mut at = 0;
        for (hole, place) in self.holes {
            let place = usize::from(place);
            out.extend_from_slice(bytes.get(at..place).unwrap_or_default());
            match hole {
                Hole::Version => put_number(stamp.version.0, out),
                Hole::Prev => put_hex(&stamp.prev, out),
                Hole::Time => out.extend_from_slice(stamp.time),
            }
            at = place;
        }
        out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    }
}

fn put_number(number: u64, out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + number.checked_ilog10().unwrap_or(0) as usize + 1, b'0');
    let mut rest = number;
    for digit in out.get_mut(at..).unwrap_or_default().iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

fn put_hex(hash: &LeafHash, out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + PREV_BYTES, b'0');
    // The room is exactly twice the hash's, so there is no error.
    let room = out.get_mut(at..).unwrap_or_default();
    hex::encode_to_slice(hash.0.as_slice(), room).unwrap_or_default();
}

/// A time as it stands in a record.
pub(crate) fn time_text(time: jiff::Timestamp) -> [u8; TIME_BYTES] {
    let mut text = [b'0'; TIME_BYTES];
    let written = format!("{time:.6}");
    for (to, from) in text.iter_mut().zip(written.bytes()) {
        *to = from;
    }
    text
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, Serializer};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::envelope::Envelope;

    const STREAM: StreamId = StreamId(Uuid::from_u128(7));

    /// Writes something for the stream.
    struct Free<T>(T);

    impl<T: Serialize> Serialize for Free<T> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(to)
        }
    }

    impl<T: Serialize> Draft for Free<T> {
        fn stream(&self) -> StreamId {
            STREAM
        }
    }

    /// Members in an order that is not the alphabet's.
    #[derive(Serialize)]
    struct Ordered<T> {
        time: &'static str,
        subject: (),
        data: T,
        prev: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        guidance: Option<u8>,
        caseversion: [u8; 2],
    }

    fn ordered<T>(data: T) -> Free<Ordered<T>> {
        let (time, guidance, caseversion) = ("yesterday", None, [3, 4]);
        Free(Ordered { time, subject: (), data, prev: 5, guidance, caseversion })
    }

    fn stamped(draft: &impl Draft, version: u64) -> Vec<u8> {
        let time = time_text("2026-11-25T02:48:30.5116Z".parse().unwrap());
        // Behind others, as most are.
        let mut bytes = b"before".to_vec();
        let mut template = Template::new(draft.stream());
        template.encode(draft, &mut bytes).unwrap();
        let mut stamped = Vec::new();
        let prev = LeafHash([version as u8; 32]);
        template.stamp(
            &bytes,
            &Stamp { version: Version(version), prev, time: &time },
            &mut stamped,
        );
        stamped
    }

    fn refusal(draft: &impl Draft) -> Error {
        let mut bytes = b"before".to_vec();
        let refusal = Template::new(draft.stream()).encode(draft, &mut bytes).unwrap_err();
        assert_eq!(bytes, b"before", "{refusal}");
        refusal
    }

    fn reason(draft: &impl Draft) -> String {
        let Error::Encode { stream: STREAM, source } = refusal(draft) else { return String::new() };
        source.to_string()
    }

    #[test]
    fn what_is_stamped_is_what_a_reader_reads_whatever_the_draft_has_there() {
        let hidden = json!({ "prev": 1, "time": [{ "caseversion": "\"" }], "subject": {} });
        for version in [1, 9, 10, 99, 123_456_789] {
            let map = json!({
                "subject": "x", "prev": null, "caseversion": 1, "time": 2, "data": hidden
            });
            for record in [stamped(&ordered(&hidden), version), stamped(&Free(&map), version)] {
                let read = Envelope::parse(&record).unwrap();
                assert_eq!((read.stream, read.version), (STREAM, Version(version)));
                assert_eq!(read.prev, LeafHash([version as u8; 32]));
                assert_eq!(read.time, "2026-11-25T02:48:30.5116Z".parse().unwrap());
                let read: Value = serde_json::from_slice(&record).unwrap();
                assert_eq!((read.as_object().unwrap().len(), &read["data"]), (5, &hidden));
            }
        }
    }

    #[test]
    fn members_stand_in_the_order_of_the_draft() {
        let prev = "02".repeat(32);
        assert_eq!(
            String::from_utf8(stamped(&ordered("a\"b"), 2)).unwrap(),
            format!(
                r#"{{"time":"2026-11-25T02:48:30.511600Z","subject":"{STREAM}","data":"a\"b","prev":"{prev}","caseversion":2}}"#
            )
        );
    }

    #[derive(Serialize)]
    struct Twice {
        time: u8,
        #[serde(flatten)]
        all: Value,
    }

    #[test]
    fn what_is_no_object_or_lacks_a_member_or_has_it_twice_is_refused() {
        let missing = json!({ "subject": 1, "prev": 1, "caseversion": 1, "data": { "time": 1 } });
        assert!(reason(&Free(missing)).contains("subject, time, caseversion and prev"));
        let all = json!({ "subject": 1, "prev": 1, "caseversion": 1, "time": 1 });
        stamped(&Free(&all), 1);
        let twice = reason(&Free(Twice { time: 1, all }));
        assert!(twice.contains("each once"), "{twice}");
        let keyed = std::collections::BTreeMap::from([((1, 2), 3)]);
        for reason in [
            reason(&Free("{}")),
            reason(&Free([1])),
            reason(&Free(Some(1))),
            reason(&Free(())),
            reason(&Free(keyed)),
        ] {
            assert!(reason.contains("no JSON object"), "{reason}");
        }
    }

    /// Gives up in the middle, or panics there.
    struct Fails(bool);

    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            assert!(!self.0, "no more");
            Err(serde::ser::Error::custom("no more"))
        }
    }

    #[test]
    fn a_draft_that_fails_or_panics_in_the_middle_leaves_nothing() {
        assert!(reason(&ordered(Fails(false))).contains("no more"));
        assert!(reason(&ordered(Fails(true))).contains("panicked"));
    }

    #[test]
    fn a_draft_is_too_long_when_no_stamp_could_make_it_fit() {
        let rest = stamped(&ordered(""), 1).len();
        let fits = stamped(&ordered("x".repeat(MAX_RECORD_BYTES - rest)), 1);
        assert_eq!(fits.len(), MAX_RECORD_BYTES);
        let long = refusal(&ordered("x".repeat(MAX_RECORD_BYTES - rest + 1)));
        assert!(matches!(long, Error::TooLong { length: 65_536, most: 65_535 }), "{long}");
    }

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 7, 10, 1_234_567, u64::MAX] {
            let mut out = Vec::new();
            put_number(number, &mut out);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }
}
