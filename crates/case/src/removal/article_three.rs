//! Article 3 of the European Convention on Human Rights as a reason of its own, apart from what was sought
//! and from what was decided.

use std::collections::BTreeMap;

use guidance::Value;

use super::Reason;
use crate::Version;
use crate::appeals::Ruling;
use crate::assessment::Round;
use crate::law::{ARTICLE_3, ARTICLE_THREE, FLIGHT_AT_HOME};
use crate::state::Case;
use crate::token::Criterion;
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
    let found = case.assessment.rounds.iter().flat_map(|round| {
        let all = found_in(round, leaf).into_iter();
        all.filter(move |one| one.value != against || agreed(round, one))
            .map(|one| (one.from, one.value))
    });
    // Of a ruling that was itself set aside what favours the claimant goes on, as it does of findings.
    let fell = case.appeals.all.iter().flat_map(|appeal| &appeal.earlier);
    let last = case.appeals.all.iter().filter_map(|appeal| appeal.last_ruling());
    let favours = |one: &(Version, Value)| one.1 == in_favour;
    let ruled = fell.filter_map(|ruling| of_court(ruling, leaf)).filter(favours);
    let ruled = ruled.chain(last.filter_map(|ruling| of_court(ruling, leaf)));
    // The end of a status is a decision that can be appealed, by another person than opened the review.
    let ended = case.decisions.all.iter().filter_map(|decision| {
        let found = (decision.version, of_held(&decision.held, leaf)?);
        (decision.set_aside.is_none() || favours(&found)).then_some(found)
    });
    let mut all: Vec<_> = found.chain(ruled).chain(ended).collect();
    all.sort_by_key(|(version, _)| *version);
    all.into_iter().reduce(|before, now| {
        let left_open = now.1 == Value::Undetermined && before.1 == in_favour;
        if left_open { before } else { now }
    })
}

fn of_court(ruling: &Ruling, leaf: &str) -> Option<(Version, Value)> {
    Some((ruling.version, of_held(&ruling.held, leaf)?))
}

/// What is held of a leaf, or of article 3 as a whole.
fn of_held(held: &BTreeMap<Criterion, Value>, leaf: &str) -> Option<Value> {
    let of = |id: &str| held.iter().find(|(held, _)| held.as_str() == id);
    let whole = of(ARTICLE_3).map(|(_, value)| match (leaf, value) {
        (FLIGHT_AT_HOME, Value::Met) => Value::NotMet,
        (FLIGHT_AT_HOME, Value::NotMet) => Value::Undetermined,
        (_, value) => *value,
    });
    let value = of(leaf).map(|(_, value)| *value).or(whole)?;
    (value != Value::Undetermined).then_some(value)
}

/// A finding, and how long it stood.
struct Found {
    value: Value,
    from: Version,
    until: Option<Version>,
}

/// All that was found of a leaf in a round, in order: one that replaces another takes it away only where it
/// counts itself.
fn found_in(round: &Round, leaf: &str) -> Vec<Found> {
    let last = round.findings.iter().find(|(id, _)| id.as_str() == leaf).map(|(_, last)| last);
    let all = last.into_iter().flat_map(|last| {
        let earlier = last.earlier.iter().map(|one| (one.version, one.value));
        earlier.chain(std::iter::once((last.version, last.value)))
    });
    let mut found: Vec<Found> = Vec::new();
    for (from, value) in all {
        if let Some(before) = found.last_mut() {
            before.until = Some(from);
        }
        found.push(Found { value, from, until: None });
    }
    found
}

/// Whether an assessment with a finding was completed, and a reviewer agreed.
fn agreed(round: &Round, finding: &Found) -> bool {
    let with_it = |one: &Version| *one > finding.from && finding.until.is_none_or(|end| *one < end);
    let mut completed = round.assessments.iter().filter(|one| with_it(&one.version));
    completed.any(|one| one.agreed().is_some())
}
