//! The access log is signed as the record of the cases is: who takes views out of it is found out.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

/// Runs the command line on a data directory; returns the exit code and what it said.
pub(super) fn run(data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(tests::binary())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .expect("the command line");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &errors)
}

pub(super) fn succeeds(data: &Path, arguments: &[&str]) -> String {
    let (code, said) = run(data, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {said}");
    said
}

pub(super) async fn view(client: &Client, case: Uuid) {
    let open = json!({ "case": case, "open": true });
    let shown = ask(client, "history", &open).await;
    assert_eq!(shown["history"][0]["opened"]["name"]["words"], json!("Maximilian"));
}

fn path(file: &Path) -> &str {
    file.to_str().expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_were_taken_out_of_the_access_log_are_missed() {
    let home = tempfile::tempdir().unwrap();
    let (data, early) = (home.path().join("data"), home.path().join("early"));
    let (full, away) = (home.path().join("full"), home.path().join("court.checkpoint"));
    let case = Uuid::new_v4();
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    view(&client, case).await;
    succeeds(&data, &["journal", "backup", "--access", "--out", path(&early)]);
    view(&client, case).await;
    let signed = ask(&client, "checkpoint", &json!({ "access": true })).await;
    assert_eq!((&signed["size"], &signed["streams"]), (&json!(2), &json!(1)));
    assert!(signed["origin"].as_str().unwrap().starts_with("tebessa/access/"), "{signed}");
    let printed = succeeds(&data, &["journal", "checkpoint", "--access"]);
    assert_eq!(Value::from(printed.clone()), signed["note"], "unchanged, it is given again");
    fs::write(&away, &printed).unwrap();
    view(&client, case).await;
    assert!(node.stop().success());
    let said = succeeds(&data, &["audit", "verify", "--checkpoint", path(&away)]);
    assert!(said.contains("3 views of 1 case") && said.contains("3 checkpoints"), "{said}");
    let latest = succeeds(&data, &["journal", "checkpoint", "--access", "--latest"]);
    assert_eq!(latest.lines().nth(1), Some("3"), "the stop signs: {latest}");
    succeeds(&data, &["journal", "backup", "--access", "--out", path(&full)]);

    // The last two views are taken out: what is left is a whole log of one.
    let access = data.join("access");
    fs::remove_dir_all(access.join("log")).unwrap();
    fs::remove_dir_all(access.join("index")).unwrap();
    fs::create_dir(access.join("log")).unwrap();
    for file in fs::read_dir(early.join("log")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), access.join("log").join(file.file_name())).unwrap();
    }
    let (code, said) = run(&data, &["audit", "verify"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the access log, position 2"), "{said}");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let closed = client.query("history", json!({ "case": case, "open": true }).to_string().into());
    let closed = closed.await.expect_err("no words while views are missing").to_string();
    assert!(closed.contains("the access log"), "{closed}");
    assert!(node.stop().success());

    // Their checkpoints too: then the one that was given away tells.
    let kept = home.path().join("kept");
    fs::rename(access.join("checkpoints"), &kept).unwrap();
    let said = succeeds(&data, &["audit", "verify"]);
    assert!(said.contains("no checkpoint is kept, though there is a key that signs"), "{said}");
    let (code, said) = run(&data, &["audit", "verify", "--checkpoint", path(&away)]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the access log, position 2"), "{said}");
    // The log itself too, whole.
    let log = home.path().join("log");
    fs::rename(access.join("log"), &log).unwrap();
    fs::create_dir(access.join("log")).unwrap();
    let (code, said) = run(&data, &["audit", "verify", "--json"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &said["fault"]["file"]), (Some(1), &json!("the access log")), "{said}");
    fs::remove_dir(access.join("log")).unwrap();
    fs::rename(&log, access.join("log")).unwrap();
    fs::rename(&kept, access.join("checkpoints")).unwrap();

    // A copy has them, and words are opened again.
    let said = succeeds(&data, &["journal", "repair", "--access", "--from", path(&full)]);
    assert!(said.contains("2 records proved by a signed checkpoint"), "{said}");
    let said = succeeds(&data, &["audit", "verify", "--checkpoint", path(&away)]);
    assert!(said.contains("3 views of 1 case"), "{said}");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    view(&client, case).await;
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_access_log_has_keys_of_its_own_and_is_restored_apart() {
    let home = tempfile::tempdir().unwrap();
    let (data, copy) = (home.path().join("data"), home.path().join("copy"));
    let case = Uuid::new_v4();
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    view(&client, case).await;
    assert!(node.stop().success());
    let keys = |more: &[&str]| {
        let show = [["journal", "key", "show", "--json"].as_slice(), more].concat();
        let said = succeeds(&data, &show);
        let keys: Vec<Value> =
            said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        keys
    };
    let (cases, first) = (keys(&[]), keys(&["--access"]));
    assert_eq!((cases.len(), first.len()), (1, 1));
    assert!(first[0]["key"].as_str().unwrap().starts_with("tebessa/access/"), "{first:?}");
    succeeds(&data, &["journal", "key", "rotate", "--access"]);
    // No node runs: the directory is opened, and both sign.
    let printed = succeeds(&data, &["journal", "checkpoint", "--access"]);
    assert_eq!(printed.matches('\u{2014}').count(), 2, "{printed}");
    succeeds(&data, &["journal", "key", "retire", "--access"]);
    let after = keys(&["--access"]);
    assert_eq!((&after[0]["state"], &after[1]["state"]), (&json!("retired"), &json!("signs")));
    assert_eq!(keys(&[]), cases, "the other log's stays");

    succeeds(&data, &["journal", "backup", "--access", "--out", path(&copy)]);
    fs::remove_dir_all(data.join("access")).unwrap();
    let (code, said) = run(&data, &["journal", "checkpoint", "--access"]);
    assert!(code == Some(1) && said.contains("no access log yet"), "{said}");
    let other = home.path().join("other");
    let (code, said) = run(&other, &["journal", "restore", "--from", path(&copy)]);
    assert!(code == Some(2) && said.contains("give --access") && !other.exists(), "{said}");
    let cases = path(&home.path().join("cases")).to_owned();
    succeeds(&data, &["journal", "backup", "--out", &cases]);
    let (code, said) = run(&data, &["journal", "restore", "--access", "--from", &cases]);
    assert!(code == Some(2) && said.contains("leave out --access"), "{said}");
    succeeds(&data, &["journal", "restore", "--access", "--from", path(&copy)]);
    let said = succeeds(&data, &["audit", "verify"]);
    assert!(
        said.contains("1 view of 1 case") && said.contains("1 checkpoint: signatures"),
        "{said}"
    );

    // Taken away whole, it is begun anew; the keys tell that there was another.
    fs::remove_dir_all(data.join("access")).unwrap();
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    view(&client, case).await;
    assert!(node.stop().success());
    assert!(node.output().contains("the access log is begun anew"), "{}", node.output());
    let said = succeeds(&data, &["audit", "verify"]);
    assert!(said.contains("keys of 1 earlier access log, whose views are not here"), "{said}");
    assert_ne!(keys(&["--access"]), after, "the new log has its own");
    let (code, said) = run(&data, &["journal", "repair", "--access", "--from", "stream"]);
    assert!(code == Some(2) && said.contains("the stream has the cases"), "{said}");
}
