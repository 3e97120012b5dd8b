//! A case in a few words: what lists and filters need, updated record by record.
//!
//! The journal's index keeps one summary per case. It must be computed from the summary before
//! and the record alone, so that an index that is behind catches up without reading whole cases.

use jiff::civil::Date;

use crate::decisions::Event as DecisionEvent;
use crate::intake::Event as IntakeEvent;
use crate::record::Recorded;
use crate::token::ProfileName;
use crate::vocabulary::{AppealResult, DecisionOutcome, LateRuling, ReviewResult, Status};
use crate::{CaseId, Event, Version, appeals, assessment};

/// A case in a few words. Nothing personal.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The case.
    pub case: CaseId,
    /// Where it stands.
    pub status: Status,
    /// The profile.
    pub profile: ProfileName,
    /// The day of registration, as RFC 3339 date.
    #[schemars(with = "String")]
    pub registered: Date,
    /// The outcome that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DecisionOutcome>,
    /// How many events it has.
    pub version: Version,
    /// When the last event was recorded.
    pub updated: String,
    /// Whether service of the standing decision is proved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notified: bool,
}

impl Summary {
    /// The summary after a record; `None` if the first record does not register a claim.
    #[must_use]
    pub fn after(prior: Option<Self>, record: &Recorded) -> Option<Self> {
        let mut summary = match prior {
            Some(summary) => summary,
            None => Self::first(record)?,
        };
        summary.apply(&record.event);
        summary.version = record.envelope.version;
        summary.updated = crate::record::time_text(record.envelope.time);
        Some(summary)
    }

    fn first(record: &Recorded) -> Option<Self> {
        let Event::Intake(IntakeEvent::ClaimRegistered(claim)) = &record.event else {
            return None;
        };
        Some(Self {
            case: record.envelope.case,
            status: Status::Registered,
            profile: claim.profile.clone(),
            registered: record.envelope.occurred.exact_day()?,
            outcome: None,
            version: record.envelope.version,
            updated: String::new(),
            notified: false,
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Intake(IntakeEvent::ClaimWithdrawn(_)) => self.status = Status::Withdrawn,
            Event::Intake(_) => {}
            Event::Evidence(event) => self.evidence(event),
            Event::Assessment(event) => self.assessment(event),
            Event::Decisions(DecisionEvent::DecisionIssued(issued)) => {
                self.status = Status::Decided;
                self.outcome = Some(issued.outcome);
                self.notified = false;
            }
            Event::Decisions(DecisionEvent::DecisionNotified(_)) => {
                self.notified = true;
                if self.status == Status::Decided {
                    self.status = Status::Notified;
                }
            }
            Event::Appeals(event) => self.appeal(event),
            Event::Registry(_) => self.status = Status::Closed,
        }
    }

    fn evidence(&mut self, event: &crate::evidence::Event) {
        let assessed = matches!(self.status, Status::AwaitingReview | Status::AwaitingDecision);
        let begins = matches!(event, crate::evidence::Event::FactFound(_))
            && self.status == Status::Registered;
        if assessed || begins {
            self.status = Status::InAssessment;
        }
    }

    fn assessment(&mut self, event: &assessment::Event) {
        self.status = match event {
            assessment::Event::FindingRecorded(_) | assessment::Event::ExclusionOpened(_) => {
                Status::InAssessment
            }
            assessment::Event::AssessmentCompleted(_) => Status::AwaitingReview,
            assessment::Event::AssessmentReviewed(reviewed) => match reviewed.result {
                ReviewResult::Agree => Status::AwaitingDecision,
                ReviewResult::Return => Status::InAssessment,
                ReviewResult::Escalate => Status::AwaitingReview,
            },
        };
    }

    fn appeal(&mut self, event: &appeals::Event) {
        match event {
            appeals::Event::AppealFiled(_) => self.status = Status::UnderAppeal,
            appeals::Event::LateFilingRuled(ruled) => {
                if ruled.ruling == LateRuling::Rejected {
                    self.status = if self.notified { Status::Notified } else { Status::Decided };
                }
            }
            appeals::Event::AppealDecided(decided) => {
                if decided.result == AppealResult::Remitted {
                    self.status = Status::InAssessment;
                    self.outcome = None;
                    self.notified = false;
                } else {
                    self.status = Status::AppealDecided;
                    self.outcome = decided.outcome.or(self.outcome);
                }
            }
        }
    }
}
