//! Decided cases are read strictly where the engine uses them and leniently elsewhere.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use common::library;
use guidance::{Enlistment, Facts, Fixture, FixtureId, Motive, NotALeaf, Posting, Sought, Value};

const START: &str = r#""profile":"EU","as_of":"2020-11-19","sought":"protection""#;

fn read(rest: &str) -> Result<Fixture<'static>, String> {
    let text: &'static str = Box::leak(format!("{{{START}{rest}}}").into_boxed_str());
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn a_case_is_read_whole() {
    let fixture = read(
        r#","id":"x","facts":{"posting":"unknown","enlistment":"conscript",
        "motive":"fear_of_combat_only","act":"desertion"},"findings":{"C2.1":"M","NEX":"U"}"#,
    )
    .unwrap();
    assert_eq!(fixture.id, FixtureId::Text("x".into()));
    assert_eq!(fixture.profile, "EU");
    assert_eq!(fixture.as_of, jiff::civil::date(2020, 11, 19));
    assert_eq!(fixture.sought, Sought::Protection);
    assert_eq!(
        fixture.facts,
        Facts {
            posting: Some(Posting::Unknown),
            enlistment: Some(Enlistment::Conscript),
            motive: Some(Motive::FearOfCombatOnly),
        }
    );
    assert_eq!(
        fixture.findings,
        [("C2.1".into(), Value::Met), ("NEX".into(), Value::Undetermined)]
    );
    assert_eq!(read(r#","id":-3"#).unwrap().id, FixtureId::Number(-3));
    assert_eq!(read(r#","id":3"#).unwrap().id, FixtureId::Number(3));
    assert_eq!(read(r#","id":null"#).unwrap().id, FixtureId::None);
}

/// A case records `other`, and no rule reads it.
#[test]
fn another_motive_is_no_motive_and_of_other_facts_other_is_no_word() {
    assert_eq!(read(r#","facts":{"motive":"other"}"#).unwrap().facts, Facts::default());
    let reason = read(r#","facts":{"motive":"others"}"#).unwrap_err();
    let expected = "facts.motive: `others` is not one of fear_of_combat_only, other";
    assert!(reason.starts_with(expected), "{reason}");
    let reason = read(r#","facts":{"posting":"other"}"#).unwrap_err();
    assert!(reason.starts_with("facts.posting: `other` is not one of unknown, known"), "{reason}");
}

#[test]
fn keys_may_be_escaped_and_are_still_the_same_key() {
    let reason = read(r#","findings":{"C2.1":"M","C2\u002e1":"M"}"#).unwrap_err();
    assert!(reason.starts_with("findings.C2.1 is given twice"), "{reason}");
    let fixture = read(r#","findings":{"C2\u002e1":"\u004d"}"#).unwrap();
    assert_eq!(fixture.findings, [("C2.1".into(), Value::Met)]);
}

#[test]
fn a_key_that_comes_twice_is_named_with_its_path_also_where_nothing_is_read() {
    for (rest, path) in [
        (r#","note":{"a":1,"a":2}"#, "note.a"),
        (r#","note":[1,[{}, {"b":{"a":1,"a":2}}]]"#, "note[1][1].b.a"),
        (r#","facts":{"act":{"a":1,"a":2}}"#, "facts.act.a"),
        (r#","facts":{"act":1,"act":2}"#, "facts.act"),
        (r#","note":1,"note":2"#, "note"),
    ] {
        let reason = read(rest).unwrap_err();
        assert!(reason.starts_with(&format!("{path} is given twice")), "{rest}: {reason}");
    }
}

#[test]
fn dates_are_days_of_the_calendar() {
    for (text, good) in [
        ("2024-02-29", true),
        ("2023-02-29", false),
        ("2024-2-29", false),
        ("2024-02-29T00:00:00Z", false),
        ("2024/02/29", false),
        ("20240229", false),
        ("2024-00-10", false),
        ("+024-01-10", false),
    ] {
        let line = format!(r#"{{"profile":"EU","as_of":"{text}","sought":"refugee"}}"#);
        let read = serde_json::from_str::<Fixture<'_>>(&line);
        assert_eq!(read.is_ok(), good, "{text}");
        if let Ok(fixture) = read {
            assert_eq!(fixture.as_of.to_string(), text);
        }
    }
}

#[test]
fn objects_without_measure_are_refused() {
    let keys = |count: usize| -> Vec<String> {
        (0..count).map(|number| format!(r#""k{number}":"M""#)).collect()
    };
    let with =
        |count: usize, field: &str| read(&format!(r#","{field}":{{{}}}"#, keys(count).join(",")));
    for field in ["findings", "facts", "note"] {
        assert!(with(1000, field).is_ok(), "{field}");
        assert!(with(1001, field).unwrap_err().contains("at most 1000"), "{field}");
    }
}

#[test]
fn only_leaves_and_the_annotation_that_takes_findings_are_found() {
    let library = library();
    let eu = library.in_force("EU", jiff::civil::date(2020, 11, 19)).unwrap();
    let mut findings = eu.undetermined_findings();
    let before = findings;
    assert_eq!(eu.find(&mut findings, "C1.2.d", Value::Met), Ok(()));
    assert_eq!(findings, before);
    let refused = |id: &str| {
        let mut findings = before;
        eu.find(&mut findings, id, Value::Met).unwrap_err()
    };
    assert_eq!(refused("INC"), NotALeaf::Derived("INC".to_owned()));
    assert_eq!(refused("SUR"), NotALeaf::Attribute("SUR".to_owned()));
    assert_eq!(refused("c2.1"), NotALeaf::Unknown("c2.1".to_owned()));
    assert_eq!(eu.leaves().count(), 41);
    for (leaf, id) in eu.leaves() {
        assert_eq!(eu.leaf(id), Some(leaf));
        assert_eq!(eu.id_of(leaf), Some(id));
        findings.set(leaf, Value::NotMet);
        assert_eq!(findings.get(leaf), Value::NotMet);
    }
}

#[test]
fn what_a_decided_case_does_not_list_is_not_met_save_four_leaves() {
    let library = library();
    for guidance in library.all() {
        let findings = guidance.decided_findings();
        for (leaf, id) in guidance.leaves() {
            let met = ["G.ID", "LIAB", "NEX", "WFF.harm"].contains(&id);
            let expected = if met { Value::Met } else { Value::NotMet };
            assert_eq!(findings.get(leaf), expected, "{} {id}", guidance.profile());
        }
    }
}
