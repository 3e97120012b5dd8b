//! A NATS server that wants to know who is there.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use service::client::{Client, ClientError};
use service::nats::{InboxPrefix, Server};
use tests::{NatsServer, Node};
use uuid::Uuid;

use super::deadlines::Timers;
use super::evidence::{attach, file, put};
use super::{ask, register, send};

/// The server's URL with something before the host.
fn url(server: &NatsServer, who: &str) -> String {
    server.url().replace("nats://", &format!("nats://{who}@"))
}

async fn works(server: &NatsServer, who: &str) {
    let home = tempfile::tempdir().unwrap();
    let mut node = Node::start_in(&home.path().join("data"), &["--nats", &url(server, who)]);
    let client = Client::connect(&url(server, who)).await.expect("it is let in");
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "A")).await.expect("accepted");
    // Who may read the data directory needs to say nothing; follower and timers are let in too.
    for command in [["audit", "verify"].as_slice(), &["health"], &["case", "list"]] {
        succeeds(node.data(), command);
    }
    let stranger = Client::connect(&server.url()).await.expect_err("nobody is there");
    assert!(matches!(stranger, ClientError::Refused { .. }), "{stranger}");
    assert!(node.stop().success());
    let said = node.output();
    assert!(!said.contains("s3cr3t") && !said.contains("t0ken"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn user_and_password_or_a_token_stand_in_the_url_and_in_no_log() {
    let server =
        NatsServer::start_with("authorization { user: \"a node\", password: \"s3cr3t/1\" }\n");
    works(&server, "a%20node:s3cr3t%2F1").await;
    works(&NatsServer::start_with("authorization { token: \"t0ken\" }\n"), "t0ken").await;
    let home = tempfile::tempdir().unwrap();
    let wrong = url(&server, "a%20node:s3cr3t");
    let said = Node::try_start_in(&home.path().join("data"), &["--nats", &wrong]).err();
    let said = said.expect("it is not let in");
    assert!(said.contains("does not let this node in"), "{said}");
    assert!(!said.contains("s3cr3t"), "{said}");
}

#[test]
fn a_file_of_credentials_that_is_not_there_is_named() {
    let output = Command::new(tests::binary())
        .args(["health", "--nats", "nats://127.0.0.1:1", "--nats-creds", "nowhere.creds"])
        .output()
        .expect("the command line");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--nats-creds nowhere.creds: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_ask_is_told_so_and_changes_nothing() {
    let users = "authorization { users = [ {user: node, password: n}, {user: viewer, password: v, \
                 permissions: {publish: [\"tebessa.query.>\"], subscribe: [\"_INBOX_viewer.>\"]}} ] }\n";
    let server = NatsServer::start_with(users);
    let home = tempfile::tempdir().unwrap();
    let node = Node::start_in(&home.path().join("data"), &["--nats", &url(&server, "node:n")]);
    let own = InboxPrefix::of("_INBOX_viewer").expect("an inbox");
    let viewer = Server::new(url(&server, "viewer:v")).with_inbox(Some(own));
    let viewer = Client::connect(viewer).await.expect("it is let in");
    let asks = |inbox: &[&str]| {
        let mut command = Command::new(tests::binary());
        command.args(["case", "list", "--nats", &url(&server, "viewer:v")]).args(inbox);
        command.output().expect("the command line").status.code()
    };
    assert_eq!(asks(&["--nats-inbox", "_INBOX_viewer"]), Some(0));
    assert_eq!(asks(&[]), Some(1), "it hears no other answers");
    assert_eq!(asks(&["--nats-inbox", "_INBOX.>"]), Some(2));
    let claim = register(Uuid::new_v4(), Uuid::now_v7(), "A");
    let denied = send(&viewer, &claim).await.expect_err("it may not");
    assert!(matches!(denied, ClientError::Denied(_)), "{denied}");
    let state = ask(&viewer, "node", &serde_json::json!({})).await;
    assert_eq!(state["position"], 0);
    let client = Client::connect(&url(&server, "node:n")).await.expect("it is let in");
    send(&client, &claim).await.expect("accepted");
    drop(node);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_needs_no_inbox_that_others_may_hear() {
    let users = "authorization { users = [ {user: node, password: n, permissions: {publish: [\">\"], \
                 subscribe: {allow: [\">\"], deny: [\"_INBOX.>\"]}}}, {user: all, password: a} ] }\n";
    let server = NatsServer::start_with(users);
    let home = tempfile::tempdir().unwrap();
    let node = Node::start_in(&home.path().join("data"), &["--nats", &url(&server, "node:n")]);
    let client = Client::connect(&url(&server, "all:a")).await.expect("it is let in");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let (upload, bytes) = (Uuid::new_v4(), file(300));
    put(&client, upload, &bytes).await;
    send(&client, &attach(case, Uuid::new_v4(), upload, &bytes)).await.expect("read and kept");
    loop {
        let state = ask(&client, "node", &serde_json::json!({})).await;
        if state["timers"]["state"] == "waiting" && state["stream"]["position"] == 2 {
            break;
        }
    }
    drop(node);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_hear_answers_is_told_so_and_not_left_waiting() {
    let users = "authorization { users = [ {user: node, password: n}, {user: deaf, password: d, \
                 permissions: {publish: [\"tebessa.>\"], subscribe: {deny: [\"_INBOX.>\"]}}} ] }\n";
    let server = NatsServer::start_with(users);
    let home = tempfile::tempdir().unwrap();
    let node = Node::start_in(&home.path().join("data"), &["--nats", &url(&server, "node:n")]);
    let deaf = Client::connect(&url(&server, "deaf:d")).await.expect("it is let in");
    for _ in 0..2 {
        let unheard = deaf.query("node", b"{}".to_vec()).await.expect_err("nothing comes back");
        assert!(matches!(unheard, ClientError::Deaf), "{unheard}");
    }
    drop(node);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_that_are_not_let_in_end_and_say_so() {
    let server = NatsServer::start_with("authorization { token: \"t0ken\" }\n");
    let output = Command::new(tests::binary())
        .args(["serve", "deadlines", "--nats", &url(&server, "other")])
        .output()
        .expect("the command line");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("does not let the timers in") && !said.contains("other"), "{said}");
}

/// A command on a data directory succeeds.
fn succeeds(data: &Path, command: &[&str]) {
    let output = Command::new(tests::binary())
        .args(command)
        .arg("--data")
        .arg(data)
        .output()
        .expect("the command line");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_node_lets_in_who_may_read_its_directory() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--private", "--no-timers"]);
    let stranger = Client::connect(node.url()).await.expect_err("nobody is there");
    assert!(matches!(stranger, ClientError::Refused { .. }), "{stranger}");

    let file: Value = serde_json::from_slice(&fs::read(data.join("node.json")).unwrap()).unwrap();
    let url = file["nats"].as_str().unwrap();
    let client = Client::connect(url).await.expect("it is let in");
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "A")).await.expect("accepted");
    for command in [["audit", "verify"].as_slice(), &["health"], &["case", "list"]] {
        succeeds(&data, command);
    }
    let mut timers = Timers::start_with(["--data", data.to_str().unwrap()]);
    assert_eq!(timers.ready(), 0);
    drop(timers);
    assert!(node.stop().success());
    let said = node.output();
    assert!(!said.contains(&fs::read_to_string(data.join("nats/password")).unwrap()), "{said}");

    // From its own stream, by a server that only this process gets in to.
    succeeds(&data, &["journal", "repair", "--from", "stream"]);
    let node = Node::start_in(&data, &["--private"]);
    let again = Client::connect(url).await.expect("port and password are as before");
    assert_eq!(ask(&again, "node", &serde_json::json!({})).await["position"], 1);
    drop(node);
}

/// Who brings an account of their own is not let in by the node's, which stands in its directory.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_takes_the_place_of_what_the_node_wrote() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--private"]);
    let listed = |option: &str, file: &Path| {
        let mut command = Command::new(tests::binary());
        command.args(["case", "list", "--data"]).arg(&data).env(option, file);
        let output = command.output().expect("the command line");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(listed("UNRELATED", Path::new("x")).0, Some(0));
    let missing = home.path().join("auditor.creds");
    for option in ["TEBESSA_NATS_CREDS", "TEBESSA_NATS_CA"] {
        let (code, said) = listed(option, &missing);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("auditor.creds"), "{said}");
    }
    fs::write(&missing, "no credentials").unwrap();
    let (code, said) = listed("TEBESSA_NATS_CREDS", &missing);
    assert_eq!(code, Some(1), "{said}");
    assert!(node.stop().success());
    // A server that `up` starts itself knows none of these.
    let refused = Node::try_start_in(&data, &["--nats-creds", missing.to_str().unwrap()]);
    let refused = refused.expect_err("they are for another server");
    assert!(refused.contains("--nats-creds") && refused.contains("--nats URL"), "{refused}");
}
