//! What can go wrong with documents.

use std::path::PathBuf;

use crate::keys;
use crate::reply::Failure;

/// A failure of the document store. No variant carries anything of a document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place that was given for documents cannot be used. Fix the setting.
    #[error("documents cannot be kept at {place}: {why}")]
    Place {
        /// What was given, without credentials.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// The store said no: disk, network or permissions. Try again, or look at the store.
    #[error("the document store could not be {action}")]
    Store {
        /// What was tried.
        action: &'static str,
        /// The store's own word.
        #[source]
        source: object_store::Error,
    },
    /// A slip of a document under way could not be written or read. Look at the disk.
    #[error("{} could not be {action}", .path.display())]
    Slip {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's own word.
        #[source]
        source: std::io::Error,
    },
    /// A kept document is not what was sealed. Restore it from a copy of the store.
    #[error("the document {name} is damaged: {why}")]
    Damaged {
        /// Its name in the store.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The document is not in the store although the record says so. Restore it from a copy.
    #[error("the document {name} is missing in the store")]
    Missing {
        /// Its name in the store.
        name: String,
    },
    /// The key; erased documents end here.
    #[error(transparent)]
    Key(#[from] keys::Error),
}

impl Error {
    pub(super) fn store(action: &'static str) -> impl FnOnce(object_store::Error) -> Self {
        move |source| Self::Store { action, source }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Key(keys::Error::KeyDestroyed { .. }) = error {
            return Self::not_found("the document was erased with the claimant's key");
        }
        Self::because(&error)
    }
}
