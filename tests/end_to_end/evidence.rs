//! Files of evidence: uploaded, checked, sealed, kept, and given back; or refused without a trace.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use case::{CaseId, EvidenceId, UploadId};
use futures::StreamExt as _;
use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::documents::{FileQuery, directory};
use service::reply::Reply;
use sha2::{Digest as _, Sha256};
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

/// A file of a size whose content no two places of it share.
pub(super) fn file(size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 32);
    let mut block = Sha256::digest(b"a summons").to_vec();
    while bytes.len() < size {
        bytes.extend_from_slice(&block);
        block = Sha256::digest(&block).to_vec();
    }
    bytes.truncate(size);
    bytes
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub(super) fn attach(case: Uuid, evidence: Uuid, upload: Uuid, bytes: &[u8]) -> Value {
    let mut command = register(case, Uuid::now_v7(), "A");
    command["command"] = json!("evidence.attach");
    command["data"] = json!({
        "evidence": evidence, "kind": "summons", "source": "his mother", "language": "ru",
        "sha256": digest(bytes), "size": bytes.len(), "media_type": "application/pdf",
        "upload": upload,
    });
    command
}

pub(super) async fn put(client: &Client, upload: Uuid, bytes: &[u8]) {
    client.upload(UploadId(upload), &mut &*bytes).await.expect("the inbox takes it");
}

async fn get(client: &Client, case: Uuid, evidence: Uuid) -> Result<Vec<u8>, ClientError> {
    let query = FileQuery { case: CaseId(case), evidence: EvidenceId(evidence), viewer: None };
    let opened = client.open_file(&query).await?;
    let mut whole = Vec::new();
    let parts = client.parts(&opened);
    futures::pin_mut!(parts);
    while let Some(part) = parts.next().await {
        whole.extend_from_slice(&part?);
    }
    Ok(whole)
}

fn code(reply: &Reply) -> &'static str {
    match reply {
        Reply::Rejected { code, .. } => code.as_str(),
        Reply::Accepted { .. } => "accepted",
    }
}

/// Every file below the documents of a node, with what is under way.
pub(super) fn kept(data: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![directory(data)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("documents") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_was_and_lies_sealed() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, evidence, upload) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let bytes = file(700_000);
    put(&client, upload, &bytes).await;
    let command = attach(case, evidence, upload, &bytes);
    let reply = send(&client, &command).await.expect("an answer");
    assert_eq!(code(&reply), "accepted");
    assert_eq!(get(&client, case, evidence).await.expect("the file"), bytes);
    // The upload is gone, and the same command still gets the same answer.
    assert_eq!(send(&client, &command).await.expect("an answer"), reply);
    let again = attach(case, Uuid::new_v4(), Uuid::new_v4(), &file(10));
    assert_eq!(code(&send(&client, &again).await.expect("an answer")), "unknown_upload");
    // The same file once more is kept once.
    let second = Uuid::new_v4();
    let reply = send(&client, &attach(case, second, upload, &bytes)).await.expect("an answer");
    assert_eq!(code(&reply), "accepted");
    assert_eq!(get(&client, case, second).await.expect("the file"), bytes);
    let files = kept(node.data());
    assert_eq!(files.len(), 1, "{files:?}");
    let sealed = std::fs::read(&files[0]).expect("the document");
    assert!(!sealed.windows(32).any(|window| window == &bytes[..32]), "it is sealed");
    let state = ask(&client, "case", &json!({ "case": case })).await;
    assert_eq!(state["version"], json!(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_file_that_does_not_fit_nothing_is_kept() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let bytes = file(200_000);
    let with = |field: &str, value: Value, upload: Uuid| {
        let mut command = attach(case, Uuid::new_v4(), upload, &bytes);
        command["data"][field] = value;
        command
    };
    let rows = [
        ("sha256", json!(digest(b"another")), "upload_unfit"),
        ("size", json!(199_999), "upload_unfit"),
        ("size", json!(200_001), "upload_unfit"),
        ("size", json!((1_u64 << 30) + 1), "file_too_large"),
    ];
    for (field, value, expected) in rows {
        let upload = Uuid::new_v4();
        put(&client, upload, &bytes).await;
        let reply = send(&client, &with(field, value, upload)).await.expect("an answer");
        assert_eq!(code(&reply), expected, "{reply:?}");
        assert_eq!(kept(node.data()), Vec::<PathBuf>::new(), "{field}");
        // What was refused for what it is, is gone from the inbox too.
        let again = send(&client, &attach(case, Uuid::new_v4(), upload, &bytes)).await;
        let expected = if expected == "upload_unfit" { "unknown_upload" } else { "accepted" };
        assert_eq!(code(&again.expect("an answer")), expected);
    }
    let mut wrong = attach(case, Uuid::new_v4(), Uuid::new_v4(), &bytes);
    wrong["data"]["upload"] = json!("../../etc/passwd");
    let refused = send(&client, &wrong).await.expect_err("malformed");
    assert!(refused.to_string().contains("data.upload: expected a UUID"), "{refused}");
    let unknown = get(&client, case, Uuid::new_v4()).await.expect_err("there is none");
    assert!(matches!(unknown, ClientError::Service { code: 404, .. }), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_is_compared_although_the_case_has_the_file() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let (bytes, first) = (file(200_000), Uuid::new_v4());
    put(&client, first, &bytes).await;
    let reply = send(&client, &attach(case, Uuid::new_v4(), first, &bytes)).await;
    assert_eq!(code(&reply.expect("an answer")), "accepted");
    let before = kept(node.data());
    let sealed = std::fs::read(&before[0]).expect("the document");
    // With the file in the inbox once more, and with an upload that is gone.
    let again = Uuid::new_v4();
    put(&client, again, &bytes).await;
    for (upload, size, expected) in [
        (again, json!(199_999), "upload_unfit"),
        (first, json!(200_001), "unknown_upload"),
        (first, json!(200_000), "accepted"),
    ] {
        let mut command = attach(case, Uuid::new_v4(), upload, &bytes);
        command["data"]["size"] = size;
        let reply = send(&client, &command).await.expect("an answer");
        assert_eq!(code(&reply), expected, "{reply:?}");
        assert_eq!(kept(node.data()), before, "the document of the first item stays");
    }
    assert_eq!(std::fs::read(&before[0]).expect("the document"), sealed, "as it was");
    // One that a disk cut short is no reason to refuse the right file: it is kept anew.
    std::fs::write(&before[0], &sealed[..100_000]).expect("cut short");
    let (upload, evidence) = (Uuid::new_v4(), Uuid::new_v4());
    put(&client, upload, &bytes).await;
    let reply = send(&client, &attach(case, evidence, upload, &bytes)).await;
    assert_eq!(code(&reply.expect("an answer")), "accepted");
    assert_eq!(get(&client, case, evidence).await.expect("the file"), bytes);
}

/// What can be seen on the disk of a file on its way in.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The command was sent.
    Sent,
    /// The note is written.
    Noted,
    /// The document is being written.
    Written,
    /// The document is in the store.
    Stored,
}

impl Step {
    fn reached(self, data: &Path, before: usize) -> bool {
        let files = kept(data);
        let named = |part: &str| files.iter().any(|file| file.to_string_lossy().contains(part));
        let whole = |file: &Path| {
            let path = file.to_string_lossy();
            !path.contains("pending") && !path.contains('#')
        };
        match self {
            Self::Sent => true,
            Self::Noted => named("pending"),
            Self::Written => named("#"),
            Self::Stored => files.iter().filter(|file| whole(file)).count() > before,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_killed_at_any_step_of_a_file_keeps_all_of_it_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let case = Uuid::new_v4();
    let mut expected = 0;
    for step in [Step::Sent, Step::Noted, Step::Written, Step::Stored] {
        let mut node = Node::start_in(&data, &[]);
        let client = Client::connect(node.url()).await.expect("the node answers");
        send(&client, &register(case, Uuid::from_u128(7), "A")).await.expect("accepted");
        let (evidence, upload) = (Uuid::new_v4(), Uuid::new_v4());
        // Of another content each time: the first byte is the number of the round.
        let mut bytes = file(2_200_000);
        bytes[0] = expected;
        put(&client, upload, &bytes).await;
        let command = attach(case, evidence, upload, &bytes);
        let sending = {
            let (client, command) = (client.clone(), command.clone());
            tokio::spawn(async move { send(&client, &command).await })
        };
        let before = kept(&data).len();
        let deadline = Instant::now() + Duration::from_secs(30);
        let reached = || matches!(step, Step::Sent) || step.reached(&data, before);
        while !sending.is_finished() && !reached() && Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
        node.kill();
        sending.abort();
        drop(node);

        let mut node = Node::start_in(&data, &[]);
        let client = Client::connect(node.url()).await.expect("the node answers");
        let attached =
            |state: &Value| state["state"]["evidence"]["items"].as_object().expect("items").len();
        let state = ask(&client, "case", &json!({ "case": case })).await;
        assert_eq!(kept(&data).len(), attached(&state), "{step:?}: a document for each item");
        // The upload survived as well, unless the command was accepted.
        let reply = send(&client, &command).await.expect("an answer");
        assert_eq!(code(&reply), "accepted", "{step:?}: {reply:?}");
        assert_eq!(get(&client, case, evidence).await.expect("the file"), bytes, "{step:?}");
        expected += 1;
        assert_eq!(kept(&data).len(), usize::from(expected), "{step:?}");
        assert!(node.stop().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_put_again_with_the_same_id_gets_the_first_answer() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, id) = (Uuid::new_v4().to_string(), Uuid::now_v7().to_string());
    send(&client, &register(case.parse().unwrap(), Uuid::now_v7(), "A")).await.expect("accepted");
    let summons = home.path().join("summons.pdf");
    let put = || {
        let put = std::process::Command::new(tests::binary())
            .args(["evidence", "put", &case])
            .arg(&summons)
            .args(["--kind", "summons", "--source", "his mother"])
            .envs([("TEBESSA_AS", "caseworker-7"), ("TEBESSA_ROLE", "caseworker")])
            .args(["--occurred", "2026-01-05", "--id", &id, "--json", "--data"])
            .arg(&data)
            .output()
            .expect("the tool runs");
        let reply: Value = serde_json::from_slice(&put.stdout).expect("its answer");
        (put.status.code(), reply)
    };
    std::fs::write(&summons, file(100_000)).unwrap();
    let first = put();
    assert_eq!(first.0, Some(0), "{}", first.1);
    assert_eq!(put(), first, "the same line again");
    let evidence = first.1["evidence"].as_str().unwrap().parse().unwrap();
    let kept = get(&client, case.parse().unwrap(), evidence).await.expect("the item is there");
    assert_eq!(kept, file(100_000));
    let history = ask(&client, "history", &json!({ "case": case, "after": 1 })).await;
    let record = &history["history"][0]["record"];
    let by = ["actor", "role", "basis"].map(|member| record[member].as_str().unwrap());
    assert_eq!(by, ["caseworker-7", "caseworker", "UNHCR Handbook, paragraph 205"]);
    std::fs::write(&summons, file(100_001)).unwrap();
    let (code, reply) = put();
    assert_eq!((code, &reply["code"]), (Some(3), &json!("command_reused")));
    assert!(node.stop().success());
}

/// Who may put files into the inbox also writes what its store says of them. A link to itself, pieces under
/// the name of everybody's, and a file without pieces are no file, and touch nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_inbox_says_of_an_upload_is_not_believed() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, own, bytes) = (Uuid::new_v4(), Uuid::new_v4(), file(300_000));
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("an answer");
    put(&client, own, &bytes).await;
    let nats = async_nats::connect(node.url()).await.expect("a connection");
    let jetstream = async_nats::jetstream::new(nats);
    for (told, why) in [
        (
            json!({ "options": { "link": { "bucket": "evidence-inbox", "name": "SELF" } } }),
            "a link",
        ),
        (json!({ "nuid": "*", "chunks": 3 }), "letters and digits"),
        (json!({ "nuid": ">", "chunks": 3 }), "letters and digits"),
        (json!({ "nuid": "none", "chunks": 3 }), "0 are there"),
        (json!({ "nuid": "none", "chunks": 299_000 }), "pieces"),
        (json!({ "nuid": "none", "chunks": 0 }), "pieces"),
        (json!({ "nuid": "none", "chunks": 3, "size": 5 }), "has 5 bytes"),
        (json!({ "size": -1 }), "cannot be read"),
    ] {
        let upload = Uuid::new_v4();
        let mut info = json!({
            "name": upload, "bucket": "evidence-inbox", "nuid": "none", "size": bytes.len(),
            "chunks": 3, "mtime": "2026-01-05T00:00:00Z", "digest": "SHA-256=",
        });
        for (member, value) in told.as_object().expect("members") {
            info[member] = value.clone();
        }
        let info = info.to_string().replace("SELF", &upload.to_string());
        let name = URL_SAFE.encode(upload.to_string());
        let subject = format!("$O.evidence-inbox.M.{name}");
        let published = jetstream.publish(subject, info.into()).await.expect("sent");
        published.await.expect("stored");
        let reply = send(&client, &attach(case, Uuid::new_v4(), upload, &bytes)).await;
        let Ok(Reply::Rejected { code, message, .. }) = reply else { panic!("{told}: {reply:?}") };
        assert_eq!(code.as_str(), "upload_unfit", "{message}");
        assert!(message.contains(why), "{told}: {message}");
        let bucket = jetstream.get_object_store("evidence-inbox").await.expect("the inbox");
        assert!(bucket.info(upload.to_string()).await.is_err(), "what does not fit is removed");
    }
    // As another client library says that an upload was deleted.
    let gone = Uuid::new_v4();
    let about = json!({ "name": gone, "bucket": "evidence-inbox", "deleted": true, "mtime": "" });
    let subject = format!("$O.evidence-inbox.M.{}", URL_SAFE.encode(gone.to_string()));
    let published = jetstream.publish(subject, about.to_string().into()).await.expect("sent");
    published.await.expect("stored");
    let reply = send(&client, &attach(case, Uuid::new_v4(), gone, &bytes)).await;
    assert_eq!(code(&reply.expect("an answer")), "unknown_upload");

    let evidence = Uuid::new_v4();
    let reply = send(&client, &attach(case, evidence, own, &bytes)).await.expect("an answer");
    assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    assert_eq!(get(&client, case, evidence).await.expect("the file"), bytes);
    assert!(node.stop().success());
}

/// The pieces of an upload belong to whoever sent them, whatever another upload says of itself: a command
/// that names them by a description of its own neither removes them nor learns what they are.
#[tokio::test(flavor = "multi_thread")]
async fn no_command_removes_the_pieces_of_anothers_upload_or_tells_what_they_are() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, own, bytes) = (Uuid::new_v4(), Uuid::new_v4(), file(300_000));
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("an answer");
    put(&client, own, &bytes).await;
    let nats = async_nats::connect(node.url()).await.expect("a connection");
    let jetstream = async_nats::jetstream::new(nats);
    let bucket = jetstream.get_object_store("evidence-inbox").await.expect("the inbox");
    let about = bucket.info(own.to_string()).await.expect("the upload");
    let borrow = async |upload: Uuid| {
        let about = json!({
            "name": upload, "bucket": "evidence-inbox", "nuid": about.nuid, "size": about.size,
            "chunks": about.chunks, "mtime": "2026-01-05T00:00:00Z",
        });
        let subject = format!("$O.evidence-inbox.M.{}", URL_SAFE.encode(upload.to_string()));
        let published = jetstream.publish(subject, about.to_string().into()).await.expect("sent");
        published.await.expect("stored");
    };

    // Another digest than that of the pieces.
    let borrowed = Uuid::new_v4();
    borrow(borrowed).await;
    let mut command = attach(case, Uuid::new_v4(), borrowed, &bytes);
    command["data"]["sha256"] = json!(digest(b"a guess"));
    let reply = send(&client, &command).await;
    let Ok(Reply::Rejected { code: unfit, message, .. }) = reply else { panic!("{reply:?}") };
    assert_eq!(unfit.as_str(), "upload_unfit", "{message}");
    assert!(message.contains("another SHA-256"), "{message}");
    assert!(!message.contains(&digest(&bytes)), "{message}");

    // A command that was accepted, and its upload is described anew.
    let (other, upload) = (file(400_000), Uuid::new_v4());
    let command = attach(case, Uuid::new_v4(), upload, &other);
    put(&client, upload, &other).await;
    assert_eq!(code(&send(&client, &command).await.expect("an answer")), "accepted");
    borrow(upload).await;
    assert_eq!(code(&send(&client, &command).await.expect("an answer")), "accepted");

    // A file that the case has, so that no upload is read.
    let borrowed = Uuid::new_v4();
    borrow(borrowed).await;
    let command = attach(case, Uuid::new_v4(), borrowed, &other);
    assert_eq!(code(&send(&client, &command).await.expect("an answer")), "accepted");

    let evidence = Uuid::new_v4();
    let reply = send(&client, &attach(case, evidence, own, &bytes)).await.expect("an answer");
    assert_eq!(code(&reply), "accepted", "{reply:?}");
    assert_eq!(get(&client, case, evidence).await.expect("the file"), bytes);
    // What was taken whole is gone, piece by piece.
    let stream = jetstream.get_stream("OBJ_evidence-inbox").await.expect("the inbox");
    let pieces = format!("$O.evidence-inbox.C.{}", about.nuid);
    let left = stream.get_first_raw_message_by_subject(&pieces, 1).await;
    assert!(left.is_err(), "{left:?}");
    assert!(node.stop().success());
}

/// Who administers the server may delete the inbox; the next file finds it there again.
#[tokio::test]
async fn an_inbox_that_was_deleted_is_made_again() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, bytes) = (Uuid::new_v4(), file(200_000));
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("an answer");
    let nats = async_nats::connect(node.url()).await.expect("a connection");
    let made = "$JS.EVENT.ADVISORY.STREAM.CREATED.OBJ_evidence-inbox";
    let mut made = nats.subscribe(made).await.expect("subscribed");
    let jetstream = async_nats::jetstream::new(nats);
    for _ in 0..2 {
        jetstream.delete_object_store("evidence-inbox").await.expect("deleted");
        made.next().await.expect("made again");
        let upload = Uuid::new_v4();
        put(&client, upload, &bytes).await;
        let command = attach(case, Uuid::new_v4(), upload, &bytes);
        let reply = send(&client, &command).await.expect("an answer");
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    }
    assert!(node.stop().success());
}

/// A file that the case has already leaves nothing in clear in the inbox, nor does one that is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_case_has_already_does_not_stay_in_the_inbox() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, bytes) = (Uuid::new_v4(), file(300_000));
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("an answer");
    let first = attach(case, Uuid::new_v4(), Uuid::new_v4(), &bytes);
    let second = attach(case, Uuid::new_v4(), Uuid::new_v4(), &bytes);
    let nats = async_nats::connect(node.url()).await.expect("a connection");
    let jetstream = async_nats::jetstream::new(nats);
    // The second names what is kept by the first, and the last is the second once more.
    for command in [&first, &second, &second] {
        let upload = command["data"]["upload"].as_str().expect("an upload").parse().expect("an id");
        put(&client, upload, &bytes).await;
        let reply = send(&client, command).await.expect("an answer");
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
        let mut inbox = jetstream.get_stream("OBJ_evidence-inbox").await.expect("the inbox");
        assert_eq!(inbox.info().await.expect("its state").state.messages, 0);
    }
    assert!(node.stop().success());
}
