//! Sealing and opening personal content, and the digest of a command.
//!
//! ```text
//! box     BASE64(nonce 24 ‖ XChaCha20-Poly1305(salt 32 ‖ plaintext ‖ spaces))
//! commit  hex HMAC-SHA256(salt, plaintext)
//! digest  HMAC-SHA256(HMAC-SHA256(person's key, "tebessa digest" ‖ case), bytes)
//! ```
//! The plaintext is a value's JSON text. Spaces pad it to a multiple of 64 bytes, so that the
//! length of a box does not tell a nationality; a JSON text needs no space at its end, so they
//! come off again without a count, and the commitment is over the text without them. The
//! associated data is `tebessa/personal/v1`, the case, the event and the field's path, each as
//! UTF-8 behind its length in four bytes, big end first; ids are in their canonical form.
//!
//! The cipher alone does not bind a box to one key: a forger could make one that opens to two
//! texts under two keys. The commitment, checked at every opening, rules that out.

use super::KeyId;
use super::Sealed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::secret::{hmac_sha256, random};
use super::{Error, KeyStore};

const LABEL: &str = "tebessa/personal/v1";
const DIGEST_LABEL: &[u8] = b"tebessa digest";
const NONCE_LENGTH: usize = 24;
/// The length of a salt in bytes.
pub const SALT_LENGTH: usize = 32;
/// The step of lengths that a box shows, in bytes.
const PADDING_STEP: usize = 64;

impl KeyStore {
    /// Seals the JSON text of one field under a person's key, for one place only: this case, this
    /// event, this field. Sealing the same text again gives another box and another commitment.
    /// Spaces at the end of the text are no part of the value and are not kept.
    pub fn seal(
        &self,
        key: KeyId,
        case: Uuid,
        event: Uuid,
        path: &str,
        plaintext: &str,
    ) -> Result<Sealed, Error> {
        let text = plaintext.trim_end_matches(' ').as_bytes();
        let salt = Zeroizing::new(random::<SALT_LENGTH>()?);
        let nonce: [u8; NONCE_LENGTH] = random()?;

        let padded = text.len().next_multiple_of(PADDING_STEP);
        let mut content = Zeroizing::new(Vec::with_capacity(SALT_LENGTH + padded));
        content.extend_from_slice(salt.as_slice());
        content.extend_from_slice(text);
        content.resize(SALT_LENGTH + padded, b' ');

        let aad = associated(case, event, path)?;
        let payload = Payload { msg: &content, aad: &aad };
        let cipher = self.key(key)?.cipher();
        let sealed = cipher.encrypt(&nonce.into(), payload).map_err(|_| Error::TooLong)?;
        Ok(Sealed {
            key,
            sealed_box: STANDARD.encode([nonce.as_slice(), &sealed].concat()),
            commit: hex::encode(hmac_sha256(&salt, &[text])),
        })
    }

    /// Opens a sealed field in its place and returns the JSON text, which is wiped from memory
    /// when it is dropped. Fails when the key was destroyed or never here, and when anything of
    /// the field, its case, event or path is not what was sealed.
    pub fn open_sealed(
        &self,
        sealed: &Sealed,
        case: Uuid,
        event: Uuid,
        path: &str,
    ) -> Result<Zeroizing<String>, Error> {
        self.disclose(sealed, case, event, path).map(|(_, text)| text)
    }

    /// As [`KeyStore::open_sealed`], and returns the salt too: with it, [`commits`] shows anyone
    /// that the record holds this text, without a key.
    pub fn disclose(
        &self,
        sealed: &Sealed,
        case: Uuid,
        event: Uuid,
        path: &str,
    ) -> Result<(Zeroizing<[u8; SALT_LENGTH]>, Zeroizing<String>), Error> {
        let cipher = self.key(sealed.key)?.cipher();
        let damaged = || Error::Damaged { key: sealed.key };

        let bytes = STANDARD.decode(&sealed.sealed_box).map_err(|_| damaged())?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_LENGTH>().ok_or_else(damaged)?;
        let aad = associated(case, event, path)?;
        let payload = Payload { msg: ciphertext, aad: &aad };
        let content =
            Zeroizing::new(cipher.decrypt(&(*nonce).into(), payload).map_err(|_| damaged())?);
        let (salt, padded) = content.split_first_chunk::<SALT_LENGTH>().ok_or_else(damaged)?;
        let text = std::str::from_utf8(padded).map_err(|_| damaged())?.trim_end_matches(' ');
        if !commits(sealed, salt, text) {
            return Err(damaged());
        }
        Ok((Zeroizing::new(*salt), Zeroizing::new(text.to_owned())))
    }

    /// The digest of a command's bytes under a key that only this person's key and this case
    /// give, so that after an erasure nobody can test a guess of the command against it.
    pub fn digest(&self, key: KeyId, case: Uuid, bytes: &[u8]) -> Result<[u8; 32], Error> {
        let case = case.hyphenated().to_string();
        let case_key =
            Zeroizing::new(self.key(key)?.authenticate(&[DIGEST_LABEL, case.as_bytes()]));
        Ok(hmac_sha256(&case_key, &[bytes]))
    }
}

/// Whether a sealed field holds this JSON text under this salt.
#[must_use]
pub fn commits(sealed: &Sealed, salt: &[u8; SALT_LENGTH], text: &str) -> bool {
    let commit = hex::encode(hmac_sha256(salt, &[text.as_bytes()]));
    bool::from(commit.as_bytes().ct_eq(sealed.commit.as_bytes()))
}

fn associated(case: Uuid, event: Uuid, path: &str) -> Result<Vec<u8>, Error> {
    let case = case.hyphenated().to_string();
    let event = event.hyphenated().to_string();
    let mut aad = Vec::with_capacity(128 + path.len());
    for part in [LABEL, &case, &event, path] {
        let length = u32::try_from(part.len()).map_err(|_| Error::TooLong)?;
        aad.extend_from_slice(&length.to_be_bytes());
        aad.extend_from_slice(part.as_bytes());
    }
    Ok(aad)
}
