//! A message in the stream that no client can read is other bytes than the log's, not a server that is away.

use async_nats::jetstream;
use serde_json::json;
use service::client::{Client, ClientError};
use service::follower::STREAM;
use tests::{NatsServer, Node};
use uuid::Uuid;

use super::as_of::run;
use super::{ask, identity, register, send};

/// Where the stream has what nobody can read, and what the node and an audit say then.
async fn with_unreadable(position: u64, halted: bool, said: &str) {
    let server = NatsServer::start();
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    let url = server.url();
    // Without timers, which could read none of it either.
    let arguments = ["--nats", &url, "--no-timers"];
    let mut node = Node::start_in(&data, &arguments);
    let client = Client::connect(url.as_str()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    for _ in 0..2 {
        send(&client, &identity(case, Uuid::now_v7(), "A")).await.expect("accepted");
    }
    assert!(node.stop().success());

    // The same bytes again, one of them below headers of no form.
    let context = jetstream::new(async_nats::connect(&url).await.expect("the server"));
    let mut stream = context.get_stream(STREAM).await.expect("the stream");
    let mut messages = Vec::new();
    for sequence in 1..=3 {
        messages.push(stream.get_raw_message(sequence).await.expect("a message"));
    }
    let config = stream.info().await.expect("its configuration").config.clone();
    context.delete_stream(STREAM).await.expect("deleted");
    let mut stream = context.create_stream(config).await.expect("made again");
    for message in messages {
        let broken = message.sequence == position;
        let headers = if broken { "bad line without colon" } else { "Nats-Expected-Stream: CASES" };
        let headers = format!("NATS/1.0\r\n{headers}\r\n\r\n");
        server.publish_raw(&message.subject, &headers, &message.payload);
    }
    while stream.info().await.expect("its state").state.last_sequence < 3 {}

    let mut node = Node::start_in(&data, &arguments);
    let client = Client::connect(url.as_str()).await.expect("the node answers");
    let state = ask(&client, "node", &json!({})).await["stream"]["state"].clone();
    assert_eq!(state, json!(if halted { "halted" } else { "following" }));
    let (well, _, _) = run(&node, &["health"]);
    assert_eq!(well, Some(i32::from(halted)));
    let (code, out, errors) = run(&node, &["audit", "verify"]);
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(format!("{out}{errors}").contains(said), "{out}{errors}");
    if halted {
        let answer = send(&client, &identity(case, Uuid::now_v7(), "A")).await;
        assert!(matches!(answer, Err(ClientError::Service { code: 503, .. })), "{answer:?}");
    }
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_streams_end_it_halts_the_node() {
    with_unreadable(3, true, "position 3: a message that cannot be read").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_streams_middle_an_audit_finds_it() {
    with_unreadable(2, false, "none that can be read").await;
}
