//! Damage in a stopped node's log: found, named, and mended from the stream or a copy.

use std::fs;
use std::path::Path;

use service::client::Client;
use tests::Node;

use super::{done, fails, parsed, register};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_mended_from_the_stream_and_the_node_starts_again() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    register(&client, 20).await;
    assert!(node.stop().success());
    let segment = data.join("journal/log/00000000000000000001.segment");
    let whole = fs::read(&segment).unwrap();
    let mut damaged = whole.clone();
    // In the middle of the records: the last one ends where the zeros begin.
    let middle = damaged.iter().rposition(|byte| *byte != 0).unwrap() / 2;
    damaged[middle..middle + 100].fill(b'?');
    fs::write(&segment, &damaged).unwrap();

    let path = data.to_str().unwrap();
    let said = fails(&["audit", "verify", "--data", path, "--json"]);
    let fault = parsed(said.trim())["fault"].clone();
    assert_eq!(fault["file"], "00000000000000000001.segment", "{said}");
    let refused = Node::try_start_in(&data, &[]).expect_err("a damaged log is not served");
    assert!(refused.contains("the log is damaged"), "{refused}");

    let report = parsed(&done(&data, &["journal", "repair", "--from", "stream", "--json"]));
    let restored = report["restored"].as_array().unwrap();
    assert!(!restored.is_empty(), "{report}");
    assert!(restored.iter().all(|one| one["evidence"] == "checkpoint"), "{report}");
    let kept = Path::new(report["kept_in"].as_str().unwrap());
    assert_eq!(fs::read(kept.join("00000000000000000001.segment")).unwrap(), damaged);
    assert!(kept.join("report.json").is_file());

    let node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    register(&client, 1).await;
    let report = parsed(&done(&data, &["audit", "verify", "--json"]));
    assert_eq!(report["log"]["records"], 21, "{report}");
    assert_eq!(report["stream"]["checked"], true, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_checkpoint_stops_a_start_says_what_helps_and_comes_back_by_its_signature() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    register(&client, 3).await;
    done(&data, &["journal", "checkpoint"]);
    done(&data, &["journal", "backup", "--out", &path("backup")]);
    register(&client, 2).await;
    assert!(node.stop().success());

    let checkpoint = data.join("journal/checkpoints/00000000000000000003.checkpoint");
    let whole = fs::read_to_string(&checkpoint).unwrap();
    let root = whole.lines().nth(2).unwrap();
    let other = format!("{}{}", if root.starts_with('A') { 'B' } else { 'A' }, &root[1..]);
    fs::write(&checkpoint, whole.replace(root, &other)).unwrap();
    let said = fails(&["audit", "verify", "--data", &path("data"), "--json"]);
    let fault = parsed(said.trim())["fault"].clone();
    assert_eq!(fault["what"], "a signature of the note is wrong", "{fault}");
    assert!(fault["advice"].as_str().unwrap().contains("--checkpoint"), "{fault}");
    let refused = Node::try_start_in(&data, &[]).expect_err("it says that the log was changed");
    assert!(refused.contains("tebessa journal repair"), "{refused}");

    let from_stream = ["journal", "repair", "--data", &path("data"), "--from", "stream"];
    let said = fails(&from_stream);
    let one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one_line.contains("a signature of the note is wrong"), "{one_line}");
    assert_ne!(fs::read_to_string(&checkpoint).unwrap(), whole);
    let kept = path("backup/checkpoints/00000000000000000003.checkpoint");
    let with = ["journal", "repair", "--from", "stream", "--checkpoint", &kept, "--json"];
    let report = parsed(&done(&data, &with));
    assert_eq!(report["checkpoints"][0]["fetched"], true, "{report}");
    assert_eq!(fs::read_to_string(&checkpoint).unwrap(), whole);

    // The backup has it beside the records; what is no text is damaged too.
    fs::write(&checkpoint, [0xff; 70]).unwrap();
    let report = done(&data, &["journal", "repair", "--from", &path("backup")]);
    assert!(report.contains("put back"), "{report}");
    assert_eq!(fs::read_to_string(&checkpoint).unwrap(), whole);
    let report = parsed(&done(&data, &["journal", "repair", "--from", "stream", "--json"]));
    assert_eq!(report["kept_in"], serde_json::Value::Null, "{report}");
    let mut node = Node::start_in(&data, &[]);
    assert!(node.stop().success());
}
