//! A secret key of 32 bytes that is wiped from memory when it is dropped.

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Error;

/// The length of every key here, in bytes.
pub(super) const KEY_LENGTH: usize = 32;

/// HMAC's block for SHA-256, in bytes: a shorter key is padded to it with zeros (RFC 2104).
const HMAC_BLOCK: usize = 64;

/// A key. It cannot be printed, cloned or compared, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Key([u8; KEY_LENGTH]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    pub(super) fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    pub(super) fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    /// HMAC-SHA256 under this key over the parts one after the other.
    pub(super) fn authenticate(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(&self.0, parts)
    }
}

/// HMAC-SHA256 with a key of 32 bytes.
pub(super) fn hmac_sha256(key: &[u8; KEY_LENGTH], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = zeroize::Zeroizing::new([0; HMAC_BLOCK]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&(*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Random bytes from the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
    Ok(bytes)
}
