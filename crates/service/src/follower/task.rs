//! The follower's way: look at the stream, fill it, follow the journal, and look again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::IntoFuture as _;
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::context::{PublishAckFuture, PublishErrorKind};
use futures::StreamExt as _;
use journal::{Journal, Position, Record};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::consumers::{Consumers, list};
use super::error::Trouble;
use super::message::address;
use super::mirror::Mirror;
use super::place::{Standing, has_holes, look, read};
use super::{STREAM, Status};
use crate::nats::LastingLine;

/// How many records are sent ahead of their acknowledgements.
const WINDOW: usize = 512;
/// How many records are read at once: at most 16 MiB.
const CHUNK: usize = 256;
/// How often the stream is looked at when nothing else calls for it: a purge, and messages that
/// are lost in the middle, show by no other sign.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a halted follower waits before it looks again.
const HALTED_PAUSE: Duration = Duration::from_secs(30);
/// The pauses between attempts that bring nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the follower tells.
#[derive(Debug)]
pub(super) struct Tell {
    /// How the mirror is.
    pub(super) status: watch::Sender<Status>,
    /// How often in a row the server did not store a record.
    pub(super) refused: watch::Sender<u32>,
}

/// What the follower is made of while it runs.
#[derive(Debug)]
pub(super) struct Task {
    journal: Journal,
    durable: watch::Receiver<Position>,
    mirror: Mirror,
    consumers: Consumers,
    lasting: LastingLine,
    tell: Tell,
    /// The last position that the stream is known to hold.
    position: u64,
    /// When the stream is looked at next.
    looks: Interval,
    /// Attempts in a row that brought nothing.
    failures: u32,
    /// Why the mirror waits, as the log was told.
    waits_for: Option<String>,
}

impl Task {
    pub(super) fn new(
        journal: Journal,
        lasting: LastingLine,
        consumers: Consumers,
        tell: Tell,
    ) -> Self {
        let mirror = Mirror::new(lasting.line.client.clone());
        let mut looks = tokio::time::interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            durable: journal.durable(),
            journal,
            mirror,
            consumers,
            lasting,
            tell,
            position: 0,
            looks,
            failures: 0,
            waits_for: None,
        }
    }

    /// Follows until it is told to stop, by a message or by the sender's end.
    pub(super) async fn run(mut self, stop: oneshot::Receiver<()>) {
        tokio::select! {
            _ = stop => {}
            () = self.follow_for_ever() => {}
        }
    }

    async fn follow_for_ever(&mut self) {
        let mut advisories = None;
        loop {
            let Err(trouble) = self.follow(&mut advisories).await;
            match trouble {
                Trouble::Stopped => return,
                Trouble::Moved(what) => {
                    tracing::info!(stream = STREAM, "{what}; looking at the stream again");
                    self.pause().await;
                }
                Trouble::Refused(what) => {
                    if *self.tell.refused.borrow() == 0 {
                        tracing::warn!(
                            stream = STREAM,
                            "{what}; a server whose disk was full stores no more until it is started \
                             again"
                        );
                    }
                    self.tell.refused.send_modify(|times| *times = times.saturating_add(1));
                    self.pause().await;
                }
                Trouble::Away(why) => {
                    let was_here = self.tell.status.send_replace(Status::Away) != Status::Away;
                    // Before the first connection nothing is wrong yet; a server that is there and
                    // does not serve, such as one without JetStream, says what is.
                    let is_new = self.waits_for.as_ref() != Some(&why);
                    if is_new && (was_here || self.lasting.line.is_here()) {
                        tracing::warn!(stream = STREAM, "the mirror waits: {why}");
                        self.waits_for = Some(why);
                    }
                    self.pause().await;
                    self.lasting.line.here_or_over().await;
                    if self.lasting.line.is_over() {
                        self.lasting.renew().await;
                        self.mirror = Mirror::new(self.lasting.line.client.clone());
                        advisories = None;
                    }
                }
                Trouble::Halt(reason) => {
                    self.halt(reason);
                    let change = wait_for_change(&mut advisories);
                    // Looking again finds either the same or what an operator put right.
                    let _ = tokio::time::timeout(HALTED_PAUSE, change).await;
                }
            }
        }
    }

    /// One way from a look at the stream to the next trouble.
    async fn follow(&mut self, advisories: &mut Option<Subscriber>) -> Result<Infallible, Trouble> {
        self.connection()?;
        if advisories.is_none() {
            // Subscribed before the first look, so that no change falls between the two.
            *advisories = Some(self.subscribe().await?);
        }
        self.align().await?;
        let mut acks = VecDeque::new();
        let mut ready = VecDeque::new();
        let mut sent = self.position;
        loop {
            self.send(&mut sent, &mut ready, &mut acks).await?;
            if let Some((position, ack)) = acks.pop_front() {
                self.acknowledged(position, ack).await?;
            } else {
                self.idle(advisories).await?;
            }
        }
    }

    /// Sends what is durable, as far as the window allows.
    async fn send(
        &mut self,
        sent: &mut u64,
        ready: &mut VecDeque<Record>,
        acks: &mut VecDeque<(u64, PublishAckFuture)>,
    ) -> Result<(), Trouble> {
        let durable = self.durable.borrow_and_update().0;
        while acks.len() < WINDOW && *sent < durable {
            if ready.is_empty() {
                let most = usize::try_from(durable - *sent).unwrap_or(CHUNK).min(CHUNK);
                ready.extend(read(&self.journal, *sent + 1, most).await?);
            }
            let position = *sent + 1;
            let record = ready
                .pop_front()
                .filter(|record| record.position.0 == position)
                .ok_or_else(|| Trouble::Halt(format!("the journal has no record {position}")))?;
            let addressed = address(position, &record.bytes).ok_or_else(|| {
                Trouble::Halt(format!("record {position} has an envelope of an unknown form"))
            })?;
            acks.push_back((position, self.mirror.publish(addressed, record.bytes.into()).await?));
            *sent = position;
        }
        Ok(())
    }

    /// Awaits the acknowledgement of the oldest record that was sent.
    async fn acknowledged(&mut self, position: u64, ack: PublishAckFuture) -> Result<(), Trouble> {
        let mut ack = ack.into_future();
        let answer = loop {
            tokio::select! {
                answer = &mut ack => break answer,
                // Answers that were under way are lost with the connection.
                () = self.lasting.line.gone() => return Err(away()),
                _ = self.looks.tick() => self.look_again().await?,
            }
        };
        match answer {
            Ok(answer) if answer.sequence == position => {
                self.position = position;
                self.failures = 0;
                self.waits_for = None;
                self.tell.refused.send_if_modified(|times| std::mem::take(times) > 0);
                self.show();
                Ok(())
            }
            // The stream knows the event's id from another place.
            Ok(answer) => Err(Trouble::Halt(format!(
                "the event at position {position} is in the stream at {} already",
                answer.sequence
            ))),
            // Another reason than the stream's place; a server that cannot write gives none at all.
            Err(error)
                if matches!(error.kind(), PublishErrorKind::Other | PublishErrorKind::TimedOut) =>
            {
                let why = crate::chain(&error);
                Err(Trouble::Refused(format!("record {position} was not stored: {why}")))
            }
            Err(error) => {
                let why = crate::chain(&error);
                Err(Trouble::Moved(format!("record {position} was not taken: {why}")))
            }
        }
    }

    /// The stream holds everything: waits for the journal, for a change of the stream, or for the
    /// time to look at it.
    async fn idle(&mut self, advisories: &mut Option<Subscriber>) -> Result<(), Trouble> {
        if self.consumers.owed() {
            self.consumers.restore(&self.mirror).await?;
        }
        self.failures = 0;
        self.show();
        tokio::select! {
            changed = self.durable.changed() => changed.map_err(|_| Trouble::Stopped),
            () = wait_for_change(advisories) => {
                Err(Trouble::Moved("the stream was changed or deleted".to_owned()))
            }
            () = self.lasting.line.gone() => Err(away()),
            _ = self.looks.tick() => self.look_again().await,
        }
    }

    /// Finds where the stream stands, and makes it one that can be filled from there.
    async fn align(&mut self) -> Result<(), Trouble> {
        let Some(info) = self.mirror.info().await? else {
            self.consumers.owe(Vec::new()).await?;
            self.mirror.create().await?;
            tracing::info!(stream = STREAM, "stream created");
            return self.align_created().await;
        };
        // Its content first: a stream that is not ours is not touched.
        match look(&self.mirror, &self.journal, &info, || self.durable.borrow().0).await? {
            Standing::At(position) => self.position = position,
            Standing::Broken(why) => return self.renew(why).await,
        }
        if !self.mirror.conform(&info).await? {
            return self.renew("its configuration cannot be put right").await;
        }
        self.show();
        Ok(())
    }

    /// A stream that was made just now is read back before it is trusted. One that is not empty
    /// has the records of the stream that was deleted before it: the server tells of a deletion
    /// before it removes the files, and a stream made in between takes them over. It is deleted
    /// again; nothing is lost, for the journal is what it is filled from.
    async fn align_created(&mut self) -> Result<(), Trouble> {
        let info = self.mirror.info().await?;
        let info = info.ok_or_else(|| Trouble::Moved("the new stream is gone".to_owned()))?;
        if info.state.last_sequence != 0 {
            self.mirror.delete().await?;
            return Err(Trouble::Away("the new stream was not empty; it is made again".to_owned()));
        }
        if !self.mirror.conform(&info).await? {
            return Err(Trouble::Away("the new stream is not as it was asked for".to_owned()));
        }
        self.position = 0;
        self.show();
        Ok(())
    }

    /// Replaces a stream that cannot be mended. Its consumers come back when it is filled.
    async fn renew(&mut self, why: &str) -> Result<(), Trouble> {
        tracing::error!(stream = STREAM, "the stream is filled anew from the journal: {why}");
        self.consumers.owe(list(&self.mirror).await?).await?;
        self.mirror.delete().await?;
        self.mirror.create().await?;
        self.align_created().await
    }

    /// The look from time to time.
    async fn look_again(&mut self) -> Result<(), Trouble> {
        let moved = |what: &str| Err(Trouble::Moved(what.to_owned()));
        // Asked before the stream: places that were seen before a whole stream are true.
        let consumers = list(&self.mirror).await?;
        let Some(info) = self.mirror.info().await? else { return moved("the stream is gone") };
        if has_holes(&info.state) {
            return moved("records are missing in the stream");
        }
        if info.state.last_sequence < self.position {
            return moved("the stream lost its end");
        }
        if info.state.last_sequence > self.durable.borrow().0 {
            return moved("the stream holds more than the journal");
        }
        self.consumers.remember(consumers).await
    }

    async fn subscribe(&self) -> Result<Subscriber, Trouble> {
        self.mirror
            .client()
            .subscribe(format!("$JS.EVENT.ADVISORY.STREAM.*.{STREAM}"))
            .await
            .map_err(|error| Trouble::away("the stream's changes cannot be subscribed to", &error))
    }

    fn connection(&self) -> Result<(), Trouble> {
        if self.lasting.line.is_here() { Ok(()) } else { Err(away()) }
    }

    /// Shows how far the mirror is.
    fn show(&mut self) {
        let position = self.position;
        let now = if position >= self.durable.borrow().0 {
            self.waits_for = None;
            Status::Following { position }
        } else {
            Status::CatchingUp { position }
        };
        self.tell.status.send_if_modified(|status| {
            let changed = *status != now;
            *status = now;
            changed
        });
    }

    /// Raises the alarm once for each reason.
    fn halt(&mut self, reason: String) {
        let halted = Status::Halted { reason };
        if *self.tell.status.borrow() == halted {
            return;
        }
        if let Status::Halted { reason } = &halted {
            tracing::error!(stream = STREAM, alarm = true, "the mirror is halted: {reason}");
        }
        self.tell.status.send_replace(halted);
    }

    async fn pause(&mut self) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(pause).await;
    }
}

fn away() -> Trouble {
    Trouble::Away("there is no connection to the server".to_owned())
}

/// Returns when the server says that the stream was changed or deleted; never, before that was
/// subscribed to.
async fn wait_for_change(advisories: &mut Option<Subscriber>) {
    let Some(subscriber) = advisories else { return std::future::pending().await };
    while let Some(advisory) = subscriber.next().await {
        // Only the follower creates it.
        if !advisory.subject.contains(".CREATED.") {
            return;
        }
    }
    *advisories = None;
}
