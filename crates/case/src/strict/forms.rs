//! Values in the forms that the schemas say, and in no other that serde would take for them.
//!
//! Serde's derived code reads a structure from a list too, by position, and the name of a variant from
//! an object. Whoever checks a command by its schema refuses both; so does this. A sealed box that was
//! read from a list would carry words in clear past the sealing.

use serde::Deserializer;
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Error as _, IntoDeserializer, Unexpected, Visitor};
use serde_json::{Error, Value};

use crate::date::has_one_form;

/// A value whose structures are objects and whose variants are strings.
pub(super) struct Forms(pub(super) Value);

impl IntoDeserializer<'_, Error> for Forms {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

fn is_no<'de, V: Visitor<'de>>(expected: &str, value: &Value, visitor: &V) -> Error {
    let found = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Unexpected::Other("another value"),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    if expected.is_empty() {
        return Error::invalid_type(found, visitor);
    }
    Error::invalid_type(found, &expected)
}

impl<'de> Deserializer<'de> for Forms {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Forms));
                let read = visitor.visit_seq(&mut items)?;
                items.end().map(|()| read)
            }
            Value::Object(members) => {
                let members = members.into_iter().map(|(key, value)| (key, Forms(value)));
                let mut members = MapDeserializer::new(members);
                let read = visitor.visit_map(&mut members)?;
                members.end().map(|()| read)
            }
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                plain.deserialize_any(visitor)
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_object() {
            return self.deserialize_any(visitor);
        }
        Err(is_no("", &self.0, &visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Value::String(name) = &self.0 else {
            return Err(is_no("a string", &self.0, &visitor));
        };
        visitor.visit_enum(StrDeserializer::<Error>::new(name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == crate::date::NAME && self.0.as_str().is_some_and(|text| !has_one_form(text)) {
            return Err(Error::custom(
                "expected a date, and a time as in RFC 3339 such as 2022-09-21T10:00:00+02:00",
            ));
        }
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use crate::strict::typed;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        DarkRed,
        Blue,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(transparent)]
    struct Inner(u8);

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: String,
        colour: Option<Colour>,
        #[serde(default)]
        parts: Vec<Thing>,
        #[serde(default)]
        by: BTreeMap<String, Colour>,
        inner: Option<Inner>,
    }

    #[test]
    fn what_a_schema_says_is_read() {
        let read: Thing = typed(
            "",
            json!({
                "name": "a", "colour": "dark_red", "parts": [{ "name": "b", "colour": null }],
                "by": { "x": "blue" }, "inner": 7
            }),
        )
        .unwrap();
        assert_eq!((read.colour, read.inner), (Some(Colour::DarkRed), Some(Inner(7))));
        assert_eq!((read.parts[0].name.as_str(), &read.parts[0].colour), ("b", &None));
        assert_eq!(read.by["x"], Colour::Blue);
    }

    #[test]
    fn a_list_is_no_structure_and_an_object_no_variant() {
        for (value, told) in [
            (json!(["a", null, [], {}, null]), "expected an object"),
            (json!({ "name": "a", "parts": [["b"]] }), "parts[0]: expected an object"),
            (json!({ "name": "a", "colour": { "blue": null } }), "colour: expected a string"),
            (json!({ "name": "a", "by": { "x": { "blue": null } } }), "by.x: expected a string"),
            (json!({ "name": "a", "colour": ["blue"] }), "colour: expected a string"),
            (json!("a"), "expected an object"),
        ] {
            let error = typed::<Thing>("", value.clone()).unwrap_err();
            assert_eq!(error.to_string(), told, "{value}");
        }
    }
}
