//! The canary: planted names are found nowhere but inside their boxes.

use serde_json::json;
use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

const CANARY: &str = "Zxqcanaryname";

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_name_is_in_no_file_and_no_output() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), CANARY)).await.expect("accepted");
    // Malformed commands carry the name into errors, if anything does.
    let mut wrong = register(Uuid::new_v4(), Uuid::now_v7(), CANARY);
    wrong["data"]["profile"] = json!(CANARY.repeat(10));
    let error = send(&client, &wrong).await.expect_err("malformed").to_string();
    assert!(!error.contains(CANARY), "{error}");
    let mut wrong = register(Uuid::new_v4(), Uuid::now_v7(), CANARY);
    wrong["data"][CANARY] = json!(1);
    let error = send(&client, &wrong).await.expect_err("malformed").to_string();
    assert!(!error.contains(CANARY), "{error}");

    let opened = ask(&client, "history", &json!({ "case": case, "open": true })).await;
    assert_eq!(opened["history"][0]["opened"]["name"]["words"], json!(CANARY));
    let sealed = ask(&client, "history", &json!({ "case": case })).await.to_string();
    assert!(!sealed.contains(CANARY));
    assert!(node.stop().success());
    assert!(!node.output().contains(CANARY));
    let mut files = 0;
    let mut folders = vec![data];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(!path.display().to_string().contains(CANARY));
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!found, "{} holds the name", path.display());
            files += 1;
        }
    }
    assert!(files > 3, "the log, the keys and the stream were looked at");
}
