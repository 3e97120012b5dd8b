//! A dossier with disclosed words, before and after the person's key was destroyed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use service::client::Client;
use tests::Node;
use uuid::Uuid;

use super::erasure::{NAME, accepted, command, erase};
use super::evidence::attach;
use super::{identity, register};

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(tests::binary()).args(arguments).output().expect("the command line");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &errors)
}

/// Makes a dossier; returns its file.
fn dossier(data: &Path, case: Uuid, name: &str, disclose: &str) -> PathBuf {
    let file = data.parent().expect("a folder").join(name);
    let (case, out) = (case.to_string(), file.to_str().expect("a path"));
    let data = data.to_str().expect("a path");
    let (code, said) = run(&[
        "audit",
        "dossier",
        "--case",
        &case,
        "--out",
        out,
        "--disclose",
        disclose,
        "--data",
        data,
    ]);
    assert_eq!(code, Some(0), "{said}");
    file
}

/// Checks a dossier with the log's key alone; returns what is said of it.
fn checked(file: &Path, key: &str) -> (Option<i32>, Value) {
    let file = file.to_str().expect("a path");
    let (code, said) = run(&["audit", "check-dossier", file, "--key", key, "--json"]);
    (code, serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}")))
}

/// Replaces words in a file by others of the same length, wherever they stand.
fn altered(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "the words are in the file");
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn disclosed_words_are_those_that_were_sealed_and_an_erasure_breaks_no_dossier() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), NAME)).await;
    accepted(&client, &identity(case, Uuid::now_v7(), NAME)).await;
    let sealed = dossier(&data, case, "sealed.dossier", "none");
    let open = dossier(&data, case, "open.dossier", "2:name");
    let (_, shown) = run(&["journal", "key", "show", "--json", "--data", data.to_str().unwrap()]);
    let key = shown.split('"').find(|word| word.matches('+').count() >= 2).expect("a key");

    let (code, said) = checked(&sealed, key);
    assert_eq!((code, &said["ok"]), (Some(0), &json!(true)), "{said}");
    assert_eq!(said["disclosed"], json!(0), "{said}");
    let bytes = std::fs::read(&sealed).unwrap();
    assert!(!bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes()));

    let (code, said) = checked(&open, key);
    assert_eq!((code, &said["disclosed"]), (Some(0), &json!(1)), "{said}");
    let bytes = std::fs::read(&open).unwrap();
    let other = altered(&bytes, NAME.as_bytes(), b"Selam Hagos");
    let forged = home.path().join("forged.dossier");
    std::fs::write(&forged, other).unwrap();
    let (code, said) = checked(&forged, key);
    assert_eq!((code, &said["ok"]), (Some(1), &json!(false)), "other words: {said}");

    // The key goes; what was made before still holds, and so does what is made after.
    accepted(&client, &command(case, "intake.withdraw-claim", ("a-1", "applicant"), &json!({})))
        .await;
    let close = json!({ "retention": "withdrawn" });
    accepted(&client, &command(case, "registry.close-file", ("registry-1", "registry"), &close))
        .await;
    accepted(&client, &erase(case)).await;
    let after = dossier(&data, case, "after.dossier", "all");
    let (code, said) = checked(&after, key);
    assert_eq!((code, &said["disclosed"]), (Some(0), &json!(0)), "{said}");
    let bytes = std::fs::read(&after).unwrap();
    assert!(!bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes()));
    for earlier in [&sealed, &open] {
        let (code, said) = checked(earlier, key);
        assert_eq!(code, Some(0), "{said}");
    }
    assert!(node.stop().success());
}

/// Runs `audit dossier` with files; gives exit code and what was said.
fn with_files(data: &Path, case: Uuid, out: &Path, files: &[&str]) -> (Option<i32>, String) {
    let case = case.to_string();
    let paths = [data, out].map(|path| path.to_str().expect("a path"));
    let mut arguments = vec!["audit", "dossier", "--case", &case, "--data", paths[0]];
    arguments.extend(["--out", paths[1], "--purpose", "appeal"]);
    for file in files {
        arguments.extend(["--files", file]);
    }
    run(&arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_evidence_go_into_a_dossier_on_request_and_are_the_recorded_ones() {
    const SUMMONS: &[u8] = b"You are to appear before the draft board on the third of May.";
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, evidence, digest_only) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    accepted(&client, &register(case, Uuid::now_v7(), NAME)).await;
    let upload = Uuid::new_v4();
    client.upload(case::UploadId(upload), &mut &*SUMMONS).await.expect("the inbox takes it");
    accepted(&client, &attach(case, evidence, upload, SUMMONS)).await;
    let mut without = attach(case, digest_only, upload, b"only its digest is known");
    without["data"].as_object_mut().expect("data").remove("upload");
    accepted(&client, &without).await;

    let plain = dossier(&data, case, "plain.dossier", "none");
    let bytes = std::fs::read(&plain).unwrap();
    assert!(!bytes.windows(SUMMONS.len()).any(|window| window == SUMMONS), "not asked for");
    let file = home.path().join("files.dossier");
    let (code, said) = with_files(&data, case, &file, &["all"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 file of evidence"), "{said}");
    let (_, shown) = run(&["journal", "key", "show", "--json", "--data", data.to_str().unwrap()]);
    let key = shown.split('"').find(|word| word.matches('+').count() >= 2).expect("a key");
    let (code, said) = checked(&file, key);
    assert_eq!((code, &said["files"]), (Some(0), &json!(1)), "{said}");
    let bytes = std::fs::read(&file).unwrap();
    let (_, viewed) =
        run(&["audit", "access", "--opened", "--json", "--data", data.to_str().unwrap()]);
    assert!(viewed.contains(&evidence.to_string()) && viewed.contains("appeal"), "{viewed}");

    let forged = home.path().join("forged.dossier");
    std::fs::write(&forged, altered(&bytes, b"third of May", b"ninth of May")).unwrap();
    let (code, said) = checked(&forged, key);
    assert_eq!(code, Some(1), "{said}");
    assert!(said["fault"]["file"].as_str().unwrap().starts_with("files/sha256-"), "{said}");

    let one = home.path().join("one.dossier");
    let (code, said) = with_files(&data, case, &one, &[&evidence.to_string()]);
    assert_eq!((code, std::fs::read(&one).unwrap() == bytes), (Some(0), true), "{said}");
    let (code, said) = with_files(&data, case, &one, &[&digest_only.to_string()]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("only the digest is kept"), "{said}");
    let (code, said) = with_files(&data, case, &one, &[&Uuid::new_v4().to_string()]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the case has no evidence"), "{said}");
    assert_eq!(with_files(&data, case, &one, &["every"]).0, Some(2));
    assert!(node.stop().success());
    let (code, said) = with_files(&data, case, &one, &["all"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("given out by a running node"), "{said}");
    assert_eq!(checked(&one, key).0, Some(0), "what was made before is as it was");
}

/// A file may have any name, and what was written is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_dossier_in_a_file_whose_name_is_no_text_is_made_and_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    accepted(&client, &register(case, Uuid::now_v7(), NAME)).await;
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.dossier");
    let file = node.data().parent().expect("a folder").join(name);
    let output = Command::new(tests::binary())
        .args(["audit", "dossier", "--json", "--case", &case.to_string(), "--data"])
        .arg(node.data())
        .arg("--out")
        .arg(&file)
        .output()
        .expect("the command line");
    assert!(output.status.success() && file.exists(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(said["file"].as_str().expect("a name").ends_with(".dossier"), "{said}");
}
