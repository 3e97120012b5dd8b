//! Appeals: a decision is challenged, heard and decided by somebody who took no earlier part.

mod decide;
mod hearings;

pub(crate) use self::decide::decide;
pub use self::hearings::{
    AdjournHearing, DecidePermission, DetermineSuspension, Hearing, HoldHearing, ListHearing,
    Onward, SeekPermission,
};
use crate::catalogue::{commands, events};
use crate::decisions::Issued;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Criterion};
use crate::vocabulary::{
    AppealResult, DecisionOutcome, LateRuling, PermissionResult, SuspensiveEffect,
};
use crate::{AppealId, Seen, Version, WorldDate};
use guidance::Value;

/// Files an appeal against the standing decision.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FileAppeal {
    /// The appeal's id, chosen by the sender.
    pub appeal: AppealId,
    /// The grounds of appeal.
    pub grounds: Personal<Words>,
    /// The day of filing.
    pub filed: WorldDate,
}

/// An appeal was filed.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AppealFiled {
    /// The appeal's id.
    pub appeal: AppealId,
    /// The grounds of appeal.
    pub grounds: Personal<Words>,
    /// The day of filing.
    pub filed: WorldDate,
    /// The event that issued the decision.
    pub decision: Version,
    /// Whether it was filed within the time limit. Time runs from proved service: without
    /// service every filing is in time.
    pub in_time: bool,
}

/// Rules on an appeal that was filed late.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RuleLateFiling {
    /// The appeal.
    pub appeal: AppealId,
    /// Whether it is heard.
    pub ruling: LateRuling,
    /// Why.
    pub reason: Personal<Words>,
}

/// What the tribunal holds on one criterion.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CriterionRuling {
    /// The criterion, a leaf or a derived node.
    pub criterion: Criterion,
    /// What the tribunal holds.
    #[schemars(schema_with = "crate::schema::value")]
    pub value: Value,
    /// Why.
    pub reason: Personal<Words>,
}

/// Decides an appeal.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DecideAppeal {
    /// The appeal.
    pub appeal: AppealId,
    /// How it ends.
    pub result: AppealResult,
    /// The outcome that now stands: with `allowed` and `substituted`, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DecisionOutcome>,
    /// What the tribunal holds, criterion by criterion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_criterion: Vec<CriterionRuling>,
    /// The reasons.
    pub reasons: Personal<Words>,
    /// The last day for a further appeal, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onward_deadline: Option<WorldDate>,
    /// The case as the judge was shown it; as it is at the moment of the command where nothing is
    /// said. Refused where it is not the case's, or older than the filing. In a record it is
    /// absent only from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

commands! {
    service "appeals" as Appeals;
    FileAppeal = "file", "Files an appeal against the standing decision.",
        by [Applicant, Representative], personal [("grounds", Words)];
    RuleLateFiling = "rule-late-filing", "Rules on an appeal that was filed late.",
        by [AppealJudge], personal [("reason", Words)];
    DecideAppeal = "decide", "Decides an appeal.",
        by [AppealJudge], personal [("reasons", Words), ("per_criterion[].reason", Words)];
    DetermineSuspension = "determine-suspension", "Determines whether the appeal suspends.",
        by [AppealJudge], personal [("reason", Words)];
    ListHearing = "list-hearing", "Lists a hearing.",
        by [Registry, AppealJudge], personal [];
    AdjournHearing = "adjourn-hearing", "Adjourns a hearing.",
        by [Registry, AppealJudge], personal [("note", Words)];
    HoldHearing = "hold-hearing", "Records that a hearing was held.",
        by [AppealJudge], personal [("record", Words)];
    SeekPermission = "seek-permission", "Seeks the permission to go to the next court.",
        by [Applicant, Representative, DecisionMaker], personal [("grounds", Words)];
    DecidePermission = "decide-permission", "Decides whether the next court hears the appeal.",
        by [AppealJudge], personal [("reasons", Words)];
}

/// The permission to go to the next court was sought.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PermissionSought {
    /// The appeal.
    pub appeal: AppealId,
    /// The grounds.
    pub grounds: Personal<Words>,
    /// The day on which it was sought.
    pub sought: WorldDate,
    /// Whether that was within the time limit.
    pub in_time: bool,
}

/// The effect of an appeal was determined.
pub type SuspensiveEffectDetermined = DetermineSuspension;
/// A hearing was listed.
pub type HearingListed = ListHearing;
/// A hearing was adjourned.
pub type HearingAdjourned = AdjournHearing;
/// A hearing was held.
pub type HearingHeld = HoldHearing;
/// The permission was decided.
pub type PermissionDecided = DecidePermission;

/// A late filing was ruled on.
pub type LateFilingRuled = RuleLateFiling;
/// An appeal was decided.
pub type AppealDecided = DecideAppeal;

events! {
    service "appeals" as Appeals;
    AppealFiled = "filed", "An appeal was filed.";
    LateFilingRuled = "late-filing-ruled", "A late filing was ruled on.";
    AppealDecided = "decided", "An appeal was decided.";
    SuspensiveEffectDetermined = "suspension-determined", "Whether an appeal suspends was determined.";
    HearingListed = "hearing-listed", "A hearing was listed.";
    HearingAdjourned = "hearing-adjourned", "A hearing was adjourned.";
    HearingHeld = "hearing-held", "A hearing was held.";
    PermissionSought = "permission-sought", "The permission to go to the next court was sought.";
    PermissionDecided = "permission-decided", "The permission to go to the next court was decided.";
}

/// The end of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Ruling {
    /// The event.
    pub version: Version,
    /// When it was made, in the world.
    pub on: WorldDate,
    /// Who decided.
    pub by: ActorId,
    /// How it ended.
    pub result: AppealResult,
    /// The outcome that now stands.
    pub outcome: Option<DecisionOutcome>,
    /// The last day for a further appeal.
    pub onward_deadline: Option<WorldDate>,
    /// What the judge was shown.
    pub seen: Option<Seen>,
}

/// What a case knows of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Appeal {
    /// Its id.
    pub id: AppealId,
    /// The event that filed it.
    pub version: Version,
    /// The event that issued the decision.
    pub decision: Version,
    /// Whether it was in time.
    pub in_time: bool,
    /// What was ruled on late filing.
    pub late: Option<LateRuling>,
    /// How it ended.
    pub ruling: Option<Ruling>,
    /// The rulings before it, in order, where a next court ruled too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Ruling>,
    /// The event by which its decision was withdrawn.
    pub lapsed: Option<Version>,
    /// What was determined of its effect meanwhile.
    pub suspensive: Option<SuspensiveEffect>,
    /// Its hearings, in order.
    pub hearings: Vec<Hearing>,
    /// The permission to go further.
    pub onward: Option<Onward>,
}

impl Appeal {
    /// Whether it waits for a ruling of any kind.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.lapsed.is_none()
            && self.late != Some(LateRuling::Rejected)
            && (self.ruling.is_none() || self.before_the_next_court())
    }

    /// Whether the next court has it: permission was granted and not ruled upon.
    #[must_use]
    pub fn before_the_next_court(&self) -> bool {
        self.onward.as_ref().is_some_and(|onward| {
            onward.result == Some(PermissionResult::Granted) && onward.ruled.is_none()
        })
    }

    /// Whether permission to go further is sought and not decided.
    #[must_use]
    pub fn permission_pending(&self) -> bool {
        self.lapsed.is_none() && self.onward.as_ref().is_some_and(|onward| onward.result.is_none())
    }
}

/// What the appeals service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// The appeals in order.
    pub all: Vec<Appeal>,
}

impl State {
    /// The pending appeal; there is at most one.
    #[must_use]
    pub fn pending(&self) -> Option<&Appeal> {
        self.all.iter().find(|appeal| appeal.pending())
    }

    /// The ruling that ended the last appeal against a decision.
    #[must_use]
    pub fn ruling_on(&self, decision: Version) -> Option<&Ruling> {
        self.all.iter().rev().find(|appeal| appeal.decision == decision)?.ruling.as_ref()
    }

    /// Ends what is pending: its decision does not stand any more, or the claim was withdrawn.
    pub(crate) fn lapse(&mut self, by: Version) {
        for appeal in &mut self.all {
            if appeal.pending() || appeal.permission_pending() {
                appeal.lapsed = Some(by);
            }
        }
    }

    /// Whether the permission to go further is sought and not decided.
    #[must_use]
    pub fn permission_pending(&self) -> Option<&Appeal> {
        self.all.iter().find(|appeal| appeal.permission_pending())
    }

    fn one(&self, id: AppealId) -> Result<&Appeal, Rejection> {
        let found = self.all.iter().find(|appeal| appeal.id == id);
        need(found, Code::UnknownAppeal, &format!("the case has no appeal {id}"))
    }
}

/// Applies an event of appeals.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    match event {
        Event::AppealFiled(filed) => case.appeals.all.push(Appeal {
            id: filed.appeal,
            version: stamp.version,
            decision: filed.decision,
            in_time: filed.in_time,
            late: None,
            ruling: None,
            earlier: Vec::new(),
            lapsed: None,
            suspensive: None,
            hearings: Vec::new(),
            onward: None,
        }),
        Event::LateFilingRuled(ruled) => {
            if let Some(appeal) = find(case, ruled.appeal) {
                appeal.late = Some(ruled.ruling);
            }
        }
        Event::AppealDecided(decided) => end(case, decided, stamp),
        Event::SuspensiveEffectDetermined(_)
        | Event::HearingListed(_)
        | Event::HearingAdjourned(_)
        | Event::HearingHeld(_)
        | Event::PermissionSought(_)
        | Event::PermissionDecided(_) => {
            if let Some(appeal) = find(case, event.appeal()) {
                hearings::evolve(appeal, event, stamp);
            }
        }
    }
}

impl Event {
    /// The appeal that the event is of.
    #[must_use]
    pub fn appeal(&self) -> AppealId {
        match self {
            Self::AppealFiled(one) => one.appeal,
            Self::LateFilingRuled(one) => one.appeal,
            Self::AppealDecided(one) => one.appeal,
            Self::SuspensiveEffectDetermined(one) => one.appeal,
            Self::HearingListed(one) => one.appeal,
            Self::HearingAdjourned(one) => one.appeal,
            Self::HearingHeld(one) => one.appeal,
            Self::PermissionSought(one) => one.appeal,
            Self::PermissionDecided(one) => one.appeal,
        }
    }
}

fn find(case: &mut Case, id: AppealId) -> Option<&mut Appeal> {
    case.appeals.all.iter_mut().find(|appeal| appeal.id == id)
}

fn end(case: &mut Case, decided: &DecideAppeal, stamp: &Stamp<'_>) {
    if let Some(appeal) = find(case, decided.appeal) {
        if let Some(onward) = appeal.onward.as_mut() {
            onward.ruled = Some(stamp.version);
        }
        let before = appeal.ruling.replace(Ruling {
            version: stamp.version,
            on: stamp.occurred.clone(),
            by: stamp.by.id.clone(),
            result: decided.result,
            outcome: decided.outcome,
            onward_deadline: decided.onward_deadline.clone(),
            seen: decided.seen,
        });
        appeal.earlier.extend(before);
    }
    status_returns(case, decided.result);
    if decided.result == AppealResult::Remitted {
        if let Some(decision) = case.decisions.all.last_mut() {
            decision.set_aside = Some(stamp.version);
        }
        case.assessment.open_round(stamp.version);
    }
}

/// Where the end of a status was appealed and falls, the status stands again.
fn status_returns(case: &mut Case, result: AppealResult) {
    let falls = matches!(result, AppealResult::Allowed | AppealResult::Remitted);
    let ended = case.decisions.standing().is_some_and(|one| one.issued == Issued::StatusEnded);
    if falls
        && ended
        && let Some(held) = case.decisions.statuses.last_mut()
    {
        held.ended = None;
    }
}
