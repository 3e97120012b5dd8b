//! Registry: a file is closed when nothing is open any more (I18); records are rectified, disclosed
//! and erased under control.

mod control;

pub use self::control::{
    DestroyKey, LiftHold, MakeDisclosure, PiiKeyDestroyed, PlaceHold, RecordReplay, RectifyRecord,
    RefuseDisclosure, ReplayVerified,
};
use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::FieldPath;
use crate::vocabulary::{RecipientClass, ReplayResult, Retention};
use crate::{KeyId, Version, WorldDate};

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
}

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
}

/// A rectification: which field of which record, and where both values stand.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rectified {
    /// The event whose record it rectifies.
    pub target: Version,
    /// The field.
    pub field: FieldPath,
    /// The event that holds the old and the new value.
    pub version: Version,
}

/// A disclosure.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Disclosure {
    /// To what class of recipient.
    pub recipient: RecipientClass,
    /// The event.
    pub version: Version,
}

/// The erasure of a case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// The key that is destroyed.
    pub key: KeyId,
    /// The event.
    pub version: Version,
}

/// A replay that was verified.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Replay {
    /// What it gave.
    pub result: ReplayResult,
    /// The event.
    pub version: Version,
}

/// What the registry knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
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
    let retention = if case.intake.withdrawn.is_some() {
        Retention::Withdrawn
    } else {
        no_window_open(case, context)?;
        need(case.outcome(), Code::NoDecision, "there is no decision yet")?.retention()
    };
    if close.retention != retention {
        return refuse(
            Code::RetentionUnfit,
            format!("the case ended so that its retention class is {retention}"),
        );
    }
    Ok(Event::FileClosed(Box::new(close.clone())))
}

/// I18: service is proved, no appeal is pending, and every time limit lies in the past.
fn no_window_open(case: &Case, context: &Context<'_>) -> Result<(), Rejection> {
    let decision =
        need(case.decisions.standing(), Code::WindowOpen, "the claim is not decided yet")?;
    if case.appeals.pending().is_some() {
        return refuse(Code::WindowOpen, "an appeal is pending");
    }
    let limit: Option<&WorldDate> = if let Some(ruling) = case.appeals.ruling_on(decision.version) {
        ruling.onward_deadline.as_ref()
    } else {
        let notified = need(
            decision.notified.as_ref(),
            Code::WindowOpen,
            "service of the decision is not proved, so the time limit has not begun",
        )?;
        Some(&notified.appeal_deadline)
    };
    if let Some(last) = limit.and_then(WorldDate::last_day)
        && context.day()? <= last
    {
        return refuse(Code::WindowOpen, format!("a time limit runs until {last}"));
    }
    Ok(())
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
    }
}
