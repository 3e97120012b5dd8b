//! Bad input gets a clear answer, the node lives on, and nothing is half-written.

use futures::StreamExt as _;
use serde_json::json;
use service::client::{Client, ClientError};
use service::reply::Reply;
use tests::Node;
use uuid::Uuid;

use super::{ask, identity, register, send};

async fn refused(client: &Client, name: &str, bytes: Vec<u8>) -> (u16, String) {
    match client.command(name, bytes).await {
        Err(ClientError::Service { code, message }) => (code, message),
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_commands_are_answered_with_what_and_where() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let good = register(Uuid::new_v4(), Uuid::now_v7(), "A");
    let name = "intake.register-claim";
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut command = good.clone();
        *command.pointer_mut(pointer).expect("a field") = value;
        command.to_string()
    };
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let twice = good.to_string().replacen('{', "{\"id\":\"x\",", 1);
    let mut unknown = good.clone();
    unknown["data"]["colour"] = json!("red");
    let long = changed("/data/narrative", json!("x".repeat(70_000)));
    let rows: Vec<(Vec<u8>, u16, &str)> = vec![
        (Vec::new(), 400, "empty"),
        (b"nope".to_vec(), 400, "not JSON"),
        (b"{\"a\":\"\xff\"}".to_vec(), 400, "not valid UTF-8"),
        (deep.into_bytes(), 400, "nested deeper"),
        (twice.into_bytes(), 400, "id: stands twice"),
        (changed("/data/profile", json!(7)).into_bytes(), 400, "data.profile: expected"),
        (changed("/data/name", json!(7)).into_bytes(), 400, "data.name: is not a string"),
        (changed("/case", json!("../x")).into_bytes(), 400, "case: expected a UUID"),
        (changed("/occurred", json!("soon")).into_bytes(), 400, "occurred: expected a date"),
        (
            changed("/occurred", json!("2024-01-02T10:00:00+0100")).into_bytes(),
            400,
            "occurred: expected a date, and a time as in RFC 3339",
        ),
        (unknown.to_string().into_bytes(), 400, "data: has a member that is not taken; expected"),
        (
            changed("/actor", json!(["registrar-1", "registrar", "test"])).into_bytes(),
            400,
            "actor: expected an object",
        ),
        (
            changed("/actor/role", json!({ "registrar": null })).into_bytes(),
            400,
            "actor.role: expected a string",
        ),
        (changed("/data/name", json!(9_007_199_254_740_993_u64)).into_bytes(), 400, "2^53"),
        (long.into_bytes(), 413, "65535"),
    ];
    for (bytes, code, part) in rows {
        let got = refused(&client, name, bytes).await;
        assert_eq!(got.0, code, "{got:?}");
        assert!(got.1.contains(part), "{got:?} does not say `{part}`");
    }
    // A sealed box that is a list would carry its words past the sealing, into the log for ever.
    let mut boxed = good.clone();
    let item = json!(["p. 4", [Uuid::new_v4(), "Mariam K.", "c"]]);
    boxed["command"] = json!("evidence.correct-transcript");
    boxed["data"] = json!({ "interview": Uuid::new_v4(), "items": [item] });
    let bytes = boxed.to_string().into_bytes();
    let (code, message) = refused(&client, "evidence.correct-transcript", bytes).await;
    assert_eq!((code, message.as_str()), (400, "data.items[0]: is not an object"));
    let (code, message) = refused(&client, "intake.fly", good.to_string().into_bytes()).await;
    assert_eq!(code, 400, "{message}");
    assert!(message.contains("register-claim"), "{message}");
    assert_eq!(ask(&client, "node", &json!({})).await["position"], json!(0), "nothing was written");
    assert!(matches!(send(&client, &good).await.unwrap(), Reply::Accepted { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_asks_for_nothing_is_refused_and_not_repeated() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let rows = [
        ("history", json!({ "case": case, "limit": 0 }), "limit: is 0; expected 1 or more"),
        ("list", json!({ "limit": 0 }), "limit: is 0; expected 1 to "),
        ("audit.what-if-cases", json!({ "only": "Selam Haile" }), "only: expected an outcome"),
        (
            "audit.what-if-cases",
            json!({ "set": { "C3.9": "M" } }),
            "set: C3.9 is no leaf; there are C3.1.a, C3.1.b",
        ),
        (
            "audit.what-if",
            json!({ "case": case, "profile": "XX" }),
            "profile: unknown profile XX; there are AU, CA",
        ),
    ];
    for (name, query, part) in rows {
        let refused = client.query(name, query.to_string().into_bytes()).await;
        let Err(ClientError::Service { code: 400, message }) = refused else {
            panic!("{name}: {refused:?}")
        };
        assert!(message.starts_with(part) && !message.contains("Selam"), "{name}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_answer_with_stable_codes() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    let first = register(case, Uuid::now_v7(), "A");
    let code = |reply: Reply| match reply {
        Reply::Rejected { code, .. } => code.as_str(),
        Reply::Accepted { .. } => "accepted",
    };
    let before = identity(case, Uuid::now_v7(), "A");
    assert_eq!(code(send(&client, &before).await.unwrap()), "unknown_case");
    let reply = send(&client, &first).await.unwrap();
    assert_eq!(code(reply.clone()), "accepted");
    assert_eq!(send(&client, &first).await.unwrap(), reply, "the same command, the first answer");
    let mut other = first.clone();
    other["data"]["name"] = json!("B");
    assert_eq!(code(send(&client, &other).await.unwrap()), "command_reused");
    let mut stale = identity(case, Uuid::now_v7(), "A");
    stale["expected_version"] = json!(7);
    assert_eq!(code(send(&client, &stale).await.unwrap()), "stale_version");
    let mut role = identity(case, Uuid::now_v7(), "A");
    role["actor"]["role"] = json!("auditor");
    assert_eq!(code(send(&client, &role).await.unwrap()), "wrong_role");
    let mut future = identity(case, Uuid::now_v7(), "A");
    future["occurred"] = json!("2999-01-01");
    assert_eq!(code(send(&client, &future).await.unwrap()), "occurred_in_future");
    assert_eq!(ask(&client, "node", &json!({})).await["position"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_the_node_write_where_he_may_not() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let nats = async_nats::connect(node.url()).await.expect("the server");
    let command = identity(case, Uuid::now_v7(), "A").to_string();
    for (subject, payload, reply) in [
        // A failure has no body, which is how a stream is deleted.
        ("tebessa.query.nosuch", "", "$JS.API.STREAM.DELETE.CASES"),
        ("tebessa.query.node", "{}", "tebessa.case.x.y.z"),
        ("tebessa.cmd.intake.assert-identity", command.as_str(), "tebessa.case.x.y.z"),
        ("tebessa.query.node", "{}", "tebessa.cmd.intake.withdraw-claim"),
    ] {
        let payload = payload.to_owned().into();
        nats.publish_with_reply(subject, reply, payload).await.expect("it is sent");
    }
    // On the same connection and so behind them: both services have seen all of it when they answer.
    nats.flush().await.expect("the server");
    let asked = nats.request("tebessa.query.node", "{}".into()).await.expect("an answer");
    let state: serde_json::Value = serde_json::from_slice(&asked.payload).expect("JSON");
    assert_eq!(state["position"], json!(1), "{state}");
    let second = identity(case, Uuid::now_v7(), "B").to_string();
    let subject = "tebessa.cmd.intake.assert-identity";
    let answer = nats.request(subject, second.into()).await.expect("an answer");
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).expect("JSON");
    assert_eq!((&answer["outcome"], &answer["version"]), (&json!("accepted"), &json!(2)));
    let messages = client.watch(1).await.expect("the stream");
    futures::pin_mut!(messages);
    for position in 1..=2_u64 {
        let message = messages.next().await.expect("a message").expect("the stream");
        let record: serde_json::Value = serde_json::from_slice(&message.record).expect("JSON");
        assert_eq!(record["subject"], json!(case), "position {position}");
    }
}
