//! The timers' way: read the stream to its end, wait for the clock or the next event, fire.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::context::ContextBuilder;
use case::Recorded;
use futures::StreamExt as _;
use tokio::sync::{oneshot, watch};

use super::fire::{Fired, fire};
use super::queue::Queue;
use super::{Clock, Status};
use crate::follower::STREAM;

/// How long an answer of the server may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How often the clock is looked at: it may jump, and no sleep would notice.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The pauses between attempts to read the stream.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How many deadlines fire side by side.
const AT_ONCE: usize = 64;

/// Why the stream must be read again from its first record.
type Trouble = String;

pub(super) struct Task {
    client: async_nats::Client,
    context: Context,
    clock: Clock,
    status: watch::Sender<Status>,
    /// Attempts in a row that brought nothing.
    failures: u32,
}

impl Task {
    pub(super) fn new(
        client: async_nats::Client,
        clock: Clock,
        status: watch::Sender<Status>,
    ) -> Self {
        let context = ContextBuilder::new().timeout(ANSWER_LIMIT).build(client.clone());
        Self { client, context, clock, status, failures: 0 }
    }

    /// Runs until it is told to stop, by a message or by the sender's end.
    pub(super) async fn run(mut self, stop: oneshot::Receiver<()>) {
        tokio::select! {
            _ = stop => {}
            () = self.run_for_ever() => {}
        }
    }

    async fn run_for_ever(&mut self) {
        loop {
            let Err(trouble) = self.follow().await;
            if self.status.send_replace(Status::Reading) != Status::Reading {
                tracing::warn!(stream = STREAM, "the timers read the stream again: {trouble}");
            }
            let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
            self.failures = self.failures.saturating_add(1);
            tokio::time::sleep(pause).await;
        }
    }

    /// One reading of the stream, from its first record to the next trouble.
    async fn follow(&mut self) -> Result<Infallible, Trouble> {
        let stream = self.context.get_stream(STREAM).await.map_err(|e| crate::chain(&e))?;
        let end = stream.cached_info().state.last_sequence;
        let config =
            pull::OrderedConfig { deliver_policy: DeliverPolicy::All, ..Default::default() };
        let consumer = stream.create_consumer(config).await.map_err(|e| crate::chain(&e))?;
        let mut messages = consumer.messages().await.map_err(|e| crate::chain(&e))?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut queue = Queue::default();
        let mut position = 0;
        loop {
            tokio::select! {
                message = messages.next() => {
                    let message = message.ok_or("the consumer ended")?;
                    let message = message.map_err(|error| crate::chain(&error))?;
                    let found = message.info().map_err(|e| e.to_string())?.stream_sequence;
                    if found != position + 1 {
                        return Err(format!("position {found} came after {position}"));
                    }
                    position = found;
                    let record = Recorded::decode(&message.payload, position);
                    queue.apply(&record.map_err(|e| format!("position {position}: {e}"))?);
                }
                _ = looks.tick() => {}
            }
            if position >= end {
                self.failures = 0;
                self.show(queue.len());
                self.fire(&mut queue).await;
            }
        }
    }

    /// Fires what is due. Answers are awaited together, so that a long list does not take long.
    async fn fire(&self, queue: &mut Queue) {
        let due = queue.due((self.clock)(), AT_ONCE);
        let client = &self.client;
        let fired =
            due.into_iter().map(|firing| async move { (firing, fire(client, firing).await) });
        for (firing, fired) in futures::future::join_all(fired).await {
            match fired {
                Fired::AgainAfter(pause) => queue.tried(firing, pause),
                Fired::Settled => queue.settle(firing),
            }
        }
    }

    fn show(&self, running: usize) {
        let now = Status::Waiting { running };
        self.status.send_if_modified(|status| {
            let changed = *status != now;
            *status = now;
            changed
        });
    }
}
