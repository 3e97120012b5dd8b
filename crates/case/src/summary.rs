//! A case in a few words: what lists and filters need, updated record by record.
//!
//! The journal's index keeps one summary per case. It must be computed from the summary before
//! and the record alone, so that an index that is behind catches up without reading whole cases.

use jiff::civil::Date;

use crate::deadlines::Running;
use crate::decisions::Event as DecisionEvent;
use crate::intake::Event as IntakeEvent;
use crate::record::Recorded;
use crate::registry::Event as RegistryEvent;
use crate::token::{ProfileName, Reference};
use crate::vocabulary::{
    AppealResult, DecisionOutcome, LateRuling, PermissionResult, RemittedTo, ReviewResult, Status,
};
use crate::{CaseId, CorrelationId, Counted, Event, KeyId, PersonId, Version, appeals, assessment};

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
    /// The day of registration, as RFC 3339 date; before it, the day on which the claim was made.
    #[schemars(with = "String")]
    pub registered: Date,
    /// The outcome that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DecisionOutcome>,
    /// How many events it has.
    pub version: Version,
    /// When the last event was recorded.
    pub updated: String,
    /// What the authority decided, where a tribunal ruled otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<DecisionOutcome>,
    /// Whether service of the standing decision is proved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notified: bool,
    /// The person of the authority's register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The claims of the family that the case links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub family: Vec<CaseId>,
    /// The numbers under which other bodies keep the case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// The key under which its personal fields are sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The key that was destroyed, where the case was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<KeyId>,
    /// Where a claim stood before it counted as withdrawn, a file before it was closed, or an appeal
    /// that was decided before the next court got it: there it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<Status>,
    /// The deadlines that run, the earliest first, for those who look at a list of cases. Timers follow
    /// the records themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<Running>,
    /// The thread that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationId>,
    /// What the public statistics count.
    #[serde(default, skip_serializing_if = "Counted::is_empty")]
    pub counted: Counted,
}

impl Summary {
    /// The summary after a record; `None` if the first record neither makes nor registers a claim.
    #[must_use]
    pub fn after(prior: Option<Self>, record: &Recorded) -> Option<Self> {
        let mut summary = match prior {
            Some(summary) => summary,
            None => Self::first(record)?,
        };
        summary.apply(record);
        let envelope = &record.envelope;
        for change in crate::deadlines::changes(&record.event, envelope.case, envelope.version) {
            change.apply_to(&mut summary.deadlines);
        }
        summary.counted.apply(record);
        summary.version = record.envelope.version;
        summary.updated = crate::record::time_text(record.envelope.time);
        Some(summary)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "no other event begins a case")]
    fn first(record: &Recorded) -> Option<Self> {
        let Event::Intake(event) = &record.event else { return None };
        let (profile, name) = match event {
            IntakeEvent::ClaimRegistered(claim) => (claim.profile.clone(), &claim.name),
            IntakeEvent::ClaimMade(claim) => (claim.profile.clone(), &claim.name),
            _ => return None,
        };
        Some(Self {
            case: record.envelope.case,
            status: Status::Made,
            profile,
            registered: registered(record),
            outcome: None,
            decided: None,
            version: record.envelope.version,
            updated: String::new(),
            notified: false,
            person: None,
            family: Vec::new(),
            references: Vec::new(),
            key: Some(name.sealed().key),
            erased: None,
            resumes: None,
            deadlines: Vec::new(),
            correlation: Some(record.envelope.correlation),
            counted: Counted::default(),
        })
    }

    fn apply(&mut self, record: &Recorded) {
        match &record.event {
            Event::Intake(event) => self.intake(event, record),
            Event::Evidence(event) => self.evidence(event),
            Event::Assessment(event) => self.assessment(event),
            Event::Decisions(event) => self.decision(event),
            Event::Appeals(event) => self.appeal(event),
            Event::Registry(event) => self.registry(event),
            Event::Deadlines(_) | Event::Register(_) => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events change no summary")]
    fn intake(&mut self, event: &IntakeEvent, record: &Recorded) {
        if event.is_new_matter() {
            self.void();
        }
        match event {
            IntakeEvent::ClaimRegistered(claim) => {
                self.status = Status::Registered;
                self.profile = claim.profile.clone();
                self.key = Some(claim.name.sealed().key);
                self.registered = registered(record);
                self.person = claim.person.or(self.person);
            }
            IntakeEvent::PersonIdentified(identified) => self.person = Some(identified.person),
            IntakeEvent::FamilyMemberLinked(link) => self.family.push(link.own_claim),
            IntakeEvent::ExternalReferenceRecorded(kept) => {
                self.references.push(kept.reference.clone());
            }
            IntakeEvent::ClaimWithdrawn(_) => self.status = Status::Withdrawn,
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events change no summary")]
    fn decision(&mut self, event: &DecisionEvent) {
        match event {
            DecisionEvent::DecisionIssued(issued) => self.decided(Some(issued.outcome)),
            DecisionEvent::StatusEnded(end) => {
                self.decided(Some(end.outcome.unwrap_or(DecisionOutcome::Refused)));
            }
            DecisionEvent::DecisionNotified(_) => {
                self.notified = true;
                if self.status == Status::Decided {
                    self.status = Status::Notified;
                }
            }
            DecisionEvent::DecisionWithdrawn(_) => self.open_again(),
            _ => {}
        }
    }

    fn decided(&mut self, outcome: Option<DecisionOutcome>) {
        self.status = Status::Decided;
        self.resumes = None;
        self.outcome = outcome;
        self.decided = None;
        self.notified = false;
    }

    fn served_or_not(&self) -> Status {
        if self.notified { Status::Notified } else { Status::Decided }
    }

    fn open_again(&mut self) {
        self.status = Status::InAssessment;
        self.outcome = None;
        self.decided = None;
        self.notified = false;
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events change no summary")]
    fn registry(&mut self, event: &RegistryEvent) {
        match event {
            RegistryEvent::FileClosed(_) => {
                if self.status != Status::Withdrawn {
                    self.resumes = Some(self.status);
                }
                self.status = Status::Closed;
            }
            RegistryEvent::ClaimWithdrawnImplicitly(_) => {
                self.resumes = Some(self.status);
                self.status = Status::Withdrawn;
            }
            RegistryEvent::ClaimReinstated(_) => {
                self.status = self.resumes.take().unwrap_or(self.status);
            }
            RegistryEvent::ClaimReopened(_) => {
                self.resumes = None;
                self.open_again();
            }
            RegistryEvent::PiiKeyDestroyed(destroyed) => self.erased = Some(destroyed.key),
            _ => {}
        }
    }

    fn evidence(&mut self, event: &crate::evidence::Event) {
        let begins = matches!(event, crate::evidence::Event::FactFound(_))
            && self.status == Status::Registered;
        if begins {
            self.status = Status::InAssessment;
        }
        if event.is_new_matter() {
            self.void();
        }
    }

    /// An assessment that was complete is so no more (I7).
    fn void(&mut self) {
        if matches!(self.status, Status::AwaitingReview | Status::AwaitingDecision) {
            self.status = Status::InAssessment;
        }
    }

    fn assessment(&mut self, event: &assessment::Event) {
        self.status = match event {
            assessment::Event::AssessmentOpened(_)
            | assessment::Event::FurtherEnquiryOrdered(_)
            | assessment::Event::FindingRecorded(_)
            | assessment::Event::ExclusionOpened(_) => Status::InAssessment,
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
            appeals::Event::AppealFiled(_) => {
                self.resumes = None;
                self.status = Status::UnderAppeal;
            }
            appeals::Event::LateFilingRuled(ruled) => {
                if ruled.ruling == LateRuling::Rejected {
                    self.status = self.served_or_not();
                }
            }
            appeals::Event::PermissionDecided(decided) => {
                if decided.result == PermissionResult::Granted {
                    self.resumes =
                        Some(self.status).filter(|status| *status == Status::AppealDecided);
                    self.status = Status::UnderAppeal;
                }
            }
            appeals::Event::SuspensiveEffectDetermined(_)
            | appeals::Event::HearingListed(_)
            | appeals::Event::HearingAdjourned(_)
            | appeals::Event::HearingHeld(_) => {}
            appeals::Event::PermissionSought(_) => {
                if self.status == Status::Closed {
                    self.status = self.resumes.take().unwrap_or(self.status);
                }
            }
            appeals::Event::AppealWithdrawn(_) => {
                if self.status == Status::UnderAppeal {
                    self.status = self.resumes.take().unwrap_or_else(|| self.served_or_not());
                }
            }
            appeals::Event::AppealDecided(decided) => {
                self.resumes = None;
                if decided.to == Some(RemittedTo::Tribunal) {
                    self.status = Status::UnderAppeal;
                    self.outcome = self.decided.take().or(self.outcome);
                } else if decided.result == AppealResult::Remitted {
                    self.open_again();
                } else {
                    self.status = Status::AppealDecided;
                    self.decided = self.decided.or(self.outcome);
                    self.outcome = decided.outcome.or(self.outcome);
                }
            }
        }
    }
}

/// The day of a registration; the earliest where less is known, and the day of the record where nothing
/// is. A case that could not be listed could not be found to be erased either.
fn registered(record: &Recorded) -> Date {
    let recorded = record.envelope.time.to_zoned(jiff::tz::TimeZone::UTC).date();
    record.envelope.occurred.first_day().unwrap_or(recorded)
}
