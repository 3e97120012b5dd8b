//! `tebessa journal`: the log signed, proved, copied and mended, by the real binary.

mod copies;
mod lost;
mod proofs;
mod repair;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use service::client::Client;
use service::reply::Reply;
use uuid::Uuid;

/// Runs the binary and waits for its end.
fn tebessa(arguments: &[&str]) -> Output {
    Command::new(tests::binary()).args(arguments).output().expect("the binary's end")
}

/// Runs a command on a data directory that must succeed; gives its standard output.
fn done(data: &Path, arguments: &[&str]) -> String {
    let data = data.to_str().expect("UTF-8");
    let output = tebessa(&[arguments, &["--data", data]].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a command that must fail with exit code 1; gives both of its outputs.
fn fails(arguments: &[&str]) -> String {
    let output = tebessa(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8")
}

/// What the checker in another language, written from the format's page alone, says of a proof.
fn other_checker(proof: &Path, keys: &Path) -> Output {
    Command::new("python3")
        .arg("-B")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/check_proof.py"))
        .args([proof, keys])
        .output()
        .expect("python3 is needed")
}

/// Registers claims; gives their cases.
async fn register(client: &Client, count: usize) -> Vec<Uuid> {
    let mut cases = Vec::new();
    for _ in 0..count {
        let case = Uuid::new_v4();
        let command = json!({
            "id": Uuid::now_v7(), "case": case, "occurred": "2024-01-01",
            "actor": { "id": "registrar-1", "role": "registrar", "basis": "test" },
            "data": { "name": "Maximilian", "profile": "EU", "nationality": ["Roman"] },
        });
        let body = command.to_string().into_bytes();
        let reply = client.command("intake.register-claim", body).await.expect("an answer");
        let reply: Reply = serde_json::from_slice(&reply).expect("a reply");
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
        cases.push(case);
    }
    cases
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
