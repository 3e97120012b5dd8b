//! Golden tables: one line per rule, given | when | then.
//!
//! `given` and `when` are steps of [`tests::steps`], with `;` between them; a name alone stands
//! for the steps that a line `let name = …` gives it. `then` is the last part of the event's type
//! and, behind an arrow, the status of the case after it; or the refusal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use case::Case;
use tests::steps::{World, refusal};

fn table(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    let text = std::fs::read_to_string(&path).expect("the table is there");
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut wrong = String::new();
    let mut rows = 0;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((name, steps)) = line.strip_prefix("let ").and_then(|l| l.split_once('=')) {
            names.insert(name.trim().to_owned(), steps.trim().to_owned());
            continue;
        }
        rows += 1;
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [given, when, then] = columns.as_slice() else {
            panic!("{name}:{}: a row has three columns", number + 1);
        };
        let got = run(&names, given, when, then.contains("->"));
        if got != *then {
            writeln!(wrong, "{name}:{}: expected `{then}`, got `{got}`", number + 1).unwrap();
        }
    }
    assert!(rows > 0, "{name} has no rows");
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn expand(names: &BTreeMap<String, String>, steps: &str) -> Vec<String> {
    steps
        .split(';')
        .map(str::trim)
        .filter(|step| !step.is_empty())
        .flat_map(|step| match names.get(step) {
            Some(steps) => expand(names, steps),
            None => vec![step.to_owned()],
        })
        .collect()
}

fn run(names: &BTreeMap<String, String>, given: &str, when: &str, with_status: bool) -> String {
    let mut world = World::default();
    for step in expand(names, given) {
        if let Err(rejection) = world.take(&step) {
            return format!("given `{step}`: {} ({})", refusal(&rejection), rejection.message);
        }
    }
    if let Some(at) = when.strip_prefix("bar at ") {
        return bar(&world.case, at);
    }
    let before = world.case.clone();
    let when = names.get(when).map_or(when, String::as_str);
    match world.take(when) {
        Err(rejection) => {
            assert_eq!(world.case, before, "a refusal changes nothing");
            refusal(&rejection)
        }
        Ok(kind) => {
            let event = kind.split('.').nth(2).unwrap_or(kind);
            if with_status {
                format!("{event} -> {}", world.case.status())
            } else {
                event.to_owned()
            }
        }
    }
}

fn bar(case: &Case, at: &str) -> String {
    let reasons = case::removal_bar(case, at.parse().expect("an instant")).reasons;
    let told = reasons.iter().map(|reason| match reason.until {
        Some(until) => format!("{} until {until}", reason.code),
        None => reason.code.to_string(),
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "not barred".to_owned() } else { told.join(", ") }
}

#[test]
fn intake() {
    table("intake.txt");
}

#[test]
fn evidence() {
    table("evidence.txt");
}

#[test]
fn assessment() {
    table("assessment.txt");
}

#[test]
fn decisions() {
    table("decisions.txt");
}

#[test]
fn appeals() {
    table("appeals.txt");
}

#[test]
fn deadlines() {
    table("deadlines.txt");
}

#[test]
fn register() {
    table("register.txt");
}

#[test]
fn later() {
    table("later.txt");
}

#[test]
fn registry() {
    table("registry.txt");
}

#[test]
fn removal() {
    table("removal.txt");
}
