//! What a decided case says that it should come to, beside what it comes to.

use std::collections::BTreeMap;

use ::guidance::{Evaluation, Value};

/// The part of a line that is compared.
#[derive(serde::Deserialize)]
struct Line {
    expect: Option<Expected>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    derived: BTreeMap<String, Value>,
    presumed: Option<Vec<String>>,
    outcome: String,
}

/// What differs, each in words; the error is the reason why nothing can be compared.
pub(super) fn differences(line: &[u8], evaluation: &Evaluation<'_>) -> Result<Vec<String>, String> {
    let read: Line = serde_json::from_slice(line).map_err(|error| format!("expect: {error}"))?;
    let expected = read.expect.ok_or("expect is missing: there is nothing to compare with")?;
    let mut differences = Vec::new();
    for (id, expected) in &expected.derived {
        match evaluation.value(id) {
            Some(found) if found == *expected => {}
            Some(found) => differences.push(format!("{id} is {found}, expected {expected}")),
            None => return Err(format!("expect.derived.{id}: unknown criterion `{id}`")),
        }
    }
    let found: Vec<_> = evaluation.presumed().map(|presumed| presumed.leaf).collect();
    if let Some(mut expected) = expected.presumed {
        let mut sorted = found.clone();
        sorted.sort_unstable();
        expected.sort_unstable();
        if sorted != expected {
            let (found, expected) = (in_words(&found), in_words(&expected));
            differences.push(format!("presumed is {found}, expected {expected}"));
        }
    }
    let outcome = evaluation.outcome().as_str();
    if outcome != expected.outcome {
        differences.push(format!("the outcome is {outcome}, expected {}", expected.outcome));
    }
    Ok(differences)
}

fn in_words<T: AsRef<str>>(leaves: &[T]) -> String {
    let leaves: Vec<_> = leaves.iter().map(AsRef::as_ref).collect();
    if leaves.is_empty() { "nothing".to_owned() } else { leaves.join(", ") }
}
