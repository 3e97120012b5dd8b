//! What several test files share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use guidance::{Fixture, Library};

/// The decided cases, one JSON object a line.
pub(crate) const CASES: &str = include_str!("../../../../tests/fixtures/jurisprudence.jsonl");

/// The guidance that is built in.
pub(crate) fn library() -> Library {
    Library::embedded().unwrap_or_else(|faults| {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", texts.join("\n"))
    })
}

/// One line of a golden table: id | profile | sought | derived | presumed | outcome | open.
pub(crate) fn answer(library: &Library, line: &str) -> String {
    let id = serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone();
    let fixture: Fixture<'_> = serde_json::from_str(line).unwrap();
    let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
    let evaluation = guidance.evaluate(&fixture.question(guidance).unwrap());
    let derived: Vec<String> =
        evaluation.derived().map(|(id, value)| format!("{id}={value}")).collect();
    let presumed: Vec<&str> = evaluation.presumed().map(|presumed| presumed.leaf).collect();
    let open: Vec<&str> = evaluation.open().collect();
    [
        id.as_str().unwrap_or_default().to_owned(),
        fixture.profile.to_string(),
        fixture.sought.to_string(),
        derived.join(" "),
        presumed.join(" "),
        evaluation.outcome().to_string(),
        open.join(" "),
    ]
    .join(" | ")
}
