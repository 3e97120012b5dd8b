//! The rules of appeals.

use jiff::civil::Date;

use super::{
    Appeal, AppealDecided, AppealFiled, AppealWithdrawn, Command, DecideAppeal, Event, FileAppeal,
    LateFilingRuled, RuleLateFiling, WithdrawAppeal, hearings,
};
use crate::clocks::{Computed, Limit};
use crate::decide::Context;
use crate::decisions::{day, day_since};
use crate::intake::{no_child_alone, represents};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, need};
use crate::vocabulary::{AppealResult, Circumstance, DeadlineKind, LateRuling, Role, TakenBack};
use crate::{AppealId, Version, WorldDate, seen};

/// Decides a command of appeals.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    // I12: that a file was closed stands in nobody's way.
    if matches!(command, Command::FileAppeal(_) | Command::SeekPermission(_)) {
        case.challengeable()?;
    } else {
        case.open()?;
    }
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
        Command::DecidePermission(one) => hearings::decide_permission(case, one, context),
        Command::WithdrawAppeal(one) => {
            let what = withdraw(case, one, context)?;
            let (appeal, reason) = (one.appeal, one.reason.clone());
            Ok(Event::AppealWithdrawn(Box::new(AppealWithdrawn { appeal, what, reason })))
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
    let filed = day_since(&filing.filed, "filed", &decision.on, "the decision was issued on")?;
    if let Some(before) = case.appeals.against(decision.version)
        && !begins_anew(case, before, filed, context)
    {
        return refuse(
            Code::AppealPending,
            "this decision was appealed already; the appeal is pending or was ruled on",
        );
    }
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

/// Whether time to appeal was given again after an appeal was rejected as late, such as where service turned out
/// to be defective, and a day lies in it. What is pending on the one before goes first.
fn begins_anew(case: &Case, before: &Appeal, day: Date, context: &Context<'_>) -> bool {
    let Some((_, ruled)) = before.late_ruled.as_ref() else { return false };
    let over = before.ended() && !before.pending() && !before.permission_pending();
    let late = over && before.ruling.is_none();
    late && began_within(case, DeadlineKind::Appeal, *ruled, day, context)
}

/// Whoever asked may take it back: the claimant the appeal, and each side its own asking to go further.
fn withdraw(
    case: &Case,
    one: &WithdrawAppeal,
    context: &Context<'_>,
) -> Result<TakenBack, Rejection> {
    represents(case, context)?;
    if context.by.role != Role::DecisionMaker {
        no_child_alone(case)?;
    }
    let appeal = case.appeals.one(one.appeal)?;
    let what = if appeal.permission_pending() {
        TakenBack::Permission
    } else if appeal.lapsed.is_none() && appeal.before_the_next_court() {
        TakenBack::OnwardAppeal
    } else if appeal.pending() {
        TakenBack::Appeal
    } else {
        return refuse(Code::NotPending, "nothing is pending that could be withdrawn");
    };
    let onward = appeal.onward.as_ref().filter(|_| what != TakenBack::Appeal);
    let authoritys = onward.is_some_and(|onward| onward.by == Role::DecisionMaker);
    if authoritys != (context.by.role == Role::DecisionMaker) {
        return refuse(
            Code::NotTheirs,
            "the other side asked for it, and only that side withdraws it",
        );
    }
    Ok(what)
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

/// I1: the rejection of a late appeal is a ruling that may be taken further like another.
fn rule_late_filing(
    case: &Case,
    ruling: &RuleLateFiling,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let appeal = case.appeals.one(ruling.appeal)?;
    free_of_earlier_part(case, ruling.appeal, context)?;
    if appeal.given_back() {
        hearings::not_the_first_judge(case, appeal, context)?;
    }
    if appeal.in_time || appeal.late.is_some() || !appeal.pending() {
        return refuse(
            Code::NothingToRule,
            "the appeal was filed in time, or was ruled on already",
        );
    }
    let rejected = ruling.ruling == LateRuling::Rejected
        && case.outcome().is_none_or(|outcome| !outcome.protects());
    let ruled = context.occurred.exact_day().filter(|_| rejected);
    let from = ruled.map(|ruled| appeal.days().fold(ruled, Date::max));
    let limit = Limit::onward(appeal.courts().saturating_add(1), false);
    let (circumstance, computed) =
        from.and_then(|from| onward_limit(case, limit, from, context)).unzip();
    Ok(Event::LateFilingRuled(Box::new(LateFilingRuled {
        appeal: ruling.appeal,
        ruling: ruling.ruling,
        reason: ruling.reason.clone(),
        onward_deadline: computed.as_ref().map(|computed| WorldDate::day(computed.last)),
        from: from.filter(|_| computed.is_some() && from != ruled).map(WorldDate::day),
        circumstance: circumstance.filter(|it| *it != Circumstance::Ordinary),
        over: computed.as_ref().map(|computed| computed.over),
        clocks: computed.map(|computed| computed.clocks),
    })))
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
    if appeal.before_the_next_court() || appeal.given_back() {
        hearings::not_the_first_judge(case, appeal, context)?;
    }
    if ruling.to.is_some()
        && !(ruling.result == AppealResult::Remitted && appeal.before_the_next_court())
    {
        return refuse(
            Code::RemittalUnfit,
            "to says to which court a next court remits; there is none below this one",
        );
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
    if ruling.result == AppealResult::Allowed
        && !appeal.before_the_next_court()
        && ruling.outcome.is_some_and(|outcome| !outcome.protects())
    {
        return refuse(
            Code::OutcomeUnfit,
            "an appeal that is allowed gives protection; another outcome is substituted",
        );
    }
    // Whoever asks for more does not lose by asking what protects.
    let authoritys = appeal.before_the_next_court()
        && appeal.onward.as_ref().is_some_and(|onward| onward.by == Role::DecisionMaker);
    if let Some(stands) = case.outcome().filter(|stands| stands.protects() && !authoritys)
        && ruling.outcome.is_some_and(|outcome| !outcome.protects())
    {
        return refuse(
            Code::OutcomeUnfit,
            format!(
                "{stands} stands, and only the claimant asked: on that appeal it is not taken away; a \
                 review of the status may end it"
            ),
        );
    }
    for held in &ruling.per_criterion {
        context.law.known_criterion(case, &held.criterion)?;
    }
    let seen = seen::shown(case, ruling.seen, appeal.version)?;
    let time = time_to_go_further(case, appeal, ruling, context)?;
    Ok(Event::AppealDecided(Box::new(AppealDecided {
        appeal: ruling.appeal,
        result: ruling.result,
        to: ruling.to,
        outcome: ruling.outcome,
        per_criterion: ruling.per_criterion.clone(),
        reasons: ruling.reasons.clone(),
        // A day that was only stated is over where it is over everywhere.
        over: time
            .last
            .filter(|_| time.computed.is_some())
            .and_then(|last| context.law.over(case, last)),
        onward_deadline: time
            .last
            .map(|last| ruling.onward_deadline.clone().unwrap_or_else(|| WorldDate::day(last))),
        computed: time.computed.as_ref().map(|computed| WorldDate::day(computed.last)),
        from: time.from.map(WorldDate::day),
        circumstance: time.circumstance,
        clocks: time.computed.map(|computed| computed.clocks),
        seen,
    })))
}

/// The time to go to the next court.
struct OnwardTime {
    last: Option<Date>,
    from: Option<Date>,
    circumstance: Option<Circumstance>,
    computed: Option<Computed>,
}

/// I11: where what stands does not protect, time is computed by the profile's clock from the day of the
/// ruling, and nobody gets less.
fn time_to_go_further(
    case: &Case,
    appeal: &Appeal,
    ruling: &DecideAppeal,
    context: &Context<'_>,
) -> Result<OnwardTime, Rejection> {
    let stated = ruling.onward_deadline.as_ref();
    let stated = stated.map(|stated| day(stated, "onward_deadline")).transpose()?;
    let stands = match ruling.result {
        AppealResult::Remitted => {
            return Ok(OnwardTime { last: stated, from: None, circumstance: None, computed: None });
        }
        AppealResult::Allowed | AppealResult::Substituted => ruling.outcome,
        AppealResult::Dismissed => appeal.ruling.as_ref().and_then(|before| before.outcome),
    };
    let stands = stands.or_else(|| case.decisions.standing().map(|decision| decision.outcome));
    let needed = stands.is_none_or(|outcome| !outcome.protects());
    let ruled = context.occurred.exact_day().filter(|_| needed);
    let from = ruled.map(|ruled| appeal.days().fold(ruled, Date::max));
    let limit = Limit::onward(appeal.courts().saturating_add(1), false);
    let (circumstance, computed) =
        from.and_then(|from| onward_limit(case, limit, from, context)).unzip();
    if let Some((stated, computed)) = stated.zip(computed.as_ref())
        && stated < computed.last
    {
        return refuse(
            Code::DeadlineShort,
            format!(
                "time to go further runs until {} by the clocks of the profile; {stated} gives less",
                computed.last
            ),
        );
    }
    let last = stated.or_else(|| computed.as_ref().map(|computed| computed.last));
    Ok(OnwardTime {
        last,
        from: from.filter(|from| computed.is_some() && Some(*from) != ruled),
        circumstance: circumstance.filter(|it| *it != Circumstance::Ordinary),
        computed,
    })
}

/// The time to go further from a day on. Who had more time to appeal, as from abroad, has it again.
pub(super) fn onward_limit(
    case: &Case,
    limit: Limit,
    from: Date,
    context: &Context<'_>,
) -> Option<(Circumstance, Computed)> {
    let computes = |circumstance| {
        let limit = context.law.time_limit(case, limit, circumstance, from)?;
        Some((circumstance, limit))
    };
    let served = case.decisions.standing().and_then(|decision| decision.notified.as_ref());
    let other = served.and_then(|served| computes(served.circumstance?));
    other.into_iter().chain(computes(Circumstance::Ordinary)).max_by_key(|(_, limit)| limit.last)
}
