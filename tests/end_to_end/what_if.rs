//! What if, on the command line: the same bytes twice, nothing written, and clear refusals.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tests::Node;

/// Runs `tebessa audit what-if` on a data directory; gives exit code, standard output and error.
fn run(data: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(tests::binary())
        .args(["audit", "what-if", "--data", data.to_str().expect("a path")])
        .args(arguments)
        .output()
        .expect("the command line");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Every file of the log with its bytes.
fn log(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(data.join("journal/log")).expect("a log");
    files
        .map(|file| {
            let path = file.expect("a file").path();
            let bytes = std::fs::read(&path).expect("its bytes");
            (path, bytes)
        })
        .collect()
}

#[test]
fn a_worked_history_is_asked_and_nothing_is_written() {
    let mut node = Node::start();
    let story =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stories/absolute-objector.jsonl");
    let submitted = Command::new(tests::binary())
        .args(["submit", "--nats", node.url()])
        .arg(story)
        .output()
        .expect("the command line");
    assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stdout));
    let data = node.data().to_owned();

    // Beside the running node: nothing is supposed, and nothing turns.
    let (code, said, errors) = run(&data, &["--json"]);
    assert_eq!(code, Some(0), "{errors}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let assessed = report["assessed"].as_u64().expect("a number");
    assert!(assessed > 0, "{said}");
    assert_eq!((&report["same"], &report["turned"]), (&report["assessed"], &Value::from(0)));

    assert!(node.stop().success());
    let before = log(&data);
    let turning = ["--set", "NEX=N", "--json"];
    let (code, first, errors) = run(&data, &turning);
    assert_eq!(code, Some(0), "{errors}");
    let report: Value = serde_json::from_str(&first).expect("JSON");
    assert!(report["turned"].as_u64() > Some(0), "{first}");
    assert_eq!(report["causes"][0]["by"]["node"], "NEX", "{first}");
    assert_eq!(report["inputs"]["set"]["NEX"], "N");
    let known = report["inputs"]["known"].as_array().expect("the guidance that is known");
    assert!(known.len() > 5 && known.iter().all(|hash| hash.to_string().contains("sha256:")));
    assert_eq!(run(&data, &turning).1, first, "the same inputs give the same bytes");
    let (_, text, _) = run(&data, &["--set", "NEX=N"]);
    assert!(text.contains("by  NEX (Convention ground): M -> N"), "{text}");
    assert_eq!(log(&data), before, "the log is as it was");

    signed_and_checked(&data, &turning);

    let unknown = uuid::Uuid::new_v4().to_string();
    for (arguments, exit, sentence) in [
        (&["--case", &unknown][..], 1, "there is no case"),
        (&["--set", "C3.9=M"], 1, "C3.9 is no leaf; there are C3.1.a"),
        (&["--set", "C3=M"], 1, "C3 is no leaf"),
        (&["--set", "C3.1.a"], 2, "such as C2.4=M"),
        (&["--set", "C3.1.a=X"], 2, "such as C2.4=M"),
        (&["--profile", "XX"], 1, "unknown profile XX; there are AU"),
        (&["--set", "NEX=M", "--set", "NEX=N"], 2, "NEX is given twice"),
        (&["--only", "lost"], 2, "expected an outcome"),
        (&["--as-of", "soon"], 2, "expected a day such as"),
        (&["--under", "/nonexistent"], 1, "/nonexistent"),
    ] {
        let (code, said, errors) = run(&data, arguments);
        assert_eq!(code, Some(exit), "{arguments:?}: {said}{errors}");
        assert!(errors.contains(sentence), "{arguments:?}: {errors}");
    }
    let (code, said, _) = run(&data, &["--only", "excluded", "--set", "NEX=N"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("0 of 0 assessed cases"), "{said}");
}

/// A report with the node's signature; any other byte in it is refused.
fn signed_and_checked(data: &Path, turning: &[&str]) {
    let file = data.join("report.signed");
    let name = file.to_str().expect("a path");
    let (code, said, errors) = run(data, &[turning, &["--sign", name]].concat());
    assert_eq!(code, Some(0), "{errors}");
    let (code, _, errors) = run(data, &[turning, &["--sign", name]].concat());
    assert_eq!(code, Some(1), "a file is never overwritten: {errors}");
    let shown = Command::new(tests::binary())
        .args(["journal", "key", "show", "--json", "--data", data.to_str().expect("a path")])
        .output()
        .expect("the command line");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let key =
        shown.split('"').find(|word| word.matches('+').count() >= 2).expect("a key").to_owned();
    let check = || {
        let output = Command::new(tests::binary())
            .args(["audit", "check-what-if", name, "--key", &key])
            .output()
            .expect("the command line");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &errors)
    };
    let (code, told) = check();
    assert_eq!(code, Some(0), "{told}");
    let sound = std::fs::read(&file).expect("the report");
    assert_eq!(sound.split(|byte| *byte == b'\n').next(), Some(said.trim_end().as_bytes()));
    made_again(data, name, &key);
    // Every byte is changed in a test beside the check; here, that the command says so.
    for at in (0..sound.len()).step_by(97) {
        let mut other = sound.clone();
        other[at] ^= 1;
        std::fs::write(&file, &other).expect("written");
        let (code, told) = check();
        assert_eq!(code, Some(1), "byte {at}: {told}");
        assert!(told.contains("refused"), "byte {at}: {told}");
    }
    std::fs::write(&file, &sound[..sound.len() / 2]).expect("written");
    assert_eq!(check().0, Some(1));
}

/// The report made again from what it names: the same, or what differs.
fn made_again(data: &Path, name: &str, key: &str) {
    let check = |more: &[&str]| {
        let output = Command::new(tests::binary())
            .args(["audit", "check-what-if", name, "--key", key])
            .args(more)
            .output()
            .expect("the command line");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &errors)
    };
    let data = data.to_str().expect("a path");
    let (code, told) = check(&["--data", data]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("the same made again"), "{told}");
    let other = tempfile::tempdir().expect("a folder");
    let (code, told) = check(&["--data", other.path().to_str().expect("a path")]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("holds no record"), "{told}");
    // Other guidance was known than when the report was made.
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/guidance");
    for file in ["criteria.toml", "EU.toml"] {
        let mut text = std::fs::read_to_string(built_in.join(file)).expect("guidance");
        if file == "EU.toml" {
            text.push_str("# another file\n");
        }
        std::fs::write(other.path().join(file), text).expect("written");
    }
    let directory = other.path().to_str().expect("a path");
    let (code, told) = check(&["--data", data, "--guidance", directory]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("other guidance was known"), "{told}");
}
