//! What a start makes of documents that a crash left: nothing that was accepted goes.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use service::client::Client;
use service::documents::directory;
use service::node::journal_dir;
use tests::Node;
use uuid::Uuid;

use super::erasure::{accepted, copy};
use super::evidence::{attach, file, kept, put};
use super::register;

/// The name of the only document of a node that has no slips.
fn document(data: &Path) -> String {
    let files = kept(data);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].file_name().unwrap().to_str().unwrap().to_owned()
}

fn slip(data: &Path, name: &str, slip: &Value) {
    fs::write(directory(data).join("pending").join(name), slip.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_that_is_anothers_or_newer_than_the_log_removes_no_document() {
    let home = tempfile::tempdir().unwrap();
    let (data, older, newer) =
        (home.path().join("data"), home.path().join("older"), home.path().join("newer"));
    let (case, other) = (Uuid::new_v4(), Uuid::new_v4());
    let log = journal_dir(&data).join("log");
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    accepted(&client, &register(other, Uuid::now_v7(), "B")).await;
    assert!(node.stop().success());
    copy(&log, &older);
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (upload, bytes) = (Uuid::new_v4(), file(70_000));
    put(&client, upload, &bytes).await;
    let command = attach(case, Uuid::new_v4(), upload, &bytes);
    accepted(&client, &command).await;
    assert!(node.stop().success());
    copy(&log, &newer);
    let name = document(&data);

    // The file of another case, of another file of the case, of a case that is not there.
    let sha256 = command["data"]["sha256"].clone();
    for forged in [
        json!({ "case": other, "sha256": sha256 }),
        json!({ "case": case, "sha256": "0".repeat(64) }),
        json!({ "case": Uuid::new_v4(), "sha256": sha256 }),
    ] {
        slip(&data, &name, &forged);
        let mut node = Node::start_in(&data, &[]);
        assert!(node.stop().success());
        assert_eq!(kept(&data).len(), 2, "document and slip stay: {forged}");
        let said = node.output();
        assert!(said.contains("a slip is not that of its document"), "{said}");
    }

    // Beside a log from before the file was accepted; the stream has the newer record.
    slip(&data, &name, &json!({ "case": case, "sha256": sha256 }));
    let put_log = |from: &Path| {
        for gone in ["log", "index", "checkpoints"] {
            fs::remove_dir_all(journal_dir(&data).join(gone)).ok();
        }
        copy(from, &log);
    };
    put_log(&older);
    let mut node = Node::start_in(&data, &[]);
    assert!(node.output().contains("the mirror is halted"), "{}", node.output());
    node.stop();
    assert_eq!(kept(&data).len(), 2, "nothing is removed before the two agree");
    put_log(&newer);
    let mut node = Node::start_in(&data, &[]);
    assert!(node.stop().success());
    assert_eq!(document(&data), name, "its slip is settled");

    // What no log and no stream names goes, and the node says so.
    slip(&data, &name, &json!({ "case": case, "sha256": sha256 }));
    put_log(&older);
    fs::remove_dir_all(data.join("nats")).unwrap();
    let mut node = Node::start_in(&data, &[]);
    assert!(node.stop().success());
    assert_eq!(kept(&data), Vec::<std::path::PathBuf>::new());
    let said = node.output();
    assert!(said.contains("a document that no accepted command names was removed"), "{said}");
    assert!(said.contains(&name), "{said}");
}
