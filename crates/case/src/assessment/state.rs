//! What a case knows of its assessments, round by round.

use std::collections::{BTreeMap, BTreeSet};

use guidance::{Outcome, Value};

use super::{AssessmentCompleted, AssessmentReviewed, RecordFinding};
use crate::decide::Actor;
use crate::rejection::{Code, Rejection, refuse};
use crate::state::Stamp;
use crate::token::{ActorId, Criterion};
use crate::vocabulary::{ExclusionClause, FactCode, FactValue, ReviewResult, UReason};
use crate::{EvidenceId, Seen, Version, WorldDate};

/// A finding that another of the same round replaced.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Replaced {
    /// Its value.
    #[schemars(schema_with = "crate::schema::value")]
    pub value: Value,
    /// The event that recorded it.
    pub version: Version,
}

/// A finding as it stands; what the ones that it replaced rested on is in the history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// Its value.
    #[schemars(schema_with = "crate::schema::value")]
    pub value: Value,
    /// Why it cannot be determined.
    pub u_reason: Option<UReason>,
    /// Who found it.
    pub by: ActorId,
    /// The event that recorded it.
    pub version: Version,
    /// The event that recorded the finding which it replaced.
    pub replaces: Option<Version>,
    /// All that it replaced in its round, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Replaced>,
    /// The items of evidence relied on.
    pub evidence: Vec<EvidenceId>,
    /// The country information relied on.
    pub country_info: Vec<EvidenceId>,
    /// The facts relied on, as they were found then.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<FactCode, FactValue>,
    /// The clause, for exclusion.
    pub clause: Option<ExclusionClause>,
}

/// The examination of exclusion.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Exclusion {
    /// The event that opened it.
    pub version: Version,
    /// Who opened it.
    pub by: ActorId,
}

/// A review of an assessment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Review {
    /// What the reviewer says.
    pub result: ReviewResult,
    /// Who reviewed.
    pub by: ActorId,
    /// The event.
    pub version: Version,
    /// When it was, in the world.
    pub on: WorldDate,
    /// What the reviewer was shown.
    pub seen: Option<Seen>,
}

/// A completed assessment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Assessment {
    /// The event that completed it.
    pub version: Version,
    /// Who completed it.
    pub by: ActorId,
    /// When it was completed, in the world.
    pub on: WorldDate,
    /// The guidance under which it was derived.
    pub guidance: String,
    /// The proposal.
    #[schemars(schema_with = "crate::schema::outcome")]
    pub outcome: Outcome,
    /// The leaves that can still turn the outcome.
    pub open: Vec<String>,
    /// The event that voided it (I7).
    pub voided: Option<Version>,
    /// The event of intake that it does not know of: a need or an identity (I7). Apart from `voided`, because
    /// records from before this was a rule go on as they were decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overtaken: Option<Version>,
    /// What the assessor was shown.
    pub seen: Option<Seen>,
    /// Its reviews, in order.
    pub reviews: Vec<Review>,
}

impl Assessment {
    /// The agreed review, if there is one and the assessment was not voided.
    #[must_use]
    pub fn agreed(&self) -> Option<&Review> {
        let last = self.reviews.last()?;
        (self.voided.is_none() && last.result == ReviewResult::Agree).then_some(last)
    }

    /// The event because of which it must be completed again before anybody goes on from it (I7).
    #[must_use]
    pub fn stale(&self) -> Option<Version> {
        self.voided.or(self.overtaken)
    }

    /// Whether it was given back to the assessor.
    #[must_use]
    pub fn returned(&self) -> bool {
        self.reviews.last().is_some_and(|review| review.result == ReviewResult::Return)
    }
}

/// One round of assessment: the first, or one that a remittal opened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Round {
    /// The event that opened it.
    pub opened: Version,
    /// The day before which nothing is completed in it: that of what opened it, or of the decision or the
    /// claim that was withdrawn in it.
    pub since: WorldDate,
    /// The findings by criterion.
    pub findings: BTreeMap<Criterion, Finding>,
    /// The examination of exclusion, once it is open.
    pub exclusion: Option<Exclusion>,
    /// The completed assessments, in order; the last is the latest.
    pub assessments: Vec<Assessment>,
    /// Who took part in assessing.
    pub assessors: BTreeSet<ActorId>,
    /// Who reviewed.
    pub reviewers: BTreeSet<ActorId>,
}

/// What the assessment service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// The rounds in order. The last is the current one.
    pub rounds: Vec<Round>,
}

impl State {
    /// The current round.
    #[must_use]
    pub fn round(&self) -> Option<&Round> {
        self.rounds.last()
    }

    /// The latest completed assessment of the current round.
    #[must_use]
    pub fn latest(&self) -> Option<&Assessment> {
        self.round()?.assessments.last()
    }

    /// Whether somebody assessed in any round.
    #[must_use]
    pub fn assessed(&self, actor: &ActorId) -> bool {
        self.rounds.iter().any(|round| round.assessors.contains(actor))
    }

    /// Whether somebody reviewed in any round.
    #[must_use]
    pub fn reviewed(&self, actor: &ActorId) -> bool {
        self.rounds.iter().any(|round| round.reviewers.contains(actor))
    }

    /// I2: who reviewed does not assess. I14: who assessed an earlier round does not assess again.
    pub(crate) fn may_assess(&self, by: &Actor) -> Result<(), Rejection> {
        if self.reviewed(&by.id) {
            return refuse(Code::TookPart, "the actor reviewed this case and may not assess it");
        }
        let earlier = self.rounds.len().saturating_sub(1);
        if self.rounds.iter().take(earlier).any(|round| round.assessors.contains(&by.id)) {
            return refuse(
                Code::SameAssessor,
                "the case was remitted; somebody who did not assess it before must do so now",
            );
        }
        Ok(())
    }

    pub(crate) fn open_round(&mut self, opened: Version, since: WorldDate) {
        self.rounds.push(Round {
            opened,
            since,
            findings: BTreeMap::new(),
            exclusion: None,
            assessments: Vec::new(),
            assessors: BTreeSet::new(),
            reviewers: BTreeSet::new(),
        });
    }

    /// Something happened before which nothing is completed in the current round.
    pub(crate) fn goes_on_since(&mut self, since: WorldDate) {
        if let Some(round) = self.rounds.last_mut()
            && since.exact_day() > round.since.exact_day()
        {
            round.since = since;
        }
    }

    pub(crate) fn took_part(&mut self, by: &Actor) {
        if let Some(round) = self.rounds.last_mut() {
            round.assessors.insert(by.id.clone());
        }
    }

    pub(crate) fn reviewer(&mut self, by: &Actor) {
        if let Some(round) = self.rounds.last_mut() {
            round.reviewers.insert(by.id.clone());
        }
    }

    /// Voids the latest assessment, if there is one that is not void already.
    pub(crate) fn void(&mut self, version: Version) {
        if let Some(latest) = self.rounds.last_mut().and_then(|round| round.assessments.last_mut())
        {
            latest.voided.get_or_insert(version);
        }
    }

    /// Makes the latest assessment stale by what intake learned.
    pub(crate) fn overtake(&mut self, version: Version) {
        if let Some(latest) = self.rounds.last_mut().and_then(|round| round.assessments.last_mut())
        {
            latest.overtaken.get_or_insert(version);
        }
    }

    pub(crate) fn record(
        &mut self,
        finding: &RecordFinding,
        facts: BTreeMap<FactCode, FactValue>,
        stamp: &Stamp<'_>,
    ) {
        let Some(round) = self.rounds.last_mut() else { return };
        let mut earlier = Vec::new();
        if let Some(old) = round.findings.remove(&finding.criterion) {
            earlier = old.earlier;
            earlier.push(Replaced { value: old.value, version: old.version });
        }
        round.findings.insert(
            finding.criterion.clone(),
            Finding {
                value: finding.value,
                u_reason: finding.u_reason,
                by: stamp.by.id.clone(),
                version: stamp.version,
                replaces: earlier.last().map(|old| old.version),
                earlier,
                evidence: finding.evidence.clone(),
                country_info: finding.country_info.clone(),
                facts,
                clause: finding.clause,
            },
        );
    }

    pub(crate) fn open_exclusion(&mut self, stamp: &Stamp<'_>) {
        if let Some(round) = self.rounds.last_mut() {
            round.exclusion = Some(Exclusion { version: stamp.version, by: stamp.by.id.clone() });
        }
    }

    pub(crate) fn complete(&mut self, completed: &AssessmentCompleted, stamp: &Stamp<'_>) {
        if let Some(round) = self.rounds.last_mut() {
            round.assessments.push(Assessment {
                version: stamp.version,
                by: stamp.by.id.clone(),
                on: stamp.occurred.clone(),
                guidance: completed.guidance.clone(),
                outcome: completed.outcome,
                open: completed.open.clone(),
                voided: None,
                overtaken: None,
                seen: completed.seen,
                reviews: Vec::new(),
            });
        }
    }

    pub(crate) fn review(&mut self, reviewed: &AssessmentReviewed, stamp: &Stamp<'_>) {
        let Some(round) = self.rounds.last_mut() else { return };
        round.reviewers.insert(stamp.by.id.clone());
        if let Some(latest) = round.assessments.last_mut() {
            // Who reviews afterwards knows of it: so it was in records from before this was a rule.
            latest.overtaken = None;
            latest.reviews.push(Review {
                result: reviewed.result,
                by: stamp.by.id.clone(),
                version: stamp.version,
                on: stamp.occurred.clone(),
                seen: reviewed.seen,
            });
        }
    }
}
