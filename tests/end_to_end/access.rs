//! The access log: every view of a case is in it, words leave only behind their entry, and the
//! record of the case does not change.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::reply::Reply;
use tests::Node;
use uuid::Uuid;

use super::{ask, identity, register, send};

/// How long an entry that nobody waits for may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

fn viewer(id: &str) -> Value {
    json!({ "id": id, "role": "caseworker", "purpose": "casework" })
}

/// Runs the command line; returns the exit code and standard output.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(tests::binary()).args(arguments).output().expect("the command line");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &errors)
}

/// What `tebessa audit access` reads in a data directory.
fn views(data: &Path, more: &[&str]) -> Vec<Value> {
    let data = data.to_str().expect("a path");
    let arguments = [&["audit", "access", "--json", "--data", data], more].concat();
    let (code, said) = run(&arguments);
    assert_eq!(code, Some(0), "{said}");
    said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Waits until so many views are in the log.
fn await_views(data: &Path, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let views = views(data, &[]);
        if views.len() >= count {
            return views;
        }
        assert!(Instant::now() < deadline, "only {views:?}");
    }
}

async fn history(client: &Client, query: &Value) -> Result<Value, ClientError> {
    let reply = client.query("history", query.to_string().into_bytes()).await?;
    Ok(serde_json::from_slice(&reply).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_of_a_case_is_recorded_and_changes_no_case() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    let other = Uuid::new_v4();
    for id in [case, other] {
        send(&client, &register(id, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    }
    send(&client, &identity(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    let before = ask(&client, "node", &json!({})).await["position"].clone();

    // Clients from before the access log say nothing about themselves, and are answered.
    ask(&client, "case", &json!({ "case": other })).await;
    let opened = ask(&client, "history", &json!({ "case": other, "open": true })).await;
    assert_eq!(opened["history"][0]["opened"]["name"]["words"], json!("Maximilian"));
    let said = json!({ "case": case, "viewer": viewer("officer-7") });
    for query in ["case", "history", "family", "removal-bar", "audit.decisions", "audit.replay"] {
        ask(&client, query, &said).await;
    }
    let open = json!({ "case": case, "open": true, "after": 1, "viewer": viewer("officer-7") });
    ask(&client, "history", &open).await;
    let disclose = json!({ "case": case, "fields": ["name"], "viewer": viewer("officer-8") });
    ask(&client, "audit.disclosures", &disclose).await;
    // Nobody's view: a case that is not there, and lists.
    let unknown = json!({ "case": Uuid::new_v4() });
    client.query("case", unknown.to_string().into_bytes()).await.expect_err("there is none");
    ask(&client, "removal-bar", &unknown).await;
    ask(&client, "list", &json!({})).await;

    let all = await_views(node.data(), 10);
    let kinds: Vec<&str> = all.iter().map(|view| view["view"].as_str().expect("a view")).collect();
    let expected = [
        "case",
        "history",
        "case",
        "history",
        "family",
        "removal-bar",
        "decisions",
        "replay",
        "history",
        "disclosures",
    ];
    assert_eq!(kinds, expected);
    assert!(all[..2].iter().all(|view| view["case"] == json!(other) && view["viewer"].is_null()));
    assert_eq!(all[1]["opened"], json!(true));
    assert_eq!(all[2]["viewer"], viewer("officer-7"));
    assert_eq!((&all[3]["opened"], &all[3]["versions"]), (&json!(false), &json!([1, 2])));
    assert_eq!((&all[8]["opened"], &all[8]["versions"]), (&json!(true), &json!([2, 2])));
    assert_eq!(views(node.data(), &["--viewer", "officer-8"]), all[9..]);
    assert_eq!(views(node.data(), &["--case", &case.to_string(), "--opened"]), all[8..]);
    assert_eq!(views(node.data(), &["--since", "9999-01-01"]), [] as [Value; 0]);
    let asked = ask(&client, "audit.access", &json!({ "viewer": "officer-7", "after": 3 })).await;
    assert_eq!(asked["entries"], json!(all[3..9]));

    let after = ask(&client, "node", &json!({})).await;
    assert_eq!(after["position"], before, "a view is no event");
    assert_eq!(after["access"], json!({ "position": 10 }));
    let data = node.data().to_str().expect("a path").to_owned();
    let (code, said) = run(&["audit", "access", "--data", &data]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("10 views, 3 of them opened words or a file"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let (code, said) = run(&["audit", "verify", "--data", &data]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("10 views of 2 cases"), "{said}");
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_who_looks_and_an_altered_entry_is_found() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    let (url, id) = (node.url().to_owned(), case.to_string());
    let (code, said) = run(&["case", "history", &id, "--open", "--nats", &url]);
    assert_eq!(code, Some(0), "{said}");
    let stated = ["--as", "dpo-1", "--role", "dpo", "--purpose", "subject-access"];
    let shown = [&["case", "show", &id, "--nats", &url], &stated[..]].concat();
    assert_eq!(run(&shown).0, Some(0));
    let all = await_views(node.data(), 2);
    let account = all[0]["viewer"]["id"].as_str().expect("an id");
    assert!(account.starts_with("uid-"));
    // What nobody stated is not recorded as if somebody had.
    assert_eq!(all[0]["viewer"]["unstated"], json!(["role", "purpose"]));
    let (_, told) = run(&["audit", "access", "--data", node.data().to_str().expect("a path")]);
    assert!(told.contains("role not stated"), "{told}");
    let dpo = json!({ "id": "dpo-1", "role": "dpo", "purpose": "subject-access" });
    assert_eq!((&all[1]["viewer"], &all[1]["opened"]), (&dpo, &json!(false)));
    assert!(node.stop().success());

    // Without a node a dossier opens words by itself, and says so in the same log.
    let data = node.data().to_str().expect("a path").to_owned();
    let out = node.data().join("case.dossier");
    let file = out.to_str().expect("a path");
    let dossier =
        ["audit", "dossier", "--data", &data, "--case", &id, "--out", file, "--disclose", "name"];
    let (code, said) = run(&[&dossier[..], &["--as", "auditor-1", "--role", "auditor"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let all = views(node.data(), &["--viewer", "auditor-1"]);
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["view"], &all[0]["opened"]), (&json!("disclosures"), &json!(true)));

    // Its copy is a log like it, and opens in its place.
    let copy = node.data().with_file_name("copy");
    let backup = ["journal", "backup", "--access", "--data", &data, "--out"];
    let (code, said) = run(&[&backup[..], &[copy.to_str().expect("a path")]].concat());
    assert_eq!(code, Some(0), "{said}");
    let access = node.data().join("access");
    std::fs::remove_dir_all(&access).expect("removed");
    std::fs::rename(&copy, &access).expect("restored");
    assert_eq!(views(node.data(), &["--viewer", "auditor-1"]), all);

    // Another hand writes another viewer, with the checksum left as it is.
    let log = std::fs::read_dir(node.data().join("access/log")).expect("the log");
    let segment = log.map(|entry| entry.expect("an entry").path()).min().expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("the segment");
    let place = bytes.windows(5).position(|at| at == b"dpo-1").expect("the entry");
    bytes[place + 4] = b'2';
    std::fs::write(&segment, bytes).expect("written");
    let (code, said) = run(&["audit", "verify", "--data", &data]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the access log"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opened_words_have_their_entry_although_the_node_is_killed_at_the_answer() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let case = Uuid::new_v4();
    for round in 1..=3 {
        let mut node = Node::start_in(&data, &[]);
        let client = Client::connect(node.url()).await.expect("the node answers");
        if round == 1 {
            send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
        }
        let open = json!({ "case": case, "open": true, "viewer": viewer("officer-7") });
        let opened = history(&client, &open).await.expect("words");
        node.kill();
        assert_eq!(opened["history"][0]["opened"]["name"]["words"], json!("Maximilian"));
        assert_eq!(views(&data, &["--opened"]).len(), round, "the entry is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_access_log_keeps_words_closed_and_stops_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    let open = json!({ "case": case, "open": true, "viewer": viewer("officer-7") });
    history(&client, &open).await.expect("words");

    // From here on no file takes another byte; only the access log is written meanwhile.
    node.bound_files(Some(0));
    let error = history(&client, &open).await.expect_err("no entry, no words").to_string();
    assert!(error.contains("the access log") && error.contains("503"), "{error}");
    assert!(!error.contains("Maximilian"), "{error}");
    node.bound_files(None);
    history(&client, &open).await.expect_err("not before the log is opened again");
    let disclose = json!({ "case": case, "fields": ["all"] }).to_string().into_bytes();
    client.query("audit.disclosures", disclose).await.expect_err("nor by another query");

    // What opens nothing is answered, commands are taken, and the node says what is wrong.
    let state = ask(&client, "case", &json!({ "case": case })).await;
    assert_eq!(state["version"], json!(1));
    assert_eq!(ask(&client, "removal-bar", &json!({ "case": case })).await["barred"], json!(true));
    let reply = send(&client, &identity(case, Uuid::now_v7(), "Maximilian")).await;
    assert!(matches!(reply, Ok(Reply::Accepted { .. })), "{reply:?}");
    let well = ask(&client, "node", &json!({})).await;
    assert!(well["access"]["failed"].is_string(), "{well}");
    assert!(node.stop().success(), "the process lived on");

    // The next start opens the log again.
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    history(&client, &open).await.expect("words");
    assert_eq!(views(&data, &["--opened"]).len(), 2, "an entry for each answer with words");
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_access_log_cannot_be_opened_keeps_the_record_and_no_words_leave() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).expect("a directory");
    std::fs::write(data.join("access"), b"not a directory").expect("written");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    let error = history(&client, &json!({ "case": case, "open": true })).await;
    let error = error.expect_err("no entry, no words").to_string();
    assert!(error.contains("the access log") && error.contains("503"), "{error}");
    history(&client, &json!({ "case": case })).await.expect("sealed records");
    assert!(node.stop().success());
}
