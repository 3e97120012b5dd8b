//! Identifiers: opaque, typed, and written in the one canonical form of RFC 9562.

use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;

/// A text is no UUID in canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID in lower case with hyphens, and not the nil UUID")]
pub struct BadId;

/// Reads a UUID; refuses upper case, braces, missing hyphens and the nil UUID, so that one id has
/// one spelling in subjects, records and digests.
fn parse_uuid(text: &str) -> Result<Uuid, BadId> {
    let id = Uuid::try_parse(text).map_err(|_| BadId)?;
    let mut canonical = Uuid::encode_buffer();
    if id.is_nil() || id.hyphenated().encode_lower(&mut canonical) != text {
        return Err(BadId);
    }
    Ok(id)
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                parse_uuid(text).map(Self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                parse_uuid(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "format": "uuid",
                    "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
                    "not": { "const": "00000000-0000-0000-0000-000000000000" }
                })
            }
        }
    )*};
}

ids! {
    /// A case. `UUIDv4`, so that it says nothing about the moment of the claim.
    CaseId;
    /// A command, chosen by its sender; the same id is the same command for ever (I22).
    CommandId;
    /// An event. `UUIDv7`, chosen by the service that asks for the decision.
    EventId;
    /// An item of evidence or of country information within a case.
    EvidenceId;
    /// An object of the inbox that holds a file until its command comes; its name there.
    UploadId;
    /// An appeal within a case.
    AppealId;
    /// A person, to whom cases refer. The authority's register says which ids are one person.
    PersonId;
    /// A merge of persons in the register.
    MergeId;
    /// An interview within a case.
    InterviewId;
    /// A transfer to another state within a case.
    TransferId;
    /// A deadline within a case.
    DeadlineId;
    /// A removal bar within a case.
    BarId;
    /// A hearing within a case.
    HearingId;
    /// A further submission within a case.
    SubmissionId;
    /// A key of the key store.
    KeyId;
    /// A thread through several cases and authorities, from intake to tribunal.
    CorrelationId;
    /// The event or command that caused a command.
    CausationId;
}

/// The number of an event within its case: 1, 2, 3 … without holes; 0 before the first.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let right = "0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11";
        assert!(right.parse::<CaseId>().is_ok());
        for wrong in [
            "0B9F4CE8-2C1E-4A7E-9F0A-3F1F6F0F7A11",
            "{0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11}",
            "0b9f4ce82c1e4a7e9f0a3f1f6f0f7a11",
            "00000000-0000-0000-0000-000000000000",
            "../etc/passwd",
        ] {
            assert_eq!(wrong.parse::<CaseId>(), Err(BadId), "{wrong}");
        }
    }
}
