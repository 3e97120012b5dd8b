//! A node's connections to NATS: one for commands, one for queries, one for files.
//!
//! The server cuts a connection off for which more than 64 MB wait, and what an account that may only ask
//! sends can be more than that. So it has a connection to itself: commands are read beside it, and their
//! answers do not get lost with it.

use std::time::Duration;

use super::StartError;
use crate::nats::{Connector, Cuts, LastingLine, Line, Server, refused};
use crate::serve::{LEAST_PAYLOAD, Side};

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

/// How the connection for files is made.
pub(super) fn for_files(server: &Server, cuts: &Cuts) -> Connector {
    connector(server, ("files", "tebessa node, files"), MOST_UNTAKEN_FILES, cuts)
}

/// How that of a side of the exchange is made.
pub(super) fn for_side(server: &Server, side: Side, cuts: &Cuts) -> Connector {
    match side {
        Side::Commands => {
            connector(server, ("commands", "tebessa node"), MOST_UNTAKEN_COMMANDS, cuts)
        }
        Side::Queries => {
            connector(server, ("queries", "tebessa node, queries"), MOST_UNTAKEN_QUERIES, cuts)
        }
    }
}

fn connector(
    server: &Server,
    (what, name): (&'static str, &'static str),
    most_untaken: usize,
    cuts: &Cuts,
) -> Connector {
    Connector::new(server, what, cuts, move || {
        async_nats::ConnectOptions::new()
            .name(name)
            .ping_interval(Duration::from_secs(10))
            .subscription_capacity(most_untaken)
    })
}

/// Connects for the first time. A server that is not there yet is tried for a while; one that takes short
/// messages only is refused.
pub(super) async fn open(connector: Connector) -> Result<LastingLine, StartError> {
    let line = connect(&connector).await?;
    let most = line.client.server_info().max_payload;
    if most < LEAST_PAYLOAD {
        return Err(StartError::SmallMessages { url: connector.server().shown(), most });
    }
    Ok(LastingLine::new(connector, line))
}

/// Sends what is still to be sent on a connection.
pub(super) async fn flush(connection: &async_nats::Client) {
    match tokio::time::timeout(SEND_PATIENCE, connection.flush()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(reason = %crate::chain(&error), "the last answers may not have been sent");
        }
        Err(_) => tracing::warn!("the last answers could not be sent in time"),
    }
}

async fn connect(connector: &Connector) -> Result<Line, StartError> {
    let url = || connector.server().shown();
    let deadline = tokio::time::Instant::now() + NATS_PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        match connector.connect().await {
            Ok(line) => return Ok(line),
            Err(source) if refused(&source) => {
                return Err(StartError::Refused { url: url(), source });
            }
            Err(source) if tokio::time::Instant::now() + pause > deadline => {
                return Err(StartError::Connect { url: url(), source });
            }
            Err(error) => {
                if pause == FIRST_PAUSE {
                    let (url, patience_s) = (url(), NATS_PATIENCE.as_secs());
                    tracing::warn!(url, %error, patience_s, "no connection to NATS yet; tried again");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
        }
    }
}
