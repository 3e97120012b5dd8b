//! Correction and erasure: both values stand, and what was erased does not come back.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use service::client::Client;
use service::erasure::WITHHELD;
use service::reply::Reply;
use tests::Node;
use uuid::Uuid;

use super::{ask, identity, register, send};

pub(super) const NAME: &str = "Selam Haile";

pub(super) fn command(case: Uuid, name: &str, by: (&str, &str), data: &Value) -> Value {
    json!({
        "command": name, "id": Uuid::now_v7(), "case": case,
        "actor": { "id": by.0, "role": by.1, "basis": "test" }, "occurred": "2024-01-02",
        "data": data,
    })
}

fn rectify(case: Uuid, field: &str, old: &str) -> Value {
    let data = json!({
        "target": 2, "field": field, "old": old, "new": "Selam Hayle", "reason": "As in the passport.",
        "approver": "registry-1",
    });
    command(case, "registry.rectify", ("registrar-1", "registrar"), &data)
}

pub(super) fn erase(case: Uuid) -> Value {
    let data = json!({ "legal_basis": "GDPR art. 17(1)(a)", "approver": "registry-1" });
    command(case, "registry.destroy-key", ("dpo-1", "dpo"), &data)
}

pub(super) async fn accepted(client: &Client, command: &Value) -> u64 {
    match send(client, command).await.expect("an answer") {
        Reply::Accepted { version, .. } => version.0,
        Reply::Rejected { message, .. } => panic!("{message}"),
    }
}

async fn code(client: &Client, command: &Value) -> String {
    match send(client, command).await.expect("an answer") {
        Reply::Accepted { version, .. } => panic!("accepted as version {version}"),
        Reply::Rejected { code, .. } => code.as_str().to_owned(),
    }
}

pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        if from.is_dir() {
            continue;
        }
        std::fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_shows_both_values_and_an_erasure_survives_a_restored_key_store() {
    let home = tempfile::tempdir().unwrap();
    let (data, backup) = (home.path().join("data"), home.path().join("keys"));
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), NAME)).await;
    accepted(&client, &identity(case, Uuid::now_v7(), NAME)).await;

    assert_eq!(code(&client, &rectify(case, "name", "Somebody else")).await, "old_value_unfit");
    assert_eq!(code(&client, &rectify(case, "profile", "EU")).await, "field_unfit");
    assert_eq!(accepted(&client, &rectify(case, "name", NAME)).await, 3);
    let history = ask(&client, "history", &json!({ "case": case, "open": true })).await;
    assert_eq!(history["history"][1]["opened"]["name"]["words"], json!(NAME));
    assert_eq!(history["history"][1]["rectified"], json!([{ "field": "name", "version": 3 }]));
    assert_eq!(history["history"][2]["opened"]["old"]["words"], json!(NAME));
    assert_eq!(history["history"][2]["opened"]["new"]["words"], json!("Selam Hayle"));

    assert_eq!(code(&client, &erase(case)).await, "erasure_early");
    let withdraw = command(case, "intake.withdraw-claim", ("a-1", "applicant"), &json!({}));
    accepted(&client, &withdraw).await;
    let close = json!({ "retention": "withdrawn" });
    let mut close = command(case, "registry.close-file", ("registry-1", "registry"), &close);
    // Whether a time is over is not for a date to say that is yet to come, whatever its offset shows.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10);
    let far_west = jiff::tz::TimeZone::fixed(jiff::tz::offset(-12));
    for ahead in [soon.to_string(), soon.to_zoned(far_west).strftime("%FT%T%:z").to_string()] {
        close["occurred"] = json!(ahead);
        assert_eq!(code(&client, &close).await, "occurred_in_future");
    }
    close["occurred"] = json!("2024-01-02");
    accepted(&client, &close).await;
    let mut early = erase(case);
    early["occurred"] = json!(soon.to_string());
    assert_eq!(code(&client, &early).await, "occurred_in_future");
    copy(&service::node::keys_dir(&data), &backup);
    let erasure = erase(case);
    assert_eq!(accepted(&client, &erasure).await, 6);
    assert_eq!(accepted(&client, &erasure).await, 6, "sent again it gets its first answer");
    assert_eq!(accepted(&client, &withdraw).await, 4, "and so does an older one");
    assert_eq!(code(&client, &erase(case)).await, "erased");
    withheld(&client, case).await;
    assert!(node.stop().success());

    copy(&backup, &service::node::keys_dir(&data));
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    withheld(&client, case).await;
    let verify = Command::new(tests::binary())
        .args(["audit", "verify", "--data"])
        .arg(&data)
        .output()
        .expect("the tool runs");
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    assert!(node.stop().success());
}

async fn withheld(client: &Client, case: Uuid) {
    let history = ask(client, "history", &json!({ "case": case, "open": true })).await;
    assert!(!history.to_string().contains(NAME));
    for version in 0..5 {
        let opened = history["history"][version]["opened"].as_object().expect("opened");
        for (path, field) in opened {
            assert_eq!(field, &json!({ "withheld": WITHHELD }), "version {} {path}", version + 1);
        }
    }
}
