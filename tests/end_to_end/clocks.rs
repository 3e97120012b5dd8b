//! Clocks that an authority brings: computed by them, named by their hash, refused when faulty.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use service::client::Client;
use service::reply::Reply;
use sha2::{Digest as _, Sha256};
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

const FILE: &str = r#"profile = "EU"
zone = "Europe/Brussels"
rolls = false
holidays = []

[[clock]]
kind = "merits"
circumstance = "ordinary"
days = 11
sources = [{ cite = "Made for a test", pinpoint = "1", checked = "read" }]
"#;

fn with_file(home: &Path, text: &str) -> String {
    let directory = home.join("clocks");
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("EU.toml"), text).expect("the file");
    directory.to_str().expect("a path").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_computes_by_the_clocks_that_it_is_given_and_names_them() {
    let home = tempfile::tempdir().unwrap();
    let clocks = with_file(home.path(), FILE);
    let mut node = Node::start_in(&home.path().join("data"), &["--clocks", &clocks]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let set = |kind: &str| {
        json!({
            "command": "deadlines.set", "id": Uuid::now_v7(), "case": case,
            "actor": { "id": "registry-1", "role": "registry", "basis": "test" },
            "occurred": "2024-01-02", "data": { "deadline": Uuid::new_v4(), "kind": kind },
        })
    };
    let reply = send(&client, &set("merits")).await.expect("an answer");
    assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    let history = ask(&client, "history", &json!({ "case": case })).await;
    let data = &history["history"][1]["record"]["data"];
    // The day is over at midnight in Brussels, eleven days after 2 January.
    assert_eq!(data["due"], json!("2024-01-13T23:00:00Z"));
    let hash = hex::encode(Sha256::digest(FILE.as_bytes()));
    assert_eq!(data["clocks"], json!(format!("sha256:{hash}")));
    // The file has no other clock, and the built-in ones are not in force beside it.
    let reply = send(&client, &set("registration")).await.expect("an answer");
    assert!(matches!(reply, Reply::Rejected { .. }), "{reply:?}");
    let mut stated = set("registration");
    stated["data"]["due"] = json!("2024-01-04T00:00:00Z");
    let reply = send(&client, &stated).await.expect("an answer");
    assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    assert!(node.stop().success());

    // Computed again: by this file where it is named, and by no other.
    let run = |more: &[&str]| {
        let output = Command::new(tests::binary())
            .args(["audit", "time-limits", "--data"])
            .arg(home.path().join("data"))
            .args(more)
            // As on a terminal of that width: where there is none, nothing is wrapped.
            .env("COLUMNS", "80")
            .output()
            .expect("the command line");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = run(&[]);
    assert!(code == Some(1) && said.contains(&hash), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let (code, said) = run(&["--clocks", &clocks, "--case", &case.to_string()]);
    assert!(code == Some(0) && said.contains("1 time limit of 1 in 1 case"), "{said}");
    // What was stated without a clock stands beside what the built-in one gives.
    assert!(said.contains("1 time limit without a clock, 1 with less time"), "{said}");
    let (_, json) = run(&["--clocks", &clocks, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&json).expect("one line of JSON");
    assert_eq!((&report["stated"], &report["stated_less"]), (&json!(1), &json!(1)));
    let stated = &report["entries"][1];
    assert_eq!(stated["result"], json!("stated"));
    assert_eq!(stated["built_in"], json!("2024-01-08"), "five days, and the seventh was a Sunday");
}

#[test]
fn a_faulty_file_starts_no_node_and_is_told_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let clocks = with_file(home.path(), &FILE.replace("days = 11", "days = 0"));
    let data = home.path().join("data");
    let said = Node::try_start_in(&data, &["--clocks", &clocks]).expect_err("refused");
    assert!(said.contains("EU.toml:6: the clock merits ordinary"), "{said}");
    assert!(!data.exists(), "nothing was made");
}
