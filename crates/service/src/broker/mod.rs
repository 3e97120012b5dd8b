//! The NATS server of a standalone node: found, started as a child, kept alive, stopped.
//!
//! In scope: one `nats-server` on loopback with `JetStream` below the node's directory. Out of
//! scope: servers that someone else runs; a node that is given a URL does not use this module.
//!
//! *Invariant:* at most one server works on a store. The server does not lock it, so one that a
//! killed node left behind is ended before another is started. Whoever calls holds the lock of
//! the node's directory.
//! *Invariant:* a restart keeps the port, so that clients find the server again.
//!
//! The stream is a mirror that the journal refills, so the server's own sync interval is enough.
//! Needs Linux: processes are found and ended by way of `/proc` and process file descriptors.

mod alive;
mod configuration;
mod error;
mod file;
mod find;
mod leftover;
mod password;
mod room;
mod server;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use error::Error;
pub use find::find;

use configuration::Configuration;
use server::{Ended, Server};

use crate::lasting::Part;
use crate::nats;

/// The first pause before a server that died is started again; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A server that ran this long did not die of its start: the pauses begin anew.
const STEADY: Duration = Duration::from_mins(1);

/// Which port the server listens on. Always on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one, or starting fails.
    Exactly(u16),
    /// The one that it had the last time, if that is free, else any free one.
    AsBefore,
    /// Any free one; the next time knows nothing of it.
    Free,
}

/// What a server needs to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's own directory: configuration and store. Made when missing.
    pub directory: PathBuf,
    /// The port to listen on.
    pub port: Port,
    /// Whether only those are let in who know a password, which is kept below the directory and
    /// stands in [`Broker::server`]'s URL. Else every account of the machine is.
    pub private: bool,
}

/// How the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It accepts connections.
    Running {
        /// Its process.
        pid: u32,
    },
    /// It died and is being started again.
    Away {
        /// How often starting it was tried since it last ran.
        attempts: u32,
    },
    /// It was stopped on purpose.
    Stopped,
}

/// A running server. Dropping it kills the server; [`Broker::stop`] ends it in order.
#[derive(Debug)]
pub struct Broker {
    server: nats::Server,
    state: watch::Receiver<State>,
    again: mpsc::Sender<()>,
    directory: PathBuf,
    stop: oneshot::Sender<()>,
    supervisor: JoinHandle<()>,
    part: Part,
}

impl Broker {
    /// Finds a server program, ends one that an earlier run of this node left behind, starts a
    /// new one and returns when it accepts connections.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        Self::start_looking(settings, alive::EVERY).await
    }

    /// The same, looking so often whether the server answers.
    async fn start_looking(settings: Settings, every: Duration) -> Result<Self, Error> {
        let program = find().await?;
        let configuration = Configuration::new(&settings.directory, settings.private).await?;
        leftover::end(configuration.path()).await?;
        let server = start_on(&program, &configuration, settings.port).await?;

        let port = server.port();
        if settings.port != Port::Free {
            configuration.remember(port);
        }
        let (state_sender, state) = watch::channel(State::Running { pid: server.pid() });
        let (stop, stopped) = oneshot::channel();
        let (again, asked) = mpsc::channel(1);
        let url = configuration.url(port);
        let supervisor =
            Supervisor { program, configuration, port, state: state_sender, asked, every };
        let work = supervisor.run(server, stopped);
        let (supervisor, supervising) = Part::spawn("the supervisor of the NATS server", work);
        Ok(Self {
            server: nats::Server::new(url),
            state,
            again,
            directory: settings.directory,
            stop,
            supervisor,
            part: supervising,
        })
    }

    /// Where clients connect; the same for as long as this value lives.
    #[must_use]
    pub fn server(&self) -> &nats::Server {
        &self.server
    }

    /// How the server is, now and from now on.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Has the server started again when it stores nothing and its disk has room. How often in a row it
    /// did not store is what `refused` counts.
    pub fn mend(&self, refused: watch::Receiver<u32>) {
        tokio::spawn(room::watch(refused, self.directory.clone(), self.again.clone()));
    }

    pub(crate) fn part(&self) -> Part {
        self.part.clone()
    }

    /// Ends the server: asks it first, and kills it when it has not gone after five seconds.
    pub async fn stop(self) {
        // A supervisor that is gone has no server to stop.
        let _ = self.stop.send(());
        if let Err(error) = self.supervisor.await {
            tracing::error!(%error, "the supervisor of the nats-server failed");
        }
    }
}

/// Starts on the port that is wished for.
async fn start_on(
    program: &std::path::Path,
    configuration: &Configuration,
    port: Port,
) -> Result<Server, Error> {
    match port {
        Port::Exactly(port) => Server::start(program, configuration, Some(port)).await,
        Port::Free => Server::start(program, configuration, None).await,
        Port::AsBefore => {
            match Server::start(program, configuration, configuration.last_port()).await {
                Err(Error::PortTaken { .. }) => Server::start(program, configuration, None).await,
                other => other,
            }
        }
    }
}

/// The task that keeps the server alive.
struct Supervisor {
    program: PathBuf,
    configuration: Configuration,
    port: u16,
    state: watch::Sender<State>,
    /// Somebody wants the server to be started again.
    asked: mpsc::Receiver<()>,
    /// How often it is looked whether the server answers.
    every: Duration,
}

impl Supervisor {
    async fn run(mut self, first: Server, mut stopped: oneshot::Receiver<()>) {
        let mut next = Some(first);
        let mut attempts = 0;
        while let Some(mut server) = next {
            self.state.send_replace(State::Running { pid: server.pid() });
            let started = tokio::time::Instant::now();
            let why = tokio::select! {
                ended = server.ended() => Why::Died(ended),
                Some(()) = self.asked.recv() => Why::StoresNothing,
                () = alive::stuck(self.port, self.every) => Why::Stuck,
                // An error means that the broker was dropped without a stop: the same.
                _ = &mut stopped => {
                    server.stop().await;
                    self.state.send_replace(State::Stopped);
                    return;
                }
            };
            if started.elapsed() > STEADY {
                attempts = 0;
            }
            why.report();
            if !matches!(why, Why::Died(_)) {
                server.stop().await;
            }
            next = self.start_again(&mut attempts, &mut stopped).await;
        }
        self.state.send_replace(State::Stopped);
    }

    /// Starts the server until it runs; none when it is to stop meanwhile.
    async fn start_again(
        &self,
        attempts: &mut u32,
        stopped: &mut oneshot::Receiver<()>,
    ) -> Option<Server> {
        loop {
            self.state.send_replace(State::Away { attempts: *attempts });
            let pause = FIRST_PAUSE.saturating_mul(1 << (*attempts).min(10)).min(LONGEST_PAUSE);
            *attempts = attempts.saturating_add(1);
            let start = async {
                tokio::time::sleep(pause).await;
                Server::start(&self.program, &self.configuration, Some(self.port)).await
            };
            let started = tokio::select! {
                started = start => started,
                _ = &mut *stopped => return None,
            };
            match started {
                Ok(server) => return Some(server),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    attempts = *attempts,
                    "the nats-server could not be started again"
                ),
            }
        }
    }
}

/// Why a server is started again.
enum Why {
    Died(Ended),
    StoresNothing,
    Stuck,
}

impl Why {
    fn report(&self) {
        match self {
            Self::Died(ended) => {
                let (status, last) = (&ended.status, &ended.last_words);
                tracing::error!(%status, %last, "the nats-server died");
            }
            Self::StoresNothing => {
                tracing::warn!("the nats-server stores nothing and is started again");
            }
            Self::Stuck => {
                tracing::error!("the nats-server runs and answers nobody; it is started again");
            }
        }
    }
}
