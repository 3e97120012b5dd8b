//! The sealed form of a field and the id of its key.

use uuid::Uuid;

/// A key of the key store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub Uuid);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

/// The sealed form of one field, exactly as it stands in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key that opens the box.
    pub key: KeyId,
    /// Base64 of nonce ‖ XChaCha20-Poly1305 of salt ‖ plaintext ‖ padding.
    pub sealed_box: String,
    /// HMAC-SHA256(salt, plaintext), in hexadecimal.
    pub commit: String,
}
