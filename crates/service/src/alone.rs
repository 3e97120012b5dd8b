//! One node answers on a NATS server.
//!
//! A second one, of another log or of a copy of the same, would take every other command and answer
//! half of the queries from a record that knows nothing of them; two copies of one log would each
//! acknowledge what the other never has. So a node that starts listens on a subject of its own, asks
//! on it whether another is there, and goes on only where none answers: of two that start in the same
//! instant at least one sees the other. Both may, and then neither starts.
//!
//! It is no lease. Where the network between two servers of a cluster is cut, or the one node's machine
//! stands still for as long as the question waits, both answer; there is one stream, and whose record
//! comes second at a position finds the other's there: its follower halts, and its commands get 503.

use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectOptions, RequestErrorKind};
use futures::StreamExt;
use tokio::task::JoinHandle;

use crate::nats::Server;
use crate::serve::QUERY_PREFIX;

/// How long a node may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a node is not the only one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAlone {
    /// Another node answers, or is about to.
    #[error("another node answers")]
    Another,
    /// It cannot be asked.
    #[error("no connection to ask by")]
    Connect(#[from] ConnectError),
    /// Nor listened.
    #[error("the server takes no subscription")]
    Subscribe(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A node that starts, and answers others that do the same. To be kept until its services answer for it.
pub(crate) struct Starting {
    answering: JoinHandle<()>,
}

impl Starting {
    /// Listens, and then asks. A node whose services run answers whatever it is asked, one of another
    /// version that there is no such query: that is an answer too.
    pub(crate) async fn alone(server: &Server) -> Result<Self, NotAlone> {
        // What this connection asks it does not hear itself: where it alone listens, nobody does.
        let options = ConnectOptions::new().name("tebessa node, starting").no_echo();
        let client = server.connect(options).await?;
        let subject = format!("{QUERY_PREFIX}.starting");
        let unheard = |error| NotAlone::Subscribe(Box::new(error));
        let mut asked = client.subscribe(subject.clone()).await.map_err(unheard)?;
        let answers = client.clone();
        let answering = tokio::spawn(async move {
            while let Some(message) = asked.next().await {
                let Some(reply) = message.reply else { continue };
                if let Err(error) = answers.publish(reply, "a node starts".into()).await {
                    let reason = crate::chain(&error);
                    tracing::warn!(reason, "another node that starts was not answered");
                }
            }
        });
        let starting = Self { answering };
        // Behind the subscription on the same connection: whoever asks later is heard.
        if another_answers(&client, subject).await { Err(NotAlone::Another) } else { Ok(starting) }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

async fn another_answers(client: &Client, subject: String) -> bool {
    let request = async_nats::Request::new().payload("{}".into()).timeout(Some(PATIENCE));
    match client.send_request(subject, request).await {
        Ok(_) => true,
        Err(error) if error.kind() == RequestErrorKind::NoResponders => false,
        Err(error) => {
            // Such as one whose machine went down, and whose connection the server has not given up.
            let reason = crate::chain(&error);
            tracing::warn!(reason, "whether another node answers on NATS is not known");
            false
        }
    }
}
