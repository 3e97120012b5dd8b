//! The removal bar as a script asks it: doubt bars, and no failure looks like a clearance.

use std::process::Command;

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use case::clocks::Clocks;
use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::follower::{STREAM, Status};
use service::node::{Authority, GivenLaw};
use service::queries;
use service::reply::Reply;
use tests::{NatsServer, Node};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{ask, register, send};

/// How long a state may take to come about on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// Asks as a script does; returns the exit code and what was printed for programs.
fn asked(url: &str, case: Uuid) -> (Option<i32>, String) {
    let output = Command::new(tests::binary())
        .args(["case", "removal-bar", &case.to_string(), "--json", "--nats", url])
        .output()
        .expect("the command line");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_claim_an_unknown_case_and_silence_clear_nobody() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "Maximilian")).await.expect("accepted");
    for barred in [case, Uuid::new_v4()] {
        let (code, said) = asked(node.url(), barred);
        assert_eq!(code, Some(3), "{said}");
        let bar: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(bar["barred"], true, "{said}");
        assert!(!bar["reasons"].as_array().expect("reasons").is_empty(), "{said}");
        assert!(!said.contains("Maximilian"), "{said}");
    }
    let url = node.url().to_owned();
    assert!(node.stop().success());
    assert_eq!(asked(&url, case), (Some(1), String::new()), "silence is no clearance");
}

/// It is the person who would be removed: a claim that is over clears nobody whose other claim is not.
#[tokio::test(flavor = "multi_thread")]
async fn another_claim_of_the_same_person_bars() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let over = cleared(&client).await;
    let (person, alias) = (Uuid::new_v4(), Uuid::new_v4());
    let identify = |case: Uuid, person: Uuid| {
        let mut command = register(case, Uuid::now_v7(), "Maximilian");
        command["command"] = json!("intake.identify-person");
        command["data"] = json!({ "person": person, "reason": "The same papers." });
        command
    };
    let case = Uuid::new_v4();
    let accepted = async |command: &Value| {
        let reply = send(&client, command).await.expect("an answer");
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    };
    let first = Uuid::new_v4();
    let mut withdraw = register(first, Uuid::now_v7(), "Maximilian");
    withdraw["command"] = json!("intake.withdraw-claim");
    withdraw["actor"]["role"] = json!("applicant");
    withdraw["data"] = json!({ "reason": "I go home." });
    accepted(&register(first, Uuid::now_v7(), "Maximilian")).await;
    accepted(&identify(first, person)).await;
    accepted(&withdraw).await;
    assert_eq!(bar(&client, first).await.expect("an answer")["barred"], json!(false));
    // A second claim under an id that is not known to be the same person's, and then is.
    accepted(&register(case, Uuid::now_v7(), "Maximilian")).await;
    accepted(&identify(case, alias)).await;
    assert_eq!(bar(&client, first).await.expect("an answer")["barred"], json!(false));
    let register_id = ask(&client, "register", &json!({})).await["register"].clone();
    accepted(&json!({
        "command": "registry.merge-persons", "id": Uuid::now_v7(), "case": register_id,
        "actor": { "id": "registry-1", "role": "registry", "basis": "test" },
        "occurred": "2024-01-02",
        "data": { "merge": Uuid::new_v4(), "from": alias, "into": person, "reason": "One person.",
            "approver": "registry-2" },
    }))
    .await;
    let said = bar(&client, first).await;
    clears_nobody(&said, "other_claim");
    assert!(said.expect("an answer").to_string().contains(&case.to_string()));
    assert_eq!(bar(&client, over).await.expect("an answer")["barred"], json!(false));
    assert!(node.stop().success());
}

/// A claim that was withdrawn: nothing bars the removal any more.
async fn cleared(client: &Client) -> Uuid {
    let case = Uuid::new_v4();
    let mut withdraw = register(case, Uuid::now_v7(), "Maximilian");
    withdraw["command"] = json!("intake.withdraw-claim");
    withdraw["actor"]["role"] = json!("applicant");
    withdraw["data"] = json!({ "reason": "I go home." });
    for mut command in [register(case, Uuid::now_v7(), "Maximilian"), withdraw] {
        command["actor"]["basis"] = json!("test1");
        let reply = send(client, &command).await.expect("an answer");
        assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    }
    let bar = bar(client, case).await.expect("an answer");
    assert_eq!(bar["barred"], json!(false), "{bar}");
    case
}

async fn bar(client: &Client, case: Uuid) -> Result<Value, ClientError> {
    let query = json!({ "case": case }).to_string().into_bytes();
    let reply = client.query("removal-bar", query).await?;
    Ok(serde_json::from_slice(&reply).expect("JSON"))
}

/// An answer, where there is one, that clears nobody and says why.
fn clears_nobody(answer: &Result<Value, ClientError>, code: &str) {
    let Ok(bar) = answer else { return };
    assert_eq!(bar["barred"], json!(true), "{bar}");
    let reasons = bar["reasons"].as_array().expect("reasons");
    assert!(reasons.iter().any(|reason| reason["code"] == json!(code)), "{bar}");
}

/// Waits until the node says that its stream stands so.
async fn await_stream(client: &Client, state: &str) {
    let deadline = Instant::now() + LIMIT;
    while ask(client, "node", &json!({})).await["stream"]["state"] != json!(state) {
        assert!(Instant::now() < deadline, "the stream is not {state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_write_failed_clears_nobody() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = cleared(&client).await;
    // What is written from here on fails, as on a full disk: the log of the cases first.
    node.bound_files(Some(0));
    let error = send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "M")).await;
    let error = error.expect_err("no write");
    assert!(error.to_string().contains("503"), "{error}");
    // The node stops by itself now; until it has, many ask.
    let mut asking = JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        asking.spawn(async move { bar(&client, case).await });
    }
    while let Some(answer) = asking.join_next().await {
        clears_nobody(&answer.expect("a task"), "not_current");
    }
    let (code, said) = asked(node.url(), case);
    assert!(matches!(code, Some(1 | 3)), "{code:?} {said}");
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_contradicts_the_log_or_is_away_clears_nobody() {
    let server = NatsServer::start();
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--nats", &server.url()]);
    let client = Client::connect(&server.url()).await.expect("the node answers");
    let case = cleared(&client).await;
    await_stream(&client, "following").await;
    let nats = async_nats::connect(server.url()).await.expect("the server");
    let context = async_nats::jetstream::new(nats);
    let subject = format!("tebessa.case.{case}.appeals.filed");
    context.publish(subject, "foreign".into()).await.expect("sent").await.expect("taken");
    await_stream(&client, "halted").await;
    let answer = bar(&client, case).await;
    assert!(answer.is_ok(), "{answer:?}");
    clears_nobody(&answer, "not_current");
    assert_eq!(asked(&server.url(), case).0, Some(3));

    // Each command is refused, and the log says so once.
    for _ in 0..20 {
        let refused = send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "M")).await;
        let refused = refused.expect_err("no answer of the rules").to_string();
        assert!(refused.contains("contradict each other"), "{refused}");
    }
    let told = node.output().lines().filter(|line| line.contains("no answer")).count();
    assert_eq!(told, 1, "{}", node.output());

    // The log is right, decides the operator: the stream goes, is filled anew, and the doubt ends.
    context.delete_stream(STREAM).await.expect("deleted");
    await_stream(&client, "following").await;
    let answer = bar(&client, case).await.expect("an answer");
    assert_eq!(answer["barred"], json!(false), "{answer}");

    // A log from an older copy, which lacks what the stream has: its node knows before it answers.
    assert!(node.stop().success());
    let older = home.path().join("older");
    copy(&data, &older);
    let mut node = Node::start_in(&data, &["--nats", &server.url()]);
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "M")).await.expect("accepted");
    await_stream(&client, "following").await;
    assert!(node.stop().success());
    let mut node = Node::start_in(&older, &["--nats", &server.url()]);
    let answer = bar(&client, case).await;
    assert!(answer.is_ok(), "{answer:?}");
    clears_nobody(&answer, "not_current");
    node.stop();

    // Over NATS nobody can ask while the stream cannot be reached and the server can; so in here.
    let library = guidance::Library::embedded().expect("sound");
    let law = GivenLaw { library, clocks: Clocks::default() };
    let authority = Authority::new("local").expect("a name");
    let (node, _) = service::node::Node::open(&older, &authority, law, &mut |_| {}).expect("open");
    let query = json!({ "case": case }).to_string().into_bytes();
    for (status, barred) in [(Status::Away, true), (Status::Following { position: 2 }, false)] {
        let reply = queries::answer(&node, &status, "removal-bar", &query).expect("an answer");
        let reply: Value = serde_json::from_slice(&reply).expect("JSON");
        assert_eq!(reply["barred"], json!(barred), "{status:?} {reply}");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_altered_on_the_disk_clears_nobody() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = cleared(&client).await;
    let untouched = cleared(&client).await;
    let segment = segment(node.data());
    let intact = std::fs::read(&segment).expect("the log");
    let write = |bytes: &[u8]| {
        let file = std::fs::OpenOptions::new().write(true).open(&segment).expect("the log");
        file.write_all_at(bytes, 0).expect("written");
    };
    let id = case.to_string();
    let marks: Vec<usize> = (0..intact.len() - 36)
        .filter(|at| intact[*at..].starts_with(format!("\"subject\":\"{id}\"").as_bytes()))
        .collect();
    let [first, last] = marks[..] else { panic!("two records, not {marks:?}") };

    // One byte of either record; the checksum tells.
    for mark in [first, last] {
        let mut bytes = intact.clone();
        bytes[mark + 12] ^= 1;
        write(&bytes);
        let answer = bar(&client, case).await;
        assert!(answer.is_ok(), "{answer:?}");
        clears_nobody(&answer, "unreadable");
        assert_eq!(asked(node.url(), case).0, Some(3));
    }

    // Another hand that makes the checksum right too. Of the first record the chain tells, of the
    // last one, which nothing follows, what the journal knows of the case.
    for (mark, position) in [(first, 1), (last, 2)] {
        let mut bytes = intact.clone();
        let frame = forge(&mut bytes, mark, position);
        write(&bytes);
        let history = json!({ "case": case }).to_string().into_bytes();
        let read = client.query("history", history).await.expect("whole by its checksums");
        assert!(String::from_utf8_lossy(&read).contains("test2"), "frame at {frame}");
        clears_nobody(&bar(&client, case).await, "unreadable");
        assert_eq!(asked(node.url(), case).0, Some(3));
    }
    let answer = bar(&client, untouched).await.expect("an answer");
    assert_eq!(answer["barred"], json!(false), "another case is not in doubt: {answer}");
    write(&intact);
    let answer = bar(&client, case).await.expect("an answer");
    assert_eq!(answer["barred"], json!(false), "{answer}");
    assert!(node.stop().success());
}

fn segment(data: &Path) -> PathBuf {
    let log = std::fs::read_dir(data.join("journal/log")).expect("the log");
    let segments = log.map(|entry| entry.expect("an entry").path());
    segments.min().expect("a segment")
}

/// Changes the basis of a record to another of the same length, and its frame's checksum with it.
fn forge(bytes: &mut [u8], mark: usize, position: u64) -> usize {
    let begins = bytes[..mark].windows(14).rposition(|at| at == b"{\"specversion\"");
    let record = begins.expect("the record's begin");
    let frame = record - 8;
    let length = u32::from_le_bytes(bytes[frame..frame + 4].try_into().expect("four bytes"));
    let end = record + usize::try_from(length).expect("a length");
    let basis = bytes[record..end].windows(15).position(|at| at == b"\"basis\":\"test1\"");
    let place = record + basis.expect("its basis");
    bytes[place + 13] = b'2';
    let covered = [&position.to_le_bytes()[..], &length.to_le_bytes(), &bytes[record..end]];
    let checksum = crc32c(&covered.concat());
    bytes[frame + 4..frame + 8].copy_from_slice(&checksum.to_le_bytes());
    frame
}

/// CRC-32C, bit by bit: what another hand can compute as well.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    })
}
