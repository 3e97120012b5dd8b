//! What was accepted is there after a kill, without the index and without the stream.

use std::process::Command;

use serde_json::json;
use service::client::Client;
use service::reply::Reply;
use tests::{NatsServer, Node};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{ask, identity, register, send};

/// Rounds of the kill loop; `TEBESSA_KILL_ROUNDS=10000` runs more.
fn rounds() -> u32 {
    std::env::var("TEBESSA_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_every_kill() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let case = Uuid::new_v4();
    let mut accepted: Vec<(Uuid, Reply)> = Vec::new();
    for round in 0..rounds() {
        let mut node = Node::start_in(&data, &[]);
        let client = Client::connect(node.url()).await.expect("the node answers");
        // Every command of the rounds before gets the answer that it got then.
        if let Some((id, first)) = accepted.last() {
            let again = if accepted.len() == 1 {
                register(case, *id, "Maximilian")
            } else {
                identity(case, *id, "Maximilian")
            };
            assert_eq!(send(&client, &again).await.expect("an answer"), *first, "round {round}");
        }
        if accepted.is_empty() {
            let id = Uuid::now_v7();
            let reply = send(&client, &register(case, id, "Maximilian")).await.expect("accepted");
            assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
            accepted.push((id, reply));
        }
        // Several commands under way; the node is killed as soon as one of them is answered.
        let mut under_way = JoinSet::new();
        for _ in 0..8 {
            let client = client.clone();
            let id = Uuid::now_v7();
            under_way
                .spawn(async move { (id, send(&client, &identity(case, id, "Maximilian")).await) });
        }
        let mut answered = Vec::new();
        let (id, first) = under_way.join_next().await.expect("one").expect("a task");
        answered.push((id, first.expect("an answer")));
        node.kill();
        under_way.abort_all();
        while let Some(joined) = under_way.join_next().await {
            if let Ok((id, Ok(reply))) = joined {
                answered.push((id, reply));
            }
        }
        answered.retain(|(_, reply)| matches!(reply, Reply::Accepted { .. }));
        accepted.extend(answered);
    }
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let state = ask(&client, "case", &json!({ "case": case })).await;
    let answers = state.pointer("/state/answers").and_then(|a| a.as_object()).expect("answers");
    for (id, reply) in &accepted {
        let Reply::Accepted { version, position, event, .. } = reply else { continue };
        let there = answers.get(&id.to_string()).unwrap_or_else(|| panic!("{id} was lost"));
        assert_eq!(there["version"], json!(version));
        assert_eq!(there["position"], json!(position));
        assert_eq!(there["event"], json!(event));
    }
    assert!(node.stop().success());
    let journal = service::node::journal_dir(&data);
    let report = journal::verify(&journal, &mut |_| {}).expect("the log is whole");
    assert!(report.records >= accepted.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn index_and_stream_can_be_thrown_away() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut cases = Vec::new();
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    for number in 0..20 {
        let case = Uuid::new_v4();
        send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
        if number % 2 == 0 {
            send(&client, &identity(case, Uuid::now_v7(), "B")).await.expect("accepted");
        }
        cases.push((case, ask(&client, "case", &json!({ "case": case })).await));
    }
    assert!(node.stop().success());
    std::fs::remove_dir_all(service::node::journal_dir(&data).join("index")).unwrap();
    std::fs::remove_dir_all(data.join("nats")).unwrap();

    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    for (case, before) in &cases {
        assert_eq!(ask(&client, "case", &json!({ "case": case })).await, *before);
    }
    let list = ask(&client, "list", &json!({})).await;
    let listed: Vec<_> =
        list["cases"].as_array().expect("cases").iter().map(|c| c["case"].clone()).collect();
    let expected: Vec<_> = cases.iter().map(|(case, _)| json!(case)).collect();
    assert_eq!(listed, expected, "the oldest first");
    assert_eq!(list["position"], json!(30));
    assert!(node.stop().success());
    let verified = Command::new(tests::binary())
        .args(["audit", "verify", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_on_one_directory_says_who_holds_it() {
    let node = Node::start();
    let refused = Node::try_start_in(node.data(), &[]).expect_err("the directory is held");
    assert!(refused.contains(&node.ready().pid.to_string()), "{refused}");
}

#[test]
fn a_node_whose_index_cannot_be_built_says_so_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let case = Uuid::new_v4();
    let mut node = Node::start_in(&data, &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::connect(node.url()).await.expect("the node answers");
        send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    });
    assert!(node.stop().success());
    drop(node);
    let index = data.join("journal/index");
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::write(&index, "in its place").unwrap();
    let printed = Node::try_start_in(&data, &[]).map(drop).unwrap_err();
    assert!(printed.contains("Nothing is lost if journal/index is removed"), "{printed}");
    assert!(!printed.contains('\u{1b}'), "no colours where nobody looks: {printed}");
    std::fs::remove_file(&index).unwrap();
    drop(Node::start_in(&data, &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_does_not_start_where_one_answers() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let home = tempfile::tempdir().unwrap();
    let second = Command::new(tests::binary())
        .args(["up", "--nats", node.url(), "--data"])
        .arg(home.path().join("data"))
        .output()
        .expect("the command line");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another node answers on the NATS server"), "{said}");
    // Nothing of the second is in the way of the first.
    for _ in 0..10 {
        send(&client, &identity(case, Uuid::now_v7(), "A")).await.expect("accepted");
    }
}

#[test]
fn of_nodes_that_start_in_the_same_instant_at_most_one_answers() {
    let server = NatsServer::start_with("");
    let home = tempfile::tempdir().unwrap();
    for turn in 0..5 {
        let start = |node: usize| {
            let data = home.path().join(format!("{turn}-{node}"));
            Node::try_start_in(&data, &["--nats", &server.url()])
        };
        let started = std::thread::scope(|scope| {
            let starting = [0, 1, 2].map(|node| scope.spawn(move || start(node)));
            starting.map(|starting| starting.join().expect("it starts or says why not"))
        });
        assert!(started.iter().filter(|node| node.is_ok()).count() <= 1);
        for said in started.into_iter().filter_map(Result::err) {
            assert!(said.contains("another node answers on the NATS server"), "{said}");
        }
        let alone = start(3);
        assert!(alone.is_ok(), "nobody is left in its way: {:?}", alone.err());
    }
}

#[test]
fn a_node_whose_terminal_is_closed_or_that_is_to_quit_stops_as_if_told_to() {
    for signal in [rustix::process::Signal::HUP, rustix::process::Signal::QUIT] {
        let mut node = Node::start();
        let status = node.stop_by(signal);
        assert!(status.success(), "{status}:\n{}", node.output());
        assert!(!node.data().join("node.json").exists(), "{signal:?}");
    }
}

#[test]
fn a_server_that_takes_short_messages_only_is_refused() {
    let server = NatsServer::start_with("max_payload: 4096\n");
    let home = tempfile::tempdir().unwrap();
    let said = Node::try_start_in(&home.path().join("data"), &["--nats", &server.url()]).err();
    let said = said.expect("no node can work with it");
    assert!(said.contains("takes messages of up to 4096 bytes"), "{said}");
    assert!(said.contains("max_payload"), "{said}");
}
