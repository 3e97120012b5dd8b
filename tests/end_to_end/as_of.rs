//! A case at a point in time: the query of an auditor's tool and the command line say the same.

use std::process::Command;

use serde_json::{Value, json};
use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::{ask, identity, register, send};

/// Runs the command line on a data directory; gives exit code, standard output and error.
pub(super) fn run(node: &Node, arguments: &[&str]) -> (Option<i32>, String, String) {
    let data = node.data().to_str().expect("a path");
    let output = Command::new(tests::binary())
        .args(arguments)
        .args(["--data", data])
        .output()
        .expect("the command line");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_and_the_command_line_show_the_same_moment() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    send(&client, &identity(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    let id = case.to_string();

    let asked = ask(&client, "audit.as-of", &json!({ "case": case, "at": "version:1" })).await;
    let (code, said, errors) =
        run(&node, &["audit", "as-of", "--case", &id, "--version", "1", "--json"]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(serde_json::from_str::<Value>(&said).expect("JSON"), asked);
    assert_eq!((&asked["version"], &asked["later"]), (&json!(1), &json!(1)));
    assert!(!said.contains("Maximilian"), "words stay sealed: {said}");

    let query = json!({ "case": case, "from": "version:1", "to": "now" });
    let mut asked = ask(&client, "audit.diff", &query).await;
    let diff = ["audit", "diff", "--case", &id, "--from", "version:1", "--to", "now"];
    let (code, said, errors) = run(&node, &[&diff[..], &["--json"]].concat());
    assert_eq!(code, Some(0), "{errors}");
    // The removal bar is judged now, which is another moment for each.
    let mut said: Value = serde_json::from_str(&said).expect("JSON");
    for answer in [&mut asked, &mut said] {
        assert!(answer["to"]["barred_at"].take().is_string(), "{answer}");
    }
    assert_eq!(said, asked);
    assert_eq!(asked["added"][0]["version"], json!(2));
    let (_, said, _) = run(&node, &diff);
    assert!(said.contains("Identity asserted"), "{said}");
    let (_, said, _) = run(&node, &["audit", "diff", "--case", &id, "--from", "now"]);
    assert!(said.contains("nothing differs"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_none_is_refused_in_a_sentence() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    let (id, other) = (case.to_string(), Uuid::new_v4().to_string());
    for (arguments, exit, sentence) in [
        (&["as-of", "--case", &other][..], 1, "there is no case"),
        (&["as-of", "--case", &id, "--version", "2"], 1, "has 1 events; there is no version 2"),
        (&["as-of", "--case", &id, "--version", "0"], 1, "nothing of case"),
        (&["as-of", "--case", &id, "--known-at", "2020-01-01"], 1, "nothing of case"),
        (&["as-of", "--case", &id, "--version", "1", "--position", "1"], 2, "cannot be used with"),
        (&["as-of", "--case", &id, "--known-at", "soon"], 2, "expected 2024-05-01"),
        (&["diff", "--case", &id, "--from", "yesterday"], 2, "expected now, version:3"),
        (&["as-of", "--case", &id, "--happened-by", "2020-02-30"], 2, "expected a day such as"),
        (&["as-of", "--case", &id, "--position", "2"], 1, "the log ends at position 1"),
        (&["diff", "--case", &id, "--from", "position:9"], 1, "there is no position 9"),
        (&["replay", "--since", "3"], 1, "the log ends at position 1; there is nothing at 3"),
        (&["access", "--case", &other], 1, "there is no case"),
        (&["access", "--case", &other, "--nats", node.url()], 1, "there is no case"),
    ] {
        let (code, said, errors) = run(&node, &[&["audit"], arguments].concat());
        assert_eq!(code, Some(exit), "{arguments:?}: {said}{errors}");
        assert!(errors.contains(sentence), "{arguments:?}: {errors}");
    }
    let (code, said, errors) = run(&node, &["audit", "replay", "--since", "2"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.starts_with("there is no step to derive again"), "{said}");
    let moments =
        [("soon", 400), ("version:9", 404), ("position:9", 404), ("known:2020-01-01", 404)];
    for (at, code) in moments {
        let query = json!({ "case": case, "at": at }).to_string();
        let refused = client.query("audit.as-of", query.into_bytes()).await.expect_err("refused");
        assert!(refused.to_string().contains(&code.to_string()), "{at}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_what_if_query_answers_for_one_case_and_refuses_what_is_no_leaf() {
    let node = Node::start();
    let story = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stories/absolute-objector.jsonl");
    let submitted = Command::new(tests::binary())
        .args(["submit", "--nats", node.url(), story])
        .output()
        .expect("the command line");
    assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stdout));
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (code, said, errors) = run(&node, &["audit", "what-if", "--set", "NEX=N", "--json"]);
    assert_eq!(code, Some(0), "{errors}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let entry = &report["entries"][0];
    let query = json!({ "case": entry["case"], "set": { "NEX": "N" } });
    let mut asked = ask(&client, "audit.what-if", &query).await["answer"].clone();
    asked["case"] = entry["case"].clone();
    assert_eq!(&asked, entry, "the query says what the command line says");
    let same = ask(&client, "audit.what-if", &json!({ "case": entry["case"] })).await;
    assert_eq!(same["answer"]["result"], "same");
    for wrong in [
        json!({ "set": { "C3": "M" } }),
        json!({ "set": { "NEX": "X" } }),
        json!({ "as_of": "soon" }),
        json!({ "profile": "XX" }),
    ] {
        let mut query = wrong.clone();
        query["case"] = entry["case"].clone();
        let query = query.to_string().into_bytes();
        let refused = client.query("audit.what-if", query).await.expect_err("refused");
        assert!(refused.to_string().contains("400"), "{wrong}: {refused}");
    }
    every_case_is_asked(&client, &report).await;
}

/// The query over all cases says what the command line says, once the index has caught up.
async fn every_case_is_asked(client: &Client, report: &Value) {
    let page = loop {
        let page = ask(client, "audit.what-if-cases", &json!({ "set": { "NEX": "N" } })).await;
        if page["position"].as_u64() >= report["inputs"]["records"].as_u64() {
            break page;
        }
    };
    assert_eq!(page["entries"], report["entries"]);
    assert_eq!((&page["assessed"], &page["same"]), (&report["assessed"], &report["same"]));
    assert!(page["next"].is_null(), "{page}");
    let none = ask(client, "audit.what-if-cases", &json!({ "only": "excluded" })).await;
    assert_eq!(none["assessed"], 0, "{none}");
    let beyond = ask(client, "audit.what-if-cases", &json!({ "cursor": 1_000_000 })).await;
    assert_eq!(beyond["assessed"], 0, "{beyond}");
    for wrong in [
        json!({ "only": "lost" }),
        json!({ "profile": "XX" }),
        json!({ "set": { "C3": "M" } }),
        json!({ "case": report["entries"][0]["case"] }),
    ] {
        let query = wrong.to_string().into_bytes();
        let refused = client.query("audit.what-if-cases", query).await.expect_err("refused");
        assert!(refused.to_string().contains("400"), "{wrong}: {refused}");
    }
}

/// What one claim says is no clearance: the person has another.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_another_claim_bars_is_not_said_to_be_free() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (over, pending, person) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let of = |case: Uuid, command: &str, role: &str, data: Value| {
        let mut sent = register(case, Uuid::now_v7(), "Maximilian");
        sent["command"] = json!(command);
        sent["actor"]["role"] = json!(role);
        sent["data"] = data;
        sent
    };
    let mut commands = Vec::new();
    for case in [over, pending] {
        let identified = json!({ "person": person, "reason": "The same papers." });
        commands.push(register(case, Uuid::now_v7(), "Maximilian"));
        commands.push(of(case, "intake.identify-person", "registrar", identified));
    }
    let reason = json!({ "reason": "I go home." });
    commands.push(of(over, "intake.withdraw-claim", "applicant", reason));
    for command in &commands {
        let reply = send(&client, command).await.expect("an answer");
        assert!(matches!(reply, service::reply::Reply::Accepted { .. }), "{reply:?}");
    }
    let bar = ask(&client, "removal-bar", &json!({ "case": over })).await;
    assert_eq!(bar["reasons"][0]["code"], json!("other_claim"));
    let id = over.to_string();
    let (code, said, _) = run(&node, &["audit", "as-of", "--case", &id]);
    assert_eq!(code, Some(0));
    assert!(said.contains("not barred by this claim alone, as of "), "{said}");
    assert!(said.contains("`tebessa case removal-bar`"), "{said}");
    let (_, said, _) = run(&node, &["audit", "as-of", "--case", &id, "--json"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&said["barred"], &said["barred_by"]), (&json!([]), &json!("this_claim_alone")));
    let diff = ["audit", "diff", "--case", &id, "--from", "version:1"];
    let (_, said, _) = run(&node, &diff);
    assert!(said.contains("is not barred by this claim alone"), "{said}");
}
