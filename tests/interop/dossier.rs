//! A dossier is checked by a program of another language, which was written from the page alone.
//!
//! Python 3 is needed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tests::Node;
use uuid::Uuid;

/// With all that JSON may write in more than one way.
const NARRATIVE: &str = "I \"cannot\" serve:\n\tне буду \\ and/or \u{2028} 役.";

/// Runs a command on a data directory that must succeed; gives its standard output.
fn done(data: &Path, arguments: &[&str]) -> String {
    let output = Command::new(tests::binary())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .expect("the binary's end");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The answer of the other checker.
fn check(dossier: &Path, key: &str) -> Output {
    Command::new("python3")
        .arg("-B")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/check_dossier.py"))
        .arg(dossier)
        .arg(key)
        .output()
        .expect("python3 is needed")
}

fn holds(dossier: &Path, key: &str) -> Value {
    let output = check(dossier, key);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Replaces words in a file by others of the same length, wherever they stand.
fn altered(dossier: &Path, from: &str, to: &str) -> PathBuf {
    let mut bytes = std::fs::read(dossier).expect("a dossier");
    let (from, to) = (from.as_bytes(), to.as_bytes());
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "the words are in the file");
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    let file = dossier.with_extension("changed");
    std::fs::write(&file, bytes).expect("written");
    file
}

#[test]
fn a_dossier_is_checked_by_a_program_that_was_written_from_its_page_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let data = path("data");
    let mut node = Node::start_in(&data, &[]);
    // A case with words and a file, and one that was decided under guidance.
    let case = Uuid::new_v4().to_string();
    let claim = json!({
        "command": "intake.register-claim", "id": Uuid::now_v7(), "case": case,
        "actor": { "id": "registrar-1", "role": "registrar", "basis": "test" },
        "occurred": "2024-01-01",
        "data": {
            "name": "Selam Haile", "nationality": ["Eritrean"], "profile": "EU",
            "narrative": NARRATIVE,
        },
    });
    std::fs::write(path("claim"), claim.to_string()).unwrap();
    std::fs::write(path("summons"), "You are called up. ".repeat(100)).unwrap();
    std::fs::write(path("source"), "his mother").unwrap();
    let story = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/stories/occupied-territory-conscript.jsonl");
    let first = std::fs::read_to_string(&story).unwrap();
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let decided = first["case"].as_str().expect("a case").to_owned();
    done(&data, &["submit", &text(&path("claim"))]);
    done(&data, &["submit", &text(&story)]);
    let source = format!("@{}", text(&path("source")));
    let summons = text(&path("summons"));
    let put = ["--kind", "summons", "--source", &source, "--as", "registrar-1"];
    done(&data, &[&["evidence", "put", &case, &summons], put.as_slice()].concat());
    let make = |case: &str, name: &str, more: &[&str]| {
        let file = path(name);
        let out = text(&file);
        done(&data, &[&["audit", "dossier", "--case", case, "--out", &out], more].concat());
        file
    };
    let words = make(&case, "words", &["--disclose", "narrative", "--files", "all"]);
    let reasons = make(&decided, "reasons", &["--disclose", "reasons"]);
    let keys = done(&data, &["journal", "key", "show", "--json"]);
    let key: Value = serde_json::from_str(&keys).unwrap();
    let key = key["key"].as_str().expect("a key");
    assert!(node.stop().success());

    // One field is disclosed, three are withheld: name, nationality and the file's source.
    let said = holds(&words, key);
    assert_eq!((&said["case"], &said["words"]), (&json!(case), &json!([NARRATIVE])), "{said}");
    assert_eq!(
        (&said["records"], &said["fields"], &said["files"]),
        (&json!(2), &json!(4), &json!(1))
    );
    let said = holds(&reasons, key);
    assert_eq!((&said["case"], &said["guidance"]), (&json!(decided), &json!(2)), "{said}");
    assert!(!said["words"].as_array().expect("words").is_empty(), "{said}");

    for (from, to, why) in [
        ("cannot\\\" serve", "should\\\" serve", "narrative of version 1 is not what was sealed"),
        ("\"caseversion\":2", "\"caseversion\":3", "record 2 does not follow"),
        ("\"language\":\"und\"", "\"language\":\"ukr\"", "not those that were signed"),
        ("You are called up", "You are called in", "is not the file of its hash"),
        ("\nheads ", "\nHeads ", "a signature is wrong"),
        ("<!DOCTYPE html>", "<!doctype html>", "other digests than the files"),
    ] {
        let output = check(&altered(&words, from, to), key);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(why), "{why}: {output:?}");
    }
    let other = journal::note::SigningKey::from_seed("tebessa/log/other", &[7; 32]).expect("a key");
    let output = check(&words, &other.verifier().to_string());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("no key that is believed"),
        "{output:?}"
    );
}
