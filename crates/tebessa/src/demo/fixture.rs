//! The decided cases as the demo reads them, and Maximilian of Tebessa.

use std::collections::BTreeMap;

use ::guidance::{Fixture, Guidance, Question, Value};
use jiff::civil::{Date, date};

/// The 26 decided cases.
const DECIDED: &str = include_str!("../../../../tests/fixtures/jurisprudence.jsonl");

/// A decided case.
pub(crate) struct Decided {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) claimant: String,
    pub(crate) profile: String,
    pub(crate) as_of: Date,
    pub(crate) sought: String,
    pub(crate) summary: String,
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) findings: BTreeMap<String, Value>,
    pub(crate) u_reasons: BTreeMap<String, String>,
    pub(crate) outcome: String,
    pub(crate) ground: &'static str,
}

#[derive(serde::Deserialize)]
struct Line {
    id: String,
    case: String,
    profile: String,
    as_of: Date,
    sought: String,
    summary: String,
    facts: BTreeMap<String, String>,
    findings: BTreeMap<String, Value>,
    expect: Expect,
}

#[derive(serde::Deserialize)]
struct Expect {
    outcome: String,
}

impl Decided {
    /// The finding on a leaf; what a fixture does not list counts as in the decided cases.
    pub(crate) fn value(&self, leaf: &str) -> Value {
        self.findings.get(leaf).copied().unwrap_or(match leaf {
            "G.ID" | "LIAB" | "NEX" | "WFF.harm" => Value::Met,
            _ => Value::NotMet,
        })
    }

    /// What is asked of a guidance, with each finding that is listed as it is shifted.
    pub(crate) fn question(
        &self,
        guidance: &Guidance,
        shift: fn(Value) -> Value,
    ) -> Option<Question> {
        let findings: BTreeMap<_, _> =
            self.findings.iter().map(|(leaf, value)| (leaf, shift(*value))).collect();
        let line = serde_json::json!({
            "profile": self.profile, "as_of": self.as_of, "sought": self.sought,
            "facts": self.facts, "findings": findings,
        });
        let line = line.to_string();
        serde_json::from_str::<Fixture>(&line).ok()?.question(guidance).ok()
    }

    /// Why a leaf is undetermined.
    pub(crate) fn u_reason(&self, leaf: &str) -> &str {
        self.u_reasons.get(leaf).map_or("no_evidence", String::as_str)
    }
}

/// Reads the 26 decided cases.
pub(crate) fn decided() -> Result<Vec<Decided>, serde_json::Error> {
    DECIDED
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str::<Line>(line).map(of_line))
        .collect()
}

fn of_line(line: Line) -> Decided {
    let (reasons, facts): (BTreeMap<_, _>, BTreeMap<_, _>) =
        line.facts.into_iter().partition(|(name, _)| name.starts_with("u_reason."));
    Decided {
        claimant: format!("Claimant in {}", line.id),
        id: line.id,
        title: line.case,
        profile: line.profile,
        as_of: line.as_of,
        sought: line.sought,
        summary: line.summary,
        facts,
        findings: line.findings,
        u_reasons: reasons
            .into_iter()
            .map(|(name, reason)| (name.trim_start_matches("u_reason.").to_owned(), reason))
            .collect(),
        outcome: line.expect.outcome,
        ground: "political",
    }
}

/// Maximilian of Tebessa, executed in AD 295 for refusing to serve: as if he had fled and claimed
/// protection on his day in 2024. Synthetic.
pub(crate) fn maximilian() -> Decided {
    let met = ["C3.1.a", "C3.1.b", "C3.1.c", "C3.1.d", "PUN.1", "WFF.sought", "CP.1"];
    let findings = met.map(|leaf| (leaf.to_owned(), Value::Met)).into_iter().collect();
    let facts =
        [("act", "refusal_at_induction"), ("conviction", "religious"), ("scope", "absolute")]
            .map(|(fact, value)| (fact.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
    Decided {
        id: "Maximilian".to_owned(),
        title: "Maximilian of Tebessa (synthetic)".to_owned(),
        claimant: "Maximilian".to_owned(),
        profile: "UNHCR".to_owned(),
        as_of: date(2024, 3, 12),
        sought: "refugee".to_owned(),
        summary: "A recruit of twenty-one refuses to be enlisted, whatever the war: his faith \
                  forbids him to bear arms. There is no other service. The proconsul has had him \
                  measured and marked, and death is the penalty."
            .to_owned(),
        facts,
        findings,
        u_reasons: BTreeMap::new(),
        outcome: "refugee".to_owned(),
        ground: "religion",
    }
}
