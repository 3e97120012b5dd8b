//! What comes later: further submissions, reopening, the archive.

use super::Event;
use super::withdrawal::{Implicit, Warning};
use crate::decisions::{better, came_back, day};
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::vocabulary::{ReopenGround, Role, SubmissionRuling, WarningCause};
use crate::{EvidenceId, SubmissionId, Version, WorldDate};

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

/// A further submission.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FurtherSubmission {
    /// Its id.
    pub id: SubmissionId,
    /// The event that made it.
    pub version: Version,
    /// When it was made, in the world.
    pub on: WorldDate,
    /// The items of evidence that it names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
    /// What was held.
    pub ruling: Option<SubmissionRuling>,
    /// The event that took it up by reopening the claim.
    pub reopened: Option<Version>,
}

impl Later {
    /// I13: whose side acts is not taken for gone.
    pub(crate) fn heard_of(&mut self, by: Role) {
        if matches!(by, Role::Applicant | Role::Representative) {
            self.warning.take_if(|warning| warning.cause == WarningCause::Absconded);
        }
    }
}

impl FurtherSubmission {
    /// Whether it waits for a ruling, or was admitted and the claim is not reopened yet.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.ruling != Some(SubmissionRuling::Inadmissible) && self.reopened.is_none()
    }
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
            let (what, respond_by, over) = (one.cause, one.respond_by.clone(), one.over);
            later.warning = Some(Warning { version, cause: what, respond_by, over });
        }
        Event::WarningAnswered(_) => later.warning = None,
        Event::ClaimWithdrawnImplicitly(one) => {
            later.warning = None;
            later.implicit = Some(Implicit { version, on: stamp.occurred.clone(), over: one.over });
            case.intake.withdrawn = Some(version);
            case.assessment.goes_on_since(stamp.occurred.clone());
        }
        Event::ClaimReinstated(_) => {
            later.implicit = None;
            case.intake.withdrawn = None;
            case.assessment.goes_on_since(stamp.occurred.clone());
        }
        Event::FurtherSubmissionMade(one) => later.submissions.push(FurtherSubmission {
            id: one.submission,
            version,
            on: stamp.occurred.clone(),
            evidence: one.evidence.clone(),
            ruling: None,
            reopened: None,
        }),
        Event::FurtherSubmissionRuled(one) => {
            for submission in later.submissions.iter_mut().filter(|s| s.id == one.submission) {
                submission.ruling = Some(one.ruling);
            }
        }
        Event::ClaimReopened(_) => reopened(case, stamp),
        Event::FileArchived(_) => later.archived = Some(version),
        _ => {}
    }
}

fn reopened(case: &mut Case, stamp: &Stamp<'_>) {
    let (version, since) = (stamp.version, came_back(case, stamp));
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
        decision.kept = better(decision.kept, stood);
    }
    case.assessment.open_round(version, since);
}
