//! The timers of the deadlines: what fell due fires once, whatever is killed and however often.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull;
use futures::StreamExt as _;
use serde_json::{Value, json};
use service::client::Client;
use service::follower::STREAM;
use service::reply::Reply;
use service::timers::Status;
use tests::{NatsServer, Node};
use uuid::Uuid;

use super::as_of::run;
use super::{ask, register, send};

/// How long a state may take to come about on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// `tebessa serve deadlines` as a process of its own. Killed when dropped.
pub(super) struct Timers {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Timers {
    /// Starts with a store of their own, or without any.
    fn start(url: &str, store: Option<&Path>) -> Self {
        let store = store.map(|directory| directory.to_str().expect("a path"));
        let store = store.into_iter().flat_map(|directory| ["--store", directory]);
        Self::start_with(["--nats", url].into_iter().chain(store))
    }

    pub(super) fn start_with<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut child = Command::new(tests::binary())
            .args(["serve", "deadlines", "--json"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the timers' start");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// How many deadlines run, when the whole stream was read.
    pub(super) fn ready(&mut self) -> u64 {
        let line = self.lines.next().expect("a line").expect("UTF-8");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        ready["running"].as_u64().expect("a number")
    }

    fn kill(mut self) {
        self.child.kill().expect("a kill");
        self.child.wait().expect("its end");
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        // It may be gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn command(name: &str, case: Uuid, data: &Value) -> Value {
    json!({
        "command": name, "id": Uuid::now_v7(), "case": case,
        "actor": { "id": "registry-1", "role": "registry", "basis": "test" },
        "occurred": "2024-01-02", "data": data,
    })
}

async fn accepted(client: &Client, command: &Value) {
    let reply = send(client, command).await.expect("an answer");
    assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
}

/// Sets a deadline that fell due a week ago or never will, and returns its id.
async fn set(client: &Client, case: Uuid, due: &str) -> Uuid {
    let deadline = Uuid::new_v4();
    let data = json!({ "deadline": deadline, "kind": "merits", "due": due });
    accepted(client, &command("deadlines.set", case, &data)).await;
    deadline
}

fn last_week() -> String {
    let week = jiff::SignedDuration::from_hours(7 * 24);
    (jiff::Timestamp::now() - week).to_string()
}

/// Reads the stream until so many deadlines have expired.
async fn await_expired(client: &Client, count: usize) {
    let messages = client.watch(1).await.expect("the stream");
    futures::pin_mut!(messages);
    let mut found = 0;
    while found < count {
        let message = messages.next().await.expect("a message").expect("the stream");
        let record: Value = serde_json::from_slice(&message.record).expect("JSON");
        found += usize::from(record["type"] == json!("tebessa.deadlines.expired.v1"));
    }
}

/// How often each deadline of a case has expired.
async fn expired(client: &Client, case: Uuid) -> BTreeMap<String, u32> {
    let history = ask(client, "history", &json!({ "case": case })).await;
    let mut found = BTreeMap::new();
    for entry in history["history"].as_array().expect("records") {
        if entry["record"]["type"] == json!("tebessa.deadlines.expired.v1") {
            let id = entry["record"]["data"]["deadline"].as_str().expect("an id").to_owned();
            *found.entry(id).or_insert(0) += 1;
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_the_timers_lose_nothing_and_fire_nothing_twice() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let store = home.path().join("deadlines");
    let mut node = Node::start_in(&data, &["--no-timers"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let cases: Vec<Uuid> = (0..5).map(|_| Uuid::new_v4()).collect();
    let mut due: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for case in &cases {
        accepted(&client, &register(*case, Uuid::now_v7(), "A")).await;
        set(&client, *case, "2999-01-01T00:00:00Z").await;
    }
    let mut count = 0;
    for step in 0..4 {
        // Nobody watches the clock while these fall due.
        for case in &cases {
            due.entry(*case).or_default().push(set(&client, *case, &last_week()).await);
        }
        let mut timers = Timers::start(node.url(), Some(&store));
        match step {
            0 => {}
            1 => assert!(timers.ready() > 0),
            2 => await_expired(&client, count + 1).await,
            _ => {
                node.kill();
                drop(node);
                node = Node::start_in(&data, &["--no-timers"]);
            }
        }
        timers.kill();
        let client = Client::connect(node.url()).await.expect("the node answers");
        // Two at once, from here to the end of the round: one with a store, one without.
        let mut one = Timers::start(node.url(), Some(&store));
        let mut other = Timers::start(node.url(), None);
        one.ready();
        other.ready();
        count += cases.len();
        await_expired(&client, count).await;
        other.kill();
    }
    let client = Client::connect(node.url()).await.expect("the node answers");
    let mut last = Timers::start(node.url(), Some(&store));
    assert_eq!(last.ready(), 5, "what is not due runs on");
    for (case, deadlines) in due {
        let once: BTreeMap<_, _> = deadlines.iter().map(|id| (id.to_string(), 1)).collect();
        assert_eq!(expired(&client, case).await, once);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_that_are_ready_hear_of_what_comes_later_and_end_when_told_to() {
    let home = tempfile::tempdir().unwrap();
    let node = Node::start_in(&home.path().join("data"), &["--no-timers"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    let mut timers = Timers::start(node.url(), None);
    assert_eq!(timers.ready(), 0);
    for count in 1..=3 {
        set(&client, case, &last_week()).await;
        await_expired(&client, count).await;
    }
    let process = rustix::process::Pid::from_child(&timers.child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("a signal");
    let status = timers.child.wait().expect("its end");
    assert!(status.success(), "{status}");
}

/// The durable consumers of timers on a node's stream: name, place up to which it is acknowledged,
/// and how many messages it was ever given.
async fn consumers(url: &str) -> Vec<(String, u64, u64)> {
    let nats = async_nats::connect(url).await.expect("the server");
    let stream = async_nats::jetstream::new(nats).get_stream(STREAM).await.expect("the stream");
    let all: Vec<_> = stream.consumers().map(|info| info.expect("a consumer")).collect().await;
    let durable = all.into_iter().filter(|info| info.config.durable_name.is_some());
    durable.map(|i| (i.name, i.ack_floor.stream_sequence, i.delivered.consumer_sequence)).collect()
}

/// Waits until a consumer is acknowledged up to a position. One whose store was lost may be there
/// beside it, until the server forgets it.
async fn await_kept(url: &str, position: u64) -> (String, u64, u64) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = consumers(url).await;
        if let Some(one) = found.iter().find(|consumer| consumer.1 == position) {
            return one.clone();
        }
        assert!(Instant::now() < deadline, "{found:?}");
    }
}

/// Waits until a node says that its timers are so, and returns what it says of them.
async fn await_timers(client: &Client, state: &str) -> Value {
    let deadline = Instant::now() + LIMIT;
    loop {
        let node = ask(client, "node", &json!({})).await;
        if node["timers"]["state"] == json!(state) {
            return node["timers"].clone();
        }
        assert!(Instant::now() < deadline, "{node}");
    }
}

/// Waits until the log of a node has a reason, and returns how often.
async fn told(node: &Node, reason: &str) -> usize {
    let deadline = Instant::now() + LIMIT;
    loop {
        let count = node.output().lines().filter(|line| line.contains(reason)).count();
        if count > 0 {
            return count;
        }
        assert!(Instant::now() < deadline, "the log says nothing of it");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_that_cannot_keep_their_place_say_so_and_the_node_is_not_well() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    // A directory where the timers' store is written.
    let hindrance = data.join("deadlines/timers.new");
    std::fs::create_dir_all(&hindrance).expect("made");
    let node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let reason = "the timers' store cannot be written";
    let failing = await_timers(&client, "failing").await;
    assert!(failing["reason"].as_str().expect("words").starts_with(reason), "{failing}");
    let (code, said, _) = run(&node, &["health"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the timers of the deadlines do not run"), "{said}");
    assert_eq!(run(&node, &["health", "--json"]).0, Some(1));
    assert_eq!(told(&node, reason).await, 1, "once, however often it is tried");

    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    let deadline = set(&client, case, &last_week()).await;
    std::fs::remove_dir(&hindrance).expect("removed");
    await_expired(&client, 1).await;
    assert_eq!(expired(&client, case).await, BTreeMap::from([(deadline.to_string(), 1)]));
    await_timers(&client, "waiting").await;
    assert_eq!(run(&node, &["health"]).0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_for_which_the_server_has_no_consumer_say_so() {
    let server = NatsServer::start_with(
        r"accounts { A { jetstream: { max_consumers: 1 }, users: [{ user: node, password: word }] } }
no_auth_user: node",
    );
    let home = tempfile::tempdir().unwrap();
    let first =
        Node::start_in(&home.path().join("data"), &["--nats", &server.url(), "--no-timers"]);
    let client = Client::connect(first.url()).await.expect("the node answers");
    assert_eq!(ask(&client, "node", &json!({})).await.get("timers"), None, "they run elsewhere");
    let nats = async_nats::connect(server.url()).await.expect("the server");
    let stream = async_nats::jetstream::new(nats).get_stream(STREAM).await.expect("the stream");
    let durable = Some("integrator".to_owned());
    let taken = pull::Config { durable_name: durable, ..pull::Config::default() };
    stream.create_consumer(taken).await.expect("the only one");
    drop(first);

    let node = Node::start_in(&home.path().join("data"), &["--nats", &server.url()]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let failing = await_timers(&client, "failing").await;
    let reason = failing["reason"].as_str().expect("words");
    assert!(reason.contains("maximum consumers limit"), "{failing}");
    assert_eq!(told(&node, reason).await, 1);
    assert_eq!(run(&node, &["health"]).0, Some(1));
    stream.delete_consumer("integrator").await.expect("room again");
    await_timers(&client, "waiting").await;
    assert_eq!(run(&node, &["health"]).0, Some(0));
}

const NEVER: &str = "2999-01-01T00:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn the_timers_go_on_where_their_durable_consumer_is_and_read_nothing_twice() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("deadlines");
    let node = Node::start_in(&home.path().join("data"), &["--no-timers"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    set(&client, case, NEVER).await;
    let mut timers = Timers::start(node.url(), Some(&store));
    assert_eq!(timers.ready(), 1);
    let first = await_kept(node.url(), 2).await;
    assert!(first.0.starts_with("deadlines-"), "{first:?}");
    timers.kill();
    set(&client, case, NEVER).await;
    let mut timers = Timers::start(node.url(), Some(&store));
    assert_eq!(timers.ready(), 2);
    let second = await_kept(node.url(), 3).await;
    assert_eq!((second.0, second.2), (first.0, 3), "each message came once, to one consumer");
    timers.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_became_of_store_stream_or_consumer_no_deadline_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("deadlines");
    let file = store.join("timers");
    let node = Node::start_in(&home.path().join("data"), &["--no-timers"]);
    let url = node.url().to_owned();
    let client = Client::connect(&url).await.expect("the node answers");
    let nats = async_nats::connect(&url).await.expect("the server");
    let context = async_nats::jetstream::new(nats);
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    let mut old = Vec::new();
    for step in 0..6_u64 {
        // Of what was set before, and of this, everything must be known after the start.
        set(&client, case, NEVER).await;
        match step {
            1 => std::fs::remove_file(&file).expect("lost"),
            2 => std::fs::write(&file, &old[..old.len() / 2]).expect("cut short"),
            // Of a backup: its consumer has gone on since.
            3 => std::fs::write(&file, &old).expect("an older one"),
            4 => {
                let stream = context.get_stream(STREAM).await.expect("the stream");
                for (name, ..) in consumers(&url).await {
                    stream.delete_consumer(&name).await.expect("forgotten");
                }
            }
            5 => {
                context.delete_stream(STREAM).await.expect("deleted");
                await_filled(&client, 2 + step).await;
            }
            _ => {}
        }
        let mut timers = Timers::start(&url, Some(&store));
        assert_eq!(timers.ready(), step + 1, "step {step}");
        await_kept(&url, 2 + step).await;
        timers.kill();
        if step == 1 {
            old = std::fs::read(&file).expect("the store");
        }
    }
}

/// Waits until the stream has so many records again.
async fn await_filled(client: &Client, position: u64) {
    let deadline = Instant::now() + LIMIT;
    while !client.stream_position().await.is_ok_and(|last| last >= position) {
        assert!(Instant::now() < deadline, "the stream is not filled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_fires_by_itself_what_falls_due_while_it_runs() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(1_500);
    let deadline = set(&client, case, &soon.to_string()).await;
    // Moved before it is due: only the new instant counts.
    let moved = set(&client, case, &soon.to_string()).await;
    let data = json!({ "deadline": moved, "due": "2999-01-01T00:00:00Z", "reason": "ill" });
    accepted(&client, &command("deadlines.extend", case, &data)).await;
    await_expired(&client, 1).await;
    assert!(jiff::Timestamp::now() >= soon, "not before it was due");
    let once = BTreeMap::from([(deadline.to_string(), 1)]);
    assert_eq!(expired(&client, case).await, once);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_that_fell_are_heard_though_what_they_told_last_stands() {
    let home = tempfile::tempdir().unwrap();
    let mut node = Node::start_in(&home.path().join("data"), &["--no-timers"]);
    let falls = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&falls);
    let clock = move || {
        assert!(!seen.load(Ordering::SeqCst), "in a test: the timers fall");
        jiff::Timestamp::now()
    };
    let timers = service::timers::Timers::start_with(node.url(), None, Arc::new(clock));
    let timers = timers.await.expect("the timers start");
    let mut status = timers.status();
    let waits = |status: &Status| matches!(status, Status::Waiting { .. });
    tokio::time::timeout(LIMIT, status.wait_for(waits)).await.expect("in time").expect("they run");
    assert!(futures::poll!(std::pin::pin!(timers.ended())).is_pending());

    falls.store(true, Ordering::SeqCst);
    let ended = tokio::time::timeout(LIMIT, timers.ended()).await.expect("it is heard");
    assert_eq!(ended, "the timers of the deadlines");
    assert!(waits(&status.borrow()), "which alone would say that they are well");
    timers.stop().await;
    assert!(node.stop().success());
}
