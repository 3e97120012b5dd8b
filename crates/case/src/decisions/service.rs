//! Service of a decision, from which time to appeal runs, and its withdrawal.

use jiff::civil::Date;

use super::{Event, Issued, Notified, day, day_since};
use crate::clocks::Computed;
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ClocksId, Language};
use crate::vocabulary::{
    Circumstance, DeadlineKind, NotificationFailure, Safeguard, ServiceMethod, WithdrawnBy,
};
use crate::{Instant, WorldDate};

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
    /// The last day for an appeal; computed by the clocks of the profile where nothing is said.
    /// More time than computed may be given, never less (I11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal_deadline: Option<WorldDate>,
    /// The circumstance under which time runs; the ordinary one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<Circumstance>,
}

/// The decision was served.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DecisionNotified {
    /// How it was served.
    pub method: ServiceMethod,
    /// In which language.
    pub language: Language,
    /// On which day service is proved.
    pub served: WorldDate,
    /// The last day for an appeal.
    pub appeal_deadline: WorldDate,
    /// The circumstance under which time runs, where it is not the ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<Circumstance>,
    /// The last day as the clocks of the profile compute it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<WorldDate>,
    /// The clocks by which it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClocksId>,
    /// The first instant at which the time to appeal is over; absent in records from before
    /// clocks were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Instant>,
}

/// Records that an attempt to serve the decision failed.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FailNotification {
    /// How it was attempted.
    pub method: ServiceMethod,
    /// When.
    pub attempted: WorldDate,
    /// Why it failed.
    pub cause: NotificationFailure,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Withdraws the decision.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WithdrawDecision {
    /// On whose motion.
    pub by: WithdrawnBy,
    /// Why.
    pub reason: Personal<Words>,
}

pub(super) fn notify(
    case: &Case,
    service: &Notify,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    // Also where the claim was withdrawn: a decision that stands is served.
    case.not_closed()?;
    let decision =
        need(case.decisions.standing(), Code::NoDecision, "there is no decision to serve")?;
    if decision.notified.is_some() {
        return refuse(
            Code::AlreadyNotified,
            "service of this decision is proved already; where it was defective, give time with deadlines.set, kind appeal",
        );
    }
    // I11: time runs from service, and nothing is served before it is issued.
    let served = day_since(&service.served, "served", &decision.on, "the decision was issued on")?;
    if decision.issued == Issued::StatusEnded
        && let Some(noticed) = case.decisions.reviews.last().and_then(|last| last.noticed.as_ref())
    {
        day_since(&service.served, "served", noticed, "notice of the review was served on")?;
    }
    let circumstance = service.circumstance.unwrap_or(Circumstance::Ordinary);
    let safeguards = &mut case.intake.needs.values().flatten();
    if circumstance == Circumstance::Accelerated
        && safeguards.any(|one| *one == Safeguard::OrdinaryProcedure)
    {
        return refuse(
            Code::DeadlineShort,
            "the ordinary procedure was promised as a safeguard; its time runs, not the accelerated one",
        );
    }
    let computed = context.law.time_limit(case, DeadlineKind::Appeal, circumstance, served);
    let last = last_day(served, service.appeal_deadline.as_ref(), computed.as_ref())?;
    Ok(Event::DecisionNotified(Box::new(DecisionNotified {
        method: service.method,
        language: service.language.clone(),
        served: service.served.clone(),
        appeal_deadline: service.appeal_deadline.clone().unwrap_or_else(|| WorldDate::day(last)),
        circumstance: service.circumstance,
        computed: computed.as_ref().map(|computed| WorldDate::day(computed.last)),
        clocks: computed.as_ref().map(|computed| computed.clocks.clone()),
        over: context.law.over(case, last),
    })))
}

/// I11: time runs from proved service and is computed by the profile's clocks. Nobody gets less.
fn last_day(
    served: Date,
    stated: Option<&WorldDate>,
    computed: Option<&Computed>,
) -> Result<Date, Rejection> {
    let stated = stated.map(|stated| day(stated, "appeal_deadline")).transpose()?;
    if stated.is_some_and(|stated| stated < served) {
        return refuse(Code::DateUnfit, "appeal_deadline is before the day of service");
    }
    match (stated, computed) {
        (None, None) => refuse(
            Code::DeadlineUnknown,
            "the profile has no clock for an appeal: state appeal_deadline",
        ),
        (None, Some(computed)) => Ok(computed.last),
        (Some(stated), Some(computed)) if stated < computed.last => refuse(
            Code::DeadlineShort,
            format!(
                "time runs from service on {served} until {} by the clocks of the profile; {stated} gives less",
                computed.last
            ),
        ),
        (Some(stated), _) => Ok(stated),
    }
}

pub(super) fn fail(case: &Case, failed: &FailNotification) -> Result<(), Rejection> {
    case.open()?;
    let decision =
        need(case.decisions.standing(), Code::NoDecision, "there is no decision to serve")?;
    if decision.notified.is_some() {
        return refuse(Code::AlreadyNotified, "service of this decision is proved already");
    }
    day_since(&failed.attempted, "attempted", &decision.on, "the decision was issued on")
        .map(|_| ())
}

/// A decision is withdrawn as long as no tribunal ruled on it. What was granted is not taken back
/// so: a status ends by its review, with notice, hearing and appeal.
pub(super) fn withdraw(case: &Case) -> Result<(), Rejection> {
    case.open()?;
    let decision =
        need(case.decisions.standing(), Code::NoDecision, "there is no decision to withdraw")?;
    if case.appeals.ruling_on(decision.version).is_some() {
        return refuse(Code::AppealRuled, "the tribunal ruled on the decision; it stands as ruled");
    }
    if decision.issued == Issued::StatusEnded {
        return refuse(
            Code::StatusStands,
            "the end of a status is not withdrawn; reopen the claim or leave it to the appeal",
        );
    }
    if decision.outcome.protects() && decision.notified.is_some() {
        return refuse(
            Code::StatusStands,
            "protection that was granted and served ends only by the review of the status",
        );
    }
    if case.decisions.status().is_some() {
        return refuse(Code::StatusStands, "a status stands on this decision; review it instead");
    }
    Ok(())
}

pub(super) fn notified(case: &mut Case, service: &DecisionNotified, stamp: &Stamp<'_>) {
    if let Some(decision) = case.decisions.all.last_mut() {
        decision.notified = Some(Notified {
            version: stamp.version,
            served: service.served.clone(),
            appeal_deadline: service.appeal_deadline.clone(),
            over: service.over,
            circumstance: service.circumstance,
        });
    }
}

pub(super) fn failed(case: &mut Case, stamp: &Stamp<'_>) {
    if let Some(decision) = case.decisions.all.last_mut() {
        decision.failed_services.push(stamp.version);
    }
}

/// The assessment is open again, in the same round and by the same people: nothing was remitted.
/// It is void, so that it must be completed and reviewed anew (I3). An appeal has nothing to
/// decide any more.
pub(super) fn withdrawn(case: &mut Case, stamp: &Stamp<'_>) {
    let Some(decision) = case.decisions.all.last_mut() else { return };
    decision.set_aside = Some(stamp.version);
    case.appeals.lapse(stamp.version);
    case.assessment.void(stamp.version);
    let since = super::came_back(case, stamp);
    case.assessment.goes_on_since(since);
}
