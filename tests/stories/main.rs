//! The worked histories: whole lives of claims, replayed over the rules, and one over a node.
//!
//! `fixtures/stories/index.txt` says how each ends. `tebessa submit` takes the files as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use case::{Case, CaseId, Summary};
use service::personal;
use service::request::Request;
use tests::steps::{Step, World, refusal};
use tests::{Node, binary};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stories")
}

/// A story: its file's name, and how its cases end.
struct Story {
    name: String,
    ends: Vec<String>,
}

fn stories() -> Vec<Story> {
    let index = std::fs::read_to_string(folder().join("index.txt")).expect("the index");
    let rows = index.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, ends, tells] = columns.as_slice() else { panic!("three columns: {line}") };
        assert!(tells.ends_with('.'), "{name} says what it tells");
        let ends = ends.split(';').map(|end| end.trim().to_owned()).collect();
        Story { name: (*name).to_owned(), ends }
    };
    rows.map(row).collect()
}

fn commands(story: &Story) -> Vec<String> {
    let path = folder().join(format!("{}.jsonl", story.name));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(str::to_owned).collect()
}

/// Reads a command as the node does, with boxes in the place of the words.
fn step(line: &str) -> (CaseId, Step) {
    let body: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let full = body["command"].as_str().expect("a name");
    let (service, name) = full.split_once('.').expect("service.command");
    let request = Request::read(service, name, line.as_bytes())
        .unwrap_or_else(|refused| panic!("{refused}: {line}"));
    let mut data = request.data;
    personal::seal(request.entry, &mut data, |_, _| {
        serde_json::from_value::<case::Sealed>(tests::steps::sealed())
    })
    .expect("every personal field can be sealed");
    let head = request.head;
    (head.case, Step { name: full.to_owned(), data, by: head.actor, occurred: head.occurred })
}

/// The cases of a story in the order in which they begin.
fn play(story: &Story) -> Vec<World> {
    let mut order: Vec<CaseId> = Vec::new();
    let mut worlds: BTreeMap<CaseId, World> = BTreeMap::new();
    for (number, line) in commands(story).iter().enumerate() {
        let (case, step) = step(line);
        let world = worlds.entry(case).or_insert_with(|| {
            order.push(case);
            World::default()
        });
        if let Err(rejection) = world.apply(&step) {
            panic!(
                "{}.jsonl:{}: {}: {} ({})",
                story.name,
                number + 1,
                step.name,
                refusal(&rejection),
                rejection.message
            );
        }
    }
    order.iter().map(|case| worlds.remove(case).expect("played")).collect()
}

fn end_of(case: &Case) -> String {
    let outcome = case.outcome().map(|outcome| format!(" {outcome}")).unwrap_or_default();
    format!("{}{outcome}", case.status())
}

#[test]
fn every_story_is_accepted_and_ends_as_the_index_says() {
    for story in stories() {
        let ends: Vec<String> = play(&story).iter().map(|world| end_of(&world.case)).collect();
        assert_eq!(ends, story.ends, "{}", story.name);
    }
}

#[test]
fn every_story_folds_again_to_the_same_case_and_summary() {
    for story in stories() {
        for world in play(&story) {
            assert_eq!(Case::fold(&world.records), world.case, "{}", story.name);
            let summary = world.records.iter().fold(None, Summary::after).expect("a summary");
            assert_eq!(summary.status, world.case.status(), "{}", story.name);
            assert_eq!(summary.outcome, world.case.outcome(), "{}", story.name);
        }
    }
}

#[test]
fn every_file_is_in_the_index_and_no_command_id_stands_twice() {
    let named: Vec<String> = stories().into_iter().map(|story| story.name).collect();
    let mut ids = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(named.contains(&name), "{name} is not in index.txt");
            for line in commands(&Story { name, ends: Vec::new() }) {
                let body: serde_json::Value = serde_json::from_str(&line).unwrap();
                assert!(ids.insert(body["id"].as_str().unwrap().to_owned()), "{line}");
            }
        }
    }
    assert!(ids.len() > 400, "{} commands", ids.len());
}

/// As its user does: `tebessa submit`, then `tebessa case history`.
#[test]
fn a_story_is_submitted_to_a_node_and_read_as_a_timeline() {
    let story = stories().into_iter().find(|story| story.name == "family-one-exclusion").unwrap();
    let mut node = Node::start();
    let file = folder().join(format!("{}.jsonl", story.name));
    let run = |arguments: &[&str]| {
        let output = Command::new(binary())
            .args(arguments)
            .args(["--nats", node.url()])
            .output()
            .expect("the tool runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let replies = run(&["submit", &file.to_string_lossy()]);
    assert_eq!(replies.lines().count(), commands(&story).len());
    assert!(replies.lines().all(|line| line.contains(r#""outcome":"accepted""#)), "{replies}");
    let (case, _) = step(&commands(&story)[1]);
    let told = run(&["case", "history", &case.to_string(), "--open"]);
    for expected in [
        "Claim registered under EU",
        "Family linked: spouse",
        "Need identified: survivor of violence",
        "Safeguard applied: chosen sex",
        "Country information disclosed to the claimant",
        "Assessed on her own account; nothing of his exclusion enters.",
        "Decision issued: refugee",
        "File closed, kept as granted",
    ] {
        let flat: String = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(expected), "{expected} is not in\n{told}");
    }
    assert!(node.stop().success());
}

/// All ten on one node: every decision in them is derived again, every time limit computed again, and
/// nothing turns where nothing is supposed.
#[test]
fn every_decision_of_the_stories_is_reproduced_by_the_audit() {
    let mut node = Node::start();
    let data = node.data().to_owned();
    for story in stories() {
        let submitted = Command::new(binary())
            .args(["submit", "--nats", node.url()])
            .arg(folder().join(format!("{}.jsonl", story.name)))
            .output()
            .expect("the tool runs");
        let said = String::from_utf8_lossy(&submitted.stdout);
        assert!(submitted.status.success(), "{}: {said}", story.name);
    }
    assert!(node.stop().success());
    let audit = |command: &str| -> serde_json::Value {
        let output = Command::new(binary())
            .args(["audit", command, "--json", "--data"])
            .arg(&data)
            .output()
            .expect("the tool runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{command}: {said}");
        serde_json::from_str(&said).expect("JSON")
    };
    let replay = audit("replay");
    assert_eq!(replay["ok"], true, "{replay}");
    assert!(replay["reproduced"].as_u64() >= Some(40), "{replay}");
    let limits = audit("time-limits");
    assert_eq!(limits["ok"], true, "{limits}");
    assert!(limits["reproduced"].as_u64() >= Some(15), "{limits}");
    let same = audit("what-if");
    assert_eq!((&same["same"], &same["turned"]), (&same["assessed"], &serde_json::json!(0)));
}
