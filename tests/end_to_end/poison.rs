//! Messages that the client library cannot read: at some it gives up the connection, at others it falls.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::documents::INBOX;
use service::follower::STREAM;
use tests::{NatsServer, Node};
use uuid::Uuid;

use super::as_of::run;
use super::evidence::{attach, file};
use super::{ask, register, send};

/// The client library's task of a connection panics at it.
const FELLS: &str = "NATS/1.0\r\nA: a\rb\r\n\r\n";
/// It gives up the connection, and makes it again.
const CUTS: &str = "NATS/1.0\r\nno colon\r\n\r\n";
/// How long an answer takes at most where it comes.
const SOON: Duration = Duration::from_millis(500);
/// How long a connection may take to be there again.
const LIMIT: Duration = Duration::from_secs(30);

/// What the node says of a connection that was cut.
async fn cut(client: &Client, connection: &str) -> Option<Value> {
    // One that is under way at a cut has no answer.
    let asked = tokio::time::timeout(SOON, client.query("node", b"{}".to_vec())).await;
    let state: Value = serde_json::from_slice(&asked.ok()?.ok()?).ok()?;
    let mut cuts = state["cuts"].as_array()?.iter();
    cuts.find(|cut| cut["connection"] == connection).cloned()
}

/// Returns what the node says of a connection once it was cut and is there again.
async fn back(client: &Client, connection: &str) -> Value {
    let begun = Instant::now();
    loop {
        match cut(client, connection).await {
            Some(cut) if cut["away"] == false => return cut,
            cut => assert!(begun.elapsed() < LIMIT, "{connection}: {cut:?}"),
        }
    }
}

fn server() -> (NatsServer, tempfile::TempDir, Node) {
    let server = NatsServer::start();
    let home = tempfile::tempdir().expect("a directory");
    let node = Node::start_in(&home.path().join("data"), &["--nats", &server.url()]);
    (server, home, node)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fells_a_connection_ends_no_node_and_no_command_counts_twice() {
    let (server, _home, mut node) = server();
    let client = Client::connect(server.url().as_str()).await.expect("the node answers");
    let claim = register(Uuid::new_v4(), Uuid::now_v7(), "A");
    let first = send(&client, &claim).await.expect("accepted");

    server.publish_raw("tebessa.query.case", FELLS, b"{}");
    let queries = back(&client, "queries").await;
    assert_eq!((&queries["times"], &queries["ended"]), (&json!(1), &json!(1)), "{queries}");
    assert!(cut(&client, "commands").await.is_none(), "who may only ask cut no other connection");

    for times in 1..=3 {
        server.publish_raw("tebessa.cmd.intake.register-claim", FELLS, b"{}");
        let begun = Instant::now();
        while cut(&client, "commands").await.is_none_or(|cut| cut["ended"] != json!(times)) {
            assert!(begun.elapsed() < LIMIT, "it did not end");
        }
        back(&client, "commands").await;
        // There, it takes commands a moment later: what comes before that reaches nobody.
        while send(&client, &claim).await.is_err() {
            assert!(begun.elapsed() < LIMIT, "it takes no commands");
        }
    }
    assert_eq!(send(&client, &claim).await.expect("the first answer"), first);
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "B")).await.expect("accepted");
    assert_eq!(ask(&client, "node", &json!({})).await["position"], 2);
    let (well, out, _) = run(&node, &["health"]);
    assert!(well == Some(0) && out.contains("for commands was cut 3 times"), "{well:?} {out}");
    assert!(node.stop().success());
    let said = node.output();
    assert!(said.contains("the connection for commands ended for good"), "{said}");
    assert!(!said.contains("an answer could not be sent") && !said.contains("a\rb"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_nobody_can_read_cut_a_connection_which_is_counted_and_told_seldom() {
    let (server, _home, mut node) = server();
    let client = Client::connect(server.url().as_str()).await.expect("the node answers");
    for times in 1..=5 {
        server.publish_raw("tebessa.query.case", CUTS, b"{}");
        let begun = Instant::now();
        while cut(&client, "queries").await.is_none_or(|cut| cut["times"] != json!(times)) {
            assert!(begun.elapsed() < LIMIT, "it was not cut");
        }
        back(&client, "queries").await;
    }
    assert!(cut(&client, "commands").await.is_none());
    assert!(node.stop().success());
    let said = node.output();
    let lines = said.matches("the connection for queries was cut").count();
    assert!((1..5).contains(&lines), "{lines} lines: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_pieces_have_headers_of_no_form_is_read_and_hinders_no_other() {
    let (server, _home, mut node) = server();
    let client = Client::connect(server.url().as_str()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let bytes = file(300);
    for headers in [FELLS, CUTS] {
        let upload = Uuid::new_v4();
        let name = upload.to_string();
        let pieces = format!("$O.{INBOX}.C.{}", upload.simple());
        server.publish_raw(&pieces, headers, &bytes);
        let about = json!({ "name": name, "nuid": upload.simple().to_string(), "bucket": INBOX,
            "size": bytes.len(), "chunks": 1, "mtime": "2024-01-01T00:00:00Z" });
        let subject = base64_of(&name);
        server.publish_raw(&subject, headers, about.to_string().as_bytes());
        send(&client, &attach(case, Uuid::new_v4(), upload, &bytes)).await.expect("read and kept");
    }
    assert!(cut(&client, "files").await.is_none());
    assert!(node.stop().success());
}

fn base64_of(name: &str) -> String {
    format!("$O.{INBOX}.M.{}", URL_SAFE.encode(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_the_stream_that_fells_its_readers_halts_the_node_until_it_is_gone() {
    let (server, _home, mut node) = server();
    let client = Client::connect(server.url().as_str()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    while client.stream_position().await.expect("a stream") < 1 {}
    server.publish_raw(&format!("tebessa.case.{case}.intake.x"), FELLS, b"{}");
    let halted = |state: &Value| state["stream"]["state"] == "halted";
    let begun = Instant::now();
    loop {
        let state = ask(&client, "node", &json!({})).await;
        let reason = state["timers"]["reason"].as_str().unwrap_or_default();
        if halted(&state) && reason.contains("position 2") {
            break;
        }
        assert!(begun.elapsed() < LIMIT, "{state}");
    }
    // Started again beside it, it says the same, and falls over nothing without end.
    let data = node.data().to_owned();
    assert!(node.stop().success());
    let mut node = Node::start_in(&data, &["--nats", &server.url()]);
    assert!(halted(&ask(&client, "node", &json!({})).await));
    let claim = register(Uuid::new_v4(), Uuid::now_v7(), "B");
    let refused = send(&client, &claim).await;
    assert!(matches!(refused, Err(ClientError::Service { code: 503, .. })), "{refused:?}");
    let (code, _, errors) = run(&node, &["watch", "--from", "1", "--until", "2"]);
    assert!(code == Some(1) && errors.contains("nobody can read"), "{code:?} {errors}");

    let context = jetstream::new(async_nats::connect(server.url()).await.expect("the server"));
    context.delete_stream(STREAM).await.expect("deleted");
    let begun = Instant::now();
    loop {
        let state = ask(&client, "node", &json!({})).await;
        if !halted(&state) && state["timers"]["state"] == "waiting" {
            break;
        }
        assert!(begun.elapsed() < LIMIT, "{state}");
    }
    send(&client, &claim).await.expect("accepted");
    assert!(node.stop().success());
    let fallen = node.output().matches("panicked").count();
    assert!(fallen <= 2, "{fallen} times: {}", node.output());
}
