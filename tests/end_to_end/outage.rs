//! NATS goes away under commands: they fail clearly, the journal is untouched, and the stream
//! catches up when the server is back.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::reply::Reply;
use tests::{NatsServer, Node};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{identity, register, send};

/// How long a node may take to find its server again.
const LIMIT: Duration = Duration::from_mins(1);
const COMMANDS: u64 = 64;

#[tokio::test(flavor = "multi_thread")]
async fn commands_fail_clearly_without_nats_and_nothing_is_lost() {
    let mut server = NatsServer::start();
    let url = server.url();
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--nats", &url]);
    let client = Client::connect(&url).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");

    let mut followed = client.watch(1).await.expect("the stream").boxed();
    assert_eq!(followed.next().await.expect("an event").expect("whole").position, 1);

    // The server dies while commands are under way: some were answered, of the others nobody knows.
    let commands: Vec<Value> =
        (0..COMMANDS).map(|_| identity(case, Uuid::now_v7(), "Maximilian")).collect();
    let mut under_way = JoinSet::new();
    for command in commands.clone() {
        let client = client.clone();
        under_way.spawn(async move {
            let answer = send(&client, &command).await;
            (command["id"].to_string(), answer)
        });
    }
    let (id, first) = under_way.join_next().await.expect("one").expect("a task");
    let mut answered = BTreeMap::from([(id, first.expect("an answer"))]);
    server.kill();
    while let Some(joined) = under_way.join_next().await {
        if let (id, Ok(reply)) = joined.expect("a task") {
            answered.insert(id, reply);
        }
    }

    // Who follows is told too: the server that comes back does not know the place any more.
    let lost = loop {
        if let Err(error) = followed.next().await.expect("an event or why not") {
            break service::chain(&error);
        }
    };
    assert_eq!(lost, "the connection to NATS failed: it was lost");
    assert!(followed.next().await.is_none());

    // Without the server a sender is told, and the log does not change.
    let before = records(&data);
    let late = identity(case, Uuid::now_v7(), "Maximilian");
    let (code, said) = submit(&url, &late);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("NATS") || said.contains("nats"), "says what is missing: {said}");
    assert_eq!(records(&data), before, "nothing was half-written");

    server.start_again();
    let client = found_again(&url).await;
    for command in commands.iter().chain([&late]) {
        let reply = sent_again(&client, command).await;
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
        if let Some(first) = answered.get(&command["id"].to_string()) {
            assert_eq!(reply, *first, "the same command, the first answer");
        }
    }
    // Registration, the commands, the late one: each once, in the log and in the stream.
    let expected = 1 + COMMANDS + 1;
    assert_eq!(records(&data), expected);
    until(&client, |state| state["stream"]["position"] == json!(expected)).await;
    assert!(node.stop().success());
}

fn records(data: &std::path::Path) -> u64 {
    let journal = service::node::journal_dir(data);
    journal::verify(&journal, &mut |_| {}).expect("the log is whole").records
}

/// Sends one command as a caseworker does; returns the exit code and all that was printed.
fn submit(url: &str, command: &Value) -> (Option<i32>, String) {
    let mut child = Command::new(tests::binary())
        .args(["submit", "--nats", url, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command line");
    let mut input = child.stdin.take().expect("its input");
    // It may have given up before it reads: then the pipe is closed.
    writeln!(input, "{command}").ok();
    drop(input);
    let output = child.wait_with_output().expect("its end");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

async fn found_again(url: &str) -> Client {
    let client = Client::connect(url).await.expect("the server is back");
    until(&client, |state| state["position"].is_u64()).await;
    client
}

/// Sends a command until the node takes commands: it hears them by another connection than questions, which
/// may be back later.
async fn sent_again(client: &Client, command: &Value) -> Reply {
    let deadline = Instant::now() + LIMIT;
    loop {
        match send(client, command).await {
            Err(ClientError::NobodyThere(_)) if Instant::now() < deadline => {
                tokio::task::yield_now().await;
            }
            answer => return answer.expect("an answer"),
        }
    }
}

/// Asks the node until the answer is as wanted.
async fn until(client: &Client, wanted: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let answer = client.query("node", b"{}".to_vec()).await;
        let state = answer.map(|bytes| serde_json::from_slice(&bytes).expect("JSON"));
        if state.as_ref().is_ok_and(&wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "{state:?}");
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_node_that_is_told_to_stop_while_it_starts_ends_at_once_and_well() {
    // Takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", silent.local_addr().unwrap());
    let home = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let mut child = Command::new(tests::binary())
            .args(["up", "--nats", &url, "--data"])
            .arg(home.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Now it waits for the server.
        let held = silent.accept().unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert!(child.wait().unwrap().success());
        assert!(child.wait_with_output().unwrap().stdout.is_empty(), "it was never ready");
        drop(held);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_could_not_write_is_started_again_and_the_stream_catches_up() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    until(&client, |state| state["stream"]["position"] == json!(1)).await;

    // The log takes what the stream cannot, and that what was written once failed is not forgotten by
    // the server when it may write again.
    node.bound_server_files(Some(0));
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    let deadline = Instant::now() + LIMIT;
    while !node.output().contains("was not stored") {
        assert!(Instant::now() < deadline, "the operator is not told");
        tokio::task::yield_now().await;
    }
    until(&client, |state| state["stream"]["position"] == json!(2)).await;
    assert!(node.output().contains("stores nothing and is started again"));
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    until(&client, |state| state["stream"]["position"] == json!(3)).await;
    assert!(node.stop().success());
}
