//! A standalone node: journal, services and follower in one process, with a NATS server of its
//! own or a given one.

mod connections;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use case::clocks::Clocks;
use guidance::Library;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::connections::Connections;
use crate::alone::{NotAlone, Starting};
use crate::broker::{self, Broker, Port, Settings};
use crate::documents::{self, Attaching, Documents, Reading, StorePlace};
use crate::follower::{self, Follower};
use crate::logs::Log;
use crate::nats::{HOW_TO_GET_IN, Server};
use crate::node::{Authority, Node, OpenError, journal_dir};
use crate::reply::Failure;
use crate::serve::{Desk, ServeError, Services};
use crate::timers::{self, Timers};
use crate::{checkpoints, clock};

/// The least that a server must take in one message, in bytes: an answer, with room for its headers. A
/// record is shorter.
const LEAST_PAYLOAD: usize = 1_000_000;
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
        }
    }
}

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
    /// It could not be made sure that all keys are destroyed which the log asks to be. Look at the key
    /// store's disk, or the index, as the message says: nothing is served before.
    #[error("it could not be made sure that the keys of erased cases are destroyed: {}", .0.message)]
    Erasure(Failure),
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

/// A running node.
pub struct Standalone {
    node: Node,
    broker: Option<Broker>,
    connections: Connections,
    follower: Follower,
    services: Services,
    timers: Option<Timers>,
    server: Server,
    report: journal::OpenReport,
    signing: Vec<JoinHandle<()>>,
    clock: JoinHandle<()>,
    inbox: JoinHandle<()>,
}

impl Standalone {
    /// Starts everything; when it returns, commands are answered.
    pub async fn start(
        setup: Setup,
        progress: &mut (dyn FnMut(journal::Progress) + Send),
    ) -> Result<Self, StartError> {
        let Setup {
            data,
            nats,
            port,
            private,
            authority,
            library,
            clocks,
            checkpoints,
            documents,
            inbox_age,
            timers,
        } = setup;
        if data.join("log").exists() && !journal_dir(&data).exists() {
            return Err(StartError::Backup { path: data });
        }
        make_directory(&data)?;
        let (node, report) = Node::open(&data, &authority, (library, clocks), progress)
            .map_err(|source| StartError::Open { path: data.clone(), source })?;
        let came_back = node.forget_erased().await.map_err(StartError::Erasure)?;
        if came_back > 0 {
            tracing::warn!(
                keys = came_back,
                "keys of erased cases had come back and were destroyed"
            );
        }
        let documents = Documents::open(&documents, &data)?;
        documents.settle_all(&node).await?;
        let (broker, server) = if let Some(server) = nats {
            (None, server)
        } else {
            let settings = Settings { directory: data.join("nats"), port, private };
            let broker = Broker::start(settings).await?;
            let server = broker.server().clone();
            (Some(broker), server)
        };
        let connections = Connections::open(&server).await?;
        let client = &connections.commands;
        let most = client.server_info().max_payload;
        if most < LEAST_PAYLOAD {
            return Err(StartError::SmallMessages { url: server.shown(), most });
        }
        // Before the follower, which would write this log into the other's stream.
        let starting = Starting::alone(&server).await.map_err(|error| match error {
            NotAlone::Another => StartError::Another { url: server.shown() },
            NotAlone::Connect(source) => StartError::Connect { url: server.shown(), source },
            NotAlone::Subscribe(source) => StartError::Listen { url: server.shown(), source },
        })?;
        let settings = follower::Settings {
            server: server.clone(),
            options: async_nats::ConnectOptions::new(),
            directory: data.join("follower"),
        };
        let follower = Follower::start(node.journal().clone(), settings).await?;
        if let Some(broker) = &broker {
            broker.mend(follower.refused());
        }
        first_look(follower.status()).await;
        let attaching = Attaching::new(node.clone(), documents.clone(), client.clone(), inbox_age);
        attaching.ready().await;
        let timers_status = Arc::new(OnceLock::new());
        let desk = Desk {
            node: node.clone(),
            follower: follower.status(),
            attaching: attaching.clone(),
            reading: Reading::new(node.clone(), documents),
            timers: Arc::clone(&timers_status),
        };
        let services = Services::start(desk, client, &connections.queries).await?;
        drop(starting);
        let signing = checkpoints.into_iter().flat_map(|every| {
            let sign = |log| checkpoints::on_schedule(node.clone(), log, every);
            [Log::Cases, Log::Access].map(sign)
        });
        let signing = signing.collect();
        let clock = clock::watch(node.clone());
        let inbox = tokio::spawn(keep_inbox(attaching, follower.status()));
        let timers = if timers {
            let timers = Timers::start(server.clone(), Some(data.join("deadlines"))).await?;
            // Set here only.
            let _ = timers_status.set(timers.status());
            Some(timers)
        } else {
            None
        };
        Ok(Self {
            node,
            broker,
            connections,
            follower,
            services,
            timers,
            server,
            report,
            signing,
            clock,
            inbox,
        })
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

    /// Answers what was taken, signs the log, lets the stream follow what was accepted, and stops:
    /// timers, services, follower, connections, NATS server, journal, in this order.
    pub async fn stop(self) -> Result<(), journal::Error> {
        if let Some(timers) = self.timers {
            timers.stop().await;
        }
        self.services.drain().await;
        for signing in self.signing {
            signing.abort();
        }
        self.clock.abort();
        self.inbox.abort();
        for log in [Log::Cases, Log::Access] {
            checkpoints::sign_last(&self.node, log).await;
        }
        let last = self.node.journal().durable().borrow().0;
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
        self.connections.close().await;
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

/// Before the first command it should be known whether the stream contradicts the journal. With
/// NATS away no command arrives anyway.
async fn first_look(mut status: watch::Receiver<follower::Status>) {
    let looked = status.wait_for(|status| !matches!(status, follower::Status::Away));
    if tokio::time::timeout(STREAM_PATIENCE, looked).await.is_err() {
        tracing::warn!("the stream could not be looked at yet");
    }
}

/// Makes the inbox for files again where the server may have lost it: whenever the stream is followed
/// again that was away.
async fn keep_inbox(attaching: Attaching, mut status: watch::Receiver<follower::Status>) {
    let away = |status: &follower::Status| matches!(status, follower::Status::Away);
    let follows = |status: &follower::Status| matches!(status, follower::Status::Following { .. });
    loop {
        if status.wait_for(away).await.is_err() || status.wait_for(follows).await.is_err() {
            return;
        }
        attaching.ready().await;
    }
}

/// The data directory is for the node's own account only: it holds keys.
fn make_directory(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| StartError::Directory { path: path.to_owned(), source })
}
