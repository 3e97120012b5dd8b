//! The follower: mirrors the journal one to one into the `JetStream` stream `CASES`.
//!
//! A record's position in the journal is its sequence in the stream. Every publish carries the
//! sequence it expects to follow, so that a late, repeated or lost publish can only be refused,
//! never misplaced; on any error the follower looks at the stream's tail, compares bytes with the
//! journal, and goes on from there.
//!
//! In scope: a stream that is missing, behind, truncated, purged or full of holes is put right
//! from the journal, with its consumers at their places. Out of scope: anything that comes in;
//! and a stream on several servers, which then orders instead of mirroring.
//!
//! *Invariant:* only what is durable in the journal is published.
//! *Invariant:* nothing in the stream is overwritten that the journal does not hold: a stream
//! with other bytes, or with more than the journal, halts the follower with an alarm.

mod consumers;
mod error;
mod message;
mod mirror;
mod place;
mod stored;
mod task;

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ConnectOptions;
use journal::Journal;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub use error::Error;
pub use message::subject;
pub(crate) use stored::{Stored, Unknown, find, stored};

use consumers::Consumers;
use task::{Task, Tell};

use crate::lasting::Part;
use crate::nats::{Connector, Cuts, LastingLine, Server};

/// The stream's name.
pub const STREAM: &str = "CASES";

/// A server that went away without a word is noticed after two of these.
const PING: Duration = Duration::from_secs(10);

/// How the mirror is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The stream holds everything that is durable in the journal.
    Following {
        /// The last position of both.
        position: u64,
    },
    /// The stream is behind, and records are being sent.
    CatchingUp {
        /// The last position that the stream is known to hold.
        position: u64,
    },
    /// The server cannot be reached or does not answer. It is tried again for ever; the journal
    /// is not touched by that.
    Away,
    /// The stream holds what the journal does not. An operator must find out which of the two is
    /// wrong; deleting the stream lets the follower fill it anew. It is looked at again from time
    /// to time.
    Halted {
        /// What was found, without any content.
        reason: String,
    },
}

/// What the follower needs beside the journal.
#[derive(Debug)]
pub struct Settings {
    /// The server.
    pub server: Server,
    /// How long it waits each time before it connects again; where nothing is said longer and longer,
    /// up to four seconds. For tests that cut it off often.
    pub reconnect_pause: Option<Duration>,
    /// A directory of its own, made when missing, for the places of the stream's consumers.
    pub directory: PathBuf,
}

/// A running follower. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Follower {
    status: watch::Receiver<Status>,
    refused: watch::Receiver<u32>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    part: Part,
}

impl Follower {
    /// Starts following. Does not wait for the server: when it is away, the follower goes on
    /// trying. Fails only on settings that can never work.
    pub async fn start(journal: Journal, settings: Settings) -> Result<Self, Error> {
        let Settings { server, reconnect_pause, directory } = settings;
        crate::private::make(&directory)
            .map_err(|source| Error::Directory { path: directory.clone(), source })?;
        // A connection of its own, so that its load delays nobody's answers.
        let options = move || {
            let options = ConnectOptions::new().name("tebessa follower").ping_interval(PING);
            match reconnect_pause {
                Some(pause) => options.reconnect_delay_callback(move |_| pause),
                None => options,
            }
        };
        let connector = Connector::new(&server, "the follower", &Cuts::default(), options);
        let patient = connector.connect_with(ConnectOptions::retry_on_initial_connect);
        let line = patient.await.map_err(Error::Connect)?;
        let (status_sender, status) = watch::channel(Status::Away);
        let (stop, stopped) = oneshot::channel();
        let (refused_sender, refused) = watch::channel(0);
        let consumers = Consumers::load(&directory);
        let tell = Tell { status: status_sender, refused: refused_sender };
        let task = Task::new(journal, LastingLine::new(connector, line), consumers, tell);
        let (task, part) = Part::spawn("the follower of the journal", task.run(stopped));
        Ok(Self { status, refused, stop, task, part })
    }

    /// How the mirror is, now and from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// How often in a row the server has not stored the record that is next in the stream. One that
    /// could not write, as on a full disk, stores nothing more in that stream until it is started again.
    #[must_use]
    pub fn refused(&self) -> watch::Receiver<u32> {
        self.refused.clone()
    }

    pub(crate) fn part(&self) -> Part {
        self.part.clone()
    }

    /// Stops following at once. What the stream does not hold yet is sent after the next start;
    /// whoever wants it there first waits for [`Status::Following`] before.
    pub async fn stop(self) {
        // A task that is gone has nothing to stop.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(reason = %crate::chain(&error), "the follower failed");
        }
    }
}
