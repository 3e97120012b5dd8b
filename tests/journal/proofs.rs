//! Checkpoints, keys and proofs: with a node, without one, and checked with keys alone.

use std::fs;

use service::client::Client;
use tests::Node;

use super::{done, fails, parsed, register, tebessa};

#[tokio::test(flavor = "multi_thread")]
async fn a_court_checks_a_record_and_a_case_with_nothing_but_a_key() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let cases = register(&client, 5).await;
    let signed = done(&data, &["journal", "checkpoint"]);
    assert!(signed.contains("\n5\n") && signed.contains("\nheads 5 "), "{signed}");
    let key = parsed(&done(&data, &["journal", "key", "show", "--json"]))["key"].clone();
    let key = key.as_str().unwrap();

    let record = home.path().join("record.tlog-proof");
    fs::write(&record, done(&data, &["journal", "prove", "--position", "3"])).unwrap();
    let case = home.path().join("case.json");
    let whole = done(&data, &["journal", "prove", "--case", &cases[3].to_string()]);
    fs::write(&case, &whole).unwrap();
    for (file, field, value) in [(&record, "position", 3), (&case, "records", 1)] {
        let file = file.to_str().unwrap();
        let output = tebessa(&["journal", "check-proof", file, "--key", key, "--json"]);
        assert!(output.status.success(), "{output:?}");
        let checked = parsed(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(
            (checked["proved"].as_bool(), checked[field].as_u64()),
            (Some(true), Some(value))
        );
    }
    let changed = whole.replace("2024-01-01", "2024-01-02");
    assert_ne!(changed, whole);
    fs::write(&case, changed).unwrap();
    let said = fails(&["journal", "check-proof", case.to_str().unwrap(), "--key", key]);
    assert!(said.contains("not proved"), "{said}");

    // A rotation beside the running node: both sign, then only the new one.
    let new = done(&data, &["journal", "key", "rotate"]).trim().to_owned();
    register(&client, 1).await;
    let both = done(&data, &["journal", "checkpoint"]);
    assert_eq!(both.matches('\u{2014}').count(), 2, "{both}");
    done(&data, &["journal", "key", "retire"]);
    register(&client, 1).await;
    assert!(node.stop().success());

    // The stop signed again; a stopped node's directory is signed and proved just so.
    let last = done(&data, &["journal", "checkpoint", "--latest"]);
    assert_eq!(last, done(&data, &["journal", "checkpoint"]));
    assert_eq!(last.matches('\u{2014}').count(), 1, "{last}");
    let proof = done(&data, &["journal", "prove", "--position", "7"]);
    fs::write(&record, proof).unwrap();
    let record = record.to_str().unwrap();
    assert!(tebessa(&["journal", "check-proof", record, "--key", &new]).status.success());
    let said = fails(&["journal", "check-proof", record, "--key", key]);
    assert!(said.contains("no known key"), "{said}");

    let report = parsed(&done(&data, &["audit", "verify", "--json"]));
    assert_eq!(report["checkpoints"]["checked"], true, "{report}");
    assert_eq!(report["checkpoints"]["position"], 7, "{report}");

    // The old key is found to be stolen: nothing that it signed counts, and whoever has a list that
    // still believes it is told by the new one.
    let old_list = home.path().join("old.txt");
    fs::write(&old_list, format!("signs {key}\n")).unwrap();
    done(&data, &["journal", "key", "distrust", key]);
    let now = home.path().join("keys.txt");
    fs::write(&now, done(&data, &["journal", "key", "show"])).unwrap();
    let (now, before) = (now.to_str().unwrap(), old_list.to_str().unwrap());
    let report = parsed(&done(&data, &["audit", "verify", "--json"]));
    assert_eq!(report["checkpoints"]["checked"], true, "{report}");
    assert!(report["checkpoints"].to_string().contains("by no key that is believed"), "{report}");
    let first = home.path().join("first.checkpoint");
    fs::write(&first, &signed).unwrap();
    let first = first.to_str().unwrap();
    let data_dir = data.to_str().unwrap();
    let verify = ["audit", "verify", "--data", data_dir, "--checkpoint", first];
    let said = fails(&verify);
    assert!(said.contains("only a distrusted key signed it"), "{said}");
    assert!(tebessa(&[&verify, ["--key", before].as_slice()].concat()).status.success());
    fails(&[&verify, ["--key", before, "--key", now].as_slice()].concat());
    assert!(tebessa(&["journal", "check-proof", record, "--key", now]).status.success());
}
