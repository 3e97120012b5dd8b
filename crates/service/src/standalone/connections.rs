//! A node's connections to NATS: one for commands, one for queries, one for files.
//!
//! The server cuts a connection off for which more than 64 MB wait, and what an account that may only ask
//! sends can be more than that. So it has a connection to itself: commands are read beside it, and their
//! answers do not get lost with it.

use std::time::Duration;

use super::{LEAST_PAYLOAD, StartError};
use crate::nats::{Server, log_event, refused};

/// How long a NATS server that was given by its URL may take to answer.
const NATS_PATIENCE: Duration = Duration::from_secs(30);
/// When it is tried again first; each time twice as long after the time before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How many messages of a service wait until they are taken. The library counts them and not their bytes,
/// and those behind are lost: their senders have no answer. What takes them waits for nothing else (`serve`),
/// so that there is little more than what one turn of the connection reads, up to 8 MB for all services
/// together: some 46,000 short queries, and 28,000 of the shortest commands. A burst of more, sent at once, may
/// lose some; who sends them has no answer and sends them again.
const MOST_UNTAKEN_QUERIES: usize = 65_536;
/// The same for commands. What is taken has a bound in bytes (`serve::lanes`).
const MOST_UNTAKEN_COMMANDS: usize = 32_768;
/// The same for files, of which nothing is subscribed to but the answers of the server: a few at once.
const MOST_UNTAKEN_FILES: usize = 1_024;
/// How long the last answers may take to be sent.
const SEND_PATIENCE: Duration = Duration::from_secs(5);

/// The connections.
pub(super) struct Connections {
    /// For commands.
    pub(super) commands: async_nats::Client,
    /// For the files that come before some of them: what they take must keep no command waiting.
    pub(super) files: async_nats::Client,
    /// For queries.
    pub(super) queries: async_nats::Client,
}

impl Connections {
    /// Connects. A server that is not there yet is tried for a while; one that takes short messages only
    /// is refused.
    pub(super) async fn open(server: &Server) -> Result<Self, StartError> {
        let connections = Self {
            commands: connect(server, "tebessa node", MOST_UNTAKEN_COMMANDS).await?,
            files: connect(server, "tebessa node, files", MOST_UNTAKEN_FILES).await?,
            queries: connect(server, "tebessa node, queries", MOST_UNTAKEN_QUERIES).await?,
        };
        let most = connections.commands.server_info().max_payload;
        if most < LEAST_PAYLOAD {
            return Err(StartError::SmallMessages { url: server.shown(), most });
        }
        Ok(connections)
    }

    /// Sends what is still to be sent, and ends.
    pub(super) async fn close(self) {
        for connection in [self.commands, self.files, self.queries] {
            match tokio::time::timeout(SEND_PATIENCE, connection.flush()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(reason = %crate::chain(&error), "the last answers may not have been sent");
                }
                Err(_) => tracing::warn!("the last answers could not be sent in time"),
            }
        }
    }
}

async fn connect(
    server: &Server,
    name: &str,
    most_untaken: usize,
) -> Result<async_nats::Client, StartError> {
    let deadline = tokio::time::Instant::now() + NATS_PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let options = async_nats::ConnectOptions::new()
            .name(name)
            .ping_interval(Duration::from_secs(10))
            .subscription_capacity(most_untaken)
            .event_callback(|event| async move {
                log_event("node's", &event);
            });
        match server.connect(options).await {
            Ok(client) => return Ok(client),
            Err(source) if refused(&source) => {
                return Err(StartError::Refused { url: server.shown(), source });
            }
            Err(source) if tokio::time::Instant::now() + pause > deadline => {
                return Err(StartError::Connect { url: server.shown(), source });
            }
            Err(error) => {
                if pause == FIRST_PAUSE {
                    let (url, patience_s) = (server.shown(), NATS_PATIENCE.as_secs());
                    tracing::warn!(url, %error, patience_s, "no connection to NATS yet; tried again");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
        }
    }
}
