//! The timers of the deadlines: what falls due is told to the deadlines service by a command.
//!
//! A citizen of NATS and nothing else: it learns of events only from the stream `CASES` and acts
//! only by `deadlines.expire`. So it runs inside a node or as a process of its own, and several at
//! once do no harm: the command's id follows from case, deadline and due instant, and the same
//! command gets the same answer for ever.
//!
//! It keeps nothing on disk. What runs is read again from the stream at every start and after
//! every trouble; a store of its own could only be stale, and a durable consumer's place would
//! skip what memory has forgotten.
//!
//! *Invariant:* nothing fires before the whole stream was read, nor before the clock that it is
//! given says that it is due.
//! *Invariant:* what fired stays until its event, or the answer that there is nothing to expire.

mod fire;
mod queue;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_nats::ConnectOptions;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use task::Task;

/// What time it is. Given, so that tests can let it jump.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A server that went away without a word is noticed after two of these.
const PING: Duration = Duration::from_secs(10);

/// How the timers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The stream is being read; nothing fires yet.
    Reading,
    /// Everything in the stream is known, and what is due fires.
    Waiting {
        /// How many deadlines run.
        running: usize,
    },
}

/// The connection that the timers need could not be set up. Fix the URL or the credentials.
#[derive(Debug, thiserror::Error)]
#[error("the timers have no connection to NATS at {url}")]
pub struct Error {
    url: String,
    #[source]
    source: async_nats::ConnectError,
}

/// Running timers. Dropping them stops them too, without waiting.
#[derive(Debug)]
pub struct Timers {
    status: watch::Receiver<Status>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Timers {
    /// Starts on the system's clock. Does not wait for the server: when it is away, it is tried
    /// again for ever.
    pub async fn start(url: &str) -> Result<Self, Error> {
        Self::start_with(url, Arc::new(Timestamp::now)).await
    }

    /// Starts on a clock that is given.
    pub async fn start_with(url: &str, clock: Clock) -> Result<Self, Error> {
        let client = ConnectOptions::new()
            .name("tebessa deadlines")
            .ping_interval(PING)
            .retry_on_initial_connect()
            .connect(url)
            .await
            .map_err(|source| Error { url: crate::client::without_credentials(url), source })?;
        let (status_sender, status) = watch::channel(Status::Reading);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(Task::new(client, clock, status_sender).run(stopped));
        Ok(Self { status, stop, task })
    }

    /// How the timers are, now and from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Stops. What was not answered yet fires again after the next start.
    pub async fn stop(self) {
        // A task that is gone has nothing to stop.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the timers failed");
        }
    }
}
