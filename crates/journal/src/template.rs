//! A record before it is stamped: its bytes, and the three places where the writer's values go.
//!
//! It is made and checked on the caller's thread, so that the one writer only copies and hashes.

use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::draft::{Draft, EncodeError};
use crate::error::Error;
use crate::record::{LeafHash, MAX_RECORD_BYTES, Slot, StreamId, Version};

/// The length of a time as the writer puts it: RFC 3339 in UTC with microseconds.
pub(crate) const TIME_BYTES: usize = 27;

/// How the placeholders are usually written. Another way of writing the same is accepted too.
const PREV_TEXT: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const TIME_TEXT: &str = "2005-03-18T01:58:31.111111Z";

thread_local! {
    /// A thread's room for the record it encodes, used again and again.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What the writer puts into a record.
#[derive(Clone, Copy)]
enum Value {
    Version,
    Prev,
    Time,
}

/// A record that waits for its stamp. Its bytes stand with those of others, which came with it.
pub(crate) struct Template {
    pub(crate) stream: StreamId,
    /// Where its bytes are.
    place: Range<usize>,
    /// In the order of their places within the record.
    holes: [(Value, Range<u32>); 3],
}

/// The writer's values.
pub(crate) struct Stamp<'a> {
    pub(crate) version: Version,
    pub(crate) prev: LeafHash,
    pub(crate) time: &'a [u8; TIME_BYTES],
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    subject: &'a str,
    #[serde(borrow)]
    caseversion: &'a RawValue,
    prev: &'a str,
    time: &'a str,
}

impl Template {
    /// Has a draft encoded with placeholders, finds them, and adds its bytes to `bytes`.
    pub(crate) fn of(draft: &dyn Draft, bytes: &mut Vec<u8>) -> Result<Template, Error> {
        // Taken, so that a draft which appends while it is encoded finds room of its own.
        let mut scratch = SCRATCH.take();
        let template = Template::encode(draft, &mut scratch, bytes);
        scratch.clear();
        if scratch.capacity() <= 2 * MAX_RECORD_BYTES {
            SCRATCH.set(scratch);
        }
        template
    }

    fn encode(
        draft: &dyn Draft,
        scratch: &mut Vec<u8>,
        bytes: &mut Vec<u8>,
    ) -> Result<Template, Error> {
        let stream = draft.stream();
        let refuse = |source| Error::Encode { stream, source };
        let slot = Slot::placeholder();
        catch_unwind(AssertUnwindSafe(|| draft.encode(&slot, scratch)))
            .unwrap_or_else(|_| Err(EncodeError("encoding panicked".to_owned())))
            .map_err(refuse)?;
        if scratch.len() > MAX_RECORD_BYTES + TIME_BYTES {
            return Err(Error::TooLong { length: scratch.len(), most: MAX_RECORD_BYTES });
        }
        let holes = holes(scratch, stream).map_err(|what| refuse(EncodeError(what.to_owned())))?;
        let start = bytes.len();
        bytes.extend_from_slice(scratch);
        Ok(Template { stream, place: start..bytes.len(), holes })
    }

    /// Appends the record's bytes to `out`; `bytes` are those that it was added to.
    pub(crate) fn stamp(&self, bytes: &[u8], stamp: &Stamp<'_>, out: &mut Vec<u8>) {
        let bytes = bytes.get(self.place.clone()).unwrap_or_default();
        let mut at = 0;
        for (value, place) in &self.holes {
            out.extend_from_slice(bytes.get(at..place.start as usize).unwrap_or_default());
            match value {
                Value::Version => put_number(stamp.version.0, out),
                Value::Prev => put_hex(&stamp.prev, out),
                Value::Time => out.extend_from_slice(stamp.time),
            }
            at = place.end as usize;
        }
        out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    }
}

/// Finds the placeholders, in the order of their places. All of the bytes are checked to be one
/// JSON object; nothing else in them is looked at.
fn holes(bytes: &[u8], stream: StreamId) -> Result<[(Value, Range<u32>); 3], &'static str> {
    let slot = Slot::placeholder();
    // All of it, for what the parser skips it does not look at.
    let text = str::from_utf8(bytes).map_err(|_| "the record is not UTF-8")?;
    let fields: Fields<'_> = serde_json::from_str(text)
        .map_err(|_| "the record is not JSON with subject, caseversion, prev and time")?;
    if uuid::Uuid::try_parse(fields.subject) != Ok(stream.0) {
        return Err("the record's subject is not its stream");
    }
    if fields.caseversion.get().parse() != Ok(slot.version.0) {
        return Err("the record's caseversion is not the stamped one");
    }
    if fields.prev != PREV_TEXT && LeafHash::from_hex(fields.prev) != Some(slot.prev) {
        return Err("the record's prev is not the stamped one");
    }
    if fields.time != TIME_TEXT && fields.time.parse().ok() != Some(slot.time) {
        return Err("the record's time is not the stamped one");
    }
    let place = |part: &str| {
        let start = (part.as_ptr().addr() - bytes.as_ptr().addr()) as u32;
        start..start + part.len() as u32
    };
    let mut holes = [
        (Value::Version, place(fields.caseversion.get())),
        (Value::Prev, place(fields.prev)),
        (Value::Time, place(fields.time)),
    ];
    holes.sort_by_key(|(_, place)| place.start);
    Ok(holes)
}

fn put_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut rest, mut count) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

fn put_hex(hash: &LeafHash, out: &mut Vec<u8>) {
    let mut digits = [0; 64];
    // The room is exactly twice the hash's.
    if hex::encode_to_slice(hash.0, &mut digits).is_ok() {
        out.extend_from_slice(&digits);
    }
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
    use super::*;
    use crate::envelope::Envelope;
    use crate::record::Slot;

    /// Puts its fields in any order.
    struct Shuffled(&'static str);

    impl Draft for Shuffled {
        fn stream(&self) -> StreamId {
            StreamId(uuid::Uuid::from_u128(7))
        }

        fn encode(&self, slot: &Slot, out: &mut Vec<u8>) -> Result<(), EncodeError> {
            let text = self
                .0
                .replace("$s", &self.stream().to_string())
                .replace("$v", &slot.version.to_string())
                .replace("$p", &slot.prev.to_string())
                .replace("$t", &slot.time.to_string());
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }

    fn encoded(draft: &dyn Draft) -> (Template, Vec<u8>) {
        // Behind others, as most are.
        let mut bytes = b"before".to_vec();
        (Template::of(draft, &mut bytes).unwrap(), bytes)
    }

    fn refused(draft: &dyn Draft) -> bool {
        let mut bytes = Vec::new();
        let refused = matches!(Template::of(draft, &mut bytes), Err(Error::Encode { .. }));
        refused && bytes.is_empty()
    }

    #[test]
    fn what_is_stamped_is_what_a_reader_reads() {
        let time: jiff::Timestamp = "2026-11-25T02:48:30.5116Z".parse().unwrap();
        for form in [
            r#"{"subject":"$s","time":"$t","caseversion":$v,"prev":"$p","data":{"time":"$t"}}"#,
            r#"{"prev":"$p","caseversion": $v ,"time":"$t","subject":"$s"}"#,
        ] {
            for version in [1, 9, 10, 99, 123_456_789] {
                let (template, bytes) = encoded(&Shuffled(form));
                let prev = LeafHash([version as u8; 32]);
                let stamp = Stamp { version: Version(version), prev, time: &time_text(time) };
                let mut stamped = Vec::new();
                template.stamp(&bytes, &stamp, &mut stamped);
                let read = Envelope::parse(&stamped).unwrap();
                assert_eq!((read.stream, read.version.0), (template.stream, version));
                assert_eq!((read.prev, read.time), (prev, time));
            }
        }
    }

    #[test]
    fn a_draft_that_ignores_its_slot_is_refused() {
        for form in [
            r#"{"subject":"$s","time":"$t","caseversion":3,"prev":"$p"}"#,
            r#"{"subject":"$s","time":"2024-01-01T00:00:00Z","caseversion":$v,"prev":"$p"}"#,
            r#"{"subject":"$s","time":"$t","caseversion":$v,"prev":"00"}"#,
            r#"{"subject":"x","time":"$t","caseversion":$v,"prev":"$p"}"#,
            r#"{"subject":"$s","time":"$t","caseversion":$v,"prev":"$p""#,
            r#"{"subject":"$s","time":"$t","time":"$t","caseversion":$v,"prev":"$p"}"#,
        ] {
            assert!(refused(&Shuffled(form)), "{form}");
        }
    }

    #[test]
    fn the_texts_of_the_placeholders_are_theirs() {
        let slot = Slot::placeholder();
        assert_eq!((PREV_TEXT, TIME_TEXT), (&*slot.prev.to_string(), &*slot.time.to_string()));
    }

    #[test]
    fn a_time_with_an_offset_is_found_too() {
        let form = r#"{"subject":"$s","time":"2005-03-18T02:58:31.111111+01:00","caseversion":$v,"prev":"$p"}"#;
        encoded(&Shuffled(form));
    }

    /// Encodes another while it is encoded.
    struct Nested(Shuffled, Cell<Vec<u8>>);

    impl Draft for Nested {
        fn stream(&self) -> StreamId {
            self.0.stream()
        }

        fn encode(&self, slot: &Slot, out: &mut Vec<u8>) -> Result<(), EncodeError> {
            self.1.set(encoded(&self.0).1);
            self.0.encode(slot, out)
        }
    }

    #[test]
    fn a_draft_that_appends_while_it_is_encoded_is_not_disturbed() {
        let form = r#"{"subject":"$s","time":"$t","caseversion":$v,"prev":"$p","data":1}"#;
        let nested = Nested(Shuffled(form), Cell::default());
        let outer = encoded(&nested).1;
        assert_eq!(outer, encoded(&Shuffled(form)).1);
        assert_eq!(outer, nested.1.take());
    }

    /// Has a byte in it that is no UTF-8.
    struct Broken(Shuffled);

    impl Draft for Broken {
        fn stream(&self) -> StreamId {
            self.0.stream()
        }

        fn encode(&self, slot: &Slot, out: &mut Vec<u8>) -> Result<(), EncodeError> {
            self.0.encode(slot, out)?;
            let at = out.iter().position(|byte| *byte == b'#').unwrap();
            out[at] = 0xff;
            Ok(())
        }
    }

    #[test]
    fn a_draft_that_is_no_utf_8_is_refused() {
        let form = r##"{"subject":"$s","time":"$t","caseversion":$v,"prev":"$p","data":"#"}"##;
        encoded(&Shuffled(form));
        assert!(refused(&Broken(Shuffled(form))));
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
