//! Registry: a file is closed when nothing is open any more (I18).

use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::vocabulary::Retention;
use crate::{Version, WorldDate};

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
}

/// The file was closed.
pub type FileClosed = CloseFile;

events! {
    service "registry" as Registry;
    FileClosed = "file-closed", "The file was closed.";
}

/// What the registry knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct State {
    /// The event that closed the file.
    pub closed: Option<Version>,
}

/// Decides a command of the registry.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    match command {
        Command::CloseFile(close) => close_file(case, close, context),
    }
}

fn close_file(case: &Case, close: &CloseFile, context: &Context<'_>) -> Result<Event, Rejection> {
    if case.version == Version(0) {
        return refuse(Code::UnknownCase, "there is no such case; register the claim first");
    }
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
    match event {
        Event::FileClosed(_) => case.registry.closed = Some(stamp.version),
    }
}
