//! What can keep the follower from starting, and what can stop it on its way.

use std::path::PathBuf;

/// The follower could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL or the credentials cannot be used. Fix them.
    #[error("the follower cannot connect")]
    Connect(#[source] async_nats::ConnectError),
    /// The follower's directory cannot be made. Look at the disk.
    #[error("{} could not be created", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's own word.
        #[source]
        source: std::io::Error,
    },
}

/// Why the follower leaves its way.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection is gone, or an answer did not come. Wait and look again.
    Away(String),
    /// The stream is not where it was thought to be. Look at it again.
    Moved(String),
    /// The server does not store a record that is next. Tell, wait and look again.
    Refused(String),
    /// The stream holds what the journal does not, or the journal cannot be read.
    Halt(String),
    /// The node stops.
    Stopped,
}

impl Trouble {
    /// An answer of the server, or none, that says nothing about the stream's content.
    pub(super) fn away(action: &str, error: &dyn std::error::Error) -> Self {
        Self::Away(format!("{action}: {}", crate::chain(error)))
    }

    /// An error that says that something must be looked at by a person.
    pub(super) fn halt(what: &str, error: &dyn std::error::Error) -> Self {
        Self::Halt(format!("{what}: {}", crate::chain(error)))
    }
}
