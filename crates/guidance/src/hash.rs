//! The name of a guidance file: the SHA-256 of its bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// The SHA-256 of a guidance file's bytes; of a profile's file it fixes the criteria too.
///
/// The text form, and the form in JSON, is `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuidanceHash([u8; 32]);

/// A text that is not `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a guidance hash is `sha256:` and 64 lower-case hexadecimal digits")]
pub struct NotAHash;

impl GuidanceHash {
    /// The hash of a file's bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes the 32 bytes of a hash that was computed before.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for GuidanceHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl std::fmt::Debug for GuidanceHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for GuidanceHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let digits = text.strip_prefix("sha256:").ok_or(NotAHash)?;
        // One text per hash: records compare by bytes.
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(NotAHash);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAHash)?;
        Ok(Self(bytes))
    }
}

impl Serialize for GuidanceHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GuidanceHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{GuidanceHash, NotAHash};

    #[test]
    fn a_hash_has_one_text() {
        let hash = GuidanceHash::of(b"");
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hash.to_string(), text);
        assert_eq!(format!("{hash:?}"), text);
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(GuidanceHash::from_bytes(*hash.as_bytes()), hash);
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<GuidanceHash>(&json).unwrap(), hash);
    }

    #[test]
    fn other_texts_are_refused() {
        let upper = GuidanceHash::of(b"").to_string().replace("e3b0", "E3B0");
        for text in [&upper, "sha256:", "e3b0c442", "", &format!("{}00", GuidanceHash::of(b""))] {
            assert_eq!(text.parse::<GuidanceHash>(), Err(NotAHash), "{text}");
        }
    }
}
