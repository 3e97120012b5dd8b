//! The keys that sign the log: lost ones are not replaced in silence, and what cannot be signed is told.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use service::client::Client;
use service::node::keys_dir;
use tests::Node;
use uuid::Uuid;

use super::signed_access::{run, succeeds, view};
use super::{ask, register, send};

fn checkpoints(log: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(log.join("checkpoints")).unwrap();
    let mut notes: Vec<_> = files
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, fs::read_to_string(file.path()).unwrap())
        })
        .collect();
    notes.sort();
    notes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_log_that_is_lost_is_made_anew_on_purpose_only() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let case = Uuid::new_v4();
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    view(&client, case).await;
    assert!(node.stop().success());
    let access = succeeds(&data, &["journal", "key", "show", "--access", "--json"]);
    let access: Value = serde_json::from_str(&access).unwrap();
    let of_access = access["key"].as_str().unwrap();
    let id = of_access.split(['/', '+']).nth(2).unwrap();
    let file = keys_dir(&data).join("log.keys");
    let of_access_file = keys_dir(&data).join("access").join(id).join("log.keys");
    for (log, option, file) in
        [("journal", None, &file), ("access", Some("--access"), &of_access_file)]
    {
        let with = |words: &[&'static str]| [words, option.as_slice()].concat();
        let before = checkpoints(&data.join(log));
        let shown = succeeds(&data, &with(&["journal", "key", "show"]));
        let lost = shown.split_whitespace().find(|word| word.contains('+')).unwrap().to_owned();
        let there = with(&["journal", "key", "new"]);
        let (code, said) = run(&data, &there);
        assert!(code == Some(1) && said.contains("has its keys"), "{said}");
        let kept = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        for words in [["journal", "checkpoint"].as_slice(), &["journal", "key", "show"]] {
            let (code, said) = run(&data, &with(words));
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains("log.keys is missing") && said.contains("key new"), "{said}");
        }
        assert!(!file.exists(), "none was made");
        assert_eq!(checkpoints(&data.join(log)), before, "what was signed stays");

        let unfit = [there.as_slice(), &["--lost", "tebessa/log/1+x"]].concat();
        assert_eq!(run(&data, &unfit).0, Some(2));
        let new = succeeds(&data, &[there.as_slice(), &["--lost", &lost]].concat());
        assert_ne!(new.lines().next(), Some(lost.as_str()));
        succeeds(&data, &["audit", "verify"]);
        succeeds(&data, &with(&["journal", "checkpoint"]));
        let said = succeeds(&data, &["audit", "verify"]);
        assert!(!said.contains("no keys here"), "{said}");
        // The file that was found again is as good as before.
        fs::write(file, kept).unwrap();
        succeeds(&data, &with(&["journal", "checkpoint"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_sign_is_not_well_until_it_can() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    view(&client, case).await;
    for body in [json!({}), json!({ "access": true })] {
        ask(&client, "checkpoint", &body).await;
    }
    succeeds(&data, &["health"]);
    let keys = keys_dir(&data).join("log.keys");
    let checkpoint = checkpoints(&data.join("access")).remove(0);
    let checkpoint = data.join("access/checkpoints").join(checkpoint.0);
    let whole = fs::read_to_string(&checkpoint).unwrap();
    let to_private = |mode| fs::set_permissions(&keys, Permissions::from_mode(mode)).unwrap();
    let refused = |body: Value| client.query("checkpoint", body.to_string().into());

    to_private(0o644);
    refused(json!({})).await.expect_err("others can read the keys");
    let (code, said) = run(&data, &["health"]);
    assert!(code == Some(1) && said.contains("the log cannot be signed: "), "{said}");
    assert!(said.contains("must be 0600"), "{said}");
    to_private(0o600);
    ask(&client, "checkpoint", &json!({})).await;
    succeeds(&data, &["health"]);

    // The newest is read again at each signing, for it may be given again.
    fs::write(&checkpoint, &whole[..40]).unwrap();
    refused(json!({ "access": true })).await.expect_err("a checkpoint is cut short");
    let (code, said) = run(&data, &["health"]);
    assert!(code == Some(1) && said.contains("the access log cannot be signed: "), "{said}");
    fs::write(&checkpoint, &whole).unwrap();
    ask(&client, "checkpoint", &json!({ "access": true })).await;
    succeeds(&data, &["health"]);
    assert!(node.stop().success());
}
