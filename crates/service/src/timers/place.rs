//! Where reading goes on: at the place that store and durable consumer agree on, else at the first
//! record of the stream.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::stream::Stream;
use case::Leaf;
use uuid::Uuid;

use super::store::{Snapshot, Store, read, write};
use super::task::Trouble;
use crate::blocking::blocking;

/// How long what was delivered and not acknowledged waits: much longer than the time from a
/// message to the snapshot that has it.
const ACK_WAIT: Duration = Duration::from_mins(2);
/// The most messages between two snapshots, and more.
const MOST_UNACKNOWLEDGED: i64 = 200_000;
/// After so long without timers the server forgets their consumer; the store then makes another.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(7 * 24);
/// The same where nothing is kept, so that the consumer is of no use to anyone.
const FORGOTTEN_AFTER_WITHOUT_STORE: Duration = Duration::from_mins(5);

/// A place in the stream: what runs there, and the consumer that brings what comes after.
pub(super) struct StreamPlace {
    pub(super) snapshot: Snapshot,
    pub(super) consumer: Consumer<pull::Config>,
}

/// Finds the place.
pub(super) async fn find(stream: &Stream, store: &Store) -> Result<StreamPlace, Trouble> {
    let made = stream.cached_info().created.to_string();
    let fresh = |why: &str| {
        tracing::info!("the timers read the stream from its first record: {why}");
        Snapshot::empty(made.clone(), name())
    };
    let kept = match store.path() {
        Some(path) => blocking(move || read(&path)).await.map_err(|failure| failure.message)?,
        None => None,
    };
    let Some(kept) = kept else {
        return begin(stream, store, fresh("there is no store")).await;
    };
    if let Some(why) = contradiction(stream, &kept).await? {
        remove(stream, &kept.consumer).await;
        return begin(stream, store, fresh(why)).await;
    }
    let Ok(consumer) = stream.get_consumer::<pull::Config>(&kept.consumer).await else {
        // Forgotten by the server, or lost with its disk: the store knows the place.
        return begin(stream, store, Snapshot { consumer: name(), ..kept }).await;
    };
    let info = consumer.cached_info();
    if info.ack_floor.stream_sequence > kept.position {
        // The store is older than what it was acknowledged for, as one from a backup is.
        remove(stream, &kept.consumer).await;
        return begin(stream, store, fresh("its consumer is ahead of the store")).await;
    }
    if info.num_ack_pending > 0 || info.delivered.stream_sequence != kept.position {
        // What a killed process was given and did not acknowledge would come late, and out of order.
        remove(stream, &kept.consumer).await;
        return begin(stream, store, Snapshot { consumer: name(), ..kept }).await;
    }
    Ok(StreamPlace { snapshot: kept, consumer })
}

/// Why the store does not belong to this stream, if so.
async fn contradiction(stream: &Stream, kept: &Snapshot) -> Result<Option<&'static str>, Trouble> {
    let info = stream.cached_info();
    if info.created.to_string() != kept.stream {
        return Ok(Some("the stream was made anew"));
    }
    if info.state.last_sequence < kept.position {
        return Ok(Some("the stream ends before the store"));
    }
    let Some(leaf) = kept.leaf else { return Ok(None) };
    let record = stream.get_raw_message(kept.position).await.map_err(|e| crate::chain(&e))?;
    let same = Leaf::of(&record.payload) == leaf;
    Ok((!same).then_some("the stream has another record where the store ends"))
}

/// A consumer that begins behind a snapshot. The store knows its name first: so one that a crash
/// left is found and removed, or forgotten by the server.
async fn begin(stream: &Stream, store: &Store, snapshot: Snapshot) -> Result<StreamPlace, Trouble> {
    save(store, snapshot.clone()).await?;
    let config = pull::Config {
        durable_name: Some(snapshot.consumer.clone()),
        description: Some("the timers of the deadlines".to_owned()),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: snapshot.position + 1 },
        ack_policy: AckPolicy::All,
        ack_wait: ACK_WAIT,
        max_ack_pending: MOST_UNACKNOWLEDGED,
        inactive_threshold: if store.keeps() {
            FORGOTTEN_AFTER
        } else {
            FORGOTTEN_AFTER_WITHOUT_STORE
        },
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(|error| crate::chain(&error))?;
    Ok(StreamPlace { snapshot, consumer })
}

/// Makes a snapshot durable, where there is a store.
pub(super) async fn save(store: &Store, snapshot: Snapshot) -> Result<(), Trouble> {
    let Some(path) = store.path() else { return Ok(()) };
    blocking(move || write(&path, &snapshot))
        .await
        .map_err(|failure| failure.message)?
        .map_err(|error| format!("the timers' store cannot be written: {}", crate::chain(&error)))
}

/// Each consumer has a name of its own: a mirror that fills a stream anew puts old ones back.
fn name() -> String {
    format!("deadlines-{}", Uuid::new_v4().simple())
}

/// Best effort: one that stays is forgotten by the server.
pub(super) async fn remove(stream: &Stream, consumer: &str) {
    if let Err(error) = stream.delete_consumer(consumer).await {
        tracing::debug!(consumer, reason = %crate::chain(&error), "an old consumer stays");
    }
}
