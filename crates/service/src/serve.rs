//! The loop: messages in, answers out, over the service API of NATS.
//!
//! Every service has one endpoint, `tebessa.cmd.<service>.*`, so that a command that does not
//! exist gets an answer that says so. The registry also answers `tebessa.query.*`.

use std::collections::HashMap;
use std::sync::Arc;

use async_nats::service::error::Error as ServiceError;
use async_nats::service::{Request as Message, Service, ServiceExt};
use bytes::Bytes;
use case::SERVICES;
use case::token::TraceParent;
use futures::{Stream, StreamExt};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::documents::{Attaching, Reading};
use crate::follower;
use crate::node::Node;
use crate::queries;
use crate::reply::{Failure, Reply};
use crate::request::{Refused, Request};

/// How many messages are worked on at once; more wait in the connection.
const MOST_IN_FLIGHT: usize = 4_096;

/// Where commands go.
pub const COMMAND_PREFIX: &str = "tebessa.cmd";
/// Where queries go.
pub const QUERY_PREFIX: &str = "tebessa.query";

/// The services could not be announced on NATS. Look at the connection and the permissions.
#[derive(Debug, thiserror::Error)]
#[error("the service {service} could not be started on NATS")]
pub struct ServeError {
    service: String,
    #[source]
    source: async_nats::Error,
}

/// What the services answer from.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) node: Node,
    pub(crate) follower: watch::Receiver<follower::Status>,
    pub(crate) attaching: Attaching,
    pub(crate) reading: Reading,
}

#[derive(Clone)]
struct Worker {
    desk: Desk,
    permits: Arc<Semaphore>,
}

/// The running services.
pub struct Services {
    services: Vec<Service>,
    loops: JoinSet<()>,
}

impl Services {
    /// Starts every service.
    pub(crate) async fn start(desk: Desk, client: &async_nats::Client) -> Result<Self, ServeError> {
        let worker = Worker { desk, permits: Arc::new(Semaphore::new(MOST_IN_FLIGHT)) };
        let mut running = Self { services: Vec::new(), loops: JoinSet::new() };
        for name in SERVICES {
            running
                .add(client, &worker, name)
                .await
                .map_err(|source| ServeError { service: (*name).to_owned(), source })?;
        }
        // Subscriptions are sent when the buffer is flushed; ready means ready.
        client.flush().await.map_err(|error| ServeError {
            service: "registry".to_owned(),
            source: Box::new(error),
        })?;
        Ok(running)
    }

    async fn add(
        &mut self,
        client: &async_nats::Client,
        worker: &Worker,
        name: &'static str,
    ) -> Result<(), async_nats::Error> {
        let service = client
            .service_builder()
            .description(format!("Tebessa: the {name} service"))
            .start(format!("tebessa-{name}"), env!("CARGO_PKG_VERSION"))
            .await?;
        let commands: Vec<_> =
            case::commands().filter(|entry| entry.service == name).map(|e| e.name).collect();
        let metadata = HashMap::from([("commands".to_owned(), commands.join(" "))]);
        let endpoint = service
            .endpoint_builder()
            .name("commands")
            .metadata(metadata)
            .add(format!("{COMMAND_PREFIX}.{name}.*"))
            .await?;
        self.loops.spawn(run(endpoint, worker.clone(), Kind::Commands(name)));
        if name == "registry" {
            let queries: Vec<_> = queries::QUERIES.iter().map(|(name, _)| *name).collect();
            let metadata = HashMap::from([("queries".to_owned(), queries.join(" "))]);
            let endpoint = service
                .endpoint_builder()
                .name("queries")
                .metadata(metadata)
                .add(format!("{QUERY_PREFIX}.*"))
                .await?;
            self.loops.spawn(run(endpoint, worker.clone(), Kind::Queries("")));
            let endpoint = service
                .endpoint_builder()
                .name("audit")
                .add(format!("{QUERY_PREFIX}.audit.*"))
                .await?;
            self.loops.spawn(run(endpoint, worker.clone(), Kind::Queries("audit.")));
        }
        self.services.push(service);
        Ok(())
    }

    /// Takes no new messages and answers those that were taken.
    pub async fn drain(mut self) {
        for service in self.services.drain(..) {
            // It has nothing to fail on: it tells the loops to end.
            let _ = service.stop().await;
        }
        while self.loops.join_next().await.is_some() {}
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Commands(&'static str),
    /// The queries whose names begin so.
    Queries(&'static str),
}

/// Ends when the endpoint is stopped and every message that was taken is answered.
async fn run(mut endpoint: impl Stream<Item = Message> + Unpin, worker: Worker, kind: Kind) {
    let mut in_flight = JoinSet::new();
    while let Some(message) = endpoint.next().await {
        let Ok(permit) = worker.permits.clone().acquire_owned().await else { break };
        let worker = worker.clone();
        in_flight.spawn(async move {
            let result = match kind {
                Kind::Commands(service) => worker.command(service, &message).await,
                Kind::Queries(group) => worker.query(group, &message).await,
            };
            respond(&message, result).await;
            drop(permit);
        });
        while in_flight.try_join_next().is_some() {}
    }
    while in_flight.join_next().await.is_some() {}
}

impl Worker {
    async fn command(&self, service: &str, message: &Message) -> Result<Bytes, Failure> {
        if let follower::Status::Halted { reason } = &*self.desk.follower.borrow() {
            return Err(Failure::unavailable(format!(
                "the stream and the journal contradict each other, an operator must look: {reason}"
            )));
        }
        let name = last_token(message);
        let mut request = Request::read(service, name, &message.message.payload)?;
        request.trace = trace(message)?;
        let reply: Reply = match &request.file {
            None => self.desk.node.command(&request).await?,
            Some(file) => self.desk.attaching.command(&request, file).await?,
        };
        tracing::debug!(
            command = %request.entry.full_name(), case = %request.head.case,
            id = %request.head.id, "command answered"
        );
        encode(&reply)
    }

    async fn query(&self, group: &str, message: &Message) -> Result<Bytes, Failure> {
        let name = format!("{group}{}", last_token(message));
        let payload = message.message.payload.clone();
        match name.as_str() {
            "evidence-check" => encode(&self.desk.reading.check(&queries::read(&payload)?).await?),
            "evidence-file" => encode(&self.desk.reading.open(&queries::read(&payload)?).await?),
            "evidence-part" => self.desk.reading.part(&queries::read(&payload)?).await,
            _ => {
                let node = self.desk.node.clone();
                queries::wait_for_index(&node, &name).await;
                let follower = self.desk.follower.borrow().clone();
                let work = move || queries::answer(&node, &follower, &name, &payload);
                let answered = tokio::task::spawn_blocking(work).await;
                answered
                    .map_err(|error| Failure::unavailable(crate::chain(&error)))?
                    .map(Bytes::from)
            }
        }
    }
}

fn encode(reply: &impl serde::Serialize) -> Result<Bytes, Failure> {
    let bytes = serde_json::to_vec(reply);
    bytes.map(Bytes::from).map_err(|error| Failure::unavailable(crate::chain(&error)))
}

fn last_token(message: &Message) -> &str {
    message.message.subject.rsplit('.').next().unwrap_or_default()
}

fn trace(message: &Message) -> Result<Option<TraceParent>, Failure> {
    let Some(value) =
        message.message.headers.as_ref().and_then(|headers| headers.get("traceparent"))
    else {
        return Ok(None);
    };
    TraceParent::new(value.as_str())
        .map(Some)
        .map_err(|error| Failure::malformed(format!("header traceparent: {error}")))
}

async fn respond(message: &Message, result: Result<Bytes, Failure>) {
    let response = result.map_err(|failure| {
        if failure.code >= 500 {
            tracing::warn!(code = failure.code, reason = %failure.message, "no answer");
        }
        ServiceError { status: one_line(&failure.message), code: failure.code.into() }
    });
    if let Err(error) = message.respond(response).await {
        // The sender finds out by sending the command again with the same id.
        tracing::warn!(reason = %error, "an answer could not be sent");
    }
}

/// A header holds one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match &refused {
            Refused::Malformed(_) => Self::malformed(refused.to_string()),
            Refused::TooLarge(_) => Self::too_large(refused.to_string()),
        }
    }
}
