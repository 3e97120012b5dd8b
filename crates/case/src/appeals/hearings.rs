//! What happens on the way of an appeal: its effect meanwhile, its hearings, and the permission to
//! go further.

use jiff::civil::Date;

use super::decide::{began_within, free_of_earlier_part, onward_limit};
use super::{Appeal, Event, PermissionDecided, PermissionSought, Ruling};
use crate::clocks::Limit;
use crate::decide::Context;
use crate::decisions::{day, day_since};
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::vocabulary::{
    AdjournmentCause, AppealResult, Circumstance, DeadlineKind, HearingStage, PermissionResult,
    Role, SuspensiveEffect,
};
use crate::{AppealId, HearingId, Instant, Version, WorldDate};

/// Determines whether the appeal suspends what was decided. It says what the law of the appeal is;
/// whatever it says, nobody is cleared for removal while the appeal is pending (I1).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DetermineSuspension {
    /// The appeal.
    pub appeal: AppealId,
    /// The effect.
    pub effect: SuspensiveEffect,
    /// Why.
    pub reason: Personal<Words>,
}

/// Lists a hearing.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListHearing {
    /// The appeal.
    pub appeal: AppealId,
    /// The hearing's id, chosen by the sender.
    pub hearing: HearingId,
    /// When it is.
    pub at: WorldDate,
}

/// Adjourns a hearing.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AdjournHearing {
    /// The appeal.
    pub appeal: AppealId,
    /// The hearing.
    pub hearing: HearingId,
    /// Why.
    pub cause: AdjournmentCause,
    /// To when, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<WorldDate>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Records that a hearing was held.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct HoldHearing {
    /// The appeal.
    pub appeal: AppealId,
    /// The hearing.
    pub hearing: HearingId,
    /// Whether the appellant was there.
    pub attended: bool,
    /// The record of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Personal<Words>>,
}

/// Seeks the permission to go to the next court.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct SeekPermission {
    /// The appeal that was ruled on.
    pub appeal: AppealId,
    /// The grounds.
    pub grounds: Personal<Words>,
    /// The day on which it is sought.
    pub sought: WorldDate,
}

/// Decides whether the next court hears the appeal.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DecidePermission {
    /// The appeal.
    pub appeal: AppealId,
    /// The result.
    pub result: PermissionResult,
    /// The reasons.
    pub reasons: Personal<Words>,
}

/// A hearing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Hearing {
    /// Its id.
    pub id: HearingId,
    /// When it is, as far as that is known.
    pub at: Option<WorldDate>,
    /// Where it stands.
    pub stage: HearingStage,
    /// The event that brought it there.
    pub version: Version,
    /// When it was held, in the world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<WorldDate>,
}

/// The permission to go further.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Onward {
    /// The event that sought it.
    pub sought: Version,
    /// The day on which it was sought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sought_on: Option<WorldDate>,
    /// In which capacity it was sought: by the claimant's side or by the authority.
    pub by: Role,
    /// Whether it was sought within the time limit.
    pub in_time: bool,
    /// Whether it was refused before and is sought once more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renewed: bool,
    /// The first instant at which the time to seek it once more is over, where it was refused and there is
    /// such a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewable: Option<Instant>,
    /// The result.
    pub result: Option<PermissionResult>,
    /// The event that decided it.
    pub decided: Option<Version>,
    /// When that was, in the world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_on: Option<WorldDate>,
    /// The ruling of the next court.
    pub ruled: Option<Version>,
}

fn pending(case: &Case, id: AppealId) -> Result<&Appeal, Rejection> {
    let appeal = case.appeals.one(id)?;
    if appeal.pending() {
        return Ok(appeal);
    }
    refuse(Code::NotPending, "the appeal is not pending")
}

pub(super) fn determine(
    case: &Case,
    one: &DetermineSuspension,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    pending(case, one.appeal)?;
    free_of_earlier_part(case, one.appeal, context)
}

pub(super) fn list(case: &Case, one: &ListHearing) -> Result<(), Rejection> {
    let appeal = pending(case, one.appeal)?;
    let mut hearings = case.appeals.all.iter().flat_map(|appeal| &appeal.hearings);
    if hearings.any(|hearing| hearing.id == one.hearing) {
        return refuse(Code::HearingExists, "the id names a hearing already; choose a new one");
    }
    if appeal.hearings.iter().any(|hearing| hearing.stage == HearingStage::Listed) {
        return refuse(
            Code::HearingStageUnfit,
            "a hearing is listed already; adjourn it or hold it",
        );
    }
    day(&one.at, "at").map(|_| ())
}

/// A hearing that is listed.
fn listed(case: &Case, appeal: AppealId, id: HearingId) -> Result<(), Rejection> {
    let appeal = pending(case, appeal)?;
    let found = appeal.hearings.iter().find(|hearing| hearing.id == id);
    let hearing = need(found, Code::UnknownHearing, &format!("the appeal has no hearing {id}"))?;
    if hearing.stage == HearingStage::Listed {
        return Ok(());
    }
    refuse(Code::HearingStageUnfit, format!("the hearing is {}", hearing.stage))
}

pub(super) fn adjourn(case: &Case, one: &AdjournHearing) -> Result<(), Rejection> {
    listed(case, one.appeal, one.hearing)?;
    one.to.as_ref().map(|to| day(to, "to")).transpose().map(|_| ())
}

pub(super) fn hold(case: &Case, one: &HoldHearing, context: &Context<'_>) -> Result<(), Rejection> {
    listed(case, one.appeal, one.hearing)?;
    free_of_earlier_part(case, one.appeal, context)
}

/// Whoever lost may ask; a late asking is kept and ruled on with the permission (I12).
pub(super) fn seek(
    case: &Case,
    one: &SeekPermission,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let appeal = case.appeals.one(one.appeal)?;
    need(
        appeal.ended().then_some(()),
        Code::NotRuled,
        "the appeal was not ruled on; there is nothing to take further",
    )?;
    if case.decisions.standing().is_none_or(|decision| decision.version != appeal.decision) {
        return refuse(Code::NoDecision, "the decision of this appeal does not stand any more");
    }
    if case.appeals.against(appeal.decision).is_some_and(|last| last.id != appeal.id) {
        return refuse(
            Code::AppealPending,
            "another appeal against the decision followed this one",
        );
    }
    // A ruling of the next court is a ruling like any other: it may be taken further in its turn. And
    // whom one judge refused the permission may ask another.
    let used = appeal.onward.as_ref().is_some_and(|onward| {
        onward.ruled.is_none() && onward.result != Some(PermissionResult::Refused)
    });
    if used {
        return refuse(Code::PermissionSought, "permission was sought already");
    }
    Ok(Event::PermissionSought(Box::new(PermissionSought {
        appeal: one.appeal,
        grounds: one.grounds.clone(),
        sought: one.sought.clone(),
        in_time: in_time(case, appeal, &one.sought, context)?,
    })))
}

/// Whether permission is sought in time.
fn in_time(
    case: &Case,
    appeal: &Appeal,
    sought: &WorldDate,
    context: &Context<'_>,
) -> Result<bool, Rejection> {
    let Some(ruling) = &appeal.ruling else {
        return in_time_after_rejection(case, appeal, sought, context);
    };
    let sought = day_since(sought, "sought", &ruling.on, "the appeal was ruled on, on")?;
    let last = ruling.onward_deadline.as_ref().and_then(WorldDate::last_day);
    let extended = began_within(case, DeadlineKind::Onward, ruling.version, sought, context);
    let began = context.law.begins(case, sought);
    let again = appeal.renewable.is_some_and(|over| began.is_some_and(|began| began < over));
    Ok(extended || again || last.is_none_or(|last| sought <= last))
}

/// The same against the rejection of a late filing: where no time was computed for it, none is over.
fn in_time_after_rejection(
    case: &Case,
    appeal: &Appeal,
    sought: &WorldDate,
    context: &Context<'_>,
) -> Result<bool, Rejection> {
    let sought = match &appeal.late_ruled_on {
        Some(on) => day_since(sought, "sought", on, "the appeal was rejected as late on")?,
        None => day(sought, "sought")?,
    };
    let began = context.law.begins(case, sought);
    let within = |over: Instant| began.is_some_and(|began| began < over);
    let given = appeal.late_ruled.as_ref().is_some_and(|(_, ruled)| {
        began_within(case, DeadlineKind::Onward, *ruled, sought, context)
    });
    Ok(given || appeal.renewable.is_some_and(within) || appeal.late_onward.is_none_or(within))
}

/// I2: who ruled on the appeal, in whichever court, does not say whether it may be taken further.
///
/// Where it is refused to the claimant for the first time, the profile's time to go further runs once more,
/// for another judge may be asked (I1).
pub(super) fn decide_permission(
    case: &Case,
    one: &DecidePermission,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let appeal = case.appeals.one(one.appeal)?;
    let open = appeal.onward.as_ref().filter(|_| appeal.permission_pending());
    let onward = need(open, Code::NotPending, "no permission is sought that waits for an answer")?;
    not_the_first_judge(case, appeal, context)?;
    let may_renew = one.result == PermissionResult::Refused
        && onward.by != Role::DecisionMaker
        && !onward.renewed
        && case.outcome().is_none_or(|outcome| !outcome.protects());
    let decided = context.occurred.exact_day().filter(|_| may_renew);
    let from = decided.map(|decided| appeal.days().fold(decided, Date::max));
    let again = Limit::onward(appeal.courts(), true);
    let (circumstance, limit) =
        from.and_then(|from| onward_limit(case, again, from, context)).unzip();
    Ok(Event::PermissionDecided(Box::new(PermissionDecided {
        appeal: one.appeal,
        result: one.result,
        reasons: one.reasons.clone(),
        from: from.filter(|from| limit.is_some() && Some(*from) != decided).map(WorldDate::day),
        renew_by: limit.as_ref().map(|limit| WorldDate::day(limit.last)),
        circumstance: circumstance.filter(|it| *it != Circumstance::Ordinary),
        over: limit.as_ref().map(|limit| limit.over),
        clocks: limit.map(|limit| limit.clocks),
    })))
}

/// I2: the next court is made of others, and so is a tribunal that has the appeal again. Who gave it back did
/// not rule on what that tribunal rules then.
pub(super) fn not_the_first_judge(
    case: &Case,
    appeal: &Appeal,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    free_of_earlier_part(case, appeal.id, context)?;
    let counts = |ruling: &&Ruling| appeal.given_back() || ruling.result != AppealResult::Remitted;
    let rulings = appeal.earlier.iter().filter(counts).chain(&appeal.ruling);
    let mut rulings = rulings.map(|ruling| &ruling.by);
    if rulings.any(|by| *by == context.by.id)
        || appeal.late_ruled.as_ref().is_some_and(|(by, _)| *by == context.by.id)
    {
        return refuse(Code::TookPart, "the actor ruled on this appeal; the next court is another");
    }
    Ok(())
}

/// Applies an event on the way of an appeal.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events begin or end an appeal")]
pub(super) fn evolve(appeal: &mut Appeal, event: &Event, stamp: &Stamp<'_>) {
    let version = stamp.version;
    match event {
        Event::SuspensiveEffectDetermined(one) => appeal.suspensive = Some(one.effect),
        Event::HearingListed(one) => appeal.hearings.push(Hearing {
            id: one.hearing,
            at: Some(one.at.clone()),
            stage: HearingStage::Listed,
            version,
            held: None,
        }),
        Event::HearingAdjourned(one) => {
            step(appeal, one.hearing, HearingStage::Adjourned, version, |hearing| {
                hearing.at.clone_from(&one.to);
            });
        }
        Event::HearingHeld(one) => {
            step(appeal, one.hearing, HearingStage::Held, version, |hearing| {
                hearing.held = Some(stamp.occurred.clone());
            });
        }
        Event::PermissionSought(one) => {
            let before = appeal.onward.as_ref().filter(|onward| onward.ruled.is_none());
            let renewed = before.is_some_and(|onward| {
                onward.by != Role::DecisionMaker && onward.result == Some(PermissionResult::Refused)
            });
            appeal.onward = Some(Onward {
                renewed: renewed || appeal.renewable.is_some(),
                renewable: None,
                sought: version,
                sought_on: Some(one.sought.clone()),
                by: stamp.by.role,
                in_time: one.in_time,
                result: None,
                decided: None,
                decided_on: None,
                ruled: None,
            });
        }
        Event::PermissionDecided(one) => {
            if let Some(onward) = appeal.onward.as_mut() {
                if onward.by != Role::DecisionMaker {
                    appeal.renewable = one.over;
                }
                onward.result = Some(one.result);
                onward.renewable = one.over;
                onward.decided = Some(version);
                onward.decided_on = Some(stamp.occurred.clone());
            }
        }
        _ => {}
    }
}

fn step(
    appeal: &mut Appeal,
    id: HearingId,
    stage: HearingStage,
    version: Version,
    change: impl Fn(&mut Hearing),
) {
    for hearing in appeal.hearings.iter_mut().filter(|hearing| hearing.id == id) {
        hearing.stage = stage;
        hearing.version = version;
        change(hearing);
    }
}
