//! The loop: messages in, answers out, over the service API of NATS.
//!
//! Every service has one endpoint, `tebessa.cmd.<service>.*`, so that a command that does not
//! exist gets an answer that says so. The registry also answers `tebessa.query.*`.
//!
//! *Invariant:* no query waits in a loop or takes the place of a command: it has a place in its lane, or is
//! turned away at once.

mod lanes;

use std::collections::HashMap;
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use async_nats::RequestErrorKind;
use async_nats::service::endpoint::Endpoint;
use async_nats::service::error::Error as ServiceError;
use async_nats::service::{Request as Message, Service, ServiceExt};
use bytes::Bytes;
use case::SERVICES;
use case::token::TraceParent;
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::lanes::{Lanes, Place};
use crate::blocking::blocking;
use crate::documents::{Attaching, Reading};
use crate::follower;
use crate::node::Node;
use crate::queries;
use crate::reply::{Failure, Reply};
use crate::request::{MAX_COMMAND_BYTES, Refused, Request};
use crate::timers;

/// How many commands are worked on at once; more wait in the connection.
const MOST_IN_FLIGHT: usize = 4_096;
/// How long queries that were taken may take at the stop; then they are told that the node stops.
const QUERY_PATIENCE: Duration = Duration::from_secs(3);
/// How long the server may take to take a subscription.
const TAKEN_PATIENCE: Duration = Duration::from_secs(2);
/// How long the last answers to queries may take to be sent.
const SEND_PATIENCE: Duration = Duration::from_secs(2);

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
    /// How the timers are, once they run inside the node: they start behind the services, which they need.
    pub(crate) timers: Arc<OnceLock<watch::Receiver<timers::Status>>>,
}

#[derive(Clone)]
struct Worker {
    desk: Desk,
    permits: Arc<Semaphore>,
    lanes: Lanes,
    stopping: watch::Receiver<bool>,
}

/// The running services.
pub struct Services {
    announced: Vec<Service>,
    commands: JoinSet<()>,
    queries: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Services {
    /// Starts every service: the commands of all on one connection, and the queries on another.
    pub(crate) async fn start(
        desk: Desk,
        commands: &async_nats::Client,
        queries: &async_nats::Client,
    ) -> Result<Self, ServeError> {
        let (stop, stopping) = watch::channel(false);
        let permits = Arc::new(Semaphore::new(MOST_IN_FLIGHT));
        let worker = Worker { desk, permits, lanes: Lanes::new(), stopping };
        let mut running =
            Self { announced: Vec::new(), commands: JoinSet::new(), queries: JoinSet::new(), stop };
        for name in SERVICES {
            running
                .add_commands(commands, &worker, name)
                .await
                .map_err(|source| ServeError { service: (*name).to_owned(), source })?;
        }
        let unstarted = |source| ServeError { service: "registry".to_owned(), source };
        running.add_queries(queries, &worker).await.map_err(unstarted)?;
        for client in [commands, queries] {
            // Subscriptions are sent when the buffer is flushed; ready means ready.
            client.flush().await.map_err(|error| unstarted(Box::new(error)))?;
            taken(client).await;
        }
        Ok(running)
    }

    async fn add_commands(
        &mut self,
        client: &async_nats::Client,
        worker: &Worker,
        name: &'static str,
    ) -> Result<(), async_nats::Error> {
        let service = announce(client, name).await?;
        let commands: Vec<_> =
            case::commands().filter(|entry| entry.service == name).map(|e| e.name).collect();
        let metadata = HashMap::from([("commands".to_owned(), commands.join(" "))]);
        let endpoint = service
            .endpoint_builder()
            .name("commands")
            .metadata(metadata)
            .add(format!("{COMMAND_PREFIX}.{name}.*"))
            .await?;
        self.commands.spawn(take_commands(endpoint, worker.clone(), name));
        self.announced.push(service);
        Ok(())
    }

    /// The registry once more, on a connection of its own.
    async fn add_queries(
        &mut self,
        client: &async_nats::Client,
        worker: &Worker,
    ) -> Result<(), async_nats::Error> {
        let service = announce(client, "registry").await?;
        let queries: Vec<_> = queries::QUERIES.iter().map(|(name, _)| *name).collect();
        let metadata = HashMap::from([("queries".to_owned(), queries.join(" "))]);
        let endpoint = service
            .endpoint_builder()
            .name("queries")
            .metadata(metadata)
            .add(format!("{QUERY_PREFIX}.*"))
            .await?;
        self.queries.spawn(take_queries(endpoint, worker.clone(), ""));
        let endpoint =
            service.endpoint_builder().name("audit").add(format!("{QUERY_PREFIX}.audit.*")).await?;
        self.queries.spawn(take_queries(endpoint, worker.clone(), "audit."));
        self.announced.push(service);
        Ok(())
    }

    /// Takes no new messages and answers those that were taken: every command, and of the queries what a
    /// few seconds allow. A node that somebody asks without end could not be stopped otherwise.
    pub async fn drain(mut self) {
        self.stop.send_replace(true);
        for service in self.announced.drain(..) {
            // It has nothing to fail on: it ends what announces the service.
            let _ = service.stop().await;
        }
        let asked = async {
            let answered = async { while self.queries.join_next().await.is_some() {} };
            if tokio::time::timeout(QUERY_PATIENCE + SEND_PATIENCE, answered).await.is_err() {
                tracing::warn!("some queries have no answer: the node stops");
                self.queries.shutdown().await;
            }
        };
        let told = async { while self.commands.join_next().await.is_some() {} };
        tokio::join!(told, asked);
    }
}

/// Returns when the server has taken what was subscribed on a connection: the answer to a question that
/// was sent behind it says so, whoever gives it. Until then another node that starts would hear nobody.
async fn taken(client: &async_nats::Client) {
    let request = async_nats::Request::new().payload("{}".into()).timeout(Some(TAKEN_PATIENCE));
    let answer = client.send_request(format!("{QUERY_PREFIX}.starting"), request).await;
    if let Err(error) = answer
        && error.kind() != RequestErrorKind::NoResponders
    {
        tracing::warn!(reason = %crate::chain(&error), "whether the services can be reached is not known yet");
    }
}

async fn announce(client: &async_nats::Client, name: &str) -> Result<Service, async_nats::Error> {
    client
        .service_builder()
        .description(format!("Tebessa: the {name} service"))
        .start(format!("tebessa-{name}"), env!("CARGO_PKG_VERSION"))
        .await
}

/// What comes in at an endpoint, until the node stops.
struct Incoming {
    endpoint: Endpoint,
    stopping: watch::Receiver<bool>,
    stopped: bool,
}

impl Incoming {
    fn of(endpoint: Endpoint, worker: &Worker) -> Self {
        Self { endpoint, stopping: worker.stopping.clone(), stopped: false }
    }

    /// The next message that may be answered. `None` when the node stops and all that came before was
    /// taken.
    async fn next(&mut self) -> Option<Message> {
        loop {
            let message = self.any().await?;
            if is_answerable(&message) {
                return Some(own(message));
            }
        }
    }

    async fn any(&mut self) -> Option<Message> {
        if !self.stopped {
            tokio::select! {
                message = self.endpoint.next() => return message,
                () = stopped(&mut self.stopping) => self.stopped = true,
            }
            // The library's own way gives up where the connection has much to send, and never ends then.
            if let Err(error) = self.endpoint.stop().await {
                tracing::debug!(%error, "the connection was gone before the services");
            }
        }
        self.endpoint.next().await
    }
}

/// Whether the answer goes to who asked. The subject for it is the sender's choice, and the server takes
/// the answer with the node's rights and not with the sender's: who may only ask could have it delete the
/// stream, write into it, or send a command. Such a message is not looked at.
fn is_answerable(message: &Message) -> bool {
    static TOLD: Once = Once::new();
    let Some(reply) = &message.message.reply else { return true };
    let answerable = !reply.starts_with("tebessa.") && !reply.starts_with('$');
    if !answerable {
        TOLD.call_once(|| {
            tracing::warn!(
                "somebody wants an answer on a subject of the node's or the server's own: who sends \
                 such a message has none, and this line comes once"
            );
        });
    }
    answerable
}

/// Returns when the node stops. A sender that is gone has stopped as well.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A short payload, with memory of its own: as it came it is a piece of what the connection read with it, and
/// would keep that, of a size that others choose, as long as it waits.
fn own(mut message: Message) -> Message {
    let payload = &mut message.message.payload;
    if payload.len() <= MAX_COMMAND_BYTES {
        *payload = Bytes::copy_from_slice(payload);
    }
    message
}

/// Ends when the endpoint is stopped and every command that was taken is answered.
async fn take_commands(endpoint: Endpoint, worker: Worker, service: &'static str) {
    let mut in_flight = JoinSet::new();
    let mut incoming = Incoming::of(endpoint, &worker);
    while let Some(message) = incoming.next().await {
        let Ok(permit) = worker.permits.clone().acquire_owned().await else { break };
        let worker = worker.clone();
        in_flight.spawn(async move {
            let result = worker.command(service, &message).await;
            respond(&message, result).await;
            drop(permit);
        });
        while in_flight.try_join_next().is_some() {}
    }
    while in_flight.join_next().await.is_some() {}
}

/// The same with the queries whose names begin so. Those that are still not answered a while after the stop
/// are told that the node stops.
async fn take_queries(endpoint: Endpoint, worker: Worker, group: &'static str) {
    let mut in_flight = JoinSet::new();
    let mut incoming = Incoming::of(endpoint, &worker);
    while let Some(message) = incoming.next().await {
        let name = format!("{group}{}", last_token(&message));
        let fits = queries::check_length(&message.message.payload);
        match fits.and_then(|()| worker.lanes.enter(&name)) {
            Ok(place) => {
                let worker = worker.clone();
                in_flight.spawn(async move {
                    let result = tokio::select! {
                        result = worker.query(&name, &message, &place) => result,
                        () = given_up(worker.stopping.clone()) => {
                            Err(Failure::unavailable("the node stops; ask again when it is back"))
                        }
                    };
                    respond(&message, result).await;
                });
            }
            // Without a line in the log for each.
            Err(failure) => send(&message, Err(failure)).await,
        }
        while in_flight.try_join_next().is_some() {}
    }
    while in_flight.join_next().await.is_some() {}
}

/// Returns when the node stops and has waited long enough.
async fn given_up(mut stopping: watch::Receiver<bool>) {
    stopped(&mut stopping).await;
    tokio::time::sleep(QUERY_PATIENCE).await;
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
        request.trace = trace(message);
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

    async fn query(&self, name: &str, message: &Message, place: &Place) -> Result<Bytes, Failure> {
        let payload = message.message.payload.clone();
        let Desk { node, reading, follower, timers, .. } = &self.desk;
        // Beside the others, for nothing is done meanwhile.
        queries::wait_for_index(node, name).await;
        let _turn = place.turn().await?;
        match name {
            "evidence-check" => {
                let (reading, query) = (reading.clone(), queries::read(&payload)?);
                let runtime = Handle::current();
                // Opening and hashing a file keeps a processor busy, and would keep it from what answers others.
                let work = move || runtime.block_on(reading.check(&query));
                encode(&blocking(work).await??)
            }
            "evidence-file" => encode(&reading.open(&queries::read(&payload)?).await?),
            "evidence-part" => reading.part(&queries::read(&payload)?).await,
            _ => {
                let (node, name) = (node.clone(), name.to_owned());
                let follower = follower.borrow().clone();
                let timers = timers.get().map(|status| status.borrow().clone());
                let work = move || match name.as_str() {
                    "node" => queries::how_it_is(&node, &follower, timers.as_ref(), &payload),
                    _ => queries::answer(&node, &follower, &name, &payload),
                };
                blocking(work).await?.map(Bytes::from)
            }
        }
    }
}

fn encode(reply: &impl serde::Serialize) -> Result<Bytes, Failure> {
    let bytes = serde_json::to_vec(reply);
    bytes.map(Bytes::from).map_err(|error| Failure::because(&error))
}

fn last_token(message: &Message) -> &str {
    message.message.subject.rsplit('.').next().unwrap_or_default()
}

/// The trace that a message belongs to. The header's name is not case-sensitive, and one that cannot
/// be read is as if there were none (W3C Trace Context, 3.2 and 4.3): a command does not fail by it.
fn trace(message: &Message) -> Option<TraceParent> {
    let headers = message.message.headers.as_ref()?;
    let is_it = |name: &str| name.eq_ignore_ascii_case("traceparent");
    let (_, values) = headers.iter().find(|(name, _)| is_it(name.as_ref()))?;
    TraceParent::of_header(values.first()?.as_str())
}

async fn respond(message: &Message, result: Result<Bytes, Failure>) {
    if let Err(failure) = &result
        && failure.code >= 500
    {
        tracing::warn!(code = failure.code, reason = %failure.message, "no answer");
    }
    send(message, result).await;
}

async fn send(message: &Message, result: Result<Bytes, Failure>) {
    let response = result.map_err(|failure| ServiceError {
        status: one_line(&failure.message),
        code: failure.code.into(),
    });
    if let Err(error) = message.respond(response).await {
        // The sender finds out by sending the command again with the same id.
        tracing::warn!(reason = %crate::chain(&error), "an answer could not be sent");
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
