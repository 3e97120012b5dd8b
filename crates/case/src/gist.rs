//! An event in words, without anything personal.

mod deadlines;
mod decisions;
mod evidence;
mod intake;
mod later;
mod register;
mod registry;

use crate::vocabulary::{DecisionOutcome, TakenBack};
use crate::{Event, EvidenceId, Recorded, appeals, assessment};

/// What happened, and what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gist {
    /// In a few words.
    pub headline: String,
    /// More, a line each.
    pub details: Vec<String>,
}

fn gist(headline: impl Into<String>, details: impl IntoIterator<Item = String>) -> Gist {
    let details = details.into_iter().filter(|line| !line.is_empty()).collect();
    Gist { headline: headline.into(), details }
}

/// What happened, in a line.
#[must_use]
pub fn of(record: &Recorded) -> String {
    full(record).headline
}

/// What happened, in lines.
#[must_use]
pub fn full(record: &Recorded) -> Gist {
    match &record.event {
        Event::Intake(event) => intake::gist_of(event),
        Event::Evidence(event) => evidence::gist_of(event),
        Event::Assessment(event) => of_assessment(event),
        Event::Decisions(event) => decisions::gist_of(event),
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
        assessment::Event::AssessmentOpened(_) => gist("Assessment opened", []),
        assessment::Event::FurtherEnquiryOrdered(enquiry) => {
            let due = enquiry.due.as_ref().map(|due| format!("until {due}"));
            let about = enquiry.criteria.iter().map(ToString::to_string);
            gist("Further enquiry ordered", [listed("on", about), due.unwrap_or_default()])
        }
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
            let further = ruled.onward_deadline.as_ref();
            let further = further.map(|last| format!("may be taken further until {last}"));
            gist(
                format!("Late filing {}", ruled.ruling),
                [ruled.appeal.to_string(), further.unwrap_or_default()],
            )
        }
        appeals::Event::SuspensiveEffectDetermined(one) => gist(
            format!("Effect of the appeal meanwhile: {}", words(one.effect.as_str())),
            [one.appeal.to_string()],
        ),
        appeals::Event::HearingListed(one) => {
            gist(format!("Hearing listed for {}", one.at), [one.hearing.to_string()])
        }
        appeals::Event::HearingAdjourned(one) => {
            let to = one.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
            gist(
                format!("Hearing adjourned{to}"),
                [format!("because of: {}", one.cause), one.hearing.to_string()],
            )
        }
        appeals::Event::HearingHeld(one) => {
            let there = if one.attended { "" } else { ", without the appellant" };
            gist(format!("Hearing held{there}"), [one.hearing.to_string()])
        }
        appeals::Event::PermissionSought(one) => {
            let late = if one.in_time { "" } else { ", late" };
            gist(
                format!("Permission to go to the next court sought{late}"),
                [format!("on {}", one.sought), one.appeal.to_string()],
            )
        }
        appeals::Event::PermissionDecided(one) => gist(
            format!("Permission to go to the next court {}", one.result),
            [one.appeal.to_string()],
        ),
        appeals::Event::AppealWithdrawn(one) => {
            let what = match one.what {
                TakenBack::Appeal => "Appeal withdrawn",
                TakenBack::Permission => "Asking for permission to go to the next court withdrawn",
                TakenBack::OnwardAppeal => "Appeal to the next court withdrawn",
            };
            gist(what, [one.appeal.to_string()])
        }
        appeals::Event::AppealDecided(decided) => {
            let outcome = decided.outcome.map(DecisionOutcome::as_str);
            let outcome = outcome.map(|outcome| format!(": {outcome}")).unwrap_or_default();
            let held = decided.per_criterion.iter();
            let held = held.map(|held| format!("{} = {}", held.criterion, held.value));
            let onward = decided.onward_deadline.as_ref();
            let onward = onward.map(|last| format!("further appeal until {last}"));
            let below = decided.to.map(|to| format!(" to the {to}")).unwrap_or_default();
            gist(
                format!("Appeal {}{below}{outcome}", decided.result),
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

/// A number with what it counts, such as `1 record` and `1,204 records`.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// An amount of bytes in its unit, such as `1,204 bytes` or `3.4 MiB`.
#[must_use]
pub fn bytes(number: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    let tenths = |unit: u64| format!("{}.{}", number / unit, number % unit * 10 / unit);
    match number {
        0..KIB => count(number, "byte", "bytes"),
        KIB..MIB => format!("{} KiB", tenths(KIB)),
        _ => format!("{} MiB", tenths(MIB)),
    }
}

/// A coded word as one reads it: `in_person` as `in person`.
#[must_use]
pub fn words(code: &str) -> String {
    code.replace('_', " ")
}

/// A number with its thousands apart, such as `1,204`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
