//! The issue of a decision, and what must hold before it.

use std::collections::BTreeSet;

use guidance::{Outcome, Value};

use super::{DecisionIssued, Event, Issue, departs, not_before};
use crate::assessment::{Assessment, Review};
use crate::decide::Context;
use crate::evidence;
use crate::law::EXCLUSION;
use crate::rejection::{Code, Rejection, refuse};
use crate::seen;
use crate::state::{Case, need};
use crate::token::Criterion;
use crate::vocabulary::DecisionOutcome;

pub(super) fn issue(
    case: &Case,
    decision: &Issue,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.undecided()?;
    let latest =
        need(case.assessment.latest(), Code::NotComplete, "no assessment is complete yet")?;
    let reviewed = reviewed(latest)?;
    let review = reviewed.version;
    not_before(context.occurred, &reviewed.on, "the assessment was reviewed")?;
    if let Some(claim) = &case.intake.registration {
        not_before(context.occurred, &claim.registered, "the claim was registered")?;
    }
    if decision.assessment.is_some_and(|seen| seen != latest.version) {
        return refuse(
            Code::NotLatest,
            format!("the latest assessment is version {}: decide on that one", latest.version),
        );
    }
    let by = &context.by.id;
    if case.assessment.assessed(by) || case.assessment.reviewed(by) {
        return refuse(
            Code::TookPart,
            "the actor assessed or reviewed this case and may not decide it",
        );
    }
    case.impartial(by)?;
    disclosed(case, context)?;
    grounds_fit(decision)?;
    exclusion_fits(case, latest, decision, context)?;
    let unresolved = refusal_is_determined(case, latest, decision, context)?;
    departure_fits(latest, decision)?;
    let seen = seen::shown(case, decision.seen, review)?;
    Ok(Event::DecisionIssued(Box::new(DecisionIssued {
        outcome: decision.outcome,
        grounds: decision.grounds.clone(),
        reasons: decision.reasons.clone(),
        departure: decision.departure.clone(),
        proposal: latest.outcome,
        assessment: latest.version,
        review,
        onus: decision.onus.clone(),
        unresolved,
        seen,
    })))
}

/// I3: the latest assessment is complete, not void, and agreed to.
fn reviewed(latest: &Assessment) -> Result<&Review, Rejection> {
    if let Some(by) = latest.stale() {
        return refuse(
            Code::AssessmentVoided,
            format!("version {by} is newer than the assessment and voids it: complete it again"),
        );
    }
    need(
        latest.agreed(),
        Code::NotReviewed,
        "a reviewer must agree to the latest assessment before a decision issues",
    )
}

/// I8: nobody is surprised by country information.
fn disclosed(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    let undisclosed = evidence::undisclosed(case, context);
    if undisclosed.is_empty() {
        return evidence::disclosed_on(case, context).try_for_each(|disclosed| {
            not_before(context.occurred, disclosed, "country information was disclosed")
        });
    }
    let items: Vec<_> = undisclosed.iter().map(ToString::to_string).collect();
    refuse(
        Code::NotDisclosed,
        format!(
            "country information that findings rely on, or that was linked against the claimant, was not disclosed to them: {}; send evidence.disclose-country-info",
            items.join(", ")
        ),
    )
}

fn grounds_fit(decision: &Issue) -> Result<(), Rejection> {
    let status = decision.outcome == DecisionOutcome::Refugee;
    let mut seen = BTreeSet::new();
    if status == decision.grounds.is_empty() || !decision.grounds.iter().all(|g| seen.insert(g)) {
        return refuse(
            Code::GroundsUnfit,
            "refugee status names its grounds, each once; no other outcome has grounds",
        );
    }
    Ok(())
}

/// I6: nobody is excluded without a finding that says so, nor from what was not found: without exclusion
/// the assessment gives a status.
fn exclusion_fits(
    case: &Case,
    latest: &Assessment,
    decision: &Issue,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let excludes = matches!(
        decision.outcome,
        DecisionOutcome::Excluded | DecisionOutcome::ExcludedNotRemovable
    );
    let found = case.assessment.round().is_some_and(|round| {
        round.findings.iter().any(|(id, f)| id.as_str() == EXCLUSION && f.value == Value::Met)
    });
    if excludes && !found {
        return refuse(
            Code::ExclusionNotFound,
            "exclusion was not found; without a finding on EXC nobody is excluded",
        );
    }
    if !excludes {
        return Ok(());
    }
    let otherwise = context.law.without_exclusion(case, latest)?;
    if matches!(otherwise, Outcome::Refugee | Outcome::Subsidiary) {
        return Ok(());
    }
    refuse(
        Code::ExclusionBeforeInclusion,
        format!(
            "inclusion comes first: without exclusion the outcome is {otherwise}, not a status"
        ),
    )
}

/// I5: nobody is refused while the outcome is undetermined. Returns the criteria that stay
/// undetermined and do not matter.
fn refusal_is_determined(
    case: &Case,
    latest: &Assessment,
    decision: &Issue,
    context: &Context<'_>,
) -> Result<Vec<Criterion>, Rejection> {
    if decision.outcome == DecisionOutcome::Inadmissible {
        article_three_is_determined(case, latest, context)?;
    }
    let departs = decision.outcome == DecisionOutcome::Refused
        && !matches!(latest.outcome, Outcome::Undetermined | Outcome::Refused);
    let converted = converted(case, latest, decision, departs, context)?;
    let denies = matches!(decision.outcome, DecisionOutcome::Refused | DecisionOutcome::Excluded);
    if latest.outcome == Outcome::Undetermined && (denies || !converted.is_empty()) {
        let outcome = context.law.with_onus(case, latest, &converted)?;
        if DecisionOutcome::from_proposal(outcome) != Some(decision.outcome) {
            return undetermined(outcome, &latest.open);
        }
    }
    // Whoever is held to be no refugee against the proposal is not refused either while what else
    // protects is open.
    if departs {
        let (outcome, open) = context.law.without_inclusion(case, latest, &converted)?;
        if outcome == Outcome::Undetermined && !open.is_empty() {
            return undetermined(outcome, &open);
        }
    }
    let findings = case.assessment.round().map(|round| &round.findings);
    Ok(findings
        .into_iter()
        .flatten()
        .filter(|(id, finding)| finding.value == Value::Undetermined && !converted.contains(*id))
        .map(|(id, _)| id.clone())
        .collect())
}

/// A claim is inadmissible whatever its merits are, which stay open then (APD 2013/32 art. 33); whether somebody
/// may be returned at all does not.
fn article_three_is_determined(
    case: &Case,
    latest: &Assessment,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let open = context.law.open_on_article_three(case, latest)?;
    if open.is_empty() { Ok(()) } else { undetermined(latest.outcome, &open) }
}

fn undetermined<T>(outcome: Outcome, open: &[String]) -> Result<T, Rejection> {
    refuse(
        Code::Undetermined,
        format!(
            "the outcome is {outcome}; open criteria: {}. Ask further, or find on the onus with reasons",
            open.join(", ")
        ),
    )
}

/// The open criteria that a finding on the onus turns against the claimant. It belongs to a decision that
/// gives less than refugee status, and to nothing that is presumed: there nobody bears a burden.
fn converted(
    case: &Case,
    latest: &Assessment,
    decision: &Issue,
    departs: bool,
    context: &Context<'_>,
) -> Result<BTreeSet<Criterion>, Rejection> {
    let mut converted = BTreeSet::new();
    if decision.onus.is_empty() {
        return Ok(converted);
    }
    if matches!(decision.outcome, DecisionOutcome::Refugee | DecisionOutcome::Inadmissible) {
        return refuse(Code::OnusUnfit, "a finding on the onus belongs to a refusal only");
    }
    let mut open = latest.open.clone();
    if departs {
        open.extend(context.law.without_inclusion(case, latest, &converted)?.1);
    }
    for onus in &decision.onus {
        let open = open.iter().any(|leaf| leaf == onus.criterion.as_str());
        if !open || !converted.insert(onus.criterion.clone()) {
            return refuse(
                Code::OnusUnfit,
                format!(
                    "{} is not an open criterion of the assessment, or stands twice",
                    onus.criterion
                ),
            );
        }
    }
    for leaf in &converted {
        if context.law.may_be_presumed(case, latest, &converted, leaf)? {
            return refuse(
                Code::OnusUnfit,
                format!(
                    "{leaf} is presumed here as long as what the presumption rests on may be met, so \
                     nobody bears the burden of it: find it not met, or what it rests on"
                ),
            );
        }
    }
    Ok(converted)
}

/// I10: a departure is reasoned, and only a departure is.
fn departure_fits(latest: &Assessment, decision: &Issue) -> Result<(), Rejection> {
    let departs = departs(latest.outcome, decision.outcome, !decision.onus.is_empty());
    if departs != decision.departure.is_some() {
        return refuse(
            Code::DepartureUnfit,
            format!(
                "the proposal is {} and the decision {}: a departure is given exactly where they differ",
                latest.outcome, decision.outcome
            ),
        );
    }
    Ok(())
}
