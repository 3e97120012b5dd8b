//! Sealing a document chunk by chunk under a person's key, and its name in the store.
//!
//! ```text
//! name   hex HMAC-SHA256(person's key, "tebessa document name" ‖ case ‖ SHA-256 of the document)
//! key    HMAC-SHA256(person's key, "tebessa document key" ‖ case ‖ SHA-256 ‖ salt)
//! chunk  STREAM (BE32) of XChaCha20-Poly1305 under that key, with a nonce prefix of zeros
//! ```
//! Case and digest stand in their text forms, which have one length. The salt is drawn for every
//! sealing, so a key seals one stream only and the prefix needs no randomness of its own. STREAM
//! binds each chunk to its number and the last to being the last: chunks that are swapped, left
//! out or cut off do not open. A name tells nothing without the key, not even to whoever has the
//! document and looks for its digest.

use aead_stream::{NewStream as _, StreamBE32, StreamPrimitive as _};
use case::{CaseId, KeyId};
use chacha20poly1305::XChaCha20Poly1305;
use zeroize::Zeroizing;

use super::secret::{Key, random};
use super::{Error, KeyStore};

const NAME_LABEL: &[u8] = b"tebessa document name";
const KEY_LABEL: &[u8] = b"tebessa document key";

/// The length of a document's salt, in bytes.
pub(crate) const DOCUMENT_SALT: usize = 32;

/// By how many bytes a sealed chunk is longer than the chunk.
pub(crate) const CHUNK_OVERHEAD: usize = 16;

/// Seals or opens the chunks of one document.
pub(crate) struct DocumentCipher {
    stream: StreamBE32<XChaCha20Poly1305>,
}

impl DocumentCipher {
    /// Seals a chunk in its place.
    pub(crate) fn seal(&self, chunk: u32, last: bool, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.stream.encrypt(chunk, last, plaintext).map_err(|_| Error::TooLong)
    }

    /// Opens a chunk in its place; none when it is not what was sealed there.
    pub(crate) fn open(&self, chunk: u32, last: bool, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.stream.decrypt(chunk, last, sealed).ok().map(Zeroizing::new)
    }
}

impl KeyStore {
    /// The name under which a document of a case is kept.
    pub(crate) fn document_name(
        &self,
        key: KeyId,
        case: CaseId,
        sha256: &str,
    ) -> Result<String, Error> {
        let case = case.to_string();
        let parts = [NAME_LABEL, case.as_bytes(), sha256.as_bytes()];
        Ok(hex::encode(self.key(key)?.authenticate(&parts)))
    }

    /// The cipher of a document that is kept, by the salt that stands before it.
    pub(crate) fn document_cipher(
        &self,
        key: KeyId,
        case: CaseId,
        sha256: &str,
        salt: &[u8; DOCUMENT_SALT],
    ) -> Result<DocumentCipher, Error> {
        let case = case.to_string();
        let parts = [KEY_LABEL, case.as_bytes(), sha256.as_bytes(), salt];
        let own = Key::new(self.key(key)?.authenticate(&parts));
        let stream = StreamBE32::from_aead(own.cipher(), &[0; 19].into());
        Ok(DocumentCipher { stream })
    }

    /// The cipher and the salt of a document that is about to be kept.
    pub(crate) fn fresh_document(
        &self,
        key: KeyId,
        case: CaseId,
        sha256: &str,
    ) -> Result<(DocumentCipher, [u8; DOCUMENT_SALT]), Error> {
        let salt = random()?;
        Ok((self.document_cipher(key, case, sha256, &salt)?, salt))
    }
}
