//! An event in words, without anything personal.

mod deadlines;
mod evidence;
mod intake;
mod register;
mod registry;

use case::vocabulary::DecisionOutcome;
use case::{Event, EvidenceId, Recorded, appeals, assessment, decisions};

use crate::output::words;

/// What happened, and what it was about.
pub(crate) struct Gist {
    /// In a few words.
    pub(crate) headline: String,
    /// More, a line each.
    pub(crate) details: Vec<String>,
}

fn gist(headline: impl Into<String>, details: impl IntoIterator<Item = String>) -> Gist {
    let details = details.into_iter().filter(|line| !line.is_empty()).collect();
    Gist { headline: headline.into(), details }
}

/// What happened, in a line.
pub(crate) fn of(record: &Recorded) -> String {
    full(record).headline
}

/// What happened, in lines.
pub(crate) fn full(record: &Recorded) -> Gist {
    match &record.event {
        Event::Intake(event) => intake::gist_of(event),
        Event::Evidence(event) => evidence::gist_of(event),
        Event::Assessment(event) => of_assessment(event),
        Event::Decisions(event) => of_decisions(event),
        Event::Appeals(event) => of_appeals(event),
        Event::Registry(event) => registry::gist_of(event),
        Event::Deadlines(event) => deadlines::gist_of(event),
        Event::Register(event) => register::gist_of(event),
    }
}

fn of_assessment(event: &assessment::Event) -> Gist {
    match event {
        assessment::Event::FindingRecorded(finding) => of_finding(finding),
        assessment::Event::ExclusionOpened(_) => gist("Examination of exclusion opened", []),
        assessment::Event::AssessmentCompleted(completed) => {
            let derived: Vec<_> =
                completed.derived.iter().map(|(id, value)| format!("{id} = {value}")).collect();
            gist(
                format!("Assessment completed: proposes {}", completed.outcome),
                [
                    format!(
                        "round {}, {} as of {}, engine {}",
                        completed.round, completed.profile, completed.as_of, completed.engine
                    ),
                    derived.join(", "),
                    listed("presumed", completed.presumed.iter()),
                    listed("open", completed.open.iter()),
                ],
            )
        }
        assessment::Event::AssessmentReviewed(reviewed) => gist(
            format!("Assessment reviewed: {}", reviewed.result),
            [format!("the one of version {}", reviewed.assessment)],
        ),
    }
}

fn of_finding(finding: &assessment::RecordFinding) -> Gist {
    let value = match finding.u_reason {
        Some(reason) => format!("undetermined, {}", words(reason.as_str())),
        None => finding.value.words().to_owned(),
    };
    let clause = finding.clause.map(|clause| format!("clause {clause}"));
    let as_of = finding.as_of.as_ref().map(|date| format!("as of {date}"));
    let source = finding.source.as_ref().map(|source| format!("relies on {source}"));
    let mut details: Vec<String> = [clause, as_of, source].into_iter().flatten().collect();
    details.push(listed("facts", finding.facts.iter().map(|fact| fact.as_str())));
    details.push(relied("evidence", &finding.evidence));
    details.push(relied("country information", &finding.country_info));
    gist(format!("Finding: {} = {} ({value})", finding.criterion, finding.value), details)
}

fn of_decisions(event: &decisions::Event) -> Gist {
    match event {
        decisions::Event::DecisionIssued(issued) => {
            let departs = issued
                .departure
                .as_ref()
                .map(|_| format!("departs from the proposal, which was {}", issued.proposal));
            gist(
                format!("Decision issued: {}", issued.outcome),
                [
                    listed("grounds", issued.grounds.iter().map(|ground| ground.as_str())),
                    departs.unwrap_or_default(),
                    format!(
                        "on the assessment of version {}, agreed to by version {}",
                        issued.assessment, issued.review
                    ),
                    listed(
                        "found on the onus",
                        issued.onus.iter().map(|onus| onus.criterion.as_str()),
                    ),
                    listed("left undetermined", issued.unresolved.iter().map(ToString::to_string)),
                ],
            )
        }
        decisions::Event::DecisionNotified(service) => gist(
            format!("Decision served on {}", service.served),
            [format!(
                "{}, in {}; appeal until {}",
                words(service.method.as_str()),
                service.language,
                service.appeal_deadline
            )],
        ),
    }
}

fn of_appeals(event: &appeals::Event) -> Gist {
    match event {
        appeals::Event::AppealFiled(filed) => gist(
            format!("Appeal filed {}", if filed.in_time { "in time" } else { "late" }),
            [
                filed.appeal.to_string(),
                format!("on {}, against the decision of version {}", filed.filed, filed.decision),
            ],
        ),
        appeals::Event::LateFilingRuled(ruled) => {
            gist(format!("Late filing {}", ruled.ruling), [ruled.appeal.to_string()])
        }
        appeals::Event::AppealDecided(decided) => {
            let outcome = decided.outcome.map(DecisionOutcome::as_str);
            let outcome = outcome.map(|outcome| format!(": {outcome}")).unwrap_or_default();
            let held = decided.per_criterion.iter();
            let held = held.map(|held| format!("{} = {}", held.criterion, held.value));
            let onward = decided.onward_deadline.as_ref();
            let onward = onward.map(|last| format!("further appeal until {last}"));
            gist(
                format!("Appeal {}{outcome}", decided.result),
                [
                    decided.appeal.to_string(),
                    listed("the tribunal holds", held),
                    onward.unwrap_or_default(),
                ],
            )
        }
    }
}

fn listed<T: AsRef<str>>(label: &str, items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.as_ref().to_owned()).collect();
    if items.is_empty() { String::new() } else { format!("{label}: {}", items.join(", ")) }
}

fn relied(label: &str, items: &[EvidenceId]) -> String {
    listed(label, items.iter().map(ToString::to_string))
}
