//! Replay: what was recorded is derived again and compared, step by step (I16).
//!
//! In scope: the proposals of assessments, under the guidance and the engine that they name; what a
//! decision says of its assessment, its onus and what it left unresolved; every read set. Out of
//! scope: whether the rules of today would accept the command. Rules grow; derivations may not.

use std::collections::{BTreeMap, BTreeSet};

use guidance::{Guidance, GuidanceHash, Library, Outcome};

use crate::assessment::{self, Assessment, AssessmentCompleted, Round};
use crate::decisions::{self, DecisionIssued};
use crate::law::{self, Proposal};
use crate::record::Recorded;
use crate::state::Case;
use crate::token::{Criterion, ProfileName};
use crate::vocabulary::DecisionOutcome;
use crate::{Event, Seen, Version, appeals};

/// Guidance that is found by its hash, in force or not, in several libraries: old versions of one
/// profile overlap with the new ones and do not fit into one.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a>(pub &'a [Library]);

impl<'a> Shelf<'a> {
    /// The guidance of a hash as it stands in records, `sha256:` and 64 digits.
    #[must_use]
    pub fn find(self, hash: &str) -> Option<&'a Guidance> {
        let hash: GuidanceHash = hash.parse().ok()?;
        self.0.iter().find_map(|library| library.by_hash(&hash))
    }
}

/// What was replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replayed {
    /// A completed assessment.
    Assessment,
    /// A review of one.
    Review,
    /// A decision.
    Decision,
    /// A ruling on an appeal.
    Ruling,
}

/// The first thing that comes out otherwise than it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Divergence {
    /// The node or field, such as `C2.1`, `outcome` or `seen`.
    pub node: String,
    /// What was recorded.
    pub recorded: String,
    /// What comes out now.
    pub derived: String,
}

/// Guidance or an engine that is not here, so that nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "missing", rename_all = "snake_case")]
pub enum Missing {
    /// The guidance file.
    Guidance {
        /// Its SHA-256, as recorded.
        hash: String,
        /// The profile that it holds.
        profile: ProfileName,
    },
    /// The engine's version.
    Engine {
        /// The version, as recorded.
        engine: String,
    },
}

/// What a replay of one step gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Verdict {
    /// All comes out as recorded.
    Reproduced,
    /// Something does not.
    Diverged(Divergence),
    /// It could not be derived.
    NotDerived(Missing),
}

/// One step and what its replay gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Step {
    /// What it is.
    pub what: Replayed,
    /// Its event.
    pub version: Version,
    /// The position of its record.
    pub position: u64,
    /// What it came to, as recorded: an outcome, or the result of a review.
    pub outcome: &'static str,
    /// The guidance that it names, or that its assessment names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance: Option<String>,
    /// What the replay gave.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Missing {
    /// What is missing and how to supply it, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Guidance { hash, profile } => format!(
                "the guidance file of profile {profile} with the hash {hash} is missing, or the criteria file that it pins; put both into a directory and name it with --guidance"
            ),
            Self::Engine { engine } => format!(
                "engine version {engine} is not in this program, which has version {}; use the program that recorded it",
                guidance::ENGINE_VERSION
            ),
        }
    }
}

/// A case that is being replayed, record by record from version 1.
#[derive(Debug, Default)]
pub struct Replay {
    /// The case as far as it was folded. The answers to commands are left out of it.
    pub case: Case,
    /// What the replay of each assessment gave: a decision that rests on one is no better.
    verdicts: BTreeMap<Version, Verdict>,
}

impl Replay {
    /// Folds the next record; gives what its replay gave where it is a step that is replayed.
    pub fn take(&mut self, record: &Recorded, known: Shelf<'_>) -> Option<Step> {
        let step = self.step(record, known);
        if let Some(step) = &step
            && step.what == Replayed::Assessment
        {
            self.verdicts.insert(step.version, step.verdict.clone());
        }
        self.case.evolve(record);
        self.case.answers.clear();
        step
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing is derived in the other events")]
    fn step(&self, record: &Recorded, known: Shelf<'_>) -> Option<Step> {
        let (what, outcome, guidance, verdict) = match &record.event {
            Event::Assessment(assessment::Event::AssessmentCompleted(event)) => (
                Replayed::Assessment,
                event.outcome.as_str(),
                Some(event.guidance.clone()),
                assessed(&self.case, event, known),
            ),
            Event::Assessment(assessment::Event::AssessmentReviewed(event)) => {
                let latest = self.case.assessment.latest();
                let found = self.seen(event.seen, event.assessment).or_else(|| {
                    differs(
                        "assessment",
                        event.assessment,
                        latest.map_or(Version(0), |l| l.version),
                    )
                });
                (Replayed::Review, event.result.as_str(), self.guidance_of(event.assessment), found)
            }
            Event::Decisions(decisions::Event::DecisionIssued(event)) => (
                Replayed::Decision,
                event.outcome.as_str(),
                self.guidance_of(event.assessment),
                self.decided(event, known),
            ),
            Event::Appeals(appeals::Event::AppealDecided(event)) => {
                let filed = self.case.appeals.all.iter().find(|appeal| appeal.id == event.appeal);
                let filed = filed.map_or(Version(0), |appeal| appeal.version);
                (Replayed::Ruling, event.result.as_str(), None, self.seen(event.seen, filed))
            }
            _ => return None,
        };
        let verdict = verdict.unwrap_or(Verdict::Reproduced);
        let (version, position) = (record.envelope.version, record.position);
        Some(Step { what, version, position, outcome, guidance, verdict })
    }

    fn guidance_of(&self, version: Version) -> Option<String> {
        self.assessment(version).map(|assessment| assessment.guidance.clone())
    }

    fn assessment(&self, version: Version) -> Option<&Assessment> {
        let rounds = self.case.assessment.rounds.iter();
        rounds.flat_map(|round| &round.assessments).find(|one| one.version == version)
    }

    /// What was shown must be the case as it was, and have shown that on which the step rests.
    fn seen(&self, seen: Option<Seen>, least: Version) -> Option<Verdict> {
        seen_fits(&self.case, seen, least)
    }

    fn decided(&self, event: &DecisionIssued, known: Shelf<'_>) -> Option<Verdict> {
        if let Some(verdict) = self.verdicts.get(&event.assessment)
            && *verdict != Verdict::Reproduced
        {
            return Some(verdict.clone());
        }
        let case = &self.case;
        let Some(latest) = case.assessment.latest() else {
            return differs("assessment", event.assessment, "none");
        };
        differs("assessment", event.assessment, latest.version)
            .or_else(|| differs("proposal", event.proposal, latest.outcome))
            .or_else(|| {
                let agreed = latest.agreed().map_or(Version(0), |review| review.version);
                differs("review", event.review, agreed)
            })
            .or_else(|| departure_declared(event))
            .or_else(|| self.onus_holds(event, latest, known))
            .or_else(|| {
                let recorded: Vec<_> = event.unresolved.iter().map(Criterion::as_str).collect();
                let derived: Vec<_> = unresolved(case, event);
                differs("unresolved", recorded.join(", "), derived.join(", "))
            })
            .or_else(|| self.seen(event.seen, event.review))
    }

    /// I5: where the proposal was undetermined, the onus that was found leads to the refusal.
    fn onus_holds(
        &self,
        event: &DecisionIssued,
        latest: &Assessment,
        known: Shelf<'_>,
    ) -> Option<Verdict> {
        let denies = matches!(event.outcome, DecisionOutcome::Refused | DecisionOutcome::Excluded);
        if !denies || latest.outcome != Outcome::Undetermined {
            return None;
        }
        let converted: BTreeSet<Criterion> =
            event.onus.iter().map(|onus| onus.criterion.clone()).collect();
        let guidance = known.find(&latest.guidance)?;
        let outcome = law::outcome_with_onus(guidance, &self.case, &converted).ok()?;
        let derived = DecisionOutcome::from_proposal(outcome);
        differs("outcome", event.outcome.as_str(), derived.map_or("none", DecisionOutcome::as_str))
    }
}

/// I10: a departure is declared, and only a departure is.
fn departure_declared(event: &DecisionIssued) -> Option<Verdict> {
    let word = |departs: bool| if departs { "departs" } else { "follows the proposal" };
    differs("departure", word(event.departure.is_some()), word(event.departs()))
}

fn unresolved<'c>(case: &'c Case, event: &DecisionIssued) -> Vec<&'c str> {
    let findings = case.assessment.round().map(|round| &round.findings);
    findings
        .into_iter()
        .flatten()
        .filter(|(id, finding)| {
            finding.value == guidance::Value::Undetermined
                && !event.onus.iter().any(|onus| onus.criterion == **id)
        })
        .map(|(id, _)| id.as_str())
        .collect()
}

fn seen_fits(case: &Case, seen: Option<Seen>, least: Version) -> Option<Verdict> {
    let seen = seen?;
    let Some(leaf) = case.leaf(seen.version) else {
        return differs("seen", seen.version, "no such version before it");
    };
    differs("seen", seen.leaf, leaf).or_else(|| {
        let reaches = seen.version >= least;
        (!reaches).then(|| differs("seen", seen.version, format!("at least {least}"))).flatten()
    })
}

/// Derives an assessment again; `None` where it comes out as recorded.
fn assessed(case: &Case, event: &AssessmentCompleted, known: Shelf<'_>) -> Option<Verdict> {
    let missing = |missing| Some(Verdict::NotDerived(missing));
    if event.engine != guidance::ENGINE_VERSION {
        return missing(Missing::Engine { engine: event.engine.clone() });
    }
    let Some(guidance) = known.find(&event.guidance) else {
        let (hash, profile) = (event.guidance.clone(), event.profile.clone());
        return missing(Missing::Guidance { hash, profile });
    };
    let Some(round) = case.assessment.round() else {
        return differs("round", event.round, "none");
    };
    let proposal = match law::derive(guidance, case, round) {
        Ok(proposal) => proposal,
        Err(rejection) => return differs("case", "registered", rejection.message),
    };
    inputs_differ(case, round, event)
        .or_else(|| proposal_differs(guidance, event, &proposal))
        .or_else(|| seen_fits(case, event.seen, Version(1)))
}

/// What went into the derivation must be what the case had.
fn inputs_differ(case: &Case, round: &Round, event: &AssessmentCompleted) -> Option<Verdict> {
    differs("round", u64::from(event.round), case.assessment.rounds.len()).or_else(|| {
        let findings = round.findings.iter().map(|(id, f)| (id.as_str(), (f.value, f.version)));
        let used = event.findings.iter().map(|(id, f)| (id.as_str(), (f.value, f.version)));
        first_difference(&used.collect(), &findings.collect(), |(value, version)| {
            format!("{value} of version {version}")
        })
        .or_else(|| {
            let facts = case.evidence.facts.iter();
            let facts = facts.map(|(code, f)| (code.as_str(), (f.value, f.version)));
            let used = event.facts.iter().map(|(code, f)| (code.as_str(), (f.value, f.version)));
            first_difference(&used.collect(), &facts.collect(), |(value, version)| {
                format!("{value} of version {version}")
            })
        })
    })
}

fn proposal_differs(
    guidance: &Guidance,
    event: &AssessmentCompleted,
    now: &Proposal,
) -> Option<Verdict> {
    // Named is the first node in the order of the criteria file.
    let in_order = guidance.criteria().iter().map(|criterion| criterion.id.as_str());
    for id in in_order {
        let (recorded, derived) = (event.derived.get(id), now.derived.get(id));
        if recorded != derived {
            let word = |value: Option<&guidance::Value>| {
                value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
            };
            return differs(id, word(recorded), word(derived));
        }
    }
    differs("derived", event.derived.len(), now.derived.len())
        .or_else(|| differs("profile", event.profile.as_str(), now.profile.as_str()))
        .or_else(|| differs("sought", event.sought, now.sought))
        .or_else(|| differs("presumed", event.presumed.join(", "), now.presumed.join(", ")))
        .or_else(|| differs("open", event.open.join(", "), now.open.join(", ")))
        .or_else(|| differs("outcome", event.outcome, now.outcome))
}

/// The first key whose values differ, or that only one side has.
fn first_difference<V: Copy + PartialEq>(
    recorded: &BTreeMap<&str, V>,
    derived: &BTreeMap<&str, V>,
    word: impl Fn(V) -> String,
) -> Option<Verdict> {
    let keys: BTreeSet<&str> = recorded.keys().chain(derived.keys()).copied().collect();
    keys.into_iter().find_map(|key| {
        let word = |value: Option<&V>| value.map_or_else(|| "nothing".to_owned(), |v| word(*v));
        let (recorded, derived) = (recorded.get(key), derived.get(key));
        (recorded != derived).then(|| differs(key, word(recorded), word(derived))).flatten()
    })
}

#[expect(clippy::needless_pass_by_value, reason = "callers hand over what they just made")]
fn differs(node: &str, recorded: impl ToString, derived: impl ToString) -> Option<Verdict> {
    let (recorded, derived) = (recorded.to_string(), derived.to_string());
    let node = node.to_owned();
    (recorded != derived).then_some(Verdict::Diverged(Divergence { node, recorded, derived }))
}
