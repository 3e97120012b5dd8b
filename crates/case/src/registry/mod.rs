//! Registry: a file is closed when nothing is open any more (I18); records are rectified, disclosed
//! and erased under control.

mod control;
mod later;
mod withdrawal;

pub use self::control::{
    DestroyKey, LiftHold, MakeDisclosure, PiiKeyDestroyed, PlaceHold, RecordReplay, RectifyRecord,
    RefuseDisclosure, ReplayVerified,
};
pub use self::later::{
    ArchiveFile, FurtherSubmission, Later, MakeFurtherSubmission, ReopenClaim,
    RuleFurtherSubmission,
};
pub use self::withdrawal::{
    AnswerWarning, ClaimWithdrawnImplicitly, Implicit, ReinstateClaim, WarnWithdrawal, Warning,
    WithdrawImplicitly,
};
use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::decisions::protection;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::removal;
use crate::state::{Case, Stamp, need};
use crate::token::{ClocksId, FieldPath, Language};
use crate::vocabulary::{RecipientClass, ReplayResult, Retention, ServiceMethod, WarningCause};
use crate::{Instant, KeyId, Version, WorldDate};

/// Closes the file.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CloseFile {
    /// How long it is kept, by how it ended.
    pub retention: Retention,
    /// A note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

commands! {
    service "registry" as Registry;
    CloseFile = "close-file", "Closes the file when nothing is open any more.",
        by [Registry], personal [("note", Words)];
    RectifyRecord = "rectify", "Rectifies a personal field of a record; both values stand.",
        by [Registrar, Registry, Caseworker, Applicant, Representative],
        personal [("old", Words), ("new", Words), ("reason", Words)];
    MakeDisclosure = "disclose", "Records a disclosure.",
        by [Registry, Dpo], personal [("name", Line), ("purpose", Words)];
    RefuseDisclosure = "refuse-disclosure", "Records that a disclosure was refused.",
        by [Registry, Dpo], personal [("name", Line), ("reason", Words)];
    PlaceHold = "place-hold", "Puts the case on hold: nothing of it may be erased.",
        by [Registry, Dpo], personal [("reason", Words)];
    LiftHold = "lift-hold", "Lifts the hold.",
        by [Registry, Dpo], personal [("reason", Words)];
    DestroyKey = "destroy-key", "Destroys the claimant's key: every personal field is erased.",
        by [Dpo], personal [];
    RecordReplay = "record-replay", "Records the result of a replay of the case.",
        by [Auditor, Service], personal [];
    WarnWithdrawal = "warn-withdrawal", "Warns that the claim may count as withdrawn.",
        by [Registry, Caseworker], personal [];
    AnswerWarning = "answer-warning", "Records that the claimant answered the warning.",
        by [Applicant, Representative, Registry], personal [("answer", Words)];
    WithdrawImplicitly = "withdraw-implicitly", "Records that the claim counts as withdrawn.",
        by [Registry, DecisionMaker], personal [("reason", Words)];
    ReinstateClaim = "reinstate-claim", "Takes up a claim that counted as withdrawn.",
        by [Registry, DecisionMaker], personal [("reason", Words)];
    MakeFurtherSubmission = "make-further-submission", "Makes a further submission.",
        by [Applicant, Representative], personal [("content", Words)];
    RuleFurtherSubmission = "rule-further-submission", "Rules on a further submission.",
        by [DecisionMaker], personal [("reasons", Words)];
    ReopenClaim = "reopen-claim", "Reopens the claim, to be assessed anew.",
        by [DecisionMaker], personal [("reason", Words)];
    ArchiveFile = "archive-file", "Puts a closed file into the archive.",
        by [Registry], personal [];
}

/// The claimant was warned.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalWarned {
    /// Why.
    pub cause: WarningCause,
    /// How the warning was served.
    pub method: ServiceMethod,
    /// In which language.
    pub language: Language,
    /// On which day service is proved.
    pub served: WorldDate,
    /// The last day for an answer.
    pub respond_by: WorldDate,
    /// The clocks by which it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<ClocksId>,
    /// The first instant at which the time to answer is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Instant>,
}

/// The warning was answered.
pub type WarningAnswered = AnswerWarning;
/// The claim was taken up again.
pub type ClaimReinstated = ReinstateClaim;
/// A further submission was made.
pub type FurtherSubmissionMade = MakeFurtherSubmission;
/// A further submission was ruled on.
pub type FurtherSubmissionRuled = RuleFurtherSubmission;
/// The claim was reopened.
pub type ClaimReopened = ReopenClaim;
/// The file went into the archive.
pub type FileArchived = ArchiveFile;
/// The file was closed.
pub type FileClosed = CloseFile;
/// A record was rectified.
pub type RecordRectified = RectifyRecord;
/// Something was disclosed.
pub type DisclosureMade = MakeDisclosure;
/// A disclosure was refused.
pub type DisclosureRefused = RefuseDisclosure;
/// The case was put on hold.
pub type HoldPlaced = PlaceHold;
/// The hold was lifted.
pub type HoldLifted = LiftHold;

events! {
    service "registry" as Registry;
    FileClosed = "file-closed", "The file was closed.";
    RecordRectified = "record-rectified", "A record was rectified; both values stand.";
    DisclosureMade = "disclosure-made", "Something was disclosed.";
    DisclosureRefused = "disclosure-refused", "A disclosure was refused.";
    HoldPlaced = "hold-placed", "The case was put on hold.";
    HoldLifted = "hold-lifted", "The hold was lifted.";
    PiiKeyDestroyed = "pii-key-destroyed", "The claimant's key was destroyed.";
    ReplayVerified = "replay-verified", "A replay was verified.";
    WithdrawalWarned = "withdrawal-warned", "The claimant was warned.";
    WarningAnswered = "warning-answered", "The warning was answered.";
    ClaimWithdrawnImplicitly = "claim-withdrawn-implicitly", "The claim counts as withdrawn.";
    ClaimReinstated = "claim-reinstated", "The claim was taken up again.";
    FurtherSubmissionMade = "further-submission-made", "A further submission was made.";
    FurtherSubmissionRuled = "further-submission-ruled", "A further submission was ruled on.";
    ClaimReopened = "claim-reopened", "The claim was reopened.";
    FileArchived = "file-archived", "The file went into the archive.";
}

/// A rectification: which field of which record, and where both values stand.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Rectified {
    /// The event whose record it rectifies.
    pub target: Version,
    /// The field.
    pub field: FieldPath,
    /// The event that holds the old and the new value.
    pub version: Version,
}

/// A disclosure.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Disclosure {
    /// To what class of recipient.
    pub recipient: RecipientClass,
    /// The event.
    pub version: Version,
}

/// The erasure of a case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Erased {
    /// The key that is destroyed.
    pub key: KeyId,
    /// The event.
    pub version: Version,
}

/// A replay that was verified.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Replay {
    /// What it gave.
    pub result: ReplayResult,
    /// The event.
    pub version: Version,
}

/// What the registry knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// The event that closed the file.
    pub closed: Option<Version>,
    /// The rectifications.
    pub rectified: Vec<Rectified>,
    /// The disclosures.
    pub disclosures: Vec<Disclosure>,
    /// The event that put the case on hold, while it is.
    pub hold: Option<Version>,
    /// The replays.
    pub replays: Vec<Replay>,
    /// The erasure.
    pub erased: Option<Erased>,
    /// What comes later.
    pub later: Later,
}

/// Decides a command of the registry.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    Ok(match command {
        Command::CloseFile(close) => return close_file(case, close, context),
        Command::RectifyRecord(rectified) => {
            control::rectify(case, rectified, context)?;
            Event::RecordRectified(rectified.clone())
        }
        Command::MakeDisclosure(made) => {
            control::disclose(case, made)?;
            Event::DisclosureMade(made.clone())
        }
        Command::RefuseDisclosure(refused) => {
            control::refuse_disclosure(case, refused)?;
            Event::DisclosureRefused(refused.clone())
        }
        Command::PlaceHold(hold) => {
            control::hold(case)?;
            Event::HoldPlaced(hold.clone())
        }
        Command::LiftHold(lift) => {
            control::lift(case)?;
            Event::HoldLifted(lift.clone())
        }
        Command::DestroyKey(erasure) => {
            let destroyed = control::destroy_key(case, erasure, context)?;
            Event::PiiKeyDestroyed(Box::new(destroyed))
        }
        Command::WarnWithdrawal(warning) => return withdrawal::warn(case, warning, context),
        Command::AnswerWarning(answer) => {
            withdrawal::answer(case)?;
            Event::WarningAnswered(answer.clone())
        }
        Command::WithdrawImplicitly(one) => return withdrawal::withdraw(case, one, context),
        Command::ReinstateClaim(one) => {
            withdrawal::reinstate(case)?;
            Event::ClaimReinstated(one.clone())
        }
        Command::MakeFurtherSubmission(one) => {
            later::submit(case, one)?;
            Event::FurtherSubmissionMade(one.clone())
        }
        Command::RuleFurtherSubmission(one) => {
            later::rule(case, one)?;
            Event::FurtherSubmissionRuled(one.clone())
        }
        Command::ReopenClaim(one) => {
            later::reopen(case, one)?;
            Event::ClaimReopened(one.clone())
        }
        Command::ArchiveFile(one) => {
            later::archive(case, one)?;
            Event::FileArchived(one.clone())
        }
        Command::RecordReplay(replay) => {
            Event::ReplayVerified(Box::new(control::record_replay(case, replay)?))
        }
    })
}

fn close_file(case: &Case, close: &CloseFile, context: &Context<'_>) -> Result<Event, Rejection> {
    case.exists()?;
    if case.registry.closed.is_some() {
        return refuse(Code::FileClosed, "the file is closed already");
    }
    let at = context.at(case)?;
    let retention = if case.intake.withdrawn.is_some() {
        Retention::Withdrawn
    } else {
        no_window_open(case, at)?;
        need(case.outcome(), Code::NoDecision, "there is no decision yet")?.retention()
    };
    let retention = protection(case).unwrap_or(retention);
    if let Some(reason) = removal::binds_closing(case, at) {
        return refuse(Code::RemovalBarred, format!("the file stays open: {}", reason.sentence));
    }
    if close.retention != retention {
        return refuse(
            Code::RetentionUnfit,
            format!("the case ended so that its retention class is {retention}"),
        );
    }
    Ok(Event::FileClosed(Box::new(close.clone())))
}

/// I18: service is proved, no appeal is pending, and every time limit is over, also one that was
/// extended.
fn no_window_open(case: &Case, at: Instant) -> Result<(), Rejection> {
    let decision =
        need(case.decisions.standing(), Code::WindowOpen, "the claim is not decided yet")?;
    if case.appeals.pending().is_some() {
        return refuse(Code::WindowOpen, "an appeal is pending");
    }
    let Some(reason) = removal::of_decision(case, decision, at) else { return Ok(()) };
    let sentence = &reason.sentence;
    refuse(
        Code::WindowOpen,
        reason.until.map_or_else(|| sentence.clone(), |until| format!("{sentence} until {until}")),
    )
}

/// Applies an event of the registry.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    let (state, version) = (&mut case.registry, stamp.version);
    match event {
        Event::FileClosed(_) => state.closed = Some(version),
        Event::RecordRectified(one) => {
            let (target, field) = (one.target, one.field.clone());
            state.rectified.push(Rectified { target, field, version });
        }
        Event::DisclosureMade(one) => {
            state.disclosures.push(Disclosure { recipient: one.recipient, version });
        }
        Event::DisclosureRefused(_) => {}
        Event::HoldPlaced(_) => state.hold = Some(version),
        Event::HoldLifted(_) => state.hold = None,
        Event::PiiKeyDestroyed(one) => state.erased = Some(Erased { key: one.key, version }),
        Event::ReplayVerified(one) => state.replays.push(Replay { result: one.result, version }),
        Event::WithdrawalWarned(_)
        | Event::WarningAnswered(_)
        | Event::ClaimWithdrawnImplicitly(_)
        | Event::ClaimReinstated(_)
        | Event::FurtherSubmissionMade(_)
        | Event::FurtherSubmissionRuled(_)
        | Event::ClaimReopened(_)
        | Event::FileArchived(_) => later::evolve(case, event, stamp),
    }
}
