//! The timers of the deadlines: what falls due is told to the deadlines service by a command.
//!
//! A citizen of NATS and nothing else: it learns of events only through its durable consumer on the
//! stream `CASES` and acts only by `deadlines.expire`. So it runs inside a node or as a process of its own, and several at
//! once do no harm: the command's id follows from case, deadline and due instant, and the same
//! command gets the same answer for ever.
//!
//! Beside the consumer there is a small store of what runs, synced before the consumer acknowledges
//! what is in it. So a start reads only what is new; and a store that is missing, damaged, older
//! than its consumer, or of another stream is made anew from the first record. Without a directory
//! for it, nothing is kept.
//!
//! *Invariant:* nothing is acknowledged that the store does not hold.
//! *Invariant:* nothing fires before the stream was read to its end, nor before the clock that it
//! is given says that it is due.
//! *Invariant:* what fired stays until its event, or the answer that there is nothing to expire.

mod fire;
mod place;
mod queue;
mod store;
mod task;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::ConnectOptions;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use store::Store;
use task::Task;

use crate::lasting::Part;
use crate::nats::{Connector, Cuts, HOW_TO_GET_IN, LastingLine, Server, refused};

/// What time it is. Given, so that tests can let it jump.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A server that went away without a word is noticed after two of these.
const PING: Duration = Duration::from_secs(10);

/// How the timers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The stream is being read; nothing fires yet.
    Reading,
    /// Everything in the stream is known, and what is due fires.
    Waiting {
        /// How many deadlines run.
        running: usize,
    },
    /// The place in the stream was not found, or not kept, twice in a row. Nothing fires; it is tried again
    /// for ever.
    Failing {
        /// What hinders them, without any content.
        reason: String,
    },
}

/// Why the timers could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection could not be set up. Fix the URL.
    #[error("the timers have no connection to NATS at {url}")]
    Connect {
        /// The URL, without credentials.
        url: String,
        /// Why.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The server does not let the timers in. Say who they are.
    #[error("the NATS server at {url} does not let the timers in; {HOW_TO_GET_IN}")]
    Refused {
        /// The URL, without credentials.
        url: String,
        /// Why.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The store could not be opened, or other timers hold it: give each a directory of its own.
    #[error("the timers' store could not be opened")]
    Store(#[from] journal::Error),
}

/// Running timers. Dropping them stops them too, without waiting.
#[derive(Debug)]
pub struct Timers {
    status: watch::Receiver<Status>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    part: Part,
}

impl Timers {
    /// Starts on the system's clock, with a directory for the store if one is to be kept. Does not
    /// wait for the server: when it is away, it is tried again for ever. One that is there and does
    /// not let the timers in is an error.
    pub async fn start(server: impl Into<Server>, store: Option<PathBuf>) -> Result<Self, Error> {
        Self::start_with(server, store, Arc::new(Timestamp::now)).await
    }

    /// Starts on a clock that is given.
    pub async fn start_with(
        server: impl Into<Server>,
        store: Option<PathBuf>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let store = Store::open(store)?;
        let server: Server = server.into();
        let line = connect(&server).await?;
        let (status_sender, status) = watch::channel(Status::Reading);
        let (stop, stopped) = oneshot::channel();
        let task = Task::new(line, clock, status_sender, store).run(stopped);
        let (task, part) = Part::spawn("the timers of the deadlines", task);
        Ok(Self { status, stop, task, part })
    }

    /// How the timers are, now and from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Returns what ended, once the timers have ended though nobody stopped them: a defect, after which
    /// nothing expires any more, whatever [`Timers::status`] said last. They must be started again.
    pub fn ended(&self) -> impl Future<Output = &'static str> + Send + use<> {
        self.part().ended()
    }

    pub(crate) fn part(&self) -> Part {
        self.part.clone()
    }

    /// Stops. What was not answered yet fires again after the next start.
    pub async fn stop(self) {
        // A task that is gone has nothing to stop.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(reason = %crate::chain(&error), "the timers failed");
        }
    }
}

async fn connect(server: &Server) -> Result<LastingLine, Error> {
    let options = || ConnectOptions::new().name("tebessa deadlines").ping_interval(PING);
    let connector = Connector::new(server, "the timers", &Cuts::default(), options);
    let unfit = |source| Error::Connect { url: server.shown(), source };
    let line = match connector.connect().await {
        Ok(line) => line,
        Err(source) if refused(&source) => {
            return Err(Error::Refused { url: server.shown(), source });
        }
        Err(error) => {
            let url = server.shown();
            tracing::warn!(url, %error, "no connection to NATS yet; the timers try again");
            let patient = connector.connect_with(ConnectOptions::retry_on_initial_connect);
            patient.await.map_err(unfit)?
        }
    };
    Ok(LastingLine::new(connector, line))
}
