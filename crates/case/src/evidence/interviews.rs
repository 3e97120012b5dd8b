//! Interviews: scheduled, held, missed; the transcript is served and corrected.

use super::{Interview, State, Transcript};
use crate::decide::Context;
use crate::decisions::day;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, Language, MediaType, Pinpoint, Sha256Hex};
use crate::vocabulary::{
    Correction, Excuse, InterviewStage, InterviewerChoice, RescheduleCause, ServiceMethod,
};
use crate::{InterviewId, WorldDate};

/// Schedules an interview and gives notice of it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ScheduleInterview {
    /// The interview's id, chosen by the sender.
    pub interview: InterviewId,
    /// When it is to be held, to the day or the minute.
    pub at: WorldDate,
    /// The language in which the claimant is heard.
    pub language: Language,
    /// The sex of interviewer and interpreter that the claimant asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<InterviewerChoice>,
}

/// Puts an interview off, or sets a new day after one that was missed.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RescheduleInterview {
    /// The interview.
    pub interview: InterviewId,
    /// When it is to be held now.
    pub at: WorldDate,
    /// Why it was put off.
    pub cause: RescheduleCause,
}

/// Records that an interview was held, by the one who held it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct HoldInterview {
    /// The interview.
    pub interview: InterviewId,
    /// Who interpreted, by the id under which they act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<ActorId>,
    /// Who accompanied the claimant, by the id under which they act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub representative: Option<ActorId>,
    /// Whether sound or film was recorded.
    pub recorded: bool,
    /// What is to be noted of its course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Records that the claimant did not come. It decides nothing by itself.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RecordAbsence {
    /// The interview.
    pub interview: InterviewId,
    /// The excuse.
    pub excuse: Excuse,
    /// What was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Serves the transcript of an interview, so that it can be commented on.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ServeTranscript {
    /// The interview.
    pub interview: InterviewId,
    /// SHA-256 of the transcript's bytes.
    pub sha256: Sha256Hex,
    /// The transcript's size in bytes.
    pub size: u64,
    /// The transcript's media type.
    pub media_type: MediaType,
    /// The language it is in.
    pub language: Language,
    /// How it was served.
    pub method: ServiceMethod,
    /// Until when comments are awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments_until: Option<WorldDate>,
}

/// One correction of a transcript.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CorrectedItem {
    /// Where in the transcript, such as `p. 3, question 12`.
    pub place: Pinpoint,
    /// What it should say, and why.
    pub text: Personal<Words>,
}

/// Corrects a transcript that was served. The transcript itself stays what it is.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CorrectTranscript {
    /// The interview.
    pub interview: InterviewId,
    /// Who corrects.
    pub corrected_by: Correction,
    /// The corrections.
    pub items: Vec<CorrectedItem>,
}

pub(super) fn schedule(
    case: &Case,
    interview: &ScheduleInterview,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    case.undecided()?;
    if case.evidence.interviews.contains_key(&interview.interview) {
        return refuse(
            Code::InterviewExists,
            "the id names an interview already; choose a new one",
        );
    }
    to_come(&interview.at, context)
}

/// Notice is given before the interview, not after it.
fn to_come(at: &WorldDate, context: &Context<'_>) -> Result<(), Rejection> {
    if day(at, "at")? < context.day()? {
        return refuse(Code::DateUnfit, "at lies before the day on which notice is given");
    }
    Ok(())
}

fn one<'a>(
    case: &'a Case,
    id: InterviewId,
    stages: &[InterviewStage],
) -> Result<&'a Interview, Rejection> {
    let found = case.evidence.interviews.get(&id);
    let interview =
        need(found, Code::UnknownInterview, &format!("the case has no interview {id}"))?;
    if stages.contains(&interview.stage) {
        return Ok(interview);
    }
    refuse(Code::InterviewStageUnfit, format!("the interview is {} already", interview.stage))
}

pub(super) fn reschedule(
    case: &Case,
    moved: &RescheduleInterview,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    one(case, moved.interview, &[InterviewStage::Scheduled, InterviewStage::Missed])?;
    to_come(&moved.at, context)
}

pub(super) fn hold(
    case: &Case,
    held: &HoldInterview,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    one(case, held.interview, &[InterviewStage::Scheduled])?;
    if held.interpreter.as_ref() == Some(&context.by.id) {
        return refuse(Code::InterpreterUnfit, "who interviews does not interpret");
    }
    // Directive 2013/32/EU art. 25(1)(b).
    if case.intake.unaccompanied_child() && held.representative.is_none() {
        return refuse(
            Code::RepresentativeNeeded,
            "an unaccompanied child is not interviewed alone: name the representative who was there, or \
             put the interview off until somebody represents the child",
        );
    }
    Ok(())
}

pub(super) fn miss(case: &Case, missed: &RecordAbsence) -> Result<(), Rejection> {
    one(case, missed.interview, &[InterviewStage::Scheduled]).map(|_| ())
}

pub(super) fn serve(case: &Case, served: &ServeTranscript) -> Result<(), Rejection> {
    let interview = one(case, served.interview, &[InterviewStage::Held])?;
    if interview.transcript.is_some() {
        return refuse(
            Code::TranscriptServed,
            "the transcript was served already; nothing is overwritten, correct it instead",
        );
    }
    served.comments_until.as_ref().map_or(Ok(()), |date| day(date, "comments_until").map(|_| ()))
}

pub(super) fn correct(case: &Case, corrected: &CorrectTranscript) -> Result<(), Rejection> {
    case.undecided()?;
    let interview = one(case, corrected.interview, &[InterviewStage::Held])?;
    need(
        interview.transcript.as_ref(),
        Code::NoTranscript,
        "the transcript of this interview was not served yet",
    )?;
    if corrected.items.is_empty() {
        return refuse(Code::NoTranscript, "items names no place of the transcript");
    }
    Ok(())
}

pub(super) fn scheduled(state: &mut State, scheduled: &ScheduleInterview, stamp: &Stamp<'_>) {
    state.interviews.insert(
        scheduled.interview,
        Interview {
            version: stamp.version,
            at: scheduled.at.clone(),
            stage: InterviewStage::Scheduled,
            held_by: None,
            present: Vec::new(),
            excuse: None,
            transcript: None,
        },
    );
}

pub(super) fn rescheduled(state: &mut State, moved: &RescheduleInterview, stamp: &Stamp<'_>) {
    if let Some(interview) = state.interviews.get_mut(&moved.interview) {
        interview.version = stamp.version;
        interview.at = moved.at.clone();
        interview.stage = InterviewStage::Scheduled;
        interview.excuse = None;
    }
}

pub(super) fn held(state: &mut State, held: &HoldInterview, stamp: &Stamp<'_>) {
    if let Some(interview) = state.interviews.get_mut(&held.interview) {
        interview.version = stamp.version;
        interview.at = stamp.occurred.clone();
        interview.stage = InterviewStage::Held;
        interview.held_by = Some(stamp.by.id.clone());
        interview.present = held.interpreter.iter().chain(&held.representative).cloned().collect();
    }
}

pub(super) fn missed(state: &mut State, missed: &RecordAbsence, stamp: &Stamp<'_>) {
    if let Some(interview) = state.interviews.get_mut(&missed.interview) {
        interview.version = stamp.version;
        interview.stage = InterviewStage::Missed;
        interview.excuse = Some(missed.excuse);
    }
}

pub(super) fn served(state: &mut State, served: &ServeTranscript, stamp: &Stamp<'_>) {
    if let Some(interview) = state.interviews.get_mut(&served.interview) {
        interview.transcript = Some(Transcript {
            sha256: served.sha256.clone(),
            served: stamp.version,
            corrected: Vec::new(),
        });
    }
}

pub(super) fn corrected(state: &mut State, corrected: &CorrectTranscript, stamp: &Stamp<'_>) {
    let interview = state.interviews.get_mut(&corrected.interview);
    if let Some(transcript) = interview.and_then(|interview| interview.transcript.as_mut()) {
        transcript.corrected.push(stamp.version);
    }
}
