//! Whoever may only ask keeps nobody else from an answer, a command from its place or a node from its stop.

use std::time::Duration;

use async_nats::service::{NATS_SERVICE_ERROR, NATS_SERVICE_ERROR_CODE};
use async_nats::{Message, Subscriber, jetstream};
use futures::StreamExt as _;
use serde_json::json;
use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::erasure::accepted;
use super::evidence::{attach, file, put};
use super::{ask, identity, register};

/// How long an answer may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);
/// More than a node ever took at once.
const MANY: usize = 6_000;

/// The code and the words of an answer that is none; `None` for one that is.
fn failure(message: &Message) -> Option<(String, String)> {
    let headers = message.headers.as_ref()?;
    let code = headers.get(NATS_SERVICE_ERROR_CODE)?;
    Some((code.to_string(), headers.get(NATS_SERVICE_ERROR)?.to_string()))
}

async fn answer(answers: &mut Subscriber) -> Message {
    let next = tokio::time::timeout(LIMIT, answers.next()).await;
    next.expect("an answer in time").expect("a connection")
}

/// Sends so many messages and does not wait for their answers, which come to whom is returned.
async fn flood(
    nats: &async_nats::Client,
    subject: &str,
    body: Vec<u8>,
    count: usize,
) -> Subscriber {
    let inbox = nats.new_inbox();
    let answers = nats.subscribe(inbox.clone()).await.expect("an inbox");
    let subject = subject.to_owned();
    for _ in 0..count {
        nats.publish_with_reply(subject.clone(), inbox.clone(), body.clone().into())
            .await
            .expect("published");
    }
    nats.flush().await.expect("sent");
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_without_end_is_told_that_the_node_is_busy_and_nobody_else_waits() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let nats = async_nats::connect(node.url()).await.expect("the server");
    let (case, evidence, upload) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    let bytes = file(12_000_000);
    put(&client, upload, &bytes).await;
    accepted(&client, &attach(case, evidence, upload, &bytes)).await;

    let check = json!({ "case": case, "evidence": evidence }).to_string().into_bytes();
    let mut checks = flood(&nats, "tebessa.query.evidence-check", check, MANY).await;
    let mut told = None;
    for _ in 0..100 {
        told = failure(&answer(&mut checks).await);
        if told.is_some() {
            break;
        }
    }
    let (code, words) = told.expect("of a hundred one is turned away");
    assert_eq!(code, "503");
    assert!(words.starts_with("the node is busy: 2 files are checked at once"), "{words}");

    // Those who ask for something else, and those who command, have their answers meanwhile.
    for _ in 0..5 {
        // No more at a time than the server lets wait for a connection.
        let mut long = flood(&nats, "tebessa.query.case", vec![b' '; 1_000_000], 20).await;
        for _ in 0..20 {
            let answer = answer(&mut long).await;
            let (code, words) = failure(&answer).unwrap_or_else(|| panic!("{answer:?}"));
            assert_eq!(
                (code.as_str(), words.as_str()),
                ("413", "a query has at most 65,535 bytes")
            );
        }
    }
    assert_eq!(ask(&client, "node", &json!({})).await["position"], json!(2));
    accepted(&client, &identity(case, Uuid::now_v7(), "B")).await;
    let (another, upload) = (file(100), Uuid::new_v4());
    put(&client, upload, &another).await;
    accepted(&client, &attach(case, Uuid::new_v4(), upload, &another)).await;
    assert_eq!(ask(&client, "case", &json!({ "case": case })).await["version"], json!(4));

    // Whoever asks on and on is no reason not to stop.
    let asking = tokio::spawn(async move {
        loop {
            let query = json!({ "case": case, "evidence": evidence }).to_string().into_bytes();
            drop(flood(&nats, "tebessa.query.evidence-check", query, MANY).await);
        }
    });
    assert!(node.stop().success());
    asking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flood_of_commands_each_has_an_answer_and_the_long_ones_do_not_wait_for_a_turn() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let nats = async_nats::connect(node.url()).await.expect("the server");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    let subject = "tebessa.cmd.intake.assert-identity";
    let mut short = flood(&nats, subject, b"{}".to_vec(), MANY).await;
    for _ in 0..5 {
        let mut long = flood(&nats, subject, vec![b' '; 1_000_000], 20).await;
        for _ in 0..20 {
            let (code, words) = failure(&answer(&mut long).await).expect("no answer of the rules");
            assert_eq!(
                (code.as_str(), words.as_str()),
                ("413", "the command has 1000000 bytes; at most 65535 are taken")
            );
        }
    }
    accepted(&client, &identity(case, Uuid::now_v7(), "B")).await;
    for _ in 0..MANY {
        let (code, _) = failure(&answer(&mut short).await).expect("no answer of the rules");
        assert_eq!(code, "400");
    }
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_with_files_take_no_other_commands_place_and_those_that_wait_end_with_the_node() {
    /// More than wait at once, and each of another digest, so that none waits for another's document.
    const FILES: usize = 200;
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let nats = async_nats::connect(node.url()).await.expect("the server");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    let (bytes, upload) = (file(6_000_000), Uuid::new_v4());
    put(&client, upload, &bytes).await;
    // Nothing is removed from this inbox, so that each reads the same upload to its end.
    let context = jetstream::new(nats.clone());
    let inbox = context.get_stream("OBJ_evidence-inbox").await.expect("the inbox");
    let config = jetstream::stream::Config {
        deny_purge: true,
        allow_rollup: false,
        ..inbox.cached_info().config.clone()
    };
    context.update_stream(config).await.expect("the inbox is changed");

    let reply = nats.new_inbox();
    let mut answers = nats.subscribe(reply.clone()).await.expect("an inbox");
    for number in 0..FILES {
        let mut command = attach(case, Uuid::new_v4(), upload, b"");
        command["data"]["size"] = json!(bytes.len());
        command["data"]["sha256"] = json!(format!("{number:064x}"));
        let command = command.to_string().into_bytes();
        let subject = "tebessa.cmd.evidence.attach";
        nats.publish_with_reply(subject, reply.clone(), command.into()).await.expect("published");
    }
    nats.flush().await.expect("sent");
    let mut told = None;
    for _ in 0..FILES / 2 {
        told = failure(&answer(&mut answers).await);
        if told.is_some() {
            break;
        }
    }
    let (code, words) = told.expect("of a hundred one is turned away");
    assert_eq!(code, "503");
    assert!(words.starts_with("the node is busy: 4 files are taken in at once"), "{words}");
    assert!(words.ends_with("send it again, with the same id"), "{words}");
    accepted(&client, &identity(case, Uuid::now_v7(), "B")).await;

    // Those that only wait do not keep the node from its stop, and hear of it.
    assert!(node.stop().success());
    let mut stopped = 0;
    while let Ok(Some(answer)) = tokio::time::timeout(LIMIT, answers.next()).await {
        let words = failure(&answer).map(|(_, words)| words).unwrap_or_default();
        stopped += usize::from(words.starts_with("the node stops; send it again"));
        if stopped > 0 {
            return;
        }
    }
    panic!("nobody heard that the node stops");
}

/// Many who ask how the node is, beside many records: an answer that held two of the same lock waited for
/// the writer, which waited for it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_how_the_node_is_never_stops_it() {
    const ASKING: usize = 8;
    const TIMES: usize = 3_000;
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..ASKING {
        let client = Client::connect(node.url()).await.expect("the node answers");
        asking.spawn(async move {
            for _ in 0..TIMES {
                ask(&client, "node", &json!({})).await;
            }
        });
    }
    let mut claims = 0;
    while asking.try_join_next().is_none() {
        for _ in 0..10 {
            accepted(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "A")).await;
        }
        claims += 10;
    }
    while let Some(asked) = asking.join_next().await {
        asked.expect("each was answered");
    }
    assert!(claims > 0);
    assert!(node.stop().success());
}
