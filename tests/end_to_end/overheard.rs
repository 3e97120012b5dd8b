//! A stream of somebody else over the subjects of commands, queries or answers is told of, and no node starts
//! beside one.

use std::time::{Duration, Instant};

use async_nats::jetstream::{self, Context, stream::Config};
use serde_json::{Value, json};
use service::client::Client;
use tests::{NatsServer, Node};

use super::as_of::run;
use super::ask;

const LIMIT: Duration = Duration::from_mins(1);

async fn context(url: &str) -> Context {
    jetstream::new(async_nats::connect(url).await.expect("the server"))
}

async fn make(context: &Context, name: &str, subject: &str) {
    let subjects = vec![subject.to_owned()];
    let config = Config { name: name.to_owned(), subjects, ..Config::default() };
    context.create_stream(config).await.expect("the server makes it");
}

/// Asks the node until it tells of these streams, or of none.
async fn told_of(client: &Client, expected: &Value) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = ask(client, "node", &json!({})).await["overheard"].clone();
        if found == *expected {
            return;
        }
        assert!(Instant::now() < deadline, "{found}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_starts_beside_it() {
    for (subject, taken) in [
        ("tebessa.cmd.intake.*", "tebessa.cmd.>"),
        ("tebessa.query.>", "tebessa.query.>"),
        ("_INBOX.>", "_INBOX.>"),
    ] {
        let server = NatsServer::start();
        make(&context(&server.url()).await, "CMDS", subject).await;
        let home = tempfile::tempdir().expect("a directory");
        let started = Node::try_start_in(&home.path().join("data"), &["--nats", &server.url()]);
        let said = started.expect_err("it does not start");
        assert!(said.contains(&format!("the stream CMDS takes what is sent to {taken}")), "{said}");
        assert!(said.contains("delete it, and start again"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_runs_raises_the_alarm_and_is_not_well_until_it_is_gone() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    told_of(&client, &Value::Null).await;
    assert_eq!(run(&node, &["health"]).0, Some(0));

    let context = context(node.url()).await;
    make(&context, "CMDS", "tebessa.cmd.>").await;
    let found = json!({ "stream": "CMDS", "subjects": ["tebessa.cmd.>"] });
    told_of(&client, &json!([found])).await;
    let (code, said, _) = run(&node, &["health"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the stream CMDS takes what is sent to tebessa.cmd.>"), "{said}");
    let lines = |node: &Node| node.output().matches("the stream CMDS takes").count();
    assert_eq!(lines(&node), 1, "the alarm is raised once");

    // Beside its own server, which ends with it, a node says where the stream lies.
    assert!(node.stop().success());
    let said = Node::try_start_in(&data, &[]).expect_err("it does not start");
    let place = data.join("nats/jetstream/$G/streams/CMDS");
    assert!(said.contains(&format!("remove {}", place.display())), "{said}");
    std::fs::remove_dir_all(place).expect("removed");
    let mut node = Node::start_in(&data, &[]);
    assert_eq!(run(&node, &["health"]).0, Some(0));

    let client = Client::connect(node.url()).await.expect("the node answers");
    let context = self::context(node.url()).await;
    make(&context, "CMDS", "tebessa.cmd.>").await;
    told_of(&client, &json!([found])).await;
    context.delete_stream("CMDS").await.expect("deleted");
    told_of(&client, &Value::Null).await;
    assert_eq!(run(&node, &["health"]).0, Some(0));
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_ask_says_so_once_and_goes_on() {
    let settings = "authorization { users = [ {user: node, password: n, permissions: \
                    {publish: {deny: [\"$JS.API.STREAM.NAMES\"]}}} ] }\n";
    let server = NatsServer::start_with(settings);
    let url = server.url().replace("nats://", "nats://node:n@");
    let home = tempfile::tempdir().expect("a directory");
    let mut node = Node::start_in(&home.path().join("data"), &["--nats", &url]);
    let client = Client::connect(&url).await.expect("the node answers");
    let options = async_nats::ConnectOptions::with_user_and_password("node".into(), "n".into());
    let nats = options.connect(server.url()).await.expect("the server");
    let context = jetstream::new(nats);
    // It hears of each change and asks in vain; who asks again has told of the time before.
    for (name, subject) in [("CMDS", "tebessa.cmd.>"), ("QUERIES", "tebessa.query.audit.>")] {
        let denied = |node: &Node| node.output().matches("Violation for Publish").count();
        let before = denied(&node);
        make(&context, name, subject).await;
        let deadline = Instant::now() + LIMIT;
        while denied(&node) == before {
            assert!(Instant::now() < deadline, "it does not ask");
            tokio::task::yield_now().await;
        }
    }
    told_of(&client, &Value::Null).await;
    assert!(node.stop().success());
    assert_eq!(node.output().matches("and to publish to $JS.API.STREAM.NAMES").count(), 1);
}
