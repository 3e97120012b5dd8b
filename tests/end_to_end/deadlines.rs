//! The timers of the deadlines: what fell due fires once, whatever is killed and however often.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use futures::StreamExt as _;
use serde_json::{Value, json};
use service::client::Client;
use service::reply::Reply;
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

/// `tebessa serve deadlines` as a process of its own. Killed when dropped.
struct Timers {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Timers {
    fn start(url: &str) -> Self {
        let mut child = Command::new(tests::binary())
            .args(["serve", "deadlines", "--json", "--nats", url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the timers' start");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// How many deadlines run, when the whole stream was read.
    fn ready(&mut self) -> u64 {
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
        let mut timers = Timers::start(node.url());
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
        // Two at once, from here to the end of the round.
        let (mut one, mut other) = (Timers::start(node.url()), Timers::start(node.url()));
        one.ready();
        other.ready();
        count += cases.len();
        await_expired(&client, count).await;
        other.kill();
    }
    let client = Client::connect(node.url()).await.expect("the node answers");
    let mut last = Timers::start(node.url());
    assert_eq!(last.ready(), 5, "what is not due runs on");
    for (case, deadlines) in due {
        let once: BTreeMap<_, _> = deadlines.iter().map(|id| (id.to_string(), 1)).collect();
        assert_eq!(expired(&client, case).await, once);
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
