//! A strict pass over JSON bytes: what serde would swallow is refused here, with its path.
//!
//! Refused: duplicate keys (tagged and flattened types swallow them), floats and exponents,
//! integers beyond ±2^53 (other readers round them without a word), a byte order mark, invalid
//! UTF-8, lone surrogates, and nesting deeper than 32.

mod forms;

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The deepest nesting that is read; commands need five levels.
const MAX_DEPTH: usize = 32;
/// The greatest integer that every reader of JSON keeps exactly (RFC 8259, section 6).
pub(crate) const MAX_INTEGER: u64 = 1 << 53;

/// Bytes are not the JSON that is taken here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Malformed {
    /// Where: a path such as `data.grounds[2]`; empty for the whole.
    pub path: String,
    /// What is wrong, and what is taken instead.
    pub reason: String,
}

impl Malformed {
    /// An error at a path.
    #[must_use]
    pub fn at(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

/// Reads bytes strictly.
pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    if bytes.is_empty() {
        return Err(Malformed::at("", "is empty; expected one JSON object"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Malformed::at("", "starts with a byte order mark; send plain UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Malformed::at("", format!("is not valid UTF-8 at byte {}", error.valid_up_to()))
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let path = std::cell::RefCell::new(Vec::new());
    let value = Strict { path: &path, depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| Malformed::at(render(&path.borrow()), reason(&error)))?;
    Ok(value)
}

/// The parser's own sentence without what it may quote of the input.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if text.starts_with("strict: ") {
        return text.trim_start_matches("strict: ").trim_end_matches(&place).to_owned();
    }
    let what = match error.classify() {
        serde_json::error::Category::Eof => "is not JSON: it ends too early",
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Data => {
            if text.starts_with("recursion limit") {
                "is nested deeper than 32 levels"
            } else if text.starts_with("trailing characters") {
                "is followed by something after the JSON value"
            } else if text.contains("surrogate") {
                "is not JSON: it holds half of a surrogate pair"
            } else {
                "is not JSON"
            }
        }
    };
    format!("{what}{place}")
}

enum Step {
    Key(String),
    Index(usize),
}

fn render(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Index(index) => {
                text.push('[');
                text.push_str(&index.to_string());
                text.push(']');
            }
        }
    }
    text
}

/// Keys are repeated in errors only when they look like field names: a misplaced name or sentence
/// must not travel into a log by way of an error.
fn shown(key: &str) -> String {
    let plain = !key.is_empty()
        && key.len() <= 40
        && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain { key.to_owned() } else { "?".to_owned() }
}

/// Reads a value into a type, with structures as objects and variants as strings; the error says where,
/// and never what stood there.
pub fn typed<T: serde::de::DeserializeOwned>(root: &str, value: Value) -> Result<T, Malformed> {
    serde_path_to_error::deserialize(forms::Forms(value)).map_err(|error| {
        let path = field_path(root, error.path());
        let text = error.into_inner().to_string();
        Malformed::at(known_part(path, &text), expectation(&text))
    })
}

/// The path without a last name that is none of ours: it may be a person's, written where a member's name
/// belongs, and a refusal is repeated in places where none is to stand. The members that are known are told.
fn known_part(path: String, text: &str) -> String {
    let unknown = text.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let Some(unknown) = unknown.map(shown) else { return path };
    match path.strip_suffix(&unknown) {
        Some(place) => place.trim_end_matches('.').to_owned(),
        None => path,
    }
}

/// What is said where a member is none of ours.
const NOT_OURS: &str = "has a member that is not taken; ";

/// What serde expected, without what it quotes of the input.
pub(crate) fn expectation(text: &str) -> String {
    // The last one: what stands before it may be quoted from the input, with these words in it.
    if let Some((_, expected)) = text.rsplit_once(", expected ") {
        let lead = if text.starts_with("unknown field") { NOT_OURS } else { "" };
        return format!("{lead}expected {}", in_json(expected));
    }
    if text.starts_with("UUID parsing failed") {
        return "expected a UUID".to_owned();
    }
    if text.starts_with("unknown field") {
        return format!("{NOT_OURS}none is taken");
    }
    text.to_owned()
}

/// What serde calls by its name in Rust, as who writes JSON in another language would.
fn in_json(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

/// The canonical form: keys sorted by their bytes at every level, no white space.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            // Sorted here, because another crate may switch serde_json's own order on.
            let sorted: std::collections::BTreeMap<_, _> = map.iter().collect();
            for (index, (key, inner)) in sorted.into_iter().enumerate() {
                out.push(if index == 0 { b'{' } else { b',' });
                out.extend_from_slice(Value::String(key.clone()).to_string().as_bytes());
                out.push(b':');
                write_canonical(inner, out);
            }
            if map.is_empty() {
                out.push(b'{');
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_canonical(item, out);
            }
            out.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.extend_from_slice(value.to_string().as_bytes());
        }
    }
}

/// A path of serde's below `root`, with only field names that are plain.
pub(crate) fn field_path(root: &str, path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut steps = vec![Step::Key(root.to_owned())];
    for segment in path {
        match segment {
            Segment::Map { key } => steps.push(Step::Key(shown(key))),
            Segment::Seq { index } => steps.push(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    if root.is_empty() {
        steps.remove(0);
    }
    render(&steps)
}

#[derive(Clone, Copy)]
struct Strict<'p> {
    path: &'p std::cell::RefCell<Vec<Step>>,
    depth: usize,
}

impl Strict<'_> {
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
    /// The path keeps its last step when the value fails, so that the error can name it.
    fn enter(self, step: Step) {
        self.path.borrow_mut().push(step);
    }
    fn leave(self) {
        self.path.borrow_mut().pop();
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without floats and duplicate keys")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER {
            return Err(E::custom(
                "strict: is an integer beyond 2^53, which not every reader of JSON keeps",
            ));
        }
        Ok(Value::from(value))
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER {
            return Err(E::custom(
                "strict: is an integer beyond 2^53, which not every reader of JSON keeps",
            ));
        }
        Ok(Value::from(value))
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("strict: is not a plain integer; floats and exponents are not taken"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut items = Vec::new();
        loop {
            self.enter(Step::Index(items.len()));
            match access.next_element_seed(self.deeper())? {
                Some(item) => items.push(item),
                None => break,
            }
            self.leave();
        }
        self.leave();
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.enter(Step::Key(shown(&key)));
            if map.contains_key(&key) {
                return Err(A::Error::custom("strict: stands twice in one object"));
            }
            let value = access.next_value_seed(self.deeper())?;
            self.leave();
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

impl Strict<'_> {
    fn check_depth<E: serde::de::Error>(self) -> Result<(), E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("strict: is nested deeper than 32 levels"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_members_place_is_not_repeated_and_the_known_ones_are_told() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "it is only read")]
        struct Inner {
            #[serde(default)]
            profile: String,
        }
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "it is only read")]
        struct Outer {
            items: Vec<Inner>,
        }
        for (value, place) in [
            (serde_json::json!({ "maximilian": 1 }), ""),
            (serde_json::json!({ "items": [{ "maximilian": 1 }] }), "items[0]"),
        ] {
            let said = typed::<Outer>("", value).unwrap_err().to_string();
            assert!(!said.contains("maximilian") && said.contains("not taken"), "{said}");
            assert!(said.starts_with(place) && said.contains("expected `"), "{said}");
        }
        let said = typed::<uuid::Uuid>("ticket", "Zelda".into()).unwrap_err().to_string();
        assert_eq!(said, "ticket: expected a UUID");
    }

    fn fault(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn plain_json_passes_unchanged() {
        let text = r#"{"a":[1,-2,{"b":"x"}],"c":null,"d":true,"n":9007199254740992}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_duplicate_key_is_named_with_its_path() {
        assert_eq!(fault(r#"{"data":{"x":1,"x":2}}"#), "data.x: stands twice in one object");
        assert_eq!(fault(r#"{"a":[0,{"k":1,"k":1}]}"#), "a[1].k: stands twice in one object");
    }

    #[test]
    fn numbers_that_readers_would_round_are_refused() {
        assert!(fault(r#"{"n":9007199254740993}"#).starts_with("n: is an integer beyond 2^53"));
        assert!(fault(r#"{"n":-9007199254740993}"#).starts_with("n: is an integer beyond"));
        for number in ["1.0", "1e0", "-0", "18446744073709551616", "1E400"] {
            assert!(parse(format!("[{number}]").as_bytes()).is_err(), "{number}");
        }
    }

    #[test]
    fn what_is_expected_is_said_in_the_words_of_json() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only read into")]
        struct Inner {
            size: u16,
        }
        let said = |value: Value| typed::<Inner>("data", value).unwrap_err().to_string();
        assert_eq!(said(serde_json::json!(5)), "data: expected an object");
        let size = "data.size: expected a whole number from 0 to 65535";
        assert_eq!(said(serde_json::json!({ "size": 70_000 })), size);
        assert_eq!(said(serde_json::json!({ "size": "secret" })), size);
        // Nor is what is quoted of it repeated where it has these words in it.
        assert_eq!(said(serde_json::json!({ "size": "I fled, expected Petrov to come" })), size);
    }

    #[test]
    fn the_canonical_form_knows_no_order_of_keys() {
        let one = parse(br#"{"b":[1,{"y":null,"x":"\u0041"}],"a":{}}"#).unwrap();
        let other = parse(br#"{ "a": {}, "b": [1, {"x": "A", "y": null}] }"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one), br#"{"a":{},"b":[1,{"x":"A","y":null}]}"#);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(fault(&deep).contains("nested deeper than 32"));
        assert!(parse(("[".repeat(32) + &"]".repeat(32)).as_bytes()).is_ok());
    }

    #[test]
    fn bytes_that_are_no_json_are_refused() {
        for bytes in [
            &b""[..],
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"{",
            b"{} {}",
            b"nope",
            b"\"\\ud800\"",
            b"{\"a\":NaN}",
            b"{\"a\":1,}",
        ] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn an_error_never_repeats_a_key_that_is_no_field_name() {
        let text = fault(r#"{"Selam Haile":{"x":1.5}}"#);
        assert!(!text.contains("Selam"), "{text}");
        assert!(text.starts_with("?.x: "), "{text}");
    }
}
