//! What several test files share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use guidance::{Fixture, GuidanceHash, Library};

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

pub(crate) const CRITERIA: &str = include_str!("../../../../schemas/guidance/criteria.toml");
pub(crate) const EU: &str = include_str!("../../../../schemas/guidance/EU.toml");

/// EU's file, pinning other criteria.
pub(crate) fn pinned(criteria: &str) -> String {
    let old = GuidanceHash::of(CRITERIA.as_bytes()).to_string();
    assert!(EU.contains(&old), "EU.toml does not pin criteria.toml");
    EU.replace(&old, &GuidanceHash::of(criteria.as_bytes()).to_string())
}

/// The faults of a set of files, each as `file:line: reason`.
pub(crate) fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    match Library::from_files(files) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// The line, from 1, on which a text begins.
pub(crate) fn line(text: &str, marker: &str) -> usize {
    let start = text.find(marker).unwrap_or_else(|| panic!("`{marker}` is not in the text"));
    text[..start].lines().count().max(1) + usize::from(text[..start].ends_with('\n'))
}
