//! The logs of a data directory.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::access::access_dir;
use crate::node::{journal_dir, keys_dir};

/// Which log. Each is signed by a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// The record of the cases.
    Cases,
    /// Who viewed which case: the access log.
    Access,
}

impl Log {
    /// Its directory within a data directory.
    #[must_use]
    pub fn directory(self, data: &Path) -> PathBuf {
        match self {
            Self::Cases => journal_dir(data),
            Self::Access => access_dir(data),
        }
    }

    /// The directory of the keys that sign it.
    #[must_use]
    pub fn keys(self, data: &Path) -> PathBuf {
        match self {
            Self::Cases => keys_dir(data),
            Self::Access => keys_dir(data).join("access"),
        }
    }

    /// Its origin: a name of its own, which its keys bear too.
    #[must_use]
    pub fn origin(self, id: Uuid) -> String {
        match self {
            Self::Cases => format!("tebessa/log/{id}"),
            Self::Access => format!("tebessa/access/{id}"),
        }
    }
}
