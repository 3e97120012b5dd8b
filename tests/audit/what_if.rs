//! What would come of an assessment under other findings, guidance or days.

use std::collections::BTreeMap;

use case::replay::Shelf;
use case::what_if::{Answer, Asking, Supposed, Supposition};
use guidance::{Library, Outcome, Value};
use tests::steps::World;

/// The decided cases; the pair of Berlin-Brandenburg is GC11 of 2021 and GC13 of 2024.
const DECIDED: &str = include_str!("../fixtures/jurisprudence.jsonl");

/// The case of a fixture, assessed as it was found.
fn world(id: &str) -> World {
    let lines = DECIDED.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let fixture: serde_json::Value =
        lines.into_iter().find(|line: &serde_json::Value| line["id"] == id).expect("the case");
    let text_of = |value: &serde_json::Value| value.as_str().expect("a word").to_owned();
    let findings = fixture["findings"].as_object().expect("findings");
    let findings: Vec<String> =
        findings.iter().map(|(leaf, value)| format!("{leaf}={}", text_of(value))).collect();
    let mut world = World::default();
    for step in [
        format!("register profile {} by G1", text_of(&fixture["profile"])),
        format!("fact enlistment {} by W1", text_of(&fixture["facts"]["enlistment"])),
        format!("find-all W1 {}", findings.join(" ")),
        "complete by W1".to_owned(),
    ] {
        world.take(&step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
    }
    world
}

fn asked(world: &World, supposition: &Supposition<'_>) -> Answer {
    let library = [Library::embedded().expect("sound")];
    let mut asking = Asking::default();
    for record in &world.records {
        asking.take(record, Shelf(&library), supposition);
    }
    asking.end().expect("an assessment")
}

fn setting(set: &[(&str, Value)]) -> Supposition<'static> {
    let set = set.iter().map(|(id, value)| (id.parse().expect("an id"), *value));
    Supposition { set: set.collect(), ..Supposition::default() }
}

/// What the documentation says of an answer.
fn told(answer: &Answer) -> String {
    match &answer.supposed {
        Supposed::Same => format!("{} stays", answer.recorded),
        Supposed::NotDerived { why } => format!("not derived: {why}"),
        Supposed::Turned { outcome, by } => format!(
            "1 case: {} -> {outcome}\n  by  {} ({}): {} -> {}",
            answer.recorded, by.node, by.title, by.recorded, by.supposed
        ),
    }
}

#[test]
fn where_nothing_is_supposed_nothing_turns() {
    for id in ["GC11", "GC13"] {
        let answer = asked(&world(id), &Supposition::default());
        assert_eq!(answer.supposed, Supposed::Same, "{id}");
    }
}

#[test]
fn later_country_information_turns_the_case_of_2021_as_the_same_court_did_in_2024() {
    let (of_2021, of_2024) = (world("GC11"), world("GC13"));
    let later = [("C2.4", Value::NotMet), ("C2.6", Value::NotMet), ("NEX", Value::NotMet)];
    let earlier = [("C2.4", Value::Met), ("C2.6", Value::Met), ("NEX", Value::Met)];
    let turned = asked(&of_2021, &setting(&later));
    let back = asked(&of_2024, &setting(&earlier));
    assert_eq!(turned.recorded, Outcome::Refugee);
    assert_eq!(back.recorded, Outcome::Refused);
    assert!(
        matches!(turned.supposed, Supposed::Turned { outcome: Outcome::Refused, .. }),
        "{turned:?}"
    );
    let page = include_str!("../../crates/case/WHAT_IF.md");
    for answer in [&turned, &back, &asked(&of_2021, &setting(&later[..1]))] {
        let line = told(answer);
        assert!(page.contains(&format!("```\n{line}\n```")), "WHAT_IF.md does not say: {line}");
    }
}

#[test]
fn another_profile_or_day_is_that_of_the_law_supposed() {
    let library = Library::embedded().expect("sound");
    let under = |profile: &str, day: &str| Supposition {
        law: Some(&library),
        profile: Some(profile.parse().expect("a profile")),
        as_of: Some(day.parse().expect("a day")),
        set: BTreeMap::new(),
    };
    let world = world("GC11");
    let answer = asked(&world, &under("UNHCR", "2024-01-01"));
    assert_eq!(answer.profile, "UNHCR");
    let expected = library.in_force("UNHCR", jiff::civil::date(2024, 1, 1)).expect("in force");
    assert_eq!(answer.guidance, expected.hash().to_string());
    let answer = asked(&world, &under("EU", "1990-01-01"));
    assert!(
        matches!(&answer.supposed, Supposed::NotDerived { why } if why.contains("1990-01-01")),
        "{answer:?}"
    );
}

#[test]
fn a_criterion_that_is_named_differs_and_its_members_do_not() {
    let world = world("GC11");
    let library = Library::embedded().expect("sound");
    let leaves: Vec<String> = library
        .in_force("DE", jiff::civil::date(2024, 1, 1))
        .expect("in force")
        .leaves()
        .map(|(_, id)| id.to_owned())
        .collect();
    let mut turned = 0;
    for leaf in &leaves {
        for value in [Value::Met, Value::NotMet, Value::Undetermined] {
            let answer = asked(&world, &setting(&[(leaf.as_str(), value)]));
            if let Supposed::Turned { by, .. } = answer.supposed {
                assert_ne!(by.recorded, by.supposed, "{leaf}={value}");
                assert_eq!(&by.node, leaf, "only this was supposed");
                turned += 1;
            }
        }
    }
    assert!(turned > 5, "{turned}");
}
