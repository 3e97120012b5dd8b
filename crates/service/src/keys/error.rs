//! What can go wrong with the keys.

use std::path::PathBuf;

use super::KeyId;

/// A failure of the key store. No variant carries a key or a word that was sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key was destroyed on purpose: what it sealed is erased. Final.
    #[error("key {key} was destroyed: what it sealed is erased")]
    KeyDestroyed {
        /// The key that is gone.
        key: KeyId,
    },
    /// This store never held the key. Stop: the log and the key store are not of one node, or the
    /// key store was restored from an older copy.
    #[error("key {key} is not in the key store")]
    KeyUnknown {
        /// The key that was asked for.
        key: KeyId,
    },
    /// The key's slot does not hold what was written there. Restore the key store's file from a
    /// copy.
    #[error("the slot of key {key} in the key store is damaged")]
    SlotDamaged {
        /// The key whose slot it is.
        key: KeyId,
    },
    /// The sealed field is not what was sealed, or not in its place: another case, event or field.
    #[error("the sealed field does not open with key {key}: it was changed or moved")]
    Damaged {
        /// The key that the field names.
        key: KeyId,
    },
    /// The node key is missing although keys wrapped by it are there. Restore it; a new one would
    /// open nothing.
    #[error("{} is missing, and the keys beside it cannot be opened without it", .path.display())]
    NodeKeyMissing {
        /// Where the node key was looked for.
        path: PathBuf,
    },
    /// The node key's file cannot be trusted. Fix the file.
    #[error("{} {why}", .path.display())]
    NodeKeyRefused {
        /// The node key's file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The slot file belongs to another node key, or is no slot file. Fix: put the right files
    /// side by side.
    #[error("{} {why}", .path.display())]
    StoreRefused {
        /// The slot file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file system said no. A registration can be tried again; a destruction must be.
    #[error("{} could not be {action}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's own word.
        #[source]
        source: std::io::Error,
    },
    /// No fresh key could be made ready. Try again; look at the disk if it goes on.
    #[error("no fresh key could be made ready")]
    NoFreshKey(#[source] std::sync::Arc<Error>),
    /// The system gave no randomness. Stop: nothing can be sealed safely.
    #[error("the system gave no randomness")]
    Randomness(#[source] getrandom::Error),
    /// A value is too long for the cipher or the associated data: over 4 GiB. A defect.
    #[error("a value is too long to be sealed")]
    TooLong,
}

impl Error {
    pub(super) fn io(
        path: &std::path::Path,
        action: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action, source }
    }
}
