//! The read set: what the maker of an assessment, review or decision had before them.
//!
//! A version and the leaf hash of its record fix the whole case up to there, for each record names
//! the leaf of the one before. So whether an item was before the decision-maker is a fact.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Version;
use crate::rejection::{Code, Rejection, refuse};
use crate::state::Case;

/// The leaf hash of a record, RFC 6962: SHA-256 of one zero byte and the record's exact bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub [u8; 32]);

impl Leaf {
    /// Hashes a record's exact bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(bytes);
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaf({self})")
    }
}

impl serde::Serialize for Leaf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Leaf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if lower && hex::decode_to_slice(text.as_bytes(), &mut bytes).is_ok() {
            return Ok(Self(bytes));
        }
        Err(serde::de::Error::custom("expected 64 hexadecimal digits in lower case"))
    }
}

impl schemars::JsonSchema for Leaf {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Leaf")
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

/// The case as somebody was shown it: up to a version, fixed by the leaf hash of its record.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The last version that was shown.
    pub version: Version,
    /// The leaf hash of the record of that version.
    pub leaf: Leaf,
}

/// What was shown: what the command says, checked, or the case as it is.
///
/// Refuses a leaf that is not the case's at that version, and a version before `least`, at which
/// that on which the step rests was not yet there to be shown.
pub(crate) fn shown(
    case: &Case,
    said: Option<Seen>,
    least: Version,
) -> Result<Option<Seen>, Rejection> {
    let Some(seen) = said else { return Ok(case.head()) };
    if case.leaf(seen.version) != Some(seen.leaf) {
        return refuse(
            Code::SeenUnknown,
            format!(
                "seen names a leaf that is not the case's at version {}; read the case again",
                seen.version
            ),
        );
    }
    if seen.version < least {
        return refuse(
            Code::SeenTooOld,
            format!(
                "seen is version {}, but this rests on version {least}: look at the case as it is now",
                seen.version
            ),
        );
    }
    Ok(Some(seen))
}
