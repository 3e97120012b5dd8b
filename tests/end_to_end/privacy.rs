//! The canary: planted names are found nowhere but inside their boxes, and what a node writes is closed to
//! other accounts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::signed_access::succeeds;
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

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("its mode").permissions().mode() & 0o777
}

/// What a directory holds, with the modes of the directories that others could enter.
fn open_to_others(directory: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_dir() && mode(path) & 0o077 != 0)
        .map(|path| (path.display().to_string(), mode(&path)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_directory_that_is_open_to_others_what_the_node_makes_is_closed_and_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    let (data, copy) = (home.path().join("data"), home.path().join("copy"));
    let said = "the data directory is open to other accounts";
    for directory in [&data, &copy] {
        fs::create_dir(directory).unwrap();
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), CANARY)).await.expect("accepted");
    let made = fs::read_dir(&data).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert!(made.count() >= 7, "journal, access, keys, follower, deadlines, nats, documents");
    assert_eq!(open_to_others(&data), []);
    assert_eq!(mode(&data), 0o755, "it is not the node's to close");
    assert_eq!(node.output().matches(said).count(), 1, "{}", node.output());
    succeeds(&data, &["journal", "backup", "--out", copy.to_str().expect("UTF-8")]);
    assert_eq!(open_to_others(&copy), []);
    assert!(node.stop().success());

    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    let node = Node::start_in(&data, &[]);
    assert!(!node.output().contains(said), "{}", node.output());
}
