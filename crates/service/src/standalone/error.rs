//! Why a node could not start.

use std::path::PathBuf;

use crate::alone::NotAlone;
use crate::erasure::KeysUnsettled;
use crate::nats::{HOW_TO_GET_IN, Server};
use crate::node::OpenError;
use crate::serve::{LEAST_PAYLOAD, ServeError};
use crate::{broker, documents, follower, timers};

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory could not be made. Look at its parent's permissions.
    #[error("the data directory {} could not be made", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The directory has the log of a backup at its top, and would get an empty one of a node beside it:
    /// whatever copies or restores from there would take that one.
    #[error(
        "{} is a backup and no data directory: put it into one by `tebessa journal restore --from`",
        path.display()
    )]
    Backup {
        /// The directory.
        path: PathBuf,
    },
    /// The data could not be opened.
    #[error("the data directory {} could not be opened", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The key store is not as the log needs it; see its own error. Nothing is served before.
    #[error("the key store in {} cannot be used", path.display())]
    Keys {
        /// The data directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeysUnsettled,
    },
    /// The NATS server could not be started.
    #[error("no NATS server")]
    Broker(#[from] broker::Error),
    /// There is no connection. Is the URL right, is the server running, is its certificate believed?
    #[error("no connection to the NATS server at {url} in 30 s")]
    Connect {
        /// Where it was tried.
        url: String,
        /// Why it failed last.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The NATS server takes short messages only. Set its `max_payload`.
    #[error(
        "the NATS server at {url} takes messages of up to {most} bytes; records and answers need \
         {LEAST_PAYLOAD}: set its max_payload to 1MB, as it is by default"
    )]
    SmallMessages {
        /// Where.
        url: String,
        /// Its limit in bytes.
        most: usize,
    },
    /// Another node answers on the NATS server, or starts there. Stop it, or use a server of its own.
    #[error(
        "another node answers on the NATS server at {url} already, or starts there; stop it, or give \
         this one another server: each would answer half of the commands, from its own record"
    )]
    Another {
        /// Where.
        url: String,
    },
    /// A stream of somebody else takes what is sent to the node, or what it answers. Delete it; who may read
    /// it has read what is in it.
    #[error(
        "on the NATS server at {url} {said}: it would answer in the node's place, and keep names and words \
         in plaintext; look who may have read it, {remedy}, and start again"
    )]
    Overheard {
        /// Where.
        url: String,
        /// Which streams, and what they take.
        said: String,
        /// How to be rid of the first.
        remedy: String,
    },
    /// The NATS server took no subscription.
    #[error("the NATS server at {url} takes no subscription")]
    Listen {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The NATS server does not let the node in. Say who it is.
    #[error("the NATS server at {url} does not let this node in; {HOW_TO_GET_IN}")]
    Refused {
        /// Where it was tried.
        url: String,
        /// Why.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The document store could not be opened; see its own error.
    #[error("the documents could not be opened")]
    Documents(#[from] documents::Error),
    /// The follower could not start; see its own error.
    #[error("the follower of the journal could not start")]
    Follower(#[from] follower::Error),
    /// The timers could not start; see their own error.
    #[error("the timers of the deadlines could not start")]
    Timers(#[from] timers::Error),
    /// The services could not be announced.
    #[error("the services could not start")]
    Serve(#[from] ServeError),
}

impl StartError {
    /// Another node is there, or it is not known whether one is.
    pub(super) fn not_alone(error: NotAlone, server: &Server) -> Self {
        let url = server.shown();
        match error {
            NotAlone::Another => Self::Another { url },
            NotAlone::Connect(source) => Self::Connect { url, source },
            NotAlone::Subscribe(source) => Self::Listen { url, source },
        }
    }
}
