//! The logs of a data directory.

use std::path::{Path, PathBuf};
use std::{fs, io};

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

    /// The directory of the keys that sign the log with this id.
    #[must_use]
    pub fn keys(self, data: &Path, id: Uuid) -> PathBuf {
        match self {
            Self::Cases => keys_dir(data),
            Self::Access => access_keys(data).join(id.to_string()),
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

fn access_keys(data: &Path) -> PathBuf {
    keys_dir(data).join("access")
}

/// The access logs that had keys in a data directory before the one with this id: their views are
/// elsewhere, or were taken away.
pub fn earlier_access_logs(data: &Path, id: Uuid) -> io::Result<Vec<Uuid>> {
    let entries = match fs::read_dir(access_keys(data)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut earlier = Vec::new();
    for entry in entries {
        let other = entry?.file_name().to_str().and_then(|name| Uuid::parse_str(name).ok());
        earlier.extend(other.filter(|other| *other != id));
    }
    earlier.sort_unstable();
    Ok(earlier)
}
