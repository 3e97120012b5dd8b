//! Appeals: a decision is challenged, heard and decided by somebody who took no earlier part.

use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::decisions::day;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Criterion};
use crate::vocabulary::{AppealResult, DecisionOutcome, LateRuling};
use crate::{AppealId, Seen, Version, WorldDate, seen};
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
}

/// A late filing was ruled on.
pub type LateFilingRuled = RuleLateFiling;
/// An appeal was decided.
pub type AppealDecided = DecideAppeal;

events! {
    service "appeals" as Appeals;
    AppealFiled = "filed", "An appeal was filed.";
    LateFilingRuled = "late-filing-ruled", "A late filing was ruled on.";
    AppealDecided = "decided", "An appeal was decided.";
}

/// The end of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ruling {
    /// The event.
    pub version: Version,
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
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
}

impl Appeal {
    /// Whether it waits for a ruling of any kind.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.ruling.is_none() && self.late != Some(LateRuling::Rejected)
    }
}

/// What the appeals service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
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

    fn one(&self, id: AppealId) -> Result<&Appeal, Rejection> {
        let found = self.all.iter().find(|appeal| appeal.id == id);
        need(found, Code::UnknownAppeal, &format!("the case has no appeal {id}"))
    }
}

/// Decides a command of appeals.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.open()?;
    match command {
        Command::FileAppeal(filing) => file(case, filing),
        Command::RuleLateFiling(ruling) => rule_late_filing(case, ruling, context),
        Command::DecideAppeal(ruling) => decide_appeal(case, ruling, context),
    }
}

fn file(case: &Case, filing: &FileAppeal) -> Result<Event, Rejection> {
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
    let filed = day(&filing.filed, "filed")?;
    let deadline =
        decision.notified.as_ref().and_then(|notified| notified.appeal_deadline.exact_day());
    Ok(Event::AppealFiled(Box::new(AppealFiled {
        appeal: filing.appeal,
        grounds: filing.grounds.clone(),
        filed: filing.filed.clone(),
        decision: decision.version,
        in_time: deadline.is_none_or(|last| filed <= last),
    })))
}

/// I2: the judge took no earlier part; what belongs to this same appeal is no earlier part.
fn free_of_earlier_part(
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
        }),
        Event::LateFilingRuled(ruled) => {
            if let Some(appeal) = find(case, ruled.appeal) {
                appeal.late = Some(ruled.ruling);
            }
        }
        Event::AppealDecided(decided) => end(case, decided, stamp),
    }
}

fn find(case: &mut Case, id: AppealId) -> Option<&mut Appeal> {
    case.appeals.all.iter_mut().find(|appeal| appeal.id == id)
}

fn end(case: &mut Case, decided: &DecideAppeal, stamp: &Stamp<'_>) {
    if let Some(appeal) = find(case, decided.appeal) {
        appeal.ruling = Some(Ruling {
            version: stamp.version,
            by: stamp.by.id.clone(),
            result: decided.result,
            outcome: decided.outcome,
            onward_deadline: decided.onward_deadline.clone(),
            seen: decided.seen,
        });
    }
    if decided.result == AppealResult::Remitted {
        if let Some(decision) = case.decisions.all.last_mut() {
            decision.set_aside = Some(stamp.version);
        }
        case.assessment.open_round(stamp.version);
    }
}
