//! The words of the journal: streams, positions, versions, leaf hashes and records.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::proofs::lanes::{LANES, sha256_each};

/// The most bytes one record may have; more is refused before the append.
pub const MAX_RECORD_BYTES: usize = 65_535;

/// A stream of records that share a consistency boundary. To the system it is a case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct StreamId(pub Uuid);

impl fmt::Display for StreamId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A place in the log: 1, 2, 3 … over all streams, without holes. 0 stands for "before the first".
#[derive(
    Debug,
    Default,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The number of a record within its stream: 1, 2, 3 … 0 stands for "no record yet".
#[derive(
    Debug,
    Default,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The RFC 6962 leaf hash of a record: SHA-256 of one zero byte and the record's exact bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeafHash(pub [u8; 32]);

impl LeafHash {
    /// What the first record of a stream carries as `prev`.
    pub const NONE: LeafHash = LeafHash([0; 32]);

    /// Hashes a record's exact bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> LeafHash {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(bytes);
        LeafHash(hasher.finalize().into())
    }

    /// The same of several records, which takes less time.
    pub(crate) fn of_each(records: [&[u8]; LANES]) -> [LeafHash; LANES] {
        sha256_each(0, records).map(LeafHash)
    }

    /// Reads 64 lowercase hexadecimal digits; anything else is `None`.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<LeafHash> {
        let mut hash = [0; 32];
        if text.len() != 64 {
            return None;
        }
        // Judged at the end: a look at each digit costs more than all of them together.
        let mut seen = 0;
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return None };
            let (high, low) = (digit(*high), digit(*low));
            seen |= high | low;
            *byte = high << 4 | low;
        }
        (seen < 16).then_some(LeafHash(hash))
    }
}

/// The value of a lowercase hexadecimal digit; of anything else it is 16 or more.
fn digit(byte: u8) -> u8 {
    let (number, letter) = (byte.wrapping_sub(b'0'), byte.wrapping_sub(b'a'));
    if number < 10 {
        number
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}

impl fmt::Display for LeafHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        out.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for LeafHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LeafHash({self})")
    }
}

/// What an append that is durable has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Where the record stands in the log.
    pub position: Position,
    /// Its number within its stream.
    pub version: Version,
    /// Its leaf hash.
    pub leaf: LeafHash,
    /// Its time of recording.
    pub time: jiff::Timestamp,
}

/// A record as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands in the log.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its number within the stream.
    pub version: Version,
    /// Its time of recording.
    pub time: jiff::Timestamp,
    /// Its exact bytes: never re-serialised.
    pub bytes: Vec<u8>,
}

impl Record {
    /// The RFC 6962 leaf hash of the bytes.
    #[must_use]
    pub fn leaf(&self) -> LeafHash {
        LeafHash::of(&self.bytes)
    }
}

/// The last durable record of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number within the stream: how many records the stream has.
    pub version: Version,
    /// Where it stands in the log.
    pub position: Position,
    /// Its leaf hash.
    pub leaf: LeafHash,
}

/// What an append expects of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any version: the record goes behind whatever is there.
    Any,
    /// Exactly this version; `Version(0)` means that the stream must not exist yet.
    Exactly(Version),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_from_lowercase_digits_only() {
        let hash = LeafHash(std::array::from_fn(|at| (at * 37) as u8));
        let text = hash.to_string();
        assert_eq!(LeafHash::from_hex(&text), Some(hash));
        for at in 0..text.len() {
            for other in 0..=0x7f_u8 {
                let mut changed = text.clone().into_bytes();
                changed[at] = other;
                let read = LeafHash::from_hex(str::from_utf8(&changed).unwrap());
                let is_digit = other.is_ascii_digit() || (b'a'..=b'f').contains(&other);
                assert_eq!(read.is_some(), is_digit, "{other:#x} at {at}");
                assert_eq!(read == Some(hash), other == text.as_bytes()[at]);
            }
        }
        assert_eq!(LeafHash::from_hex(&text[1..]), None);
    }
}
