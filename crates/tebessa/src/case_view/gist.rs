//! An event in a few words, without anything personal.

use case::{Event, Recorded, appeals, assessment, decisions, evidence, intake};

/// What happened, in a few words.
pub(crate) fn of(record: &Recorded) -> String {
    match &record.event {
        Event::Intake(event) => match event {
            intake::Event::ClaimRegistered(claim) => {
                format!("claim registered: {}, seeks {}", claim.profile, claim.sought)
            }
            intake::Event::IdentityAsserted(_) => "identity asserted".to_owned(),
            intake::Event::ClaimWithdrawn(_) => "claim withdrawn".to_owned(),
        },
        Event::Evidence(event) => of_evidence(event),
        Event::Assessment(event) => of_assessment(event),
        Event::Decisions(event) => match event {
            decisions::Event::DecisionIssued(issued) => {
                let departs = if issued.departure.is_some() {
                    format!(", departing from {}", issued.proposal)
                } else {
                    String::new()
                };
                format!("decision issued: {}{departs}", issued.outcome)
            }
            decisions::Event::DecisionNotified(service) => format!(
                "decision served on {}, appeal until {}",
                service.served, service.appeal_deadline
            ),
        },
        Event::Appeals(event) => match event {
            appeals::Event::AppealFiled(filed) => {
                format!("appeal filed {}", if filed.in_time { "in time" } else { "late" })
            }
            appeals::Event::LateFilingRuled(ruled) => format!("late filing {}", ruled.ruling),
            appeals::Event::AppealDecided(decided) => match decided.outcome {
                Some(outcome) => format!("appeal {}: {outcome}", decided.result),
                None => format!("appeal {}", decided.result),
            },
        },
        Event::Registry(case::registry::Event::FileClosed(closed)) => {
            format!("file closed, kept as {}", closed.retention)
        }
    }
}

fn of_evidence(event: &evidence::Event) -> String {
    match event {
        evidence::Event::Attached(item) => format!("{} attached", item.kind),
        evidence::Event::CountryInfoAttached(info) => {
            format!("country information of {} attached", info.published)
        }
        evidence::Event::AuthenticityAssessed(assessed) => {
            format!("authenticity assessed: {}", assessed.result)
        }
        evidence::Event::Linked(link) => format!("evidence {} {}", link.polarity, link.criterion),
        evidence::Event::FactFound(found) => format!("fact {} found: {}", found.fact, found.value),
    }
}

fn of_assessment(event: &assessment::Event) -> String {
    match event {
        assessment::Event::FindingRecorded(finding) => match finding.u_reason {
            Some(reason) => format!("{} = {} ({reason})", finding.criterion, finding.value),
            None => format!("{} = {}", finding.criterion, finding.value),
        },
        assessment::Event::ExclusionOpened(_) => "examination of exclusion opened".to_owned(),
        assessment::Event::AssessmentCompleted(completed) => {
            format!("assessment completed: proposes {}", completed.outcome)
        }
        assessment::Event::AssessmentReviewed(reviewed) => format!("reviewed: {}", reviewed.result),
    }
}
