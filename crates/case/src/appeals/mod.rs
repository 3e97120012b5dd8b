//! Appeals: a decision is challenged, heard and decided by somebody who took no earlier part.

mod decide;
mod hearings;
mod standing;
mod state;

use guidance::Value;

pub(crate) use self::decide::decide;
pub use self::hearings::{
    AdjournHearing, DecidePermission, DetermineSuspension, Hearing, HoldHearing, ListHearing,
    Onward, SeekPermission,
};
pub(crate) use self::state::evolve;
pub use self::state::{Appeal, Ruling, State};
use crate::catalogue::{commands, events};
use crate::personal::{Personal, Words};
use crate::token::{ClocksId, Criterion};
use crate::vocabulary::{
    AppealResult, Circumstance, DecisionOutcome, LateRuling, PermissionResult, RemittedTo,
    TakenBack,
};
use crate::{AppealId, Instant, Seen, Version, WorldDate};

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
    /// To whom it goes back, with `remitted` by a next court; to the authority where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RemittedTo>,
    /// The outcome that now stands: with `allowed` and `substituted`, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DecisionOutcome>,
    /// What the tribunal holds, criterion by criterion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub per_criterion: Vec<CriterionRuling>,
    /// The reasons.
    pub reasons: Personal<Words>,
    /// The last day for a further appeal, where there is one. Where the outcome does not protect and
    /// the profile has a clock for it, that is computed where nothing is said; more time than computed
    /// may be given, never less (I11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onward_deadline: Option<WorldDate>,
    /// The case as the judge was shown it; as it is at the moment of the command where nothing is
    /// said. Refused where it is not the case's, or older than the filing. In a record it is
    /// absent only from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// Withdraws an appeal, or the asking for permission to go further. The claim stays what it is: the
/// decision stands, and as long as the time limit runs it may be appealed again.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WithdrawAppeal {
    /// The appeal.
    pub appeal: AppealId,
    /// Why, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Words>>,
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
    WithdrawAppeal = "withdraw", "Withdraws an appeal, or the asking for permission.",
        by [Applicant, Representative, DecisionMaker], personal [("reason", Words)];
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
/// The permission to go to the next court was decided.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PermissionDecided {
    /// The appeal.
    pub appeal: AppealId,
    /// The result.
    pub result: PermissionResult,
    /// The reasons.
    pub reasons: Personal<Words>,
    /// The last day to ask for it once more, where it was refused and the clocks of the profile compute
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_by: Option<WorldDate>,
    /// The day from which they computed it, where it is later than the day of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WorldDate>,
    /// The circumstance under which they computed it, where it is not the ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<Circumstance>,
    /// The clocks by which it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClocksId>,
    /// The first instant at which that time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Instant>,
}

/// A late filing was ruled on.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LateFilingRuled {
    /// The appeal.
    pub appeal: AppealId,
    /// Whether it is heard.
    pub ruling: LateRuling,
    /// Why.
    pub reason: Personal<Words>,
    /// The last day to take the rejection further, where the clocks of the profile compute one; absent in
    /// records from before it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onward_deadline: Option<WorldDate>,
    /// The day from which they computed it, where it is not that of the ruling: that of the filing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WorldDate>,
    /// The circumstance under which they computed it, where it is not the ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<Circumstance>,
    /// The clocks by which it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClocksId>,
    /// The first instant at which that time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Instant>,
}

/// An appeal was decided.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AppealDecided {
    /// The appeal.
    pub appeal: AppealId,
    /// How it ended.
    pub result: AppealResult,
    /// To whom it goes back, with `remitted` by a next court; to the authority where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RemittedTo>,
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
    /// The last day as the clocks of the profile compute it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<WorldDate>,
    /// The day from which they computed it, where it is not that of the ruling: the one on which what
    /// was ruled on was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WorldDate>,
    /// The circumstance under which they computed it, where it is not the ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<Circumstance>,
    /// The clocks by which it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClocksId>,
    /// The first instant at which the time for a further appeal is over; absent where there is no such
    /// time, and in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Instant>,
    /// The case as the judge was shown it; absent only from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// An appeal was withdrawn, or the asking for permission to go further.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AppealWithdrawn {
    /// The appeal.
    pub appeal: AppealId,
    /// What of it was taken back: what was asked for last.
    pub what: TakenBack,
    /// Why, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Words>>,
}

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
    AppealWithdrawn = "withdrawn", "An appeal was withdrawn, or the asking for permission.";
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
            Self::AppealWithdrawn(one) => one.appeal,
        }
    }
}
