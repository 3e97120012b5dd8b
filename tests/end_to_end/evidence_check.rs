//! `audit verify` and the files of evidence: what is damaged, missing or erased is told.

use std::path::PathBuf;

use serde_json::{Value, json};
use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::as_of::run;
use super::erasure::{accepted, command, erase};
use super::evidence::{attach, file, kept, put};
use super::register;

/// What `audit verify` says of the files, or the fault that it found.
fn verify(node: &Node, more: &[&str]) -> Result<Value, Value> {
    let arguments = [&["audit", "verify", "--json"], more].concat();
    let (code, said, errors) = run(node, &arguments);
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{errors}"));
    match code {
        Some(0) => Ok(said["files"].clone()),
        Some(1) => Err(said["fault"].clone()),
        _ => panic!("{said}{errors}"),
    }
}

async fn keep(client: &Client, case: Uuid, evidence: Uuid, bytes: &[u8]) {
    let upload = Uuid::new_v4();
    put(client, upload, bytes).await;
    accepted(client, &attach(case, evidence, upload, bytes)).await;
}

/// The one document that is as long as a file of this size when it is sealed.
fn sealed(node: &Node, size: u64) -> PathBuf {
    let found = kept(node.data());
    let length = |path: &PathBuf| std::fs::metadata(path).expect("a document").len();
    found.into_iter().find(|path| (size..size + 1_000).contains(&length(path))).expect("one")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_evidence_that_is_not_what_was_kept_is_found() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, other) = (Uuid::new_v4(), Uuid::new_v4());
    for case in [case, other] {
        accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    }
    let nothing = verify(&node, &[]).expect("no fault");
    assert_eq!(nothing["about"], json!("the record names none that is kept"));

    let (long, short) = (file(700_000), file(10));
    let evidence = Uuid::new_v4();
    keep(&client, case, evidence, &long).await;
    // A second item with the same file: read once.
    keep(&client, case, Uuid::new_v4(), &long).await;
    keep(&client, other, Uuid::new_v4(), &short).await;
    let whole = verify(&node, &[]).expect("no fault");
    assert_eq!(whole["checked"], json!(true));
    assert_eq!(whole["about"], json!("2 files of 683.6 KiB, as the record has them"));
    assert_eq!(verify(&node, &["--no-files"]).expect("no fault")["checked"], json!(false));

    let path = sealed(&node, 700_000);
    let bytes = std::fs::read(&path).expect("the document");
    let write = |bytes: &[u8]| std::fs::write(&path, bytes).expect("written");
    // A bit in the header, in a chunk and in the last; the end gone; more behind the end.
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let more = [bytes.as_slice(), b"more"].concat();
    let half = bytes[..400_000].to_vec();
    for wrong in
        [changed(3), changed(30), changed(100_000), changed(bytes.len() - 1), half, more, vec![]]
    {
        write(&wrong);
        let fault = verify(&node, &[]).expect_err("damaged");
        assert_eq!(fault["case"], json!(case));
        let what = fault["what"].as_str().expect("words");
        assert!(what.contains("is not what was kept: "), "{what}");
    }
    std::fs::remove_file(&path).expect("removed");
    let fault = verify(&node, &[]).expect_err("missing");
    assert_eq!(fault["file"], json!("the files of evidence"));
    assert!(fault["what"].as_str().expect("words").contains("is missing in the store"), "{fault}");
    write(&bytes);
    assert_eq!(verify(&node, &[]).expect("no fault"), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_file_is_no_fault_and_without_the_node_none_is_read() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), "A")).await;
    keep(&client, case, Uuid::new_v4(), &file(100)).await;
    let by = ("a-1", "applicant");
    accepted(&client, &command(case, "intake.withdraw-claim", by, &json!({}))).await;
    let close = json!({ "retention": "withdrawn" });
    accepted(&client, &command(case, "registry.close-file", ("registry-1", "registry"), &close))
        .await;
    accepted(&client, &erase(case)).await;
    let erased = verify(&node, &[]).expect("no fault");
    assert_eq!(erased["about"], json!("1 erased with the claimant's key"));
    assert!(node.stop().success());
    let stopped = verify(&node, &[]).expect("no fault");
    assert_eq!(stopped["checked"], json!(false));
    let about = stopped["about"].as_str().expect("words");
    assert!(about.contains("the node that reads the 1 file must run"), "{about}");
}
