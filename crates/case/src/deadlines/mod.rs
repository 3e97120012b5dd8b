//! Deadlines: clocks that run in a case, set and extended by people and expired by a timer.
//!
//! A timer knows no rules. It reads what runs, waits, and sends `deadlines.expire` with the id that
//! [`expiry_command`] derives: sent twice it gets the first answer (I22), and after an extension
//! the instant that it names is no longer the one that counts.

mod running;

pub(crate) use running::changes;
pub use running::{Ended, Running, State, expiry_command, follow};

use crate::catalogue::{commands, events};
use crate::clocks::Limit;
use crate::decide::Context;
use crate::decisions::day;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, need};
use crate::token::ClocksId;
use crate::vocabulary::{Circumstance, DeadlineKind, PermissionResult};
use crate::{DeadlineId, Instant, Version, WorldDate};

/// Sets a deadline.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct SetDeadline {
    /// The deadline's id, chosen by the sender.
    pub deadline: DeadlineId,
    /// What it is for.
    pub kind: DeadlineKind,
    /// The first instant at which it is over; computed by the clocks of the profile where nothing
    /// is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// The event that set the clock running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concerns: Option<Version>,
    /// The day after which time runs, where it is computed; the day of the command where nothing
    /// is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WorldDate>,
    /// The circumstance under which time runs; the ordinary one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<Circumstance>,
}

/// A deadline was set.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DeadlineSet {
    /// The deadline's id.
    pub deadline: DeadlineId,
    /// What it is for.
    pub kind: DeadlineKind,
    /// The first instant at which it is over.
    pub due: Instant,
    /// The event that set the clock running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concerns: Option<Version>,
    /// The day after which time runs, where it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WorldDate>,
    /// The clocks by which it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClocksId>,
}

/// Gives a running deadline more time.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ExtendDeadline {
    /// The deadline.
    pub deadline: DeadlineId,
    /// The instant at which it is over now; later than before.
    pub due: Instant,
    /// Why.
    pub reason: Personal<Words>,
}

/// Says that a deadline ran out.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ExpireDeadline {
    /// The deadline.
    pub deadline: DeadlineId,
    /// The instant for which the timer waited; refused if the deadline was extended since.
    pub due: Instant,
}

commands! {
    service "deadlines" as Deadlines;
    SetDeadline = "set", "Sets a deadline.",
        by [Registry, Caseworker, DecisionMaker, AppealJudge, Service], personal [];
    ExtendDeadline = "extend", "Gives a running deadline more time.",
        by [Registry, Caseworker, DecisionMaker, AppealJudge], personal [("reason", Words)];
    ExpireDeadline = "expire", "Says that a deadline ran out.",
        by [Service], personal [];
}

/// A deadline was extended.
pub type DeadlineExtended = ExtendDeadline;
/// A deadline ran out.
pub type DeadlineExpired = ExpireDeadline;

events! {
    service "deadlines" as Deadlines;
    DeadlineSet = "set", "A deadline was set.";
    DeadlineExtended = "extended", "A deadline was extended.";
    DeadlineExpired = "expired", "A deadline ran out.";
}

/// Decides a command of deadlines. Clocks run also in a case that is withdrawn or closed, such as
/// the one of a later review.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.exists()?;
    match command {
        Command::SetDeadline(deadline) => set(case, deadline, context),
        Command::ExtendDeadline(deadline) => extend(case, deadline),
        Command::ExpireDeadline(deadline) => expire(case, deadline, context),
    }
}

fn set(case: &Case, deadline: &SetDeadline, context: &Context<'_>) -> Result<Event, Rejection> {
    if case.deadlines.knows(deadline.deadline) {
        return refuse(Code::DeadlineExists, "the id names a deadline already; choose a new one");
    }
    if deadline.concerns.is_some_and(|event| event > case.version || event == Version(0)) {
        return refuse(Code::NoSuchEvent, "concerns names an event that the case does not have");
    }
    // The time to take a claim up again runs from when it counted as withdrawn.
    let gone = case.registry.later.implicit.as_ref().and_then(|implicit| implicit.on.last_day());
    if let (DeadlineKind::Reinstatement, Some(due), Some(gone)) =
        (deadline.kind, deadline.due, gone)
        && context.law.begins(case, gone).is_some_and(|begins| due <= begins)
    {
        return refuse(
            Code::DateUnfit,
            format!("due is {due}, and the claim was there until {gone}"),
        );
    }
    let (id, kind, concerns) = (deadline.deadline, deadline.kind, deadline.concerns);
    let set = if let Some(due) = deadline.due {
        DeadlineSet { deadline: id, kind, due, concerns, from: None, clocks: None }
    } else {
        let from = match &deadline.from {
            Some(from) => day(from, "from")?,
            None => context.day()?,
        };
        let circumstance = deadline.circumstance.unwrap_or(Circumstance::Ordinary);
        let computed = need(
            context.law.time_limit(case, limit(case, kind), circumstance, from),
            Code::NoClock,
            "the profile has no clock of this kind: state due",
        )?;
        DeadlineSet {
            deadline: id,
            kind,
            due: computed.over,
            concerns,
            from: Some(WorldDate::day(from)),
            clocks: Some(computed.clocks),
        }
    };
    Ok(Event::DeadlineSet(Box::new(set)))
}

/// The time limit of a kind as the case stands: that to go further is of the courts that ruled.
pub(crate) fn limit(case: &Case, kind: DeadlineKind) -> Limit {
    let standing = case.decisions.standing();
    let appeal = standing.and_then(|decision| case.appeals.against(decision.version));
    let refused = appeal.and_then(|appeal| appeal.onward.as_ref()?.result);
    Limit {
        kind,
        rung: appeal.map_or(1, |appeal| appeal.courts().max(1)),
        again: refused == Some(PermissionResult::Refused),
    }
}

/// The deadline, if it runs.
fn running(case: &Case, id: DeadlineId) -> Result<&Running, Rejection> {
    if let Some(found) = case.deadlines.running(id) {
        return Ok(found);
    }
    match case.deadlines.ended(id) {
        Some(ended) => refuse(
            Code::DeadlineEnded,
            format!("the deadline ended with version {}: {}", ended.version, ended.how),
        ),
        None => refuse(Code::UnknownDeadline, format!("the case has no deadline {id}")),
    }
}

fn extend(case: &Case, deadline: &ExtendDeadline) -> Result<Event, Rejection> {
    let running = running(case, deadline.deadline)?;
    if deadline.due <= running.due {
        return refuse(
            Code::DateUnfit,
            format!("the deadline is due at {}; an extension gives more time", running.due),
        );
    }
    Ok(Event::DeadlineExtended(Box::new(deadline.clone())))
}

fn expire(
    case: &Case,
    deadline: &ExpireDeadline,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let running = running(case, deadline.deadline)?;
    if deadline.due != running.due {
        return refuse(
            Code::DeadlineMoved,
            format!("the deadline is due at {}, not at {}", running.due, deadline.due),
        );
    }
    if context.occurred.instant().is_none_or(|at| at < running.due) {
        return refuse(
            Code::NotDue,
            format!("the deadline expires at {}; occurred is that instant or later", running.due),
        );
    }
    Ok(Event::DeadlineExpired(Box::new(deadline.clone())))
}
