//! The mirror is put right from the journal, whatever happened to the stream, and only that.

mod consumers;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info};
use async_nats::jetstream::{self, Context};
use futures::StreamExt as _;
use journal::{Draft, Expected, Journal, NoProjection, Options, Position, StreamId};
use serde::{Serialize, Serializer};
use service::follower::{Follower, STREAM, Settings, Status};
use tests::NatsServer;
use tokio::sync::watch;
use uuid::Uuid;

/// Longer than any of these takes on a busy machine of two cores.
const LIMIT: Duration = Duration::from_mins(1);

/// A record as the follower needs it.
struct Numbered(u64);

impl Draft for Numbered {
    fn stream(&self) -> StreamId {
        StreamId(Uuid::from_u128(0x1000_4000_8000_0000_0000 + u128::from(self.0 % 7)))
    }
}

impl Serialize for Numbered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let record = serde_json::json!({
            "specversion": "1.0",
            "id": Uuid::from_u128(0x7000_8000_0000_0000_0000 + u128::from(self.0)),
            "type": "tebessa.evidence.item-attached.v1",
            "subject": null,
            "time": null,
            "caseversion": null,
            "prev": null,
            "data": { "number": self.0.to_string(), "filling": "x".repeat(200) },
        });
        record.serialize(to)
    }
}

/// A journal, a server, and what follows from one to the other.
struct World {
    directory: tempfile::TempDir,
    journal: Journal,
    server: NatsServer,
    written: u64,
    /// Two worlds with different first numbers hold different records.
    first: u64,
}

impl World {
    fn new(server: NatsServer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = open(directory.path());
        Self { directory, journal, server, written: 0, first: 0 }
    }

    async fn append(&mut self, count: u64) {
        let positions = self.written + 1..=self.written + count;
        let pending: Vec<_> = positions
            .clone()
            .map(|position| self.journal.append(&Numbered(self.first + position), Expected::Any))
            .collect();
        for (position, pending) in positions.zip(pending) {
            assert_eq!(pending.await.unwrap().position, Position(position));
        }
        self.written += count;
    }

    async fn follow(&self) -> Follower {
        self.follow_by(&self.server.url()).await
    }

    async fn follow_by(&self, url: &str) -> Follower {
        let settings = Settings {
            server: url.into(),
            reconnect_pause: Some(Duration::from_millis(50)),
            directory: self.directory.path().join("follower"),
        };
        Follower::start(self.journal.clone(), settings).await.unwrap()
    }

    async fn context(&self) -> Context {
        jetstream::new(async_nats::connect(self.server.url()).await.unwrap())
    }

    async fn info(&self) -> Info {
        self.context().await.get_stream(STREAM).await.unwrap().cached_info().clone()
    }

    /// Waits until the follower says that it is done, and compares everything.
    async fn is_mirrored(&self, follower: &Follower) {
        let done = Status::Following { position: self.written };
        reaches(&mut follower.status(), |status| *status == done).await;
        self.matches_the_journal().await;
    }

    async fn matches_the_journal(&self) {
        let records = self.journal.read(Position(1), usize::MAX).unwrap();
        assert_eq!(records.len() as u64, self.written);
        let stream = self.context().await.get_stream(STREAM).await.unwrap();
        let state = &stream.cached_info().state;
        assert_eq!((state.first_sequence, state.last_sequence), (1, self.written));
        assert_eq!(state.messages, self.written);
        for record in &records {
            let message = stream.get_raw_message(record.position.0).await.unwrap();
            assert_eq!(message.payload, record.bytes, "at {}", record.position);
            let case = record.stream.0;
            let subject = format!("tebessa.case.{case}.evidence.item-attached");
            assert_eq!(message.subject.as_str(), subject);
        }
    }
}

fn open(directory: &Path) -> Journal {
    let options = Options::small();
    let (journal, _) =
        Journal::open(&directory.join("data"), options, Arc::new(NoProjection), &mut |_| {})
            .unwrap();
    journal
}

async fn reaches(status: &mut watch::Receiver<Status>, wanted: impl FnMut(&Status) -> bool) {
    let reached = tokio::time::timeout(LIMIT, status.wait_for(wanted)).await.is_ok();
    assert!(reached, "still {:?}", *status.borrow());
}

/// Asks again and again what no event tells.
async fn within_the_limit(what: &str, condition: impl AsyncFn() -> bool) {
    let met = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, met).await.is_ok(), "not within the limit: {what}");
}

async fn is_halted(follower: &Follower) -> String {
    let mut status = follower.status();
    reaches(&mut status, |status| matches!(status, Status::Halted { .. })).await;
    match &*status.borrow() {
        Status::Halted { reason } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_in_the_stream_once_in_the_journals_order() {
    let mut world = World::new(NatsServer::start());
    world.append(700).await;
    let follower = world.follow().await;
    world.append(900).await;
    for _ in 0..20 {
        world.append(3).await;
    }
    world.is_mirrored(&follower).await;
    let info = world.info().await;
    assert!(info.config.deny_delete && info.config.deny_purge);
    assert_eq!(info.config.discard, DiscardPolicy::New);
    assert!(!info.config.allow_message_ttl && !info.config.allow_message_schedules);
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_carries_its_event_id_and_content_type() {
    let mut world = World::new(NatsServer::start());
    world.append(1).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    let stream = world.context().await.get_stream(STREAM).await.unwrap();
    let message = stream.get_raw_message(1).await.unwrap();
    let header = |name: &str| message.headers.get(name).unwrap().to_string();
    assert_eq!(header("Nats-Msg-Id"), Uuid::from_u128(0x7000_8000_0000_0000_0001).to_string());
    assert_eq!(header("Content-Type"), "application/cloudevents+json");
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_resumes_from_what_the_stream_has() {
    let mut world = World::new(NatsServer::start());
    world.append(300).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    let created = world.info().await.created;
    follower.stop().await;
    world.append(300).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    assert_eq!(world.info().await.created, created, "the stream was made anew");
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_is_refilled_although_nothing_new_is_written() {
    let mut world = World::new(NatsServer::start());
    world.append(500).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    let mut status = follower.status();
    status.borrow_and_update();
    let before = world.info().await.created;
    world.context().await.delete_stream(STREAM).await.unwrap();
    reaches(&mut status, |status| matches!(status, Status::CatchingUp { .. })).await;
    world.is_mirrored(&follower).await;
    assert_ne!(world.info().await.created, before);
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_deleted_again_and_again_while_records_come_is_refilled() {
    let mut world = World::new(NatsServer::start());
    let follower = world.follow().await;
    let context = world.context().await;
    for _ in 0..5 {
        world.append(400).await;
        // It may be gone already, or not be there yet.
        context.delete_stream(STREAM).await.ok();
        world.append(100).await;
    }
    world.is_mirrored(&follower).await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_made_anew_with_only_a_prefix_is_completed() {
    let mut world = World::new(NatsServer::start());
    world.append(200).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    follower.stop().await;
    let context = world.context().await;
    let config = world.info().await.config;
    context.delete_stream(STREAM).await.unwrap();
    context.create_stream(config).await.unwrap();
    for record in world.journal.read(Position(1), 80).unwrap() {
        let subject = format!("tebessa.case.{}.evidence.item-attached", record.stream.0);
        context.publish(subject, record.bytes.into()).await.unwrap().await.unwrap();
    }
    let created = world.info().await.created;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    assert_eq!(world.info().await.created, created, "the prefix was not kept");
    follower.stop().await;
}

/// Cuts the stream's last file on the disk while the server is down.
async fn truncated(end: fn(&mut NatsServer)) {
    let mut world = World::new(NatsServer::start());
    world.append(1000).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    end(&mut world.server);
    let file = world.server.message_files(STREAM).pop().unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() - 2_000).unwrap();
    world.server.start_again();
    world.append(1).await;
    world.is_mirrored(&follower).await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_truncated_on_disk_after_an_orderly_stop_is_put_right() {
    truncated(NatsServer::stop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_truncated_on_disk_after_a_crash_is_put_right() {
    truncated(NatsServer::kill).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loses_its_end_of_the_stream_gets_it_again_without_new_records() {
    let mut world = World::new(NatsServer::start());
    world.append(100).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    world.server.kill();
    let file = world.server.message_files(STREAM).pop().unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    let mut status = follower.status();
    reaches(&mut status, |status| *status == Status::Away).await;
    world.server.start_again();
    world.is_mirrored(&follower).await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_found_again_and_nothing_is_sent_twice() {
    let mut world = World::new(NatsServer::start());
    let follower = world.follow().await;
    for round in 0..4 {
        world.append(300).await;
        if round % 2 == 0 {
            world.server.kill();
        } else {
            world.server.stop();
        }
        world.append(100).await;
        world.server.start_again();
    }
    world.is_mirrored(&follower).await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_late_gets_everything() {
    let mut world = World::new(NatsServer::absent());
    world.append(50).await;
    let follower = world.follow().await;
    assert_eq!(*follower.status().borrow(), Status::Away);
    world.server.start_again();
    world.is_mirrored(&follower).await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ahead_of_the_journal_halts_the_mirror_untouched() {
    let mut world = World::new(NatsServer::start());
    world.append(10).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    let context = world.context().await;
    let subject = format!("tebessa.case.{}.decisions.issued", Uuid::from_u128(1));
    context.publish(subject, "foreign".into()).await.unwrap().await.unwrap();
    assert!(is_halted(&follower).await.contains("ahead"));
    assert_eq!(world.info().await.state.last_sequence, 11);
    // The operator decides that the journal is right.
    context.delete_stream(STREAM).await.unwrap();
    world.is_mirrored(&follower).await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_at_a_position_halt_the_mirror_untouched() {
    let mut world = World::new(NatsServer::start());
    world.append(10).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    follower.stop().await;
    let context = world.context().await;
    let subject = format!("tebessa.case.{}.decisions.issued", Uuid::from_u128(1));
    context.publish(subject, "foreign".into()).await.unwrap().await.unwrap();
    world.append(20).await;
    let follower = world.follow().await;
    let reason = is_halted(&follower).await;
    assert!(reason.contains("other bytes") && reason.contains("11"), "{reason}");
    assert!(!reason.contains("foreign"));
    assert_eq!(world.info().await.state.last_sequence, 11);
    follower.stop().await;
}

/// A server takes headers of any form, and a client that cannot read them has no answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_can_read_halts_the_mirror_untouched() {
    let mut world = World::new(NatsServer::start());
    world.append(10).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    follower.stop().await;
    let subject = format!("tebessa.case.{}.intake.claim-registered", Uuid::from_u128(1));
    world.server.publish_raw(&subject, "NATS/1.0\r\nbad line without colon\r\n\r\n", b"{}");
    within_the_limit("it is in the stream", async || world.info().await.state.last_sequence == 11)
        .await;
    world.append(20).await;
    let follower = world.follow().await;
    let reason = is_halted(&follower).await;
    assert!(reason.contains("other bytes") && reason.contains("position 11"), "{reason}");
    assert!(!reason.contains("colon"), "{reason}");
    assert_eq!(world.info().await.state.last_sequence, 11);
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_nodes_stream_halts_the_mirror_untouched() {
    let mut other = World::new(NatsServer::start());
    other.append(10).await;
    let follower = other.follow().await;
    other.is_mirrored(&follower).await;
    follower.stop().await;
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path());
    let World { server, .. } = other;
    let mut world = World { directory, journal, server, written: 0, first: 1000 };
    world.append(20).await;
    let follower = world.follow().await;
    assert!(is_halted(&follower).await.contains("other bytes"));
    assert_eq!(world.info().await.state.messages, 10);
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_is_put_right() {
    let mut world = World::new(NatsServer::start());
    world.append(5).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    let config = Config {
        max_age: Duration::from_hours(1),
        discard: DiscardPolicy::Old,
        allow_direct: false,
        ..world.info().await.config
    };
    world.context().await.update_stream(config).await.unwrap();
    within_the_limit("the configuration is put right", async || {
        world.info().await.config.max_age == Duration::ZERO
    })
    .await;
    let config = world.info().await.config;
    assert!(config.allow_direct && config.discard == DiscardPolicy::New);
    world.append(5).await;
    world.is_mirrored(&follower).await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_right_or_an_operators_choice_is_left_alone() {
    let mut world = World::new(NatsServer::start());
    world.append(5).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    follower.stop().await;
    let config = Config { description: Some("ours".to_owned()), ..world.info().await.config };
    let client = async_nats::connect(world.server.url()).await.unwrap();
    let context = jetstream::new(client.clone());
    context.update_stream(config).await.unwrap();
    let mut updates =
        client.subscribe(format!("$JS.EVENT.ADVISORY.STREAM.UPDATED.{STREAM}")).await.unwrap();
    client.flush().await.unwrap();
    world.append(5).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    follower.stop().await;
    // What the server told before it answered this has come.
    client.flush().await.unwrap();
    let told = tokio::time::timeout(Duration::from_millis(100), updates.next()).await;
    assert!(told.is_err(), "the stream's configuration was changed");
    assert_eq!(world.info().await.config.description.as_deref(), Some("ours"));
}
