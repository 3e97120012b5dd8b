//! A log that lost its end while the node was stopped: what lies beside it tells, or nothing is promised.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use service::client::Client;
use tests::Node;

use super::register;

/// The exit code of `audit verify` and what it printed, in words or as JSON.
fn audit(data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let run = Command::new(tests::binary())
        .args(["audit", "verify", "--data"])
        .arg(data)
        .args(more)
        .output()
        .expect("the tool runs");
    (run.status.code(), String::from_utf8(run.stdout).expect("UTF-8"))
}

/// The last segment of a log, its bytes, and where its last group and its content end.
fn last_group(log: &Path) -> (PathBuf, Vec<u8>, std::ops::Range<usize>) {
    let files = fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path());
    let last = files.filter(|file| file.extension().is_some_and(|end| end == "segment")).max();
    let file = last.expect("a segment");
    let bytes = fs::read(&file).unwrap();
    let group = bytes.windows(4).rposition(|window| window == b"\x89TBG").unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (file, bytes, group..end)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_node_the_index_tells_of_records_that_the_log_lost() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let cases = register(&client, 3).await;
    assert!(node.stop().success());
    let journal = data.join("journal");
    let (code, said) = audit(&data, &[]);
    let whole = format!("it has seen position {}, which the log has", cases.len());
    assert!(code == Some(0) && said.contains(&whole), "{said}");

    fs::remove_dir_all(journal.join("checkpoints")).unwrap();
    let (file, bytes, group) = last_group(&journal.join("log"));
    let mut zeroed = bytes.clone();
    zeroed[group.clone()].fill(0);
    let mut short = bytes.clone();
    short[group.start + 60..group.end].fill(0);
    for damaged in [&zeroed, &short] {
        fs::write(&file, damaged).unwrap();
        let (code, said) = audit(&data, &["--json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((code, &said["ok"]), (Some(1), &Value::Bool(false)), "{said}");
        let what = said["fault"]["what"].as_str().unwrap();
        assert!(what.contains(&format!("position {} was acknowledged", cases.len())), "{said}");
        let begins = (damaged == &short).then_some(group.start);
        assert_eq!(said["fault"]["offset"].as_u64(), begins.map(|at| at as u64), "{said}");
        assert!(said["fault"]["advice"].as_str().unwrap().contains("journal repair"), "{said}");
    }

    // Without the index nobody here knows: nothing is promised, and nothing is called superfluous.
    fs::remove_dir_all(journal.join("index")).unwrap();
    let (code, said) = audit(&data, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("whether it was acknowledged before is not known here"), "{said}");
    assert!(said.contains("there is no index here; whether the log has all"), "{said}");
    assert!(!said.contains("never acknowledged") && !said.contains("built anew"), "{said}");
}
