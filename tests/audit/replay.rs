//! Replay finds the first node that differs, and says which guidance is missing.

use std::path::Path;

use case::replay::{Divergence, Missing, Replay, Replayed, Shelf, Step, Verdict};
use case::vocabulary::DecisionOutcome;
use case::{Event, Leaf, Recorded, assessment, decisions};
use guidance::{Library, Value};

use super::records;

const DECIDED: &[&str] = &[
    "register by G1",
    "find-all W1 C3.1.a=U C3.1.b=M C3.1.c=M C3.1.d=M",
    "complete by W1",
    "review agree by R1",
    "issue refused onus C3.1.a by D1",
    "notify 2024-02-01 2024-03-01 by Y1",
    "file A1 2024-02-10 by P1",
    "decide A1 remitted by J1",
];

const REFUGEE: &[&str] = &[
    "register by G1",
    "find-all W1 C3.1.a=M C3.1.b=M C3.1.c=M C3.1.d=M",
    "complete by W1",
    "review agree by R1",
    "issue refugee grounds political by D1",
];

fn replayed(records: &[Recorded], libraries: &[Library]) -> Vec<Step> {
    let mut replay = Replay::default();
    records.iter().filter_map(|record| replay.take(record, Shelf(libraries))).collect()
}

fn embedded() -> Vec<Library> {
    vec![Library::embedded().expect("sound")]
}

/// Replays after the recorded assessment was changed; gives what is said of it.
fn changed(change: impl FnOnce(&mut assessment::AssessmentCompleted)) -> Verdict {
    let mut records = records(DECIDED);
    let completed = records.iter_mut().find_map(|record| match &mut record.event {
        Event::Assessment(assessment::Event::AssessmentCompleted(event)) => Some(event),
        _ => None,
    });
    change(completed.expect("an assessment"));
    let steps = replayed(&records, &embedded());
    steps.into_iter().find(|step| step.what == Replayed::Assessment).expect("replayed").verdict
}

fn diverged(verdict: Verdict) -> Divergence {
    match verdict {
        Verdict::Diverged(found) => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_step_of_a_whole_claim_is_reproduced() {
    let steps = replayed(&records(DECIDED), &embedded());
    let what: Vec<_> = steps.iter().map(|step| step.what).collect();
    let all = [Replayed::Assessment, Replayed::Review, Replayed::Decision, Replayed::Ruling];
    assert_eq!(what, all);
    assert!(steps.iter().all(|step| step.verdict == Verdict::Reproduced), "{steps:?}");
}

#[test]
fn the_first_node_that_differs_is_named_with_both_values() {
    let found = diverged(changed(|event| {
        event.derived.insert("C3".to_owned(), Value::Met);
    }));
    assert_eq!((found.node.as_str(), found.recorded.as_str()), ("C3", "M"));
    assert_eq!(found.derived, "U");
    let found = diverged(changed(|event| event.outcome = guidance::Outcome::Refugee));
    assert_eq!((found.node.as_str(), found.derived.as_str()), ("outcome", "undetermined"));
    let found = diverged(changed(|event| {
        let finding = event.findings.values_mut().next().expect("a finding");
        finding.value = Value::Met;
    }));
    assert!(found.recorded.starts_with("M of version"), "{found:?}");
}

#[test]
fn a_decision_on_a_diverged_assessment_is_diverged_too() {
    let mut records = records(DECIDED);
    for record in &mut records {
        if let Event::Assessment(assessment::Event::AssessmentCompleted(event)) = &mut record.event
        {
            event.derived.insert("C3".to_owned(), Value::Met);
        }
    }
    let steps = replayed(&records, &embedded());
    let decision = steps.iter().find(|step| step.what == Replayed::Decision).expect("replayed");
    assert!(matches!(&decision.verdict, Verdict::Diverged(found) if found.node == "C3"));
}

/// Of whoever writes into the log past the rules: the outcome is another than was proposed, in silence; or
/// a departure is given where there is none (I10).
#[test]
fn a_departure_that_is_not_declared_is_found_and_one_that_is_none() {
    let decided = |change: &dyn Fn(&mut decisions::DecisionIssued)| {
        let mut records = records(REFUGEE);
        for record in &mut records {
            if let Event::Decisions(decisions::Event::DecisionIssued(event)) = &mut record.event {
                change(event);
            }
        }
        let steps = replayed(&records, &embedded());
        steps.into_iter().find(|step| step.what == Replayed::Decision).expect("replayed").verdict
    };
    assert_eq!(decided(&|_| {}), Verdict::Reproduced);
    let silent = diverged(decided(&|event| event.outcome = DecisionOutcome::Refused));
    assert_eq!((silent.node.as_str(), silent.derived.as_str()), ("departure", "departs"));
    let needless = diverged(decided(&|event| event.departure = Some(event.reasons.clone())));
    assert_eq!((needless.node.as_str(), needless.recorded.as_str()), ("departure", "departs"));
}

#[test]
fn a_read_set_that_is_not_the_case_is_found() {
    let mut records = records(DECIDED);
    for record in &mut records {
        if let Event::Decisions(decisions::Event::DecisionIssued(event)) = &mut record.event {
            let seen = event.seen.as_mut().expect("what was shown");
            seen.leaf = Leaf([7; 32]);
        }
    }
    let steps = replayed(&records, &embedded());
    let decision = steps.iter().find(|step| step.what == Replayed::Decision).expect("replayed");
    assert!(matches!(&decision.verdict, Verdict::Diverged(found) if found.node == "seen"));
}

#[test]
fn missing_guidance_is_named_with_how_to_supply_it() {
    let steps = replayed(&records(DECIDED), &[]);
    let Verdict::NotDerived(missing) = &steps[0].verdict else { panic!("{:?}", steps[0]) };
    let eu = Library::embedded().expect("sound");
    let eu = eu.require("EU", "2024-01-01".parse().expect("a day")).expect("in force");
    let sentence = missing.sentence();
    assert!(sentence.contains(&eu.hash().to_string()), "{sentence}");
    assert!(sentence.contains("--guidance"), "{sentence}");
    let engine = changed(|event| event.engine = "0".to_owned());
    assert_eq!(engine, Verdict::NotDerived(Missing::Engine { engine: "0".to_owned() }));
}

/// The engine's version is pinned: what it derived when the fixture was frozen, it derives still.
#[test]
fn the_frozen_records_are_reproduced() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/records/v1.jsonl");
    let text = std::fs::read_to_string(path).expect("the fixture");
    let mut cases = std::collections::BTreeMap::<_, Replay>::new();
    let libraries = embedded();
    let mut steps = 0;
    for (line, position) in text.lines().zip(1..) {
        let record = Recorded::decode(line.as_bytes(), position).expect("a record");
        let replay = cases.entry(record.envelope.case).or_default();
        if let Some(step) = replay.take(&record, Shelf(&libraries)) {
            assert_eq!(step.verdict, Verdict::Reproduced, "{step:?}");
            steps += 1;
        }
    }
    assert!(steps > 8, "{steps} steps");
}
