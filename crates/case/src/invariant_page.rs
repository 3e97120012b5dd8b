//! The page that lists the invariants for users, made from the code.

use std::fmt::Write;

use crate::{Code, Invariant};

const HEAD: &str = "# The invariants

What every history of a case obeys, whoever sends commands. A command that would break one is
refused; the rejection carries the id below, a stable code and a sentence. `tests/golden` has rows
for what each forbids and for the nearest thing that it allows.

This page is made from the code; a test fails when the two differ. The legal sources are the ones
that the rules were written from; those that were cited from memory have to be checked by a lawyer.
";

/// The page, in Markdown: id, sentence, legal source, the codes that refuse, and how an invariant
/// holds by construction where it does.
#[must_use]
pub fn invariants_page() -> String {
    let mut page = HEAD.to_owned();
    for invariant in Invariant::ALL {
        let codes: Vec<_> = Code::ALL
            .iter()
            .filter(|code| code.invariant() == Some(*invariant))
            .map(|code| format!("`{}`", code.as_str()))
            .collect();
        let _ = write!(page, "\n## {}\n\n{}\n\n", invariant.id(), invariant.sentence());
        let _ = writeln!(page, "- Source: {}", invariant.source());
        if !codes.is_empty() {
            let _ = writeln!(page, "- Refused with: {}", codes.join(", "));
        }
        if let Some(how) = by_construction(*invariant) {
            let _ = writeln!(page, "- By construction: {how}");
        }
    }
    page
}

/// How an invariant holds without a refusal.
const fn by_construction(invariant: Invariant) -> Option<&'static str> {
    use Invariant as I;
    match invariant {
        I::I1 => Some(
            "`tebessa.query.removal-bar` answers \"barred\" wherever the rule or any doubt says so; a property test compares it with an independent statement of this rule over random histories.",
        ),
        I::I9 => Some(
            "an assessment is complete only when every criterion that the profile uses was asked (`not_asked`), whatever the others say.",
        ),
        I::I15 => Some(
            "nationality and side are sealed before the rules see a command, and no fact that reaches the engine holds them.",
        ),
        I::I16 => Some(
            "a completed assessment holds the guidance's hash, the engine's version and every finding and fact used; the evaluation is pure. `tebessa audit replay` compares.",
        ),
        I::I17 => Some(
            "the log is append-only; a rectification is an event that shows the old and the new.",
        ),
        I::I19 => Some("a command without `actor.basis` is malformed and reaches no case."),
        I::I20 => Some(
            "the classes of recipients have no value for the state of origin, and a disclosure attests that the recipient does not act for it.",
        ),
        I::I22 => Some("answers are kept in the case, by command id, for ever."),
        I::I2
        | I::I3
        | I::I4
        | I::I5
        | I::I6
        | I::I7
        | I::I8
        | I::I10
        | I::I11
        | I::I12
        | I::I13
        | I::I14
        | I::I18
        | I::I21 => None,
    }
}
