//! A record's one JSON object, written member by member.
//!
//! Each member's value is written by `serde_json` as a whole, so that what comes out is JSON without
//! being read again, and the places of the writer's values are known from the writing.

use std::ops::Range;

use serde::ser::{Error as _, Impossible, SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::Error;
use uuid::fmt::Hyphenated;

use crate::record::StreamId;

/// A value that the writer puts into a record when its turn comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Hole {
    #[default]
    Version,
    Prev,
    Time,
}

/// The places of the writer's values, counted from the record's first byte and in their order. In the
/// bytes nothing stands there yet; the quotes around two of them do. Behind the longest record none is.
pub(crate) type Holes = [(Hole, u16); 3];

/// Writes one object, a struct or a map, behind what is in `bytes`, and the places of the writer's values
/// into `holes`. The stream goes into `subject`, and `time`, `caseversion` and `prev` are left empty:
/// what the draft has in these is not looked at.
pub(crate) struct ObjectSerializer<'a> {
    stream: StreamId,
    bytes: &'a mut Vec<u8>,
    /// Where the object begins.
    start: usize,
    has_subject: bool,
    holes: &'a mut Holes,
    /// How many of them, from the first on, were come upon.
    found: usize,
    /// Where the name of a map's member stands whose value is awaited, with its quotes.
    key: Range<usize>,
}

impl<'a> ObjectSerializer<'a> {
    pub(crate) fn new(
        stream: StreamId,
        bytes: &'a mut Vec<u8>,
        holes: &'a mut Holes,
    ) -> ObjectSerializer<'a> {
        let start = bytes.len();
        ObjectSerializer { stream, bytes, start, has_subject: false, holes, found: 0, key: 0..0 }
    }

    /// Begins the object: a serializer is asked for one of its methods, once.
    fn begin(&mut self) -> &mut ObjectSerializer<'a> {
        self.bytes.push(b'{');
        self
    }

    fn comma(&mut self) {
        if self.bytes.len() > self.start + 1 {
            self.bytes.push(b',');
        }
    }

    /// Writes a name that is in JSON as it is.
    fn plain_name(&mut self, name: &'static str) {
        self.comma();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    /// Writes the name of the next member; returns where it stands, with its quotes.
    fn name(&mut self, name: &(impl Serialize + ?Sized)) -> Result<Range<usize>, Error> {
        self.comma();
        let from = self.bytes.len();
        serde_json::to_writer(&mut *self.bytes, name)?;
        let name = from..self.bytes.len();
        self.bytes.push(b':');
        Ok(name)
    }

    /// Writes the value of the member that was named last.
    fn value(&mut self, name: Known, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        match name {
            Known::None => return serde_json::to_writer(&mut *self.bytes, value),
            Known::Subject => {
                if std::mem::replace(&mut self.has_subject, true) {
                    return Err(not_once());
                }
                self.bytes.push(b'"');
                let at = self.bytes.len();
                self.bytes.resize(at + Hyphenated::LENGTH, b'0');
                let room = self.bytes.get_mut(at..).unwrap_or_default();
                self.stream.0.hyphenated().encode_lower(room);
                self.bytes.push(b'"');
            }
            Known::Hole(hole) => {
                let text = hole != Hole::Version;
                self.bytes.extend_from_slice(if text { b"\"" } else { b"" });
                // One behind the longest record is as good as any: the record will be refused.
                let place = u16::try_from(self.bytes.len() - self.start).unwrap_or(u16::MAX);
                self.bytes.extend_from_slice(if text { b"\"" } else { b"" });
                let (known, rest) = self.holes.split_at_mut(self.found);
                match rest.first_mut() {
                    Some(next) if known.iter().all(|(known, _)| *known != hole) => {
                        *next = (hole, place);
                        self.found += 1;
                    }
                    _ => return Err(not_once()),
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.bytes.push(b'}');
        if self.has_subject && self.found == self.holes.len() { Ok(()) } else { Err(not_once()) }
    }
}

/// A member by its name.
#[derive(Clone, Copy)]
enum Known {
    Subject,
    Hole(Hole),
    None,
}

impl Known {
    fn of(name: &[u8]) -> Known {
        match name {
            b"subject" => Known::Subject,
            b"time" => Known::Hole(Hole::Time),
            b"caseversion" => Known::Hole(Hole::Version),
            b"prev" => Known::Hole(Hole::Prev),
            _ => Known::None,
        }
    }
}

fn not_once() -> Error {
    Error::custom("it does not have subject, time, caseversion and prev, each once")
}

fn no_object() -> Error {
    Error::custom("it is no JSON object")
}

impl SerializeStruct for &mut ObjectSerializer<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let known = Known::of(key.as_bytes());
        match known {
            Known::None => {
                self.name(key)?;
            }
            Known::Subject | Known::Hole(_) => self.plain_name(key),
        }
        self.value(known, value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeMap for &mut ObjectSerializer<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = self.name(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        // A name in JSON is a string, and nothing else that is JSON ends as one.
        let name = self.bytes.get(self.key.clone()).unwrap_or_default();
        let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\""));
        let known = Known::of(name.ok_or_else(no_object)?);
        self.value(known, value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// Refuses what is no object.
macro_rules! refuse {
    ($($name:ident($($value:ty),*) $(-> $ok:ty)?;)*) => {
        $(refuse!(@one $name($($value),*) $(-> $ok)?);)*
    };
    (@one $name:ident($($value:ty),*)) => {
        refuse!(@one $name($($value),*) -> ());
    };
    (@one $name:ident($($value:ty),*) -> $ok:ty) => {
        fn $name(self, $(_: $value),*) -> Result<$ok, Error> {
            Err(no_object())
        }
    };
}

impl Serializer for &mut ObjectSerializer<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self.begin())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self.begin())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(no_object())
    }

    refuse! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
