//! The key store: one random key per person, outside the log, so that a person can be erased.
//!
//! Personal content stands in the log only sealed ([`KeyStore::seal`]); its key stands here,
//! wrapped by the node key. Destroying the key erases every field that was sealed with it, in the
//! log, in the stream's copy and in backups of both, while hashes, chain and proofs go on holding.
//!
//! In scope: keys, their file, sealing and opening. Out of scope: what is personal (`case` knows),
//! who may ask for an erasure, and other sources of the node key.
//!
//! *Invariant:* a key is on disk, synced, before anyone is told its id.
//! *Invariant:* a key is handed out at most once in its life, unless it was given back unused.
//! *Invariant:* nothing here prints a key or an opened word.

mod document;
mod error;
mod list;
mod node_key;
mod personal;
mod pool;
mod secret;
mod slots;
mod store;
#[cfg(test)]
mod tests;

pub use case::{KeyId, Sealed};
pub(crate) use document::{CHUNK_OVERHEAD, DOCUMENT_SALT, DocumentCipher};
pub use error::Error;
pub use list::KeyList;
pub use personal::{SALT_LENGTH, commits};
pub use store::KeyStore;
