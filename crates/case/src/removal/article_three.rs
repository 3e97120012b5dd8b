//! Article 3 of the European Convention on Human Rights as a reason of its own, apart from what was sought
//! and from what was decided.

use guidance::Value;

use super::Reason;
use crate::Version;
use crate::assessment::Round;
use crate::law::{ARTICLE_3, ARTICLE_THREE, FLIGHT_AT_HOME};
use crate::state::Case;
use crate::vocabulary::{BarReason, DecisionOutcome};

/// Non-refoulement under human-rights law stands apart from what was sought and from what was decided:
/// whom a finding says that article 3 protects is not removed before a newer finding or a court says
/// otherwise, also where the claim was withdrawn since. An area of flight at home counts only where it was
/// found.
pub(super) fn of(case: &Case) -> Option<Reason> {
    if case.outcome().is_some_and(DecisionOutcome::protects) {
        return None;
    }
    let (found, value) = held(case, ARTICLE_THREE)?;
    if held(case, FLIGHT_AT_HOME).is_some_and(|(_, it)| it == Value::Met) {
        return None;
    }
    match value {
        Value::Met => Some(Reason::new(
            BarReason::ArticleThreeFound,
            "harm within article 3 of the European Convention on Human Rights was found",
            vec![found],
        )),
        Value::Undetermined => left_open(case, found),
        Value::NotMet => None,
    }
}

/// A decision that asked for no answer on article 3, because something else was sought, answers nothing.
fn left_open(case: &Case, found: Version) -> Option<Reason> {
    let decision = case.decisions.standing()?;
    if decision.onus.iter().any(|leaf| leaf.as_str() == ARTICLE_THREE) {
        return None;
    }
    Some(Reason::new(
        BarReason::ArticleThreeOpen,
        "whether harm within article 3 of the European Convention on Human Rights awaits the person was \
         left undetermined: find it, or let a court hold it",
        vec![found, decision.version],
    ))
}

/// What holds of a leaf: what was found or held last. What stands against the claimant counts when it was
/// completed and agreed to, or a court held it; and what is left open takes nothing away that was found for
/// them. A court may hold on article 3 as a whole.
fn held(case: &Case, leaf: &str) -> Option<(Version, Value)> {
    let (in_favour, against) = if leaf == FLIGHT_AT_HOME {
        (Value::NotMet, Value::Met)
    } else {
        (Value::Met, Value::NotMet)
    };
    let found = case.assessment.rounds.iter().filter_map(|round| {
        let (_, finding) = round.findings.iter().find(|(id, _)| id.as_str() == leaf)?;
        let counts = finding.value != against || agreed_since(round, finding.version);
        counts.then_some((finding.version, finding.value))
    });
    let ruled = case.appeals.all.iter().filter_map(|appeal| {
        let ruling = appeal.last_ruling()?;
        let of = |id: &str| ruling.held.iter().find(|(held, _)| held.as_str() == id);
        let whole = of(ARTICLE_3).map(|(_, value)| match (leaf, value) {
            (FLIGHT_AT_HOME, Value::Met) => Value::NotMet,
            (FLIGHT_AT_HOME, Value::NotMet) => Value::Undetermined,
            (_, value) => *value,
        });
        let value = of(leaf).map(|(_, value)| *value).or(whole)?;
        (value != Value::Undetermined).then_some((ruling.version, value))
    });
    let mut all: Vec<_> = found.chain(ruled).collect();
    all.sort_by_key(|(version, _)| *version);
    all.into_iter().reduce(|before, now| {
        let left_open = now.1 == Value::Undetermined && before.1 == in_favour;
        if left_open { before } else { now }
    })
}

/// Whether an assessment with a finding was completed, and a reviewer agreed.
fn agreed_since(round: &Round, finding: Version) -> bool {
    let mut completed = round.assessments.iter().filter(|one| one.version > finding);
    completed.any(|one| one.agreed().is_some())
}
