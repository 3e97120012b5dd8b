//! Short coded strings: what may stand legible in a record, checked when it is read.
//!
//! Free words never pass these checks by accident: every token has a narrow alphabet and a short
//! maximum length. Words about a person belong into [`crate::Personal`].

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// A string is not a token of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadToken(pub String);

macro_rules! tokens {
    ($($(#[$meta:meta])* $name:ident, $expected:literal, $pattern:literal, $check:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Reads the token; refuses anything outside its alphabet and length.
            pub fn new(text: &str) -> Result<Self, BadToken> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadToken(concat!("expected ", $expected).to_owned()))
                }
            }

            /// The token's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadToken;
            fn from_str(text: &str) -> Result<Self, BadToken> {
                Self::new(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "pattern": $pattern, "description": $expected
                })
            }
        }
    )*};
}

fn made_of(text: &str, most: usize, allowed: fn(char) -> bool) -> bool {
    !text.is_empty() && text.len() <= most && text.chars().all(allowed)
}

fn hex_digit(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

tokens! {
    /// Who acts: an opaque identifier of the authority's own, never a name.
    ActorId, "1 to 64 ASCII letters, digits, '.', '_' or '-'", "^[A-Za-z0-9._-]{1,64}$",
        |t| made_of(t, 64, |c| c.is_ascii_alphanumeric() || "._-".contains(c));
    /// The legal basis on which somebody acts (I19), such as `APR art. 34(1)`.
    Basis, "1 to 120 ASCII letters, digits, spaces or any of .,;:/()-_+", "^(?=.*[^ ])[A-Za-z0-9 .,;:/()_+-]{1,120}$",
        |t| made_of(t, 120, |c| c.is_ascii_alphanumeric() || " .,;:/()-_+".contains(c)) && !t.trim().is_empty();
    /// What somebody looks at a case for, such as `casework` or `subject-access`; a code of the
    /// authority's own.
    Purpose, "1 to 64 ASCII letters, digits, '.', '_' or '-'", "^[A-Za-z0-9._-]{1,64}$",
        |t| made_of(t, 64, |c| c.is_ascii_alphanumeric() || "._-".contains(c));
    /// A profile of the guidance, such as `EU` or `UK_post2022`.
    ProfileName, "1 to 32 ASCII letters, digits or '_'", "^[A-Za-z0-9_]{1,32}$",
        |t| made_of(t, 32, |c| c.is_ascii_alphanumeric() || c == '_');
    /// A criterion's id, such as `C1.1.a`; whether the guidance has it is checked by the rules.
    Criterion, "a criterion's id such as C1.1.a", "^[A-Z][A-Za-z0-9.]{0,31}$",
        |t| made_of(t, 32, |c| c.is_ascii_alphanumeric() || c == '.') && t.starts_with(|c: char| c.is_ascii_uppercase());
    /// A language as a BCP 47 tag, such as `ti` or `sr-Latn`.
    Language, "a BCP 47 language tag such as ti or sr-Latn", "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$",
        is_language;
    /// A media type (RFC 6838) without parameters, such as `application/pdf`.
    MediaType, "a media type such as application/pdf", "^[a-z0-9.+-]{1,63}/[a-z0-9.+-]{1,63}$",
        |t| t.split_once('/').is_some_and(|(kind, subtype)| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".+-".contains(c);
            made_of(kind, 63, plain) && made_of(subtype, 63, plain)
        });
    /// A file of clocks, by its hash.
    ClocksId, "sha256: and 64 lower-case hexadecimal digits", "^sha256:[0-9a-f]{64}$",
        |t| t.strip_prefix("sha256:").is_some_and(|d| d.len() == 64 && d.chars().all(hex_digit));
    /// A SHA-256 digest as 64 lower-case hexadecimal digits.
    Sha256Hex, "64 lower-case hexadecimal digits", "^[0-9a-f]{64}$",
        |t| t.len() == 64 && t.chars().all(hex_digit);
    /// A reference into a legal text, such as `GIP10 para 17`.
    Pinpoint, "1 to 120 ASCII letters, digits, spaces or any of .,;:/()-_+", "^(?=.*[^ ])[A-Za-z0-9 .,;:/()_+-]{1,120}$",
        |t| made_of(t, 120, |c| c.is_ascii_alphanumeric() || " .,;:/()-_+".contains(c)) && !t.trim().is_empty();
    /// A version of guidance, by the hash of its file.
    GuidanceId, "sha256: and 64 lower-case hexadecimal digits", "^sha256:[0-9a-f]{64}$",
        |t| t.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.chars().all(hex_digit));
    /// The path of a field below a record's `data`, such as `name` or `onus[1].reason`.
    FieldPath, "a field's path such as name or onus[1].reason", "^[a-z_]{1,32}(\\[[0-9]{1,3}\\])?(\\.[a-z_]{1,32}(\\[[0-9]{1,3}\\])?){0,3}$",
        is_field_path;
    /// A number under which another body keeps the case, such as `PA/01234/2026`.
    Reference, "1 to 64 ASCII letters, digits, spaces or any of ./:_-", "^(?! )[A-Za-z0-9 ./:_-]{0,63}[A-Za-z0-9./:_-]$",
        |t| made_of(t, 64, |c| c.is_ascii_alphanumeric() || " ./:_-".contains(c)) && t.trim() == t;
    /// A W3C trace context, carried through unchanged.
    TraceParent, "a W3C traceparent", "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        |t| {
            let lengths: Vec<usize> = t.split('-').map(str::len).collect();
            lengths == [2, 32, 16, 2] && t.chars().all(|c| hex_digit(c) || c == '-')
        };
}

impl ClocksId {
    /// The id of a file of clocks: SHA-256 of its bytes.
    #[must_use]
    pub fn of_file(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(bytes))))
    }
}

impl TraceParent {
    /// Reads a `traceparent` header as W3C Trace Context asks (level 1, 3.2 and 4.3): ids of nothing
    /// but zeros and the version `ff` are invalid, and of a version to come the four parts that are
    /// known are kept, as version 00. None where it is invalid.
    #[must_use]
    pub fn of_header(text: &str) -> Option<Self> {
        let (known, more) = text.trim().split_at_checked(55)?;
        let read = Self::new(known).ok()?;
        let mut parts = known.splitn(2, '-');
        let (version, rest) = (parts.next()?, parts.next()?);
        let may_have_more = version != "00" && more.starts_with('-');
        let nothing = |id: &str| id.bytes().all(|byte| byte == b'0');
        if version == "ff"
            || !(more.is_empty() || may_have_more)
            || rest.split('-').take(2).any(nothing)
        {
            return None;
        }
        if version == "00" { Some(read) } else { Some(Self(format!("00-{rest}"))) }
    }
}

fn is_field_path(text: &str) -> bool {
    let name = |name: &str| made_of(name, 32, |c| c.is_ascii_lowercase() || c == '_');
    let step = |step: &str| match step.split_once('[') {
        None => name(step),
        Some((list, rest)) => {
            let index = rest.strip_suffix(']').unwrap_or_default();
            name(list) && made_of(index, 3, |c| c.is_ascii_digit())
        }
    };
    text.split('.').count() <= 4 && text.split('.').all(step)
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.chars().all(|c| c.is_ascii_alphabetic())
        && text.split('-').count() <= 4
        && parts.all(|part| made_of(part, 8, |c| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_ascii_so_that_no_homoglyph_passes() {
        assert!(ActorId::new("officer-17").is_ok());
        for wrong in ["", "оfficer", "a b", &"x".repeat(65), "a\u{202e}b"] {
            assert!(ActorId::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_language_is_a_tag_and_no_sentence() {
        assert!(Language::new("ti").is_ok() && Language::new("sr-Latn-RS").is_ok());
        for wrong in ["", "x", "he speaks Tigrinya", "en-", "en--GB"] {
            assert!(Language::new(wrong).is_err(), "{wrong:?}");
        }
    }

    /// The trace of the specification's own example.
    #[test]
    fn a_traceparent_is_read_as_the_specification_says() {
        let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let plain = format!("00-{trace}-{parent}-01");
        let read = |text: &str| TraceParent::of_header(text).map(|read| read.to_string());
        assert_eq!(read(&plain).as_deref(), Some(plain.as_str()));
        assert_eq!(read(&format!(" {plain} ")).as_deref(), Some(plain.as_str()));
        assert_eq!(read(&format!("cc-{trace}-{parent}-01")).as_deref(), Some(plain.as_str()));
        assert_eq!(read(&format!("cc-{trace}-{parent}-01-what")).as_deref(), Some(plain.as_str()));
        let zeros = |count: usize| "0".repeat(count);
        for wrong in [
            format!("ff-{trace}-{parent}-01"),
            format!("{plain}-what"),
            format!("cc-{trace}-{parent}-01what"),
            format!("00-{}-{parent}-01", zeros(32)),
            format!("00-{trace}-{}-01", zeros(16)),
            format!("00-{}-{parent}-01", trace.to_uppercase()),
            plain[..54].to_owned(),
            String::new(),
            "é".repeat(40),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_lower_case_and_whole() {
        assert!(Sha256Hex::new(&"0f".repeat(32)).is_ok());
        assert!(Sha256Hex::new(&"0F".repeat(32)).is_err());
        assert!(Sha256Hex::new(&"0f".repeat(31)).is_err());
    }
}
