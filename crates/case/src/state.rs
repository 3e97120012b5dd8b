//! The folded case: what its events add up to. It holds no words, not even sealed ones.

use std::collections::BTreeMap;

use crate::decide::Actor;
use crate::record::Recorded;
use crate::rejection::{Code, Rejection, refuse};
use crate::token::ActorId;
use crate::vocabulary::{DecisionOutcome, ReviewResult, Role, Status};
use crate::{
    AppealId, CaseId, CommandId, CorrelationId, Event, EventId, KeyId, Leaf, Seen, Version,
    WorldDate, appeals, assessment, deadlines, decisions, evidence, intake, register, registry,
};

/// What evolving an event needs of its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// The event's version.
    pub version: Version,
    /// Who acted.
    pub by: &'a Actor,
    /// When it happened in the world.
    pub occurred: &'a WorldDate,
}

/// The answer that an accepted command got, and gets again (I22).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Answer {
    /// The event.
    pub event: EventId,
    /// Its version in the case.
    pub version: Version,
    /// Its position in the journal.
    pub position: u64,
    /// HMAC of the command under the case's key, in hexadecimal.
    pub digest: String,
}

/// One part that somebody took in a case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Part {
    /// In which capacity.
    pub role: Role,
    /// By which event.
    pub version: Version,
    /// Within which appeal, if within one.
    pub appeal: Option<AppealId>,
}

/// The state of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Case {
    /// Its id; absent before the first event.
    pub id: Option<CaseId>,
    /// How many events it has.
    pub version: Version,
    /// The thread that it belongs to.
    pub correlation: Option<CorrelationId>,
    /// What intake knows.
    pub intake: intake::State,
    /// What the evidence service knows.
    pub evidence: evidence::State,
    /// What the assessment service knows.
    pub assessment: assessment::State,
    /// What the decisions service knows.
    pub decisions: decisions::State,
    /// What the appeals service knows.
    pub appeals: appeals::State,
    /// What the registry knows.
    pub registry: registry::State,
    /// What the deadlines service knows.
    pub deadlines: deadlines::State,
    /// What the register knows, where this is the authority's register: it has the same shape.
    #[serde(skip_serializing_if = "register::State::is_empty")]
    pub register: register::State,
    /// Who took which part.
    pub parts: BTreeMap<ActorId, Vec<Part>>,
    /// The answers to accepted commands.
    pub answers: BTreeMap<CommandId, Answer>,
    /// The leaf hash of every record, from version 1 on. Left out of answers: the history has it.
    #[serde(skip)]
    pub leaves: Vec<Leaf>,
}

impl Case {
    /// Folds a case from its records, which must be in order from version 1.
    pub fn fold<'a>(records: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let mut case = Self::default();
        for record in records {
            case.evolve(record);
        }
        case
    }

    /// Applies one record. Total: it never fails on an event that `decide` produced.
    pub fn evolve(&mut self, record: &Recorded) {
        let envelope = &record.envelope;
        let stamp =
            Stamp { version: envelope.version, by: &envelope.by, occurred: &envelope.occurred };
        match &record.event {
            Event::Intake(event) => intake::evolve(self, event, &stamp),
            Event::Evidence(event) => evidence::evolve(self, event, &stamp),
            Event::Assessment(event) => assessment::evolve(self, event, &stamp),
            Event::Decisions(event) => decisions::evolve(self, event, &stamp),
            Event::Appeals(event) => appeals::evolve(self, event, &stamp),
            Event::Registry(event) => registry::evolve(self, event, &stamp),
            Event::Deadlines(_) => {}
            Event::Register(event) => register::evolve(self, event, &stamp),
        }
        self.registry.later.heard_of(envelope.by.role);
        self.deadlines.apply(&record.event, envelope.case, envelope.version);
        self.id = Some(envelope.case);
        self.version = envelope.version;
        self.leaves.push(record.leaf);
        self.correlation.get_or_insert(envelope.correlation);
        self.parts.entry(envelope.by.id.clone()).or_default().push(Part {
            role: envelope.by.role,
            version: envelope.version,
            appeal: record.event.appeal(),
        });
        self.answers.insert(
            envelope.command,
            Answer {
                event: envelope.id,
                version: envelope.version,
                position: record.position,
                digest: envelope.digest.clone(),
            },
        );
    }

    /// The leaf hash of a version's record; none before version 1 and behind the last.
    #[must_use]
    pub fn leaf(&self, version: Version) -> Option<Leaf> {
        let index = usize::try_from(version.0.checked_sub(1)?).ok()?;
        self.leaves.get(index).copied()
    }

    /// The case as it is now, as somebody may be shown it; none before the first event.
    #[must_use]
    pub fn head(&self) -> Option<Seen> {
        Some(Seen { version: self.version, leaf: self.leaf(self.version)? })
    }

    /// The key under which the personal fields are sealed, from the first event on.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        self.intake.key().or(self.register.key)
    }

    /// Refuses where there is no case.
    pub(crate) fn exists(&self) -> Result<(), Rejection> {
        if self.version == Version(0) {
            return refuse(Code::UnknownCase, "there is no such case; register the claim first");
        }
        if let Some(erased) = &self.registry.erased {
            return refuse(
                Code::Erased,
                format!(
                    "the case was erased at version {}; nothing more happens in it",
                    erased.version
                ),
            );
        }
        Ok(())
    }

    /// Refuses where the case is unknown, withdrawn or closed.
    pub(crate) fn alive(&self) -> Result<(), Rejection> {
        self.not_closed()?;
        self.not_withdrawn()
    }

    /// Refuses where the case is unknown or closed.
    pub(crate) fn not_closed(&self) -> Result<(), Rejection> {
        self.exists()?;
        if self.registry.closed.is_some() {
            return refuse(Code::FileClosed, "the file is closed");
        }
        Ok(())
    }

    fn not_withdrawn(&self) -> Result<(), Rejection> {
        if self.intake.withdrawn.is_some() {
            return refuse(Code::ClaimWithdrawn, "the claim was withdrawn");
        }
        Ok(())
    }

    /// Refuses where nobody can challenge what was decided: a closed file is no obstacle (I12).
    pub(crate) fn challengeable(&self) -> Result<(), Rejection> {
        self.exists()?;
        self.not_withdrawn()
    }

    /// Somebody challenges what was decided: a file that was closed is open again.
    pub(crate) fn open_again(&mut self) {
        self.registry.closed = None;
        self.registry.later.archived = None;
    }

    /// Refuses where the case is unknown, not registered yet, withdrawn or closed.
    pub(crate) fn open(&self) -> Result<(), Rejection> {
        self.alive()?;
        if self.intake.waits_for_registration() {
            return refuse(Code::NotRegistered, "the claim was made and not registered yet");
        }
        Ok(())
    }

    /// Refuses where a decision stands.
    pub(crate) fn undecided(&self) -> Result<(), Rejection> {
        match self.decisions.standing() {
            None => Ok(()),
            Some(decision) => refuse(
                Code::AlreadyDecided,
                format!("the decision of version {} stands", decision.version),
            ),
        }
    }

    /// I2: who reviewed or decided the case does not assess it, also when it came back.
    pub(crate) fn may_assess(&self, by: &Actor) -> Result<(), Rejection> {
        if self.decisions.decided(&by.id) {
            return refuse(Code::TookPart, "the actor decided this case and may not assess it");
        }
        self.impartial(&by.id)?;
        self.assessment.may_assess(by)
    }

    /// Whether somebody took any part, other than as judge of the given appeal: acted, represented the
    /// claimant, or was there when they were heard. What a judge orders meanwhile, such as a stay or more
    /// time, is of that appeal too.
    pub(crate) fn took_part_before(&self, actor: &ActorId, appeal: AppealId) -> bool {
        let acted = self.parts.get(actor).is_some_and(|parts| {
            parts.iter().any(|part| {
                part.role != Role::AppealJudge
                    || part.appeal.is_some_and(|other| !self.appeals.same_dispute(other, appeal))
            })
        });
        acted || self.intake.representatives.contains_key(actor) || self.was_present(actor)
    }

    /// I2: who asked for protection, stood beside who did, or judged, neither assesses nor reviews nor
    /// decides it at first instance.
    pub(crate) fn impartial(&self, actor: &ActorId) -> Result<(), Rejection> {
        let parts = self.parts.get(actor).into_iter().flatten();
        let mut roles = parts.map(|part| part.role);
        let asked = |role| matches!(role, Role::Applicant | Role::Representative);
        if roles.clone().any(asked) || self.intake.representatives.contains_key(actor) {
            return refuse(
                Code::TookPart,
                "the actor is or was of the claimant's side and has no part in what is decided on it",
            );
        }
        if roles.any(|role| role == Role::AppealJudge) {
            return refuse(
                Code::TookPart,
                "the actor was a judge in this case and has no part in what is decided before an appeal",
            );
        }
        if self.was_present(actor) {
            return refuse(
                Code::TookPart,
                "the actor interpreted for the claimant or accompanied them at an interview, and has no part \
                 in what is decided on it",
            );
        }
        Ok(())
    }

    /// Whether somebody interpreted at an interview of the claimant, or accompanied them.
    fn was_present(&self, actor: &ActorId) -> bool {
        self.evidence.interviews.values().any(|interview| interview.present.contains(actor))
    }

    /// The outcome that stands: the tribunal's, else the authority's.
    #[must_use]
    pub fn outcome(&self) -> Option<DecisionOutcome> {
        let decision = self.decisions.standing()?;
        let ruled = self.appeals.ruling_on(decision.version).and_then(|ruling| ruling.outcome);
        Some(ruled.unwrap_or(decision.outcome))
    }

    /// Where the case stands.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.registry.closed.is_some() {
            return Status::Closed;
        }
        if self.intake.withdrawn.is_some() {
            return Status::Withdrawn;
        }
        if self.appeals.pending().is_some() {
            return Status::UnderAppeal;
        }
        match self.decisions.standing() {
            Some(decision) if self.appeals.ruling_on(decision.version).is_some() => {
                Status::AppealDecided
            }
            Some(decision) if decision.notified.is_some() => Status::Notified,
            Some(_) => Status::Decided,
            None => self.assessment_status(),
        }
    }

    fn assessment_status(&self) -> Status {
        if self.intake.waits_for_registration() {
            return Status::Made;
        }
        let Some(latest) = self.assessment.latest() else {
            let begun = self.assessment.rounds.len() > 1
                || self.assessment.round().is_some_and(|round| !round.assessors.is_empty());
            return if begun { Status::InAssessment } else { Status::Registered };
        };
        match latest.reviews.last().map(|review| review.result) {
            _ if latest.stale().is_some() => Status::InAssessment,
            Some(ReviewResult::Return) => Status::InAssessment,
            Some(ReviewResult::Agree) => Status::AwaitingDecision,
            Some(ReviewResult::Escalate) | None => Status::AwaitingReview,
        }
    }
}

/// What must be there, or the refusal that it is not.
pub(crate) fn need<T>(found: Option<T>, code: Code, message: &str) -> Result<T, Rejection> {
    found.ok_or_else(|| Rejection::new(code, message))
}
