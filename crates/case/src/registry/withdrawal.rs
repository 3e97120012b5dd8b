//! A claim that counts as withdrawn without the claimant's word, and its way back (I13).

use jiff::civil::Date;

use super::{Event, WithdrawalWarned};
use crate::decide::Context;
use crate::decisions::{day, day_since};
use crate::evidence::Interview;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::removal;
use crate::state::{Case, need};
use crate::token::{ClocksId, Language};
use crate::vocabulary::{
    Circumstance, DeadlineKind, Excuse, InterviewStage, ServiceMethod, WarningCause,
};
use crate::{Instant, Version, WorldDate};

/// Warns the claimant that the claim may count as withdrawn.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WarnWithdrawal {
    /// Why.
    pub cause: WarningCause,
    /// How the warning was served.
    pub method: ServiceMethod,
    /// In which language.
    pub language: Language,
    /// On which day service is proved.
    pub served: WorldDate,
    /// The last day for an answer; computed by the clocks of the profile where nothing is said.
    /// More time than computed may be given, never less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond_by: Option<WorldDate>,
}

/// Records that the claimant answered the warning.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AnswerWarning {
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Personal<Words>>,
}

/// Records that the claim counts as withdrawn without the claimant's word (I13).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WithdrawImplicitly {
    /// Why.
    pub reason: Personal<Words>,
}

/// The claim counts as withdrawn.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ClaimWithdrawnImplicitly {
    /// Why.
    pub reason: Personal<Words>,
    /// The event that warned.
    pub warning: Version,
    /// The last day on which it may be taken up again; absent where the profile has no clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstatable_until: Option<WorldDate>,
    /// The clocks by which that was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClocksId>,
    /// The first instant at which it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Instant>,
}

/// Takes up a claim again that counted as withdrawn.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ReinstateClaim {
    /// Why.
    pub reason: Personal<Words>,
}

/// A warning that the claim may count as withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Warning {
    /// The event.
    pub version: Version,
    /// Of what.
    pub cause: WarningCause,
    /// The last day for an answer.
    pub respond_by: WorldDate,
    /// The first instant at which the time to answer is over, where that was kept.
    pub over: Option<Instant>,
}

/// An implicit withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Implicit {
    /// The event.
    pub version: Version,
    /// When, in the world.
    pub on: WorldDate,
    /// The first instant at which it may no longer be taken up again, where that is known.
    pub over: Option<Instant>,
}

pub(super) fn warn(
    case: &Case,
    warning: &WarnWithdrawal,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.alive()?;
    case.undecided()?;
    if warning.cause == WarningCause::NotLodged && case.intake.lodged.is_some() {
        return refuse(
            Code::AlreadyLodged,
            "the claim was lodged; nothing of that kind is missing",
        );
    }
    if let Some(warned) = &case.registry.later.warning {
        return refuse(
            Code::WarningStands,
            format!("the warning of version {} stands unanswered", warned.version),
        );
    }
    let served = match case.intake.begun() {
        Some(begun) => day_since(&warning.served, "served", begun, "the claim was made on")?,
        None => day(&warning.served, "served")?,
    };
    if warning.cause == WarningCause::NotAttended && !missed_an_interview(case, served) {
        return refuse(
            Code::InterviewStageUnfit,
            "no interview was missed without an accepted excuse; nothing of that kind is missing",
        );
    }
    let (kind, circumstance) = (DeadlineKind::Response, Circumstance::Ordinary);
    let computed = context.law.time_limit(case, kind, circumstance, served);
    let stated = warning.respond_by.as_ref().map(|by| day(by, "respond_by")).transpose()?;
    let soonest = computed.as_ref().map_or(served, |computed| computed.last);
    let last = match (stated, &computed) {
        (None, None) => {
            return refuse(
                Code::ResponseTimeUnknown,
                "the profile has no clock for an answer: state respond_by",
            );
        }
        (None, Some(computed)) => computed.last,
        (Some(stated), _) if stated < soonest || stated <= served => {
            return refuse(
                Code::ResponseTimeShort,
                format!("the claimant has until {soonest}, and at soonest a day, to answer"),
            );
        }
        (Some(stated), _) => stated,
    };
    Ok(Event::WithdrawalWarned(Box::new(WithdrawalWarned {
        cause: warning.cause,
        method: warning.method,
        language: warning.language.clone(),
        served: warning.served.clone(),
        respond_by: WorldDate::day(last),
        clocks: computed.map(|computed| computed.clocks),
        over: context.law.over(case, last),
    })))
}

/// Where interviews are kept here, the claimant did not come to one of them by that day, and was not
/// excused (I13).
fn missed_an_interview(case: &Case, by: Date) -> bool {
    let missed = |one: &Interview| match one.stage {
        InterviewStage::Missed => {
            matches!(one.excuse, None | Some(Excuse::NoneGiven | Excuse::NotAccepted))
        }
        InterviewStage::Scheduled => one.at.earliest_day().is_none_or(|day| day <= by),
        InterviewStage::Held => false,
    };
    let interviews = &case.evidence.interviews;
    interviews.is_empty() || interviews.values().any(missed)
}

/// The day of an interview that is still to come.
fn interview_ahead(case: &Case, today: Date) -> Option<&WorldDate> {
    let mut scheduled = case.evidence.interviews.values();
    let ahead = scheduled.find(|one| {
        one.stage == InterviewStage::Scheduled && one.at.latest_day().is_some_and(|day| day > today)
    });
    ahead.map(|interview| &interview.at)
}

pub(super) fn answer(case: &Case) -> Result<(), Rejection> {
    case.alive()?;
    let warning = case.registry.later.warning.as_ref();
    need(warning, Code::NotWarned, "no warning waits for an answer").map(|_| ())
}

/// I13: warned, and the time to answer ran out.
pub(super) fn withdraw(
    case: &Case,
    withdrawal: &WithdrawImplicitly,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.alive()?;
    case.undecided()?;
    let warning = need(
        case.registry.later.warning.as_ref(),
        Code::NotWarned,
        "the claimant was not warned; send registry.warn-withdrawal and leave time to answer",
    )?;
    let (today, at) = (context.day()?, context.at(case)?);
    if let Some(ahead) = interview_ahead(case, today) {
        return refuse(
            Code::ResponseTimeRuns,
            format!("an interview is set for {ahead}; the claimant may come to it"),
        );
    }
    if let Some(runs) = removal::answerable(case, warning, at) {
        return refuse(Code::ResponseTimeRuns, runs);
    }
    let (kind, circumstance) = (DeadlineKind::Reinstatement, Circumstance::Ordinary);
    let computed = context.law.time_limit(case, kind, circumstance, today);
    Ok(Event::ClaimWithdrawnImplicitly(Box::new(ClaimWithdrawnImplicitly {
        reason: withdrawal.reason.clone(),
        warning: warning.version,
        reinstatable_until: computed.as_ref().map(|computed| WorldDate::day(computed.last)),
        over: computed.as_ref().map(|computed| computed.over),
        clocks: computed.map(|computed| computed.clocks),
    })))
}

/// A claim that counted as withdrawn is taken up where it stood. The time for it protects the
/// claimant and does not bind the authority, which may reinstate later too.
pub(super) fn reinstate(case: &Case) -> Result<(), Rejection> {
    case.exists()?;
    if case.registry.closed.is_some() {
        return refuse(Code::FileClosed, "the file is closed; reopen the claim instead");
    }
    let withdrawn = case.intake.withdrawn;
    need(
        case.registry.later.implicit.as_ref().filter(|one| Some(one.version) == withdrawn),
        Code::NothingToReinstate,
        "the claim does not count as withdrawn; one that the claimant withdrew is reopened",
    )
    .map(|_| ())
}
