//! The 26 decided cases come out as the courts decided, by the guidance in force at their dates.

mod common;

use common::{CASES, answer, library};
use guidance::{Fixture, Value};
use serde_json::Value as Json;

#[test]
fn every_decided_case_comes_out_as_its_court_decided() {
    let library = library();
    let mut seen = 0;
    for line in CASES.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let id = case["id"].as_str().unwrap();
        let fixture: Fixture<'_> = serde_json::from_str(line).unwrap();
        let guidance = library.require(&fixture.profile, fixture.as_of).expect(id);
        let question = fixture.question(guidance).expect(id);
        let evaluation = guidance.evaluate(&question);
        let expected = &case["expect"];
        assert_eq!(evaluation.outcome().as_str(), expected["outcome"], "{id}");
        for (criterion, value) in expected["derived"].as_object().into_iter().flatten() {
            let value: Value = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(evaluation.value(criterion), Some(value), "{id} {criterion}");
        }
        let presumed: Vec<&str> = evaluation.presumed().map(|presumed| presumed.leaf).collect();
        let expected = expected["presumed"].as_array().cloned().unwrap_or_default();
        assert_eq!(presumed, expected, "{id}");
        seen += 1;
    }
    assert_eq!(seen, 26);
}

#[test]
fn the_whole_answers_to_the_decided_cases_stay_as_they_are() {
    let library = library();
    let golden = include_str!("../../../tests/golden/guidance_cases.txt");
    let rows: Vec<&str> = golden.lines().filter(|line| !line.starts_with('#')).collect();
    let answers: Vec<String> = CASES.lines().map(|line| answer(&library, line)).collect();
    assert_eq!(answers.len(), rows.len());
    for (answer, row) in answers.iter().zip(rows) {
        let columns = |text: &str| -> Vec<String> {
            text.split('|').map(|column| column.trim().to_owned()).collect()
        };
        assert_eq!(columns(answer), columns(row));
    }
}
