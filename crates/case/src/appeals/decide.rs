//! The rules of appeals.

use jiff::civil::Date;

use super::{AppealFiled, Command, DecideAppeal, Event, FileAppeal, RuleLateFiling, hearings};
use crate::decide::Context;
use crate::decisions::{day, day_since};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, need};
use crate::vocabulary::{AppealResult, DeadlineKind};
use crate::{AppealId, Version, seen};

/// Decides a command of appeals.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.open()?;
    match command {
        Command::FileAppeal(filing) => file(case, filing, context),
        Command::RuleLateFiling(ruling) => rule_late_filing(case, ruling, context),
        Command::DecideAppeal(ruling) => decide_appeal(case, ruling, context),
        Command::DetermineSuspension(one) => {
            hearings::determine(case, one, context)?;
            Ok(Event::SuspensiveEffectDetermined(one.clone()))
        }
        Command::ListHearing(one) => {
            hearings::list(case, one)?;
            Ok(Event::HearingListed(one.clone()))
        }
        Command::AdjournHearing(one) => {
            hearings::adjourn(case, one)?;
            Ok(Event::HearingAdjourned(one.clone()))
        }
        Command::HoldHearing(one) => {
            hearings::hold(case, one, context)?;
            Ok(Event::HearingHeld(one.clone()))
        }
        Command::SeekPermission(one) => hearings::seek(case, one, context),
        Command::DecidePermission(one) => {
            hearings::decide_permission(case, one, context)?;
            Ok(Event::PermissionDecided(one.clone()))
        }
    }
}

fn file(case: &Case, filing: &FileAppeal, context: &Context<'_>) -> Result<Event, Rejection> {
    let decision =
        need(case.decisions.standing(), Code::NoDecision, "there is no decision to appeal")?;
    if case.appeals.all.iter().any(|appeal| appeal.id == filing.appeal) {
        return refuse(
            Code::AppealExists,
            format!("{} names an appeal already; choose a new id", filing.appeal),
        );
    }
    if case.appeals.all.iter().any(|appeal| appeal.decision == decision.version) {
        return refuse(
            Code::AppealPending,
            "this decision was appealed already; the appeal is pending or was ruled on",
        );
    }
    let filed = day_since(&filing.filed, "filed", &decision.on, "the decision was issued on")?;
    let notified = decision.notified.as_ref();
    let deadline = notified.and_then(|notified| notified.appeal_deadline.exact_day());
    let served = notified.map_or(decision.version, |notified| notified.version);
    let extended = began_within(case, DeadlineKind::Appeal, served, filed, context);
    Ok(Event::AppealFiled(Box::new(AppealFiled {
        appeal: filing.appeal,
        grounds: filing.grounds.clone(),
        filed: filing.filed.clone(),
        decision: decision.version,
        in_time: extended || deadline.is_none_or(|last| filed <= last),
    })))
}

/// Whether a day began, where the authority sits, within the time that was given since an event.
pub(super) fn began_within(
    case: &Case,
    kind: DeadlineKind,
    since: Version,
    day: Date,
    context: &Context<'_>,
) -> bool {
    let began = context.law.begins(case, day);
    case.deadlines.given(kind, since).is_some_and(|due| began.is_some_and(|began| began < due))
}

/// I2: the judge took no earlier part; what belongs to this same appeal is no earlier part.
pub(super) fn free_of_earlier_part(
    case: &Case,
    appeal: AppealId,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if case.took_part_before(&context.by.id, appeal) {
        return refuse(
            Code::TookPart,
            "the actor took an earlier part in this case and may not decide the appeal",
        );
    }
    Ok(())
}

fn rule_late_filing(
    case: &Case,
    ruling: &RuleLateFiling,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let appeal = case.appeals.one(ruling.appeal)?;
    free_of_earlier_part(case, ruling.appeal, context)?;
    if appeal.in_time || appeal.late.is_some() || !appeal.pending() {
        return refuse(
            Code::NothingToRule,
            "the appeal was filed in time, or was ruled on already",
        );
    }
    Ok(Event::LateFilingRuled(Box::new(ruling.clone())))
}

fn decide_appeal(
    case: &Case,
    ruling: &DecideAppeal,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let appeal = case.appeals.one(ruling.appeal)?;
    free_of_earlier_part(case, ruling.appeal, context)?;
    if !appeal.pending() {
        return refuse(Code::NotPending, "the appeal is not pending");
    }
    if appeal.before_the_next_court() {
        hearings::not_the_first_judge(case, appeal, context)?;
    }
    if !appeal.in_time && appeal.late.is_none() {
        return refuse(
            Code::LateNotRuled,
            "the appeal was filed late: rule on that first with appeals.rule-late-filing",
        );
    }
    let states = matches!(ruling.result, AppealResult::Allowed | AppealResult::Substituted);
    if states != ruling.outcome.is_some() {
        return refuse(
            Code::OutcomeUnfit,
            "an outcome is stated with allowed and substituted, and not otherwise",
        );
    }
    for held in &ruling.per_criterion {
        context.law.known_criterion(case, &held.criterion)?;
    }
    if let Some(deadline) = &ruling.onward_deadline {
        day(deadline, "onward_deadline")?;
    }
    let seen = seen::shown(case, ruling.seen, appeal.version)?;
    Ok(Event::AppealDecided(Box::new(DecideAppeal { seen, ..ruling.clone() })))
}
