//! A standalone node: journal, services and follower in one process, with a NATS server of its
//! own or a given one.

mod connections;
mod error;
mod exchange;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use case::clocks::Clocks;
use futures::StreamExt as _;
use guidance::Library;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::error::StartError;
use self::exchange::Exchange;
use crate::alone::Starting;
use crate::broker::{Broker, Port, Settings};
use crate::documents::{Attaching, Documents, Reading, StorePlace};
use crate::follower::{self, Follower};
use crate::keys::KeyStore;
use crate::lasting::{Part, first_ended};
use crate::logs::Log;
use crate::nats::{Cuts, KeptLine, Server};
use crate::node::{Authority, GivenLaw, Node, journal_dir, keys_dir};
use crate::overheard::Lookout;
use crate::serve::{Desk, Side, Workplace};
use crate::timers::Timers;
use crate::{checkpoints, clock, documents, private};

/// How long the first look at the stream may take before the services start without it.
const STREAM_PATIENCE: Duration = Duration::from_secs(15);
/// How long stopping waits for the stream to have what was accepted.
const FOLLOW_PATIENCE: Duration = Duration::from_secs(5);

/// What a node needs to start.
pub struct Setup {
    /// The data directory.
    pub data: PathBuf,
    /// The NATS server to use; without it one is started as a child.
    pub nats: Option<Server>,
    /// The port of the server that is started.
    pub port: Port,
    /// Whether the server that is started lets in only those who know its password; it stands in
    /// the URL of [`Standalone::server`].
    pub private: bool,
    /// The authority whose record this is.
    pub authority: Authority,
    /// The guidance.
    pub library: Library,
    /// The clocks by which time limits are computed.
    pub clocks: Clocks,
    /// How often the log is signed when it has new records; `None` leaves it to the stop and to
    /// those who ask.
    pub checkpoints: Option<Duration>,
    /// Where files of evidence are kept.
    pub documents: StorePlace,
    /// How long a file lies in the inbox without a command that names it.
    pub inbox_age: Duration,
    /// Whether the timers of the deadlines run inside; they may also run elsewhere.
    pub timers: bool,
    /// Whether it starts although keys are lost that the log names: what they sealed cannot be read.
    pub lost_keys: bool,
}

impl Setup {
    /// What most nodes need: a NATS server of their own on any port, checkpoints on schedule,
    /// documents in the data directory, the built-in clocks, and a day for an upload to find its command.
    #[must_use]
    pub fn new(data: PathBuf, authority: Authority, library: Library) -> Self {
        Self {
            data,
            nats: None,
            port: Port::Free,
            private: false,
            authority,
            library,
            clocks: Clocks::embedded().clone(),
            checkpoints: Some(checkpoints::EVERY),
            documents: StorePlace::Data,
            inbox_age: Duration::from_hours(24),
            timers: true,
            lost_keys: false,
        }
    }
}

/// A running node.
pub struct Standalone {
    node: Node,
    broker: Option<Broker>,
    follower: Follower,
    commands: Exchange,
    queries: Exchange,
    timers: Option<Timers>,
    server: Server,
    report: journal::OpenReport,
    /// What goes on beside, and has nothing to end: signing, the clock's watch, the inbox.
    tasks: Vec<JoinHandle<()>>,
    /// Those of them that last as long as the node.
    parts: Vec<Part>,
}

impl Standalone {
    /// Starts everything; when it returns, commands are answered.
    pub async fn start(
        setup: Setup,
        progress: &mut (dyn FnMut(journal::Progress) + Send),
    ) -> Result<Self, StartError> {
        let data = setup.data;
        let law = GivenLaw { library: setup.library, clocks: setup.clocks };
        let (node, report) = open(&data, &setup.authority, law, setup.lost_keys, progress).await?;
        let documents = Documents::open(&setup.documents, &data)?;
        let own =
            Settings { directory: data.join("nats"), port: setup.port, private: setup.private };
        let (broker, server) = find_server(setup.nats, own).await?;
        let cuts = Cuts::default();
        let files = Box::pin(connections::open(connections::for_files(&server, &cuts))).await?;
        let (files, keeping_files) = KeptLine::new(files);
        // Before anything is asked or taken: such a stream would answer it.
        let lookout = Lookout::start(files.clone()).await;
        unheard(&lookout, &server, broker.is_some().then(|| data.join("nats")))?;
        let overheard = lookout.found();
        // Before the follower, which would write this log into the other's stream.
        let starting = Starting::alone(&server).await;
        let starting = starting.map_err(|error| StartError::not_alone(error, &server))?;
        let follower = follow(&node, &server, data.join("follower"), broker.as_ref()).await?;
        let settling = settle(&node, &documents, follower.status()).await?;
        let attaching =
            Attaching::new(node.clone(), documents.clone(), files.clone(), setup.inbox_age);
        attaching.ready().await;
        let timers_status = Arc::new(OnceLock::new());
        let desk = Desk {
            node: node.clone(),
            follower: follower.status(),
            attaching: attaching.clone(),
            reading: Reading::new(node.clone(), documents),
            timers: Arc::clone(&timers_status),
            overheard,
            cuts: cuts.clone(),
        };
        let common = Workplace::new(desk);
        let [commands, queries] = [Side::Commands, Side::Queries].map(|side| {
            let (common, connector) = (common.clone(), connections::for_side(&server, side, &cuts));
            async move {
                let line = connections::open(connector).await?;
                Ok::<_, StartError>(Exchange::start(common, side, line).await?)
            }
        });
        let (commands, queries) = (Box::pin(commands).await?, Box::pin(queries).await?);
        drop(starting);
        let keeping = keep_inbox(attaching, files, follower.status());
        let (mut tasks, mut parts) = beside(&node, keeping, lookout, setup.checkpoints);
        tasks.extend(settling);
        let (task, part) = Part::spawn("what keeps the connection for files", keeping_files);
        tasks.push(task);
        parts.push(part);
        let timers = if setup.timers {
            let timers = Timers::start(server.clone(), Some(data.join("deadlines"))).await?;
            // Set here only.
            let _ = timers_status.set(timers.status());
            Some(timers)
        } else {
            None
        };
        Ok(Self { node, broker, follower, commands, queries, timers, server, report, tasks, parts })
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The same with what the server wants to see.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The node itself.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What opening the journal found.
    #[must_use]
    pub fn report(&self) -> &journal::OpenReport {
        &self.report
    }

    /// How the stream stands to the journal.
    #[must_use]
    pub fn follower(&self) -> watch::Receiver<follower::Status> {
        self.follower.status()
    }

    /// Returns what ended, once a part of the node has ended that lasts as long as it: a defect. What that
    /// part told last stands, so that the node would look well and do nothing: it must be stopped.
    pub fn ended(&self) -> impl Future<Output = &'static str> + Send + use<> {
        let mut parts = self.parts.clone();
        parts.push(self.follower.part());
        parts.extend([self.commands.part(), self.queries.part()]);
        parts.extend(self.timers.as_ref().map(Timers::part));
        parts.extend(self.broker.as_ref().map(Broker::part));
        first_ended(parts)
    }

    /// Answers what was taken, signs the log, lets the stream follow what was accepted, and stops:
    /// timers, services with their connections, follower, NATS server, journal, in this order.
    pub async fn stop(self) -> Result<(), journal::Error> {
        if let Some(timers) = self.timers {
            timers.stop().await;
        }
        tokio::join!(self.commands.drain(), self.queries.drain());
        for task in self.tasks {
            task.abort();
        }
        for log in [Log::Cases, Log::Access] {
            checkpoints::sign_last(&self.node, log).await;
        }
        let last = self.node.journal().durable_position().0;
        let mut status = self.follower.status();
        let followed = status.wait_for(|status| match status {
            follower::Status::Following { position } => *position >= last,
            // What is missing is sent after the next start.
            follower::Status::Away | follower::Status::Halted { .. } => true,
            follower::Status::CatchingUp { .. } => false,
        });
        if tokio::time::timeout(FOLLOW_PATIENCE, followed).await.is_err() {
            tracing::info!("the stream is behind; the rest is sent after the next start");
        }
        self.follower.stop().await;
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        let journal = self.node.journal().clone();
        let access = self.node.access().clone();
        drop(self.node);
        let close = move || {
            if let Err(error) = access.close() {
                tracing::error!(reason = %crate::chain(&error), "the access log was not closed well");
            }
            journal.close()
        };
        tokio::task::spawn_blocking(close).await.unwrap_or(Err(journal::Error::Closed))
    }
}

/// Opens the data directory, with all keys destroyed that the log asks to be and all others there, unless
/// it is accepted that some are lost.
async fn open(
    data: &Path,
    authority: &Authority,
    law: GivenLaw,
    lost_keys: bool,
    progress: &mut (dyn FnMut(journal::Progress) + Send),
) -> Result<(Node, journal::OpenReport), StartError> {
    if data.join("log").exists() && !journal_dir(data).exists() {
        return Err(StartError::Backup { path: data.to_owned() });
    }
    make_directory(data)?;
    let refused = |source| StartError::Open { path: data.to_owned(), source };
    if lost_keys {
        // Made where it is missing, which the node itself does not do beside records.
        drop(KeyStore::open(&keys_dir(data)).map_err(|error| refused(error.into()))?);
    }
    let (node, report) = Node::open(data, authority, law, progress).map_err(refused)?;
    node.settle_registers().await.map_err(refused)?;
    let settled = node.settle_keys(lost_keys).await;
    let came_back = settled.map_err(|source| StartError::Keys { path: data.to_owned(), source })?;
    if came_back > 0 {
        tracing::warn!(keys = came_back, "keys of erased cases had come back and were destroyed");
    }
    Ok((node, report))
}

/// The server that was given, or one that is started.
async fn find_server(
    given: Option<Server>,
    own: Settings,
) -> Result<(Option<Broker>, Server), StartError> {
    if let Some(server) = given {
        return Ok((None, server));
    }
    let broker = Broker::start(own).await?;
    let server = broker.server().clone();
    Ok((Some(broker), server))
}

/// Whether nobody's stream takes what is sent to the node. `own` is the directory of a server that ends with
/// this start, and lets nobody delete a stream then.
fn unheard(lookout: &Lookout, server: &Server, own: Option<PathBuf>) -> Result<(), StartError> {
    let found = lookout.found().borrow().clone();
    let Some(first) = found.first() else { return Ok(()) };
    let remedy = match own {
        None => "delete it".to_owned(),
        Some(own) => {
            let streams = own.join("jetstream/$G/streams");
            format!("remove {}", streams.join(&first.stream).display())
        }
    };
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(StartError::Overheard { url: server.shown(), said: said.join("; "), remedy })
}

/// Starts the follower, and waits a while for its first look at the stream.
async fn follow(
    node: &Node,
    server: &Server,
    directory: PathBuf,
    broker: Option<&Broker>,
) -> Result<Follower, StartError> {
    let settings = follower::Settings { server: server.clone(), reconnect_pause: None, directory };
    let follower = Follower::start(node.journal().clone(), settings).await?;
    if let Some(broker) = broker {
        broker.mend(follower.refused());
    }
    first_look(follower.status()).await;
    Ok(follower)
}

/// Before the first command it should be known whether the stream contradicts the journal. With
/// NATS away no command arrives anyway.
async fn first_look(mut status: watch::Receiver<follower::Status>) {
    let looked = status.wait_for(|status| !matches!(status, follower::Status::Away));
    if tokio::time::timeout(STREAM_PATIENCE, looked).await.is_err() {
        tracing::warn!("the stream could not be looked at yet");
    }
}

/// Settles the documents that a crash left, now or, where the stream is away or contradicts the log, once it
/// does not any more: then the task that waits for it is given back.
async fn settle(
    node: &Node,
    documents: &Documents,
    mut status: watch::Receiver<follower::Status>,
) -> Result<Option<JoinHandle<()>>, documents::Error> {
    let agrees = |status: &follower::Status| match status {
        follower::Status::Following { .. } | follower::Status::CatchingUp { .. } => true,
        follower::Status::Away | follower::Status::Halted { .. } => false,
    };
    if agrees(&status.borrow()) {
        documents.settle_all(node).await?;
        return Ok(None);
    }
    let (node, documents) = (node.clone(), documents.clone());
    Ok(Some(tokio::spawn(async move {
        if status.wait_for(agrees).await.is_err() {
            return;
        }
        if let Err(error) = documents.settle_all(&node).await {
            let reason = crate::chain(&error);
            tracing::warn!(reason, "documents that a crash left are settled at the next start");
        }
    })))
}

/// Starts what goes on beside: the clock's watch, the inbox, and signing where it has a schedule.
fn beside(
    node: &Node,
    keeping_inbox: impl Future<Output = ()> + Send + 'static,
    lookout: Lookout,
    every: Option<Duration>,
) -> (Vec<JoinHandle<()>>, Vec<Part>) {
    let (mut tasks, mut parts) = (Vec::new(), Vec::new());
    let mut keep = |(task, part)| {
        tasks.push(task);
        parts.push(part);
    };
    keep(Part::spawn("the watch of the clock", clock::watch(node.clone())));
    keep(Part::spawn("what keeps the inbox for files", keeping_inbox));
    keep(Part::spawn("what looks out for streams of somebody else", lookout.run()));
    if let Some(every) = every {
        let sign = |log| checkpoints::on_schedule(node.clone(), log, every);
        keep(Part::spawn("the signing of the log", sign(Log::Cases)));
        keep(Part::spawn("the signing of the access log", sign(Log::Access)));
    }
    (tasks, parts)
}

/// Makes the inbox for files again where the server may have lost it, whenever the stream is followed
/// again that was away; and where somebody deleted it, as far as the server lets this be heard.
async fn keep_inbox(
    attaching: Attaching,
    mut line: KeptLine,
    mut status: watch::Receiver<follower::Status>,
) {
    let mut deleted = attaching.inbox_deleted().await;
    let mut was_away = false;
    loop {
        tokio::select! {
            changed = status.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = status.borrow_and_update();
                was_away |= matches!(*now, follower::Status::Away);
                if !was_away || !matches!(*now, follower::Status::Following { .. }) {
                    continue;
                }
                was_away = false;
            }
            () = line.renewed() => deleted = attaching.inbox_deleted().await,
            Some(()) = deleted.next() => {}
        }
        attaching.ready().await;
    }
}

/// The data directory is for the node's own account only: it holds keys. One that somebody else made may
/// be open to others. That is theirs to say, and what the node makes within is closed all the same.
fn make_directory(path: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::Directory { path: path.to_owned(), source };
    private::make(path).map_err(failed)?;
    if let Some(mode) = private::open_to_others(path).map_err(failed)? {
        tracing::warn!(
            path = %path.display(),
            mode = format!("{mode:o}"),
            "the data directory is open to other accounts, and so may be what an earlier version made \
             in it: close it with chmod 700"
        );
    }
    Ok(())
}
