//! What comes later: implicit withdrawal and its way back, further submissions, reopening, the
//! archive.

use jiff::civil::Date;

use super::{Event, WithdrawalWarned};
use crate::decide::Context;
use crate::decisions::{day, day_since};
use crate::evidence::Interview;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::removal;
use crate::state::{Case, Stamp, need};
use crate::token::{ClocksId, Language};
use crate::vocabulary::{
    Circumstance, DeadlineKind, Excuse, InterviewStage, ReopenGround, ServiceMethod,
    SubmissionRuling, WarningCause,
};
use crate::{EvidenceId, Instant, SubmissionId, Version, WorldDate};

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

/// Makes a further submission after the decision.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct MakeFurtherSubmission {
    /// The submission's id, chosen by the sender.
    pub submission: SubmissionId,
    /// What it says.
    pub content: Personal<Words>,
    /// The items of evidence that it brings; attached before or after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
}

/// Rules on a further submission.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RuleFurtherSubmission {
    /// The submission.
    pub submission: SubmissionId,
    /// What is held.
    pub ruling: SubmissionRuling,
    /// The reasons.
    pub reasons: Personal<Words>,
}

/// Reopens the claim: the decision does not stand any more, and somebody else assesses it anew.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ReopenClaim {
    /// On which ground.
    pub ground: ReopenGround,
    /// Why.
    pub reason: Personal<Words>,
}

/// Puts a closed file into the archive.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ArchiveFile {
    /// Until when it is kept there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<WorldDate>,
}

/// A warning that the claim may count as withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Warning {
    /// The event.
    pub version: Version,
    /// The last day for an answer.
    pub respond_by: WorldDate,
    /// The first instant at which the time to answer is over, where that was kept.
    pub over: Option<Instant>,
}

/// A further submission.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FurtherSubmission {
    /// Its id.
    pub id: SubmissionId,
    /// The event that made it.
    pub version: Version,
    /// The items of evidence that it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
    /// What was held.
    pub ruling: Option<SubmissionRuling>,
    /// The event that took it up by reopening the claim.
    pub reopened: Option<Version>,
}

impl FurtherSubmission {
    /// Whether it waits for a ruling, or was admitted and the claim is not reopened yet.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.ruling != Some(SubmissionRuling::Inadmissible) && self.reopened.is_none()
    }
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

/// What the registry knows of what comes later.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Later {
    /// The warning that is not answered.
    pub warning: Option<Warning>,
    /// The implicit withdrawal, while it stands.
    pub implicit: Option<Implicit>,
    /// The further submissions in order.
    pub submissions: Vec<FurtherSubmission>,
    /// The event that archived the file.
    pub archived: Option<Version>,
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
    need(
        case.registry.later.implicit.as_ref(),
        Code::NothingToReinstate,
        "the claim does not count as withdrawn; one that the claimant withdrew is reopened",
    )
    .map(|_| ())
}

/// Before a decision what is new is evidence; afterwards it is a further submission.
pub(super) fn submit(case: &Case, one: &MakeFurtherSubmission) -> Result<(), Rejection> {
    case.exists()?;
    let over = case.registry.closed.is_some() || case.intake.withdrawn.is_some();
    if !over && case.decisions.standing().is_none() {
        return refuse(
            Code::NoDecision,
            "the claim is not decided; attach what is new as evidence",
        );
    }
    let known = &case.registry.later.submissions;
    if known.iter().any(|known| known.id == one.submission) {
        return refuse(Code::SubmissionExists, "the id names a submission already");
    }
    if known.iter().any(FurtherSubmission::pending) {
        return refuse(Code::SubmissionPending, "a further submission is pending already");
    }
    Ok(())
}

pub(super) fn rule(case: &Case, one: &RuleFurtherSubmission) -> Result<(), Rejection> {
    case.exists()?;
    let mut all = case.registry.later.submissions.iter();
    let found = all.find(|known| known.id == one.submission);
    let submission = need(found, Code::UnknownSubmission, "the case has no such submission")?;
    if submission.ruling.is_some() {
        return refuse(Code::SubmissionRuled, "the submission was ruled on already");
    }
    let missing = submission.evidence.iter().find(|id| !case.evidence.items.contains_key(id));
    if let Some(id) = missing.filter(|_| one.ruling == SubmissionRuling::Inadmissible) {
        return refuse(
            Code::UnknownEvidence,
            format!("the submission names evidence {id}, which nobody has seen: attach it first"),
        );
    }
    Ok(())
}

pub(super) fn reopen(case: &Case, one: &ReopenClaim) -> Result<(), Rejection> {
    case.exists()?;
    need(
        case.intake.registration.as_ref(),
        Code::NotRegistered,
        "the claim was made and not registered yet",
    )?;
    if case.registry.erased.is_some() {
        return refuse(Code::FileClosed, "the case was erased; a new claim is a new case");
    }
    if case.decisions.status_review().is_some() {
        return refuse(Code::StatusReviewPending, "a review of the status is pending");
    }
    if case.appeals.pending().is_some() {
        return refuse(Code::AppealPending, "an appeal is pending; the tribunal has the case");
    }
    let over = case.registry.closed.is_some() || case.intake.withdrawn.is_some();
    if !over && case.decisions.standing().is_none() {
        return refuse(Code::NoDecision, "the claim is open; there is nothing to reopen");
    }
    let admitted = case.registry.later.submissions.last().is_some_and(|last| {
        last.ruling == Some(SubmissionRuling::Admitted) && last.reopened.is_none()
    });
    if one.ground == ReopenGround::FurtherSubmission && !admitted {
        return refuse(Code::UnknownSubmission, "no further submission was admitted");
    }
    Ok(())
}

pub(super) fn archive(case: &Case, one: &ArchiveFile) -> Result<(), Rejection> {
    case.exists()?;
    if case.registry.closed.is_none() {
        return refuse(Code::FileNotClosed, "only a closed file goes into the archive");
    }
    if case.registry.later.archived.is_some() {
        return refuse(Code::FileClosed, "the file is in the archive already");
    }
    one.until.as_ref().map(|until| day(until, "until")).transpose().map(|_| ())
}

/// Applies an event of what comes later; others change nothing here.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other events are not about what comes later"
)]
pub(super) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    let (later, version) = (&mut case.registry.later, stamp.version);
    match event {
        Event::WithdrawalWarned(one) => {
            let (respond_by, over) = (one.respond_by.clone(), one.over);
            later.warning = Some(Warning { version, respond_by, over });
        }
        Event::WarningAnswered(_) => later.warning = None,
        Event::ClaimWithdrawnImplicitly(one) => {
            later.warning = None;
            later.implicit = Some(Implicit { version, on: stamp.occurred.clone(), over: one.over });
            case.intake.withdrawn = Some(version);
        }
        Event::ClaimReinstated(_) => {
            later.implicit = None;
            case.intake.withdrawn = None;
        }
        Event::FurtherSubmissionMade(one) => later.submissions.push(FurtherSubmission {
            id: one.submission,
            version,
            evidence: one.evidence.clone(),
            ruling: None,
            reopened: None,
        }),
        Event::FurtherSubmissionRuled(one) => {
            for submission in later.submissions.iter_mut().filter(|s| s.id == one.submission) {
                submission.ruling = Some(one.ruling);
            }
        }
        Event::ClaimReopened(_) => reopened(case, version),
        Event::FileArchived(_) => later.archived = Some(version),
        _ => {}
    }
}

fn reopened(case: &mut Case, version: Version) {
    let later = &mut case.registry.later;
    (later.implicit, later.archived, later.warning) = (None, None, None);
    for submission in later.submissions.iter_mut().filter(|one| one.pending()) {
        submission.reopened = Some(version);
    }
    case.registry.closed = None;
    case.intake.withdrawn = None;
    case.appeals.lapse(version);
    // I1: what was granted ends only with notice, hearing and appeal.
    let stood = case.outcome().filter(|outcome| outcome.protects());
    if let Some(decision) = case.decisions.all.last_mut() {
        decision.set_aside.get_or_insert(version);
        decision.kept = decision.kept.or(stood);
    }
    case.assessment.open_round(version);
}
