//! Decisions: issued by a person on a reviewed assessment, and served.

use std::collections::BTreeSet;

use guidance::{Outcome, Value};
use jiff::civil::Date;

use crate::assessment::Assessment;
use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::evidence;
use crate::law::EXCLUSION;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Criterion, Language};
use crate::vocabulary::{DecisionOutcome, Ground, ServiceMethod};
use crate::{Seen, Version, WorldDate, seen};

/// A finding on the onus: an open criterion counts as not met, with reasons (I5).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct OnusFinding {
    /// The open criterion.
    pub criterion: Criterion,
    /// Why the claimant bears the consequence, although the duty to ascertain is shared.
    pub reason: Personal<Words>,
}

/// Issues the decision on the latest assessment.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The outcome.
    pub outcome: DecisionOutcome,
    /// The grounds of the Convention: with refugee status, and only then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// The reasons.
    pub reasons: Personal<Words>,
    /// Why the decision departs from the proposal; if it does, and only then (I10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure: Option<Personal<Words>>,
    /// Findings on the onus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onus: Vec<OnusFinding>,
    /// The version of the assessment that the decision-maker was shown; refused unless it is
    /// the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Version>,
    /// The case as the decision-maker was shown it; as it is at the moment of the command where nothing is
    /// said. Refused where it is not the case's, or older than the review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// The decision was issued.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DecisionIssued {
    /// The outcome.
    pub outcome: DecisionOutcome,
    /// The grounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// The reasons.
    pub reasons: Personal<Words>,
    /// Why it departs from the proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure: Option<Personal<Words>>,
    /// What the engine had proposed.
    #[schemars(schema_with = "crate::schema::outcome")]
    pub proposal: Outcome,
    /// The event that completed the assessment.
    pub assessment: Version,
    /// The event that agreed to it.
    pub review: Version,
    /// The findings on the onus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onus: Vec<OnusFinding>,
    /// The criteria that stay undetermined and do not matter for the outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<Criterion>,
    /// The case as the decision-maker was shown it; absent in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// Records that the decision was served.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// How it was served.
    pub method: ServiceMethod,
    /// In which language.
    pub language: Language,
    /// On which day service is proved.
    pub served: WorldDate,
    /// The last day for an appeal.
    pub appeal_deadline: WorldDate,
}

commands! {
    service "decisions" as Decisions;
    Issue = "issue", "Issues the decision on the latest assessment.",
        by [DecisionMaker],
        personal [("reasons", Words), ("departure", Words), ("onus[].reason", Words)];
    Notify = "notify", "Records that the decision was served.",
        by [Registry], personal [];
}

/// The decision was served.
pub type DecisionNotified = Notify;

events! {
    service "decisions" as Decisions;
    DecisionIssued = "issued", "The decision was issued.";
    DecisionNotified = "notified", "The decision was served.";
}

/// Service of a decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Notified {
    /// The event.
    pub version: Version,
    /// The day on which service is proved.
    pub served: WorldDate,
    /// The last day for an appeal.
    pub appeal_deadline: WorldDate,
}

/// What a case knows of a decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Decision {
    /// The event that issued it.
    pub version: Version,
    /// Who issued it.
    pub by: ActorId,
    /// The outcome.
    pub outcome: DecisionOutcome,
    /// The grounds.
    pub grounds: Vec<Ground>,
    /// The assessment it rests on.
    pub assessment: Version,
    /// Whether it departs from the proposal.
    pub departs: bool,
    /// What the decision-maker was shown.
    pub seen: Option<Seen>,
    /// Its service.
    pub notified: Option<Notified>,
    /// The event that set it aside.
    pub set_aside: Option<Version>,
}

/// What the decisions service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct State {
    /// The decisions in order.
    pub all: Vec<Decision>,
}

impl State {
    /// The decision that stands: the last, unless it was set aside.
    #[must_use]
    pub fn standing(&self) -> Option<&Decision> {
        self.all.last().filter(|decision| decision.set_aside.is_none())
    }
}

/// Decides a command of decisions.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.open()?;
    match command {
        Command::Issue(decision) => issue(case, decision, context),
        Command::Notify(service) => notify(case, service),
    }
}

fn issue(case: &Case, decision: &Issue, context: &Context<'_>) -> Result<Event, Rejection> {
    case.undecided()?;
    let latest =
        need(case.assessment.latest(), Code::NotComplete, "no assessment is complete yet")?;
    let review = reviewed(latest)?;
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
    disclosed(case)?;
    grounds_fit(decision)?;
    exclusion_fits(case, decision)?;
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
fn reviewed(latest: &Assessment) -> Result<Version, Rejection> {
    if let Some(by) = latest.voided {
        return refuse(
            Code::AssessmentVoided,
            format!("version {by} is newer than the assessment and voids it: complete it again"),
        );
    }
    need(
        latest.agreed().map(|review| review.version),
        Code::NotReviewed,
        "a reviewer must agree to the latest assessment before a decision issues",
    )
}

/// I8: nobody is surprised by country information.
fn disclosed(case: &Case) -> Result<(), Rejection> {
    let undisclosed = evidence::undisclosed(case);
    if undisclosed.is_empty() {
        return Ok(());
    }
    let items: Vec<_> = undisclosed.iter().map(ToString::to_string).collect();
    refuse(
        Code::NotDisclosed,
        format!(
            "findings rely on country information that was not disclosed to the claimant: {}; send evidence.disclose-country-info",
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

/// I6: nobody is excluded without a finding that says so.
fn exclusion_fits(case: &Case, decision: &Issue) -> Result<(), Rejection> {
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
    Ok(())
}

/// I5: nobody is refused while the outcome is undetermined. Returns the criteria that stay
/// undetermined and do not matter.
fn refusal_is_determined(
    case: &Case,
    latest: &Assessment,
    decision: &Issue,
    context: &Context<'_>,
) -> Result<Vec<Criterion>, Rejection> {
    let mut converted = BTreeSet::new();
    for onus in &decision.onus {
        let open = latest.open.iter().any(|leaf| leaf == onus.criterion.as_str());
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
    let denies = matches!(decision.outcome, DecisionOutcome::Refused | DecisionOutcome::Excluded);
    if !denies && !converted.is_empty() {
        return refuse(Code::OnusUnfit, "a finding on the onus belongs to a refusal only");
    }
    if denies && latest.outcome == Outcome::Undetermined {
        let outcome = context.law.with_onus(case, latest, &converted)?;
        if DecisionOutcome::from_proposal(outcome) != Some(decision.outcome) {
            return refuse(
                Code::Undetermined,
                format!(
                    "the outcome is {outcome}; open criteria: {}. Ask further, or find on the onus with reasons",
                    latest.open.join(", ")
                ),
            );
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

/// I10: a departure is reasoned, and only a departure is. A finding on the onus is no departure:
/// it has reasons of its own.
fn departure_fits(latest: &Assessment, decision: &Issue) -> Result<(), Rejection> {
    let follows = DecisionOutcome::from_proposal(latest.outcome) == Some(decision.outcome)
        || (latest.outcome == Outcome::Undetermined && !decision.onus.is_empty());
    if follows == decision.departure.is_some() {
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

fn notify(case: &Case, service: &Notify) -> Result<Event, Rejection> {
    let decision =
        need(case.decisions.standing(), Code::NoDecision, "there is no decision to serve")?;
    if decision.notified.is_some() {
        return refuse(Code::AlreadyNotified, "service of this decision is proved already");
    }
    let served = day(&service.served, "served")?;
    if day(&service.appeal_deadline, "appeal_deadline")? < served {
        return refuse(Code::DateUnfit, "appeal_deadline is before the day of service");
    }
    Ok(Event::DecisionNotified(Box::new(service.clone())))
}

/// A whole day, or the refusal that says which field is less exact.
pub(crate) fn day(date: &WorldDate, field: &str) -> Result<Date, Rejection> {
    need(date.exact_day(), Code::DateUnfit, &format!("{field} must be a whole day (YYYY-MM-DD)"))
}

/// Applies an event of decisions.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    match event {
        Event::DecisionIssued(issued) => case.decisions.all.push(Decision {
            version: stamp.version,
            by: stamp.by.id.clone(),
            outcome: issued.outcome,
            grounds: issued.grounds.clone(),
            assessment: issued.assessment,
            departs: issued.departure.is_some(),
            seen: issued.seen,
            notified: None,
            set_aside: None,
        }),
        Event::DecisionNotified(service) => {
            if let Some(decision) = case.decisions.all.last_mut() {
                decision.notified = Some(Notified {
                    version: stamp.version,
                    served: service.served.clone(),
                    appeal_deadline: service.appeal_deadline.clone(),
                });
            }
        }
    }
}
