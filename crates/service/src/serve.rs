//! The loop: messages in, answers out, over the service API of NATS.
//!
//! Every service has one endpoint, `tebessa.cmd.<service>.*`, so that a command that does not
//! exist gets an answer that says so. The registry also answers `tebessa.query.*`.
//!
//! *Invariant:* who takes messages waits for nothing but messages. A query has a place in its lane, a command
//! has room, or it is refused at once.
//! *Invariant:* no query takes the place of a command.

mod incoming;
mod lanes;
mod refusals;
mod told;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::RequestErrorKind;
use async_nats::service::error::Error as ServiceError;
use async_nats::service::{Request as Message, Service, ServiceExt};
use bytes::Bytes;
use case::SERVICES;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::incoming::{Incoming, stopped, trace};
use self::lanes::{CommandRoom, LanePermit, Lanes};
use self::refusals::Refusals;
use self::told::Told;
use crate::blocking::blocking;
use crate::documents::{Attaching, Reading};
use crate::follower;
use crate::lasting::Part;
use crate::node::Node;
use crate::overheard::Overheard;
use crate::queries::{self, Around, Query};
use crate::reply::{Failure, Reply};
use crate::request::{Refused, Request, check_length};
use crate::timers;

/// How many commands are worked on at once; those that have room wait for their turn in order.
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
    /// Streams of somebody else that take what is sent to the node.
    pub(crate) overheard: watch::Receiver<Vec<Overheard>>,
}

#[derive(Clone)]
struct Worker {
    desk: Desk,
    permits: Arc<Semaphore>,
    room: CommandRoom,
    lanes: Lanes,
    told: Told,
    stopping: watch::Receiver<bool>,
}

/// A command that was taken, with its room.
type Taken = (Message, OwnedSemaphorePermit);

/// The running services.
pub struct Services {
    announced: Vec<Service>,
    commands: JoinSet<()>,
    queries: JoinSet<()>,
    /// Those who tell the senders that are refused, on either connection.
    telling: Vec<JoinHandle<()>>,
    attaching: Attaching,
    stop: watch::Sender<bool>,
    /// What takes messages and has them worked on.
    parts: Vec<Part>,
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
        let (room, lanes) = (CommandRoom::new(), Lanes::new());
        let attaching = desk.attaching.clone();
        let worker = Worker { desk, permits, room, lanes, told: Told::default(), stopping };
        let (refused_commands, first, telling_first) = Refusals::start();
        let (refused_queries, second, telling_second) = Refusals::start();
        let mut running = Self {
            announced: Vec::new(),
            commands: JoinSet::new(),
            queries: JoinSet::new(),
            telling: vec![first, second],
            attaching,
            stop,
            parts: vec![telling_first, telling_second],
        };
        for name in SERVICES {
            running
                .add_commands(commands, &worker, &refused_commands, name)
                .await
                .map_err(|source| ServeError { service: (*name).to_owned(), source })?;
        }
        let unstarted = |source| ServeError { service: "registry".to_owned(), source };
        running.add_queries(queries, &worker, &refused_queries).await.map_err(unstarted)?;
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
        refusals: &Refusals,
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
        let (taken, waiting) = unbounded_channel();
        let incoming = Incoming::of(endpoint, worker.stopping.clone());
        // It does next to nothing for each, and what it does not take in time is lost: it gives way only
        // when there is nothing to take.
        let taking = take_commands(incoming, worker.room.clone(), refusals.clone(), taken);
        let taking = self.lasting("what takes commands", taking);
        self.commands.spawn(tokio::task::unconstrained(taking));
        let working =
            self.lasting("what works on commands", work_on(waiting, worker.clone(), name));
        self.commands.spawn(working);
        self.announced.push(service);
        Ok(())
    }

    /// The registry once more, on a connection of its own.
    async fn add_queries(
        &mut self,
        client: &async_nats::Client,
        worker: &Worker,
        refusals: &Refusals,
    ) -> Result<(), async_nats::Error> {
        let service = announce(client, "registry").await?;
        let metadata = HashMap::from([("queries".to_owned(), Query::names().join(" "))]);
        let endpoint = service
            .endpoint_builder()
            .name("queries")
            .metadata(metadata)
            .add(format!("{QUERY_PREFIX}.*"))
            .await?;
        let incoming = Incoming::of(endpoint, worker.stopping.clone());
        let taking = take_queries(incoming, worker.clone(), refusals.clone(), "");
        let taking = self.lasting("what answers queries", taking);
        self.queries.spawn(taking);
        let endpoint =
            service.endpoint_builder().name("audit").add(format!("{QUERY_PREFIX}.audit.*")).await?;
        let incoming = Incoming::of(endpoint, worker.stopping.clone());
        let taking = take_queries(incoming, worker.clone(), refusals.clone(), "audit.");
        let taking = self.lasting("what answers queries of auditors", taking);
        self.queries.spawn(taking);
        self.announced.push(service);
        Ok(())
    }

    fn lasting<W>(&mut self, name: &'static str, work: W) -> impl Future<Output = ()> + use<W>
    where
        W: Future<Output = ()>,
    {
        let (work, part) = Part::of(name, work);
        self.parts.push(part);
        work
    }

    /// What ends only when the node stops.
    pub(crate) fn parts(&self) -> Vec<Part> {
        self.parts.clone()
    }

    /// Takes no new messages and answers those that were taken: every command, and of the queries what a
    /// few seconds allow. A node that somebody asks without end could not be stopped otherwise. A command
    /// that waits until its file can be taken in is told that the node stops.
    pub async fn drain(mut self) {
        self.stop.send_replace(true);
        self.attaching.refuse_waiting();
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
        for telling in self.telling {
            let stop = telling.abort_handle();
            if tokio::time::timeout(SEND_PATIENCE, telling).await.is_err() {
                stop.abort();
            }
        }
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
        let reason = crate::chain(&error);
        tracing::warn!(reason, "whether the services can be reached is not known yet");
    }
}

async fn announce(client: &async_nats::Client, name: &str) -> Result<Service, async_nats::Error> {
    client
        .service_builder()
        .description(format!("Tebessa: the {name} service"))
        .start(format!("tebessa-{name}"), env!("CARGO_PKG_VERSION"))
        .await
}

/// Takes commands as they come: what is too long is refused before it waits for anything, and what finds
/// no room as well. Ends when the node stops and all that came before were taken.
async fn take_commands(
    mut incoming: Incoming,
    room: CommandRoom,
    refusals: Refusals,
    taken: UnboundedSender<Taken>,
) {
    while let Some(message) = incoming.next().await {
        let fits = check_length(&message.message.payload).map_err(Failure::from);
        match fits.and_then(|()| room.enter(lanes::memory_of(&message))) {
            // It fails only when nobody works any more.
            Ok(place) => drop(taken.send((message, place))),
            Err(failure) => refusals.tell(message, failure),
        }
    }
}

/// Works on the commands of a service that were taken, as far as there are permits. Ends when no more
/// come and all are answered.
async fn work_on(mut taken: UnboundedReceiver<Taken>, worker: Worker, service: &'static str) {
    let mut in_flight = JoinSet::new();
    while let Some((message, place)) = taken.recv().await {
        let Ok(permit) = worker.permits.clone().acquire_owned().await else { break };
        let worker = worker.clone();
        in_flight.spawn(async move {
            let result = worker.command(service, &message).await;
            worker.respond(&message, result).await;
            drop((permit, place));
        });
        while in_flight.try_join_next().is_some() {}
    }
    while in_flight.join_next().await.is_some() {}
}

/// Takes the queries whose names begin so, and answers them. Those that are still not answered a while after
/// the stop are told that the node stops.
async fn take_queries(
    mut incoming: Incoming,
    worker: Worker,
    refusals: Refusals,
    group: &'static str,
) {
    let mut in_flight = JoinSet::new();
    while let Some(message) = incoming.next().await {
        let name = format!("{group}{}", last_token(&message));
        // Who starts asks for `starting`, and any answer tells it that somebody is here (`alone`).
        let entered = queries::check_length(&message.message.payload)
            .and_then(|()| queries::named(&name))
            .and_then(|query| Ok((query, worker.lanes.enter(query)?)));
        match entered {
            Ok((query, place)) => {
                let worker = worker.clone();
                in_flight.spawn(async move {
                    let result = tokio::select! {
                        result = worker.query(query, &message, &place) => result,
                        () = given_up(worker.stopping.clone()) => {
                            Err(Failure::unavailable("the node stops; ask again when it is back"))
                        }
                    };
                    worker.respond(&message, result).await;
                });
            }
            Err(failure) => refusals.tell(message, failure),
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
    async fn respond(&self, message: &Message, result: Result<Bytes, Failure>) {
        if let Err(failure) = &result
            && failure.code >= 500
        {
            self.told.tell(failure);
        }
        send(message, result).await;
    }

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

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others need the node alone")]
    async fn query(
        &self,
        query: Query,
        message: &Message,
        place: &LanePermit,
    ) -> Result<Bytes, Failure> {
        let payload = message.message.payload.clone();
        let Desk { node, reading, follower, timers, overheard, .. } = &self.desk;
        // Beside the others, for nothing is done meanwhile.
        let asked = queries::wait_for_index(node, query).await;
        let _turn = place.turn().await?;
        match query {
            Query::EvidenceCheck => {
                let (reading, query) = (reading.clone(), queries::read(&payload)?);
                let runtime = Handle::current();
                // Opening and hashing a file keeps a processor busy, and would keep it from what answers others.
                let work = move || runtime.block_on(reading.check(&query));
                encode(&blocking(work).await??)
            }
            Query::EvidenceFile => encode(&reading.open(&queries::read(&payload)?).await?),
            Query::EvidencePart => reading.part(&queries::read(&payload)?).await,
            _ => {
                let node = node.clone();
                let around = Around {
                    follower: follower.borrow().clone(),
                    timers: timers.get().map(|status| status.borrow().clone()),
                    overheard: overheard.borrow().clone(),
                };
                let work = move || queries::answer_to(&node, &around, query, asked, &payload);
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

async fn send(message: &Message, result: Result<Bytes, Failure>) {
    if message.message.reply.is_none() {
        // Nobody waits for it.
        return;
    }
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
