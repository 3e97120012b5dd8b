//! The timers' way: read on in the stream to its end, wait for the clock or the next event, fire.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::{Context, Message};
use case::Recorded;
use futures::StreamExt as _;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::fire::{Fired, fire};
use super::place::{self, StreamPlace};
use super::queue::Queue;
use super::store::{Snapshot, Store};
use super::{Clock, Status};
use crate::follower::{STREAM, Unknown, stored};
use crate::nats::LastingLine;

/// How long an answer of the server may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How often the clock is looked at: it may jump, and no sleep would notice.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The pauses between attempts to read the stream.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So many records are read at the most before what is known is kept, in a long reading.
const MOST_AHEAD: u64 = 50_000;
/// The longest pause between two times that it is kept; well within the consumer's patience.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// More than the client library asks for ahead.
const MOST_ASKED_FOR: u64 = 512;
/// How many deadlines fire side by side.
const AT_ONCE: usize = 64;

/// Why the place in the stream must be found again.
pub(super) type Trouble = String;

pub(super) struct Task {
    lasting: LastingLine,
    context: Context,
    clock: Clock,
    status: watch::Sender<Status>,
    store: Store,
    /// Attempts in a row that brought nothing.
    failures: u32,
    /// What hinders the timers, as the log was told.
    told: Option<Trouble>,
    /// The last position that was read.
    read: u64,
    /// The first position at which the connection may have ended.
    suspect: Option<u64>,
}

/// What was read, and what of it is kept.
struct Reading {
    queue: Queue,
    /// Where the reading is; its list of what runs is filled when it is kept.
    known: Snapshot,
    /// The position up to which it is kept.
    kept: u64,
    /// The last message, with which all before it are acknowledged.
    last: Option<Message>,
    /// When it may be kept again.
    again: Instant,
}

impl Reading {
    fn of(mut snapshot: Snapshot) -> Self {
        let queue = Queue::restore(std::mem::take(&mut snapshot.running));
        let kept = snapshot.position;
        Self { queue, known: snapshot, kept, last: None, again: Instant::now() }
    }

    /// How many records are taken into account and not kept.
    const fn ahead(&self) -> u64 {
        self.known.position - self.kept
    }

    fn rested(&self) -> bool {
        Instant::now() >= self.again
    }

    fn take(&mut self, message: Message) -> Result<(), Trouble> {
        let position = self.known.position;
        let found = message.info().map_err(|error| crate::chain(&*error))?.stream_sequence;
        if found != position + 1 {
            return Err(format!("position {found} came after {position}"));
        }
        let record = Recorded::decode(&message.payload, found);
        let record = record.map_err(|e| format!("position {found}: {e}"))?;
        self.queue.apply(&record);
        self.known.position = found;
        self.known.leaf = Some(record.leaf);
        self.last = Some(message);
        Ok(())
    }

    /// Keeps what is known, and then acknowledges it: never the other way round.
    async fn keep(&mut self, store: &Store) -> Result<(), Trouble> {
        let Some(last) = self.last.take() else { return Ok(()) };
        let begun = Instant::now();
        let snapshot = Snapshot { running: self.queue.running(), ..self.known.clone() };
        place::save(store, snapshot).await?;
        // Confirmed by the server: one that gets lost would bring everything again at the next start,
        // and an unconfirmed one of this kind did not move the consumer on nats-server 2.15.1.
        last.double_ack().await.map_err(|error| crate::chain(&*error))?;
        self.kept = self.known.position;
        // A long list is written more rarely, so that writing takes a small part of the time.
        self.again = Instant::now() + (begun.elapsed() * 20).min(LONGEST_REST);
        Ok(())
    }
}

fn context_of(lasting: &LastingLine) -> Context {
    ContextBuilder::new().timeout(ANSWER_LIMIT).build(lasting.line.client.clone())
}

impl Task {
    pub(super) fn new(
        lasting: LastingLine,
        clock: Clock,
        status: watch::Sender<Status>,
        store: Store,
    ) -> Self {
        let context = context_of(&lasting);
        Self {
            lasting,
            context,
            clock,
            status,
            store,
            failures: 0,
            told: None,
            read: 0,
            suspect: None,
        }
    }

    /// Runs until it is told to stop, by a message or by the sender's end. What was not kept yet
    /// is read again after the next start.
    pub(super) async fn run(mut self, stop: oneshot::Receiver<()>) {
        tokio::select! {
            _ = stop => {}
            () = self.run_for_ever() => {}
        }
    }

    async fn run_for_ever(&mut self) {
        loop {
            let Err(trouble) = self.follow().await;
            if self.lasting.line.is_over() {
                self.suspect = Some(self.read + 1);
                self.tell("the connection ended".to_owned());
                self.lasting.renew().await;
                self.context = context_of(&self.lasting);
            } else {
                self.tell(trouble);
            }
            let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
            self.failures = self.failures.saturating_add(1);
            tokio::time::sleep(pause).await;
        }
    }

    /// One reading of the stream, from the place that is known to the next trouble.
    async fn follow(&mut self) -> Result<Infallible, Trouble> {
        let stream = self.context.get_stream(STREAM).await.map_err(|e| crate::chain(&e))?;
        let end = stream.cached_info().state.last_sequence;
        self.look_at_suspects(end).await?;
        let StreamPlace { snapshot, consumer } = place::find(&stream, &self.store).await?;
        let mut messages = consumer.messages().await.map_err(|e| crate::chain(&e))?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut reading = Reading::of(snapshot);
        self.read = reading.known.position;
        loop {
            let looked = tokio::select! {
                message = messages.next() => {
                    let message = message.ok_or("the consumer ended")?;
                    reading.take(message.map_err(|error| crate::chain(&error))?)?;
                    self.read = reading.known.position;
                    false
                }
                _ = looks.tick() => true,
            };
            let known = reading.known.position >= end;
            if reading.ahead() >= MOST_AHEAD || (looked && known && reading.rested()) {
                reading.keep(&self.store).await?;
            }
            if known {
                self.failures = 0;
                self.show(reading.queue.len());
                self.fire(&mut reading.queue).await;
            }
        }
    }

    /// A message at which the connection would end again is not asked for as it is, until it is gone. It is
    /// among those that were asked for behind the last one that was read.
    async fn look_at_suspects(&mut self, end: u64) -> Result<(), Trouble> {
        let Some(first) = self.suspect else { return Ok(()) };
        for position in first..=end.min(first + MOST_ASKED_FOR) {
            match stored(&self.context, position).await {
                Ok(Some(message)) if !message.readable => {
                    self.suspect = Some(position);
                    return Err(format!(
                        "position {position} of the stream holds a message that nobody can read"
                    ));
                }
                Ok(_) => {}
                Err(Unknown::NoStream) => break,
                Err(error @ (Unknown::Refused(_) | Unknown::Silent(_))) => {
                    return Err(crate::chain(&error));
                }
            }
        }
        self.suspect = None;
        Ok(())
    }

    /// Fires what is due. Answers are awaited together, so that a long list does not take long.
    async fn fire(&self, queue: &mut Queue) {
        let due = queue.due((self.clock)(), AT_ONCE);
        let client = &self.lasting.line.client;
        let fired =
            due.into_iter().map(|firing| async move { (firing, fire(client, firing).await) });
        for (firing, fired) in futures::future::join_all(fired).await {
            match fired {
                Fired::AgainAfter(pause) => queue.tried(firing, pause),
                Fired::Settled => queue.settle(firing),
            }
        }
    }

    /// Tells the log each new trouble, and once it came twice in a row, those who ask how the timers are: a
    /// single one, such as a server that was started again, is over at the next attempt.
    fn tell(&mut self, trouble: Trouble) {
        let fired = matches!(*self.status.borrow(), Status::Waiting { .. });
        // Before the first connection nothing is wrong yet.
        let connected = self.lasting.line.client.connection_state() == State::Connected;
        if self.told.as_ref() != Some(&trouble) && (fired || connected) {
            tracing::warn!(stream = STREAM, "the timers look for their place: {trouble}");
            self.told = Some(trouble.clone());
        }
        self.status.send_replace(if self.failures == 0 {
            Status::Reading
        } else {
            Status::Failing { reason: trouble }
        });
    }

    fn show(&mut self, running: usize) {
        self.told = None;
        let now = Status::Waiting { running };
        self.status.send_if_modified(|status| {
            let changed = *status != now;
            *status = now;
            changed
        });
    }
}
