//! The rules of the assessment, one line each, in `tests/golden/guidance_rules.txt`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test, in functions beside the tests too"
)]

mod common;

use common::library;
use guidance::{Facts, Outcome, Question, Value};

/// Applies `LEAF=VALUE` and `FACT=WORD` to what a decided case without findings has.
fn asked(guidance: &guidance::Guidance, sought: &str, given: &str) -> Question {
    let mut findings = guidance.decided_findings();
    let mut facts = Facts::default();
    for item in given.split_whitespace() {
        let (name, value) = item.split_once('=').unwrap();
        match name {
            "posting" => facts.posting = Some(value.parse().unwrap()),
            "enlistment" => facts.enlistment = Some(value.parse().unwrap()),
            "motive" => facts.motive = Some(value.parse().unwrap()),
            _ => guidance.find(&mut findings, name, value.parse().unwrap()).unwrap(),
        }
    }
    Question { sought: sought.parse().unwrap(), facts, findings }
}

#[test]
fn every_rule_holds() {
    let library = library();
    let golden = include_str!("../../../tests/golden/guidance_rules.txt");
    let mut held = 0;
    for row in golden.lines().filter(|row| !row.starts_with('#') && !row.trim().is_empty()) {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let &[profiles, sought, given, values, presumed, outcome] = columns.as_slice() else {
            panic!("not six columns: {row}");
        };
        for profile in profiles.split_whitespace() {
            let guidance = library.in_force(profile, jiff::civil::date(2026, 1, 1)).unwrap();
            let evaluation = guidance.evaluate(&asked(guidance, sought, given));
            for item in values.split_whitespace() {
                let (id, value) = item.split_once('=').unwrap();
                let value: Value = value.parse().unwrap();
                assert_eq!(evaluation.value(id), Some(value), "{profile}: {row}");
            }
            let used: Vec<&str> = evaluation.presumed().map(|presumed| presumed.leaf).collect();
            assert_eq!(used.join(" "), presumed, "{profile}: {row}");
            let outcome: Outcome = outcome.parse().unwrap();
            assert_eq!(evaluation.outcome(), outcome, "{profile}: {row}");
            held += 1;
        }
    }
    assert!(held > 200, "{held}");
}
