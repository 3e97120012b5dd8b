//! What a case must not be handled without: what runs, what bars, what is open, and who is around it.
//!
//! Codes, ids, days and numbers only: the words of these events are in the history.

use std::fmt::Write as _;

use case::decisions::StatusReview;
use case::intake::{Representation, Transfer};
use case::registry::{FurtherSubmission, Warning};
use case::vocabulary::{StatusReviewStage, TransferStage};
use case::{Case, Instant};

use super::file::CaseFile;
use super::overview::section;
use crate::output::{CliError, Screen, count, words};

/// The room of a label in these sections, in columns.
const ROOM: usize = 20;

/// The time limits that run, the one that is due first before the others, as at an instant.
pub(super) fn time_limits(
    file: &CaseFile,
    at: Instant,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let running = &file.case.deadlines.running;
    if !running.is_empty() {
        section(screen, "Time limits")?;
    }
    for one in running {
        let line = format!("{}, set by version {}", ends(one.due, at), one.set);
        screen.labelled(2, ROOM, &words(one.kind.as_str()), &line)?;
    }
    Ok(())
}

/// When a time limit ends, and how far that is.
fn ends(due: Instant, at: Instant) -> String {
    let moment = due.timestamp().strftime("%Y-%m-%d %H:%M UTC");
    let days = due.timestamp().duration_since(at.timestamp()).as_hours() / 24;
    match u64::try_from(days) {
        _ if due <= at => format!("overdue: it was over at {moment}"),
        Ok(days @ 1..) => format!("over at {moment}, in {}", count(days, "day", "days")),
        _ => format!("over at {moment}, in less than a day"),
    }
}

/// The orders that the person is not removed, as long as they are in force.
pub(super) fn orders(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    let in_force = || file.case.decisions.bars.iter().filter(|bar| bar.lifted.is_none());
    if in_force().next().is_some() {
        section(screen, "Orders")?;
    }
    for bar in in_force() {
        let (basis, by) = (words(bar.basis.as_str()), words(bar.by.as_str()));
        let (day, version) = (file.day(bar.version), bar.version);
        let line = format!("{basis}, placed on {day} by role {by}, version {version}");
        screen.labelled(2, ROOM, "no removal", &line)?;
        screen.labelled(2, ROOM, "", &bar.id.to_string())?;
    }
    Ok(())
}

/// What somebody has to go on with, beside the claim itself.
pub(super) fn open(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    let lines = open_lines(&file.case);
    if !lines.is_empty() {
        section(screen, "Also open")?;
    }
    lines.iter().try_for_each(|(label, line)| screen.labelled(2, ROOM, label, line))
}

fn open_lines(case: &Case) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for one in case.intake.transfers.iter().filter(|one| one.pending()) {
        lines.push(("transfer", transfer(one)));
        lines.push(("", one.id.to_string()));
    }
    lines.extend(case.registry.later.warning.as_ref().map(|one| ("warning", warning(one))));
    lines.extend(case.decisions.status_review().map(|one| ("status review", review(one))));
    for one in case.registry.later.submissions.iter().filter(|one| one.pending()) {
        lines.push(("further submission", submission(one)));
        lines.push(("", one.id.to_string()));
    }
    lines
}

fn transfer(one: &Transfer) -> String {
    let mut line =
        format!("{}, {} by version {}", words(one.kind.as_str()), one.stage, one.version);
    if let Some(due) = &one.due {
        let what = if one.stage == TransferStage::Requested { "answer" } else { "carrying out" };
        let _ = write!(line, ", {what} due by {due}");
    }
    line
}

fn warning(one: &Warning) -> String {
    let (version, last) = (one.version, &one.respond_by);
    format!("unanswered: may count as withdrawn, answer by {last}, version {version}")
}

fn review(one: &StatusReview) -> String {
    let mut line =
        format!("{}, opened on {} by {}, version {}", one.kind, one.on, one.by, one.version);
    match one.stage {
        StatusReviewStage::Opened => line.push_str(", no notice served yet"),
        StatusReviewStage::Notified => line.push_str(", notice served"),
        StatusReviewStage::Heard => line.push_str(", claimant heard"),
        StatusReviewStage::Kept | StatusReviewStage::Ended => {}
    }
    line
}

fn submission(one: &FurtherSubmission) -> String {
    let stage = match one.ruling {
        None => "waits for a ruling",
        Some(_) => "admitted, the claim is not reopened yet",
    };
    format!("{stage}, version {}", one.version)
}

/// Who represents the claimant, what the claimant needs, and whose claims are linked.
pub(super) fn people(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    let intake = &file.case.intake;
    let (actors, needs, family) = (&intake.representatives, &intake.needs, &intake.family);
    if !actors.is_empty() || !needs.is_empty() || !family.is_empty() {
        section(screen, "People")?;
    }
    for (actor, one) in actors {
        screen.labelled(2, ROOM, &format!("{actor} "), &represents(one))?;
    }
    for (kind, safeguards) in needs {
        let applied: Vec<_> = safeguards.iter().map(|one| words(one.as_str())).collect();
        let applied = match applied.as_slice() {
            [] => "no safeguard applied".to_owned(),
            all => format!("safeguards: {}", all.join(", ")),
        };
        screen.labelled(2, ROOM, "need", &format!("{}; {applied}", words(kind.as_str())))?;
    }
    for member in family {
        let line = format!("claim {}, version {}", member.own_claim, member.version);
        screen.labelled(2, ROOM, member.relation.as_str(), &line)?;
    }
    Ok(())
}

fn represents(one: &Representation) -> String {
    let scope = words(one.scope.as_str());
    match one.ended {
        None => format!("represents the claimant: {scope}, version {}", one.version),
        Some(ended) => format!("represented the claimant: {scope}, ended by version {ended}"),
    }
}
