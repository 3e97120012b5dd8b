//! Where a case stands, in sections that fit a terminal.

use std::fmt::Write;

use case::appeals::{Appeal, Onward};
use case::assessment::{Assessment, Round};
use case::decisions::Decision;
use case::vocabulary::PermissionResult;
use case::{Instant, Version};
use guidance::{Guidance, Library, Value};
use service::personal::Opened;

use super::file::CaseFile;
use super::standing;
use crate::output::{
    ASIDE, BAD, CliError, GOOD, NAME, Screen, count, of_outcome, of_status, plain, words,
};

/// Shows the case. What runs and what is open stands before what is done, as at an instant.
pub(super) fn show(file: &CaseFile, at: Instant, screen: &mut Screen) -> Result<(), CliError> {
    let library = Library::embedded().unwrap_or_default();
    let guidance = file.guidance(&library);
    heading(file, screen)?;
    standing::time_limits(file, at, screen)?;
    standing::orders(file, screen)?;
    standing::open(file, screen)?;
    standing::people(file, screen)?;
    evidence(file, screen)?;
    let rounds = &file.case.assessment.rounds;
    for (number, round) in (1..).zip(rounds) {
        assessed(file, number, round, guidance, screen)?;
    }
    decided(file, screen)?;
    appealed(file, screen)?;
    parts(file, screen)
}

/// A section begins.
pub(super) fn section(screen: &mut Screen, title: &str) -> Result<(), CliError> {
    screen.line("")?;
    screen.line(&format!("{NAME}{title}{NAME:#}"))
}

/// The words of an event, a line each below it.
fn said(file: &CaseFile, version: Version, screen: &mut Screen) -> Result<(), CliError> {
    for (path, opened) in file.words(version) {
        let text = match opened {
            Opened::Words(words) => words.clone(),
            Opened::Withheld(why) => format!("[{why}]"),
        };
        screen.labelled(6, 0, "", &format!("{}: {text}", plain(path)))?;
    }
    Ok(())
}

fn heading(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    let case = &file.case;
    let id = case.id.map(|id| id.to_string()).unwrap_or_default();
    screen.line(&format!("{NAME}Case {id}{NAME:#}"))?;
    let (status, style) = (case.status(), of_status(case.status()));
    screen.line(&format!("  {ASIDE}status      {ASIDE:#}{style}{status}{style:#}"))?;
    if let Some(outcome) = case.outcome() {
        let style = of_outcome(outcome);
        screen.line(&format!("  {ASIDE}outcome     {ASIDE:#}{style}{outcome}{style:#}"))?;
    }
    if let Some(claim) = file.claim() {
        screen.labelled(2, 12, "profile", &format!("{}, seeks {}", claim.profile, claim.sought))?;
        let mut intake = file.day(Version(1)).to_owned();
        if let Some(language) = &claim.language {
            let _ = write!(intake, ", heard in {language}");
        }
        screen.labelled(2, 12, "registered", &intake)?;
    }
    around(file, screen)?;
    let updated = file.updated().map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let events = count(case.version.0, "event", "events");
    let last = format!("{events}, the last recorded {}", updated.unwrap_or_default());
    screen.labelled(2, 12, "history", &last)?;
    said(file, Version(1), screen)?;
    if let Some(identity) = case.intake.identity_in_words() {
        screen.labelled(2, 12, "identity", &identity)?;
    }
    if let Some(asserted) = case.intake.identity {
        said(file, asserted, screen)?;
    }
    if let Some(withdrawn) = case.intake.withdrawn {
        let day = file.day(withdrawn);
        screen.labelled(2, 12, "withdrawn", &format!("{day}, version {withdrawn}"))?;
        said(file, withdrawn, screen)?;
    }
    if let Some(closed) = case.registry.closed {
        screen.labelled(2, 12, "closed", &format!("{}, version {closed}", file.day(closed)))?;
        said(file, closed, screen)?;
    }
    Ok(())
}

/// The person, the numbers of other bodies, and a hold.
fn around(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    if let Some(person) = file.case.intake.person {
        screen.labelled(2, 12, "person", &person.to_string())?;
    }
    for one in &file.case.intake.references {
        let holder = words(one.holder.as_str());
        screen.labelled(2, 12, "reference", &format!("{}, kept by: {holder}", one.reference))?;
    }
    if let Some(hold) = file.case.registry.hold {
        screen.labelled(2, 12, "on hold", &format!("since {}, version {hold}", file.day(hold)))?;
    }
    Ok(())
}

fn evidence(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    let state = &file.case.evidence;
    if !state.items.is_empty() {
        section(screen, "Evidence")?;
    }
    let mut items: Vec<_> = state.items.iter().collect();
    items.sort_by_key(|(_, item)| item.version);
    for (id, item) in items {
        screen.line(&format!("  {id}"))?;
        screen.indented(6, &item.in_words())?;
        said(file, item.version, screen)?;
    }
    if !state.facts.is_empty() {
        section(screen, "Facts")?;
    }
    for (code, fact) in &state.facts {
        let found =
            format!("{}  {ASIDE}by {}, version {}{ASIDE:#}", fact.value, fact.by, fact.version);
        screen.line(&format!("  {:<12}{found}", code.as_str()))?;
        said(file, fact.version, screen)?;
    }
    Ok(())
}

fn assessed(
    file: &CaseFile,
    number: usize,
    round: &Round,
    guidance: Option<&Guidance>,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let title = |what: &str| match file.case.assessment.rounds.len() {
        1 => what.to_owned(),
        _ => format!("{what}, round {number}"),
    };
    if !round.findings.is_empty() {
        section(screen, &title("Findings"))?;
    }
    for id in in_order(round, guidance) {
        let Some((id, finding)) = round.findings.iter().find(|(known, _)| known.as_str() == id)
        else {
            continue;
        };
        let style = match finding.value {
            Value::Met => GOOD,
            Value::NotMet => BAD,
            Value::Undetermined => ASIDE,
        };
        let named =
            guidance.and_then(|guidance| guidance.title_of(id.as_str())).unwrap_or_default();
        let (value, id) = (finding.value, id.as_str());
        screen.line(format!("  {id:<9} {style}{value}{style:#}  {named}").trim_end())?;
        let mut about = format!("by {}, version {}", finding.by, finding.version);
        if let Some(reason) = finding.u_reason {
            let _ = write!(about, ", {}", words(reason.as_str()));
        }
        if let Some(clause) = finding.clause {
            let _ = write!(about, ", clause {clause}");
        }
        screen.labelled(15, 0, "", &about)?;
        said(file, finding.version, screen)?;
    }
    if round.exclusion.is_some() || !round.assessments.is_empty() {
        section(screen, &title("Assessment"))?;
    }
    if let Some(exclusion) = &round.exclusion {
        let (version, by) = (exclusion.version, &exclusion.by);
        let line = format!("version {version} by {by}: examination of exclusion opened");
        screen.labelled(2, 12, file.day(version), &line)?;
        said(file, version, screen)?;
    }
    round.assessments.iter().try_for_each(|one| assessment(file, one, screen))
}

/// The findings in the order of the guidance, those that it does not know behind the others.
fn in_order(round: &Round, guidance: Option<&Guidance>) -> Vec<String> {
    let known = guidance.into_iter().flat_map(|guidance| {
        let criteria = guidance.criteria().iter().map(|criterion| criterion.id.as_str());
        criteria.chain(guidance.annotations().iter().map(|annotation| annotation.id.as_str()))
    });
    let mut order: Vec<String> = known.map(str::to_owned).collect();
    for id in round.findings.keys() {
        if !order.iter().any(|known| known == id.as_str()) {
            order.push(id.to_string());
        }
    }
    order
}

fn assessment(file: &CaseFile, one: &Assessment, screen: &mut Screen) -> Result<(), CliError> {
    let mut line = format!("version {} by {}: proposes {}", one.version, one.by, one.outcome);
    if let Some(completed) = file.completed(one.version) {
        let derived: Vec<_> =
            completed.derived.iter().map(|(id, value)| format!("{id} = {value}")).collect();
        let _ = write!(line, "; {}", derived.join(", "));
        if !completed.presumed.is_empty() {
            let _ = write!(line, "; presumed: {}", completed.presumed.join(", "));
        }
    }
    if !one.open.is_empty() {
        let _ = write!(line, "; open: {}", one.open.join(", "));
    }
    if let Some(by) = one.stale() {
        let _ = write!(line, "; voided by version {by}");
    }
    screen.labelled(2, 12, file.day(one.version), &line)?;
    for review in &one.reviews {
        let (version, by, result) = (review.version, &review.by, review.result);
        let line = format!("version {version} by {by}: review, {result}");
        screen.labelled(2, 12, file.day(version), &line)?;
        said(file, version, screen)?;
    }
    Ok(())
}

fn decided(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    if !file.case.decisions.all.is_empty() {
        section(screen, "Decision")?;
    }
    for decision in &file.case.decisions.all {
        screen.labelled(2, 12, file.day(decision.version), &in_words(file, decision))?;
        said(file, decision.version, screen)?;
        if let Some(notified) = &decision.notified {
            let deadline = &notified.appeal_deadline;
            let line = format!("served (version {}), appeal until {deadline}", notified.version);
            screen.labelled(2, 12, notified.served.as_str(), &line)?;
        }
    }
    Ok(())
}

fn in_words(file: &CaseFile, decision: &Decision) -> String {
    let mut line = format!("version {} by {}: {}", decision.version, decision.by, decision.outcome);
    if !decision.grounds.is_empty() {
        let grounds: Vec<_> = decision.grounds.iter().map(|ground| ground.as_str()).collect();
        let _ = write!(line, " on the ground of {}", grounds.join(", "));
    }
    if let Some(issued) = file.issued(decision.version).filter(|_| decision.departs) {
        let _ = write!(line, "; departs from the proposal, {}", issued.proposal);
    }
    if let Some(by) = decision.set_aside {
        let _ = write!(line, "; set aside by version {by}");
    }
    if let Some(kept) = decision.kept {
        let _ = write!(line, "; {kept} goes on until a review of the status ends it");
    }
    line
}

fn appealed(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    if !file.case.appeals.all.is_empty() {
        section(screen, "Appeals")?;
    }
    for appeal in &file.case.appeals.all {
        screen.line(&format!("  {}", appeal.id))?;
        screen.labelled(2, 12, file.day(appeal.version), &filed(appeal))?;
        said(file, appeal.version, screen)?;
        if let Some(lapsed) = appeal.lapsed {
            let line = format!("version {lapsed}: {}", appeal.stands().in_words());
            screen.labelled(2, 12, file.day(lapsed), &line)?;
        }
        if let Some(onward) = &appeal.onward {
            screen.labelled(2, 12, file.day(onward.sought), &permission(onward))?;
        }
        let Some(ruling) = appeal.last_ruling() else { continue };
        let mut line = format!("version {} by {}: {}", ruling.version, ruling.by, ruling.result);
        if let Some(outcome) = ruling.outcome {
            let _ = write!(line, ", {outcome}");
        }
        if let Some(last) = &ruling.onward_deadline {
            let _ = write!(line, "; further appeal until {last}");
        }
        screen.labelled(2, 12, file.day(ruling.version), &line)?;
        said(file, ruling.version, screen)?;
    }
    Ok(())
}

fn filed(appeal: &Appeal) -> String {
    let time = if appeal.in_time { "in time" } else { "late" };
    let late = appeal.late.map(|ruling| format!(", late filing {ruling}")).unwrap_or_default();
    format!("version {}: filed {time} against version {}{late}", appeal.version, appeal.decision)
}

fn permission(onward: &Onward) -> String {
    let (sought, by) = (onward.sought, onward.by);
    let result = onward.result.map_or("not decided", PermissionResult::as_str);
    let late = if onward.in_time { "" } else { ", late" };
    format!("version {sought}: permission to go further sought by {by}{late}: {result}")
}

fn parts(file: &CaseFile, screen: &mut Screen) -> Result<(), CliError> {
    section(screen, "Who took part")?;
    for (actor, parts) in &file.case.parts {
        let mut roles: Vec<&str> = Vec::new();
        for part in parts {
            if !roles.contains(&part.role.as_str()) {
                roles.push(part.role.as_str());
            }
        }
        let versions = ranges(parts.iter().map(|part| part.version.0));
        let label = if parts.len() == 1 { "version" } else { "versions" };
        let line = format!("{}, {label} {versions}", words(&roles.join(", ")));
        screen.labelled(2, 20, &format!("{actor} "), &line)?;
    }
    Ok(())
}

/// Ascending numbers as `1 to 4, 7`.
pub(super) fn ranges(numbers: impl Iterator<Item = u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let texts = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    });
    texts.collect::<Vec<_>>().join(", ")
}
