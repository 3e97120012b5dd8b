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
mod sending;
mod told;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::RequestErrorKind;
use async_nats::service::{Request as Message, Service, ServiceExt};
use case::SERVICES;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::incoming::Incoming;
pub(crate) use self::incoming::stopped;
use self::lanes::{CommandRoom, Lanes};
use self::refusals::Refusals;
use self::told::Told;
use self::worker::{Worker, last_token};
use crate::documents::{Attaching, Reading};
use crate::follower;
use crate::lasting::{Part, first_ended};
use crate::nats::Cuts;
use crate::node::Node;
use crate::overheard::Overheard;
use crate::queries::{self, Query};
use crate::reply::Failure;
use crate::request::{Refused, check_length};
use crate::timers;

/// How many commands are worked on at once; those that have room wait for their turn in order.
const MOST_IN_FLIGHT: usize = 4_096;
/// How long queries that were taken may take at the stop; then they are told that the node stops.
const QUERY_PATIENCE: Duration = Duration::from_secs(3);
/// How long the server may take to take a subscription.
const TAKEN_PATIENCE: Duration = Duration::from_secs(2);
/// How long the last answers to queries may take to be sent.
const SEND_PATIENCE: Duration = Duration::from_secs(2);

/// The least that a server must take in one message, in bytes: an answer, with room for its headers. A
/// record is shorter.
pub(crate) const LEAST_PAYLOAD: usize = 1_000_000;

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

impl ServeError {
    fn of(service: &str) -> impl FnOnce(async_nats::Error) -> Self + use<> {
        let service = service.to_owned();
        move |source| Self { service, source }
    }
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
    /// How often the connections were cut.
    pub(crate) cuts: Cuts,
}

/// Where messages are worked on, whichever connection they come by: so what they may take has one bound, also
/// while another connection is made. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Workplace {
    desk: Desk,
    permits: Arc<Semaphore>,
    room: CommandRoom,
    lanes: Lanes,
    told: Told,
}

impl Workplace {
    pub(crate) fn new(desk: Desk) -> Self {
        Self {
            desk,
            permits: Arc::new(Semaphore::new(MOST_IN_FLIGHT)),
            room: CommandRoom::new(),
            lanes: Lanes::new(),
            told: Told::default(),
        }
    }
}

/// What comes by a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The commands of all services.
    Commands,
    /// Queries, so that what those send who may only ask cuts or ends no connection of commands.
    Queries,
}

/// A command that was taken, with its room.
type Taken = (Message, OwnedSemaphorePermit);

/// The running services of a connection.
pub(crate) struct Services {
    announced: Vec<Service>,
    commands: JoinSet<()>,
    queries: JoinSet<()>,
    /// Who tells the senders that are refused.
    telling: JoinHandle<()>,
    attaching: Attaching,
    stop: watch::Sender<bool>,
    /// What takes messages and has them worked on.
    parts: Vec<Part>,
}

impl Services {
    /// Starts the services of one side on a connection.
    pub(crate) async fn start(
        common: &Workplace,
        side: Side,
        client: &async_nats::Client,
    ) -> Result<Self, ServeError> {
        let (stop, stopping) = watch::channel(false);
        let attaching = common.desk.attaching.clone();
        let worker = Worker { common: common.clone(), client: client.clone(), stopping };
        let (refusals, telling, telling_part) = Refusals::start(client.clone());
        let mut running = Self {
            announced: Vec::new(),
            commands: JoinSet::new(),
            queries: JoinSet::new(),
            telling,
            attaching,
            stop,
            parts: vec![telling_part],
        };
        match side {
            Side::Commands => {
                for name in SERVICES {
                    let added = running.add_commands(client, &worker, &refusals, name).await;
                    added.map_err(ServeError::of(name))?;
                }
            }
            Side::Queries => {
                let added = running.add_queries(client, &worker, &refusals).await;
                added.map_err(ServeError::of("registry"))?;
            }
        }
        // Subscriptions are sent when the buffer is flushed; ready means ready.
        client.flush().await.map_err(|error| ServeError::of("registry")(Box::new(error)))?;
        taken(client).await;
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
        let taking = take_commands(incoming, worker.common.room.clone(), refusals.clone(), taken);
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

    /// Returns what ended first of what ends only when the node stops, or with the connection.
    pub(crate) fn ended(&self) -> impl Future<Output = &'static str> + Send + use<> {
        first_ended(self.parts.clone())
    }

    /// Works on what was taken from a connection that ended: commands to their end, though no answer can be
    /// sent. Who sends them again has the first answer.
    pub(crate) async fn finish(mut self) {
        self.stop.send_replace(true);
        self.announced.clear();
        while self.commands.join_next().await.is_some() {}
        while self.queries.join_next().await.is_some() {}
        self.telling.abort();
    }

    /// Takes no new messages and answers those that were taken: every command, and of the queries what a
    /// few seconds allow. A node that somebody asks without end could not be stopped otherwise. A command
    /// that waits until its file can be taken in is told that the node stops.
    pub(crate) async fn drain(mut self) {
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
        let stop = self.telling.abort_handle();
        if tokio::time::timeout(SEND_PATIENCE, self.telling).await.is_err() {
            stop.abort();
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
        let Ok(permit) = worker.common.permits.clone().acquire_owned().await else { break };
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
            .and_then(|query| Ok((query, worker.common.lanes.enter(query)?)));
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

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match &refused {
            Refused::Malformed(_) => Self::malformed(refused.to_string()),
            Refused::TooLarge(_) => Self::too_large(refused.to_string()),
        }
    }
}
