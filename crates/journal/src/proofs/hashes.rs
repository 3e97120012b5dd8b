//! Lists of hashes in JSON: base64, as checkpoints write their roots.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

pub(crate) fn serialize<S: Serializer>(hashes: &[[u8; 32]], to: S) -> Result<S::Ok, S::Error> {
    let texts: Vec<String> = hashes.iter().map(|hash| STANDARD.encode(hash)).collect();
    texts.serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<[u8; 32]>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let read = |text: &String| STANDARD.decode(text).ok()?.try_into().ok();
    let hashes: Option<Vec<_>> = texts.iter().map(read).collect();
    hashes.ok_or_else(|| D::Error::custom("a hash is not 32 bytes in base64"))
}
