//! The removal bar as a script asks it: doubt bars, and no failure looks like a clearance.

use std::process::Command;

use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::{register, send};

/// Asks as a script does; returns the exit code and what was printed for programs.
fn asked(url: &str, case: Uuid) -> (Option<i32>, String) {
    let output = Command::new(tests::binary())
        .args(["case", "removal-bar", &case.to_string(), "--json", "--nats", url])
        .output()
        .expect("the command line");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_claim_an_unknown_case_and_silence_clear_nobody() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    for barred in [case, Uuid::new_v4()] {
        let (code, said) = asked(node.url(), barred);
        assert_eq!(code, Some(3), "{said}");
        let bar: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(bar["barred"], true, "{said}");
        assert!(!bar["reasons"].as_array().expect("reasons").is_empty(), "{said}");
        assert!(!said.contains("Maximilian"), "{said}");
    }
    let url = node.url().to_owned();
    assert!(node.stop().success());
    assert_eq!(asked(&url, case), (Some(1), String::new()), "silence is no clearance");
}
