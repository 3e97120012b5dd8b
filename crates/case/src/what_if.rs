//! What if: an assessment derived again under another guidance, on another day, or with other
//! findings. Nothing here is a decision, and nothing of it is ever recorded.
//!
//! Supposed is one thing at a time on top of what the record says: the facts, the findings that are
//! not named, what is sought and whether exclusion was examined stay as they were when the assessment
//! was completed. Onus and review are people's and are not supposed.

use std::collections::BTreeMap;

use guidance::{Guidance, Join, Kind, Library, Outcome, Target, Value};
use jiff::civil::Date;

use crate::assessment::{self, AssessmentCompleted};
use crate::law;
use crate::replay::{Missing, Shelf};
use crate::state::Case;
use crate::token::{Criterion, ProfileName};
use crate::vocabulary::DecisionOutcome;
use crate::{Event, Recorded, Version};

/// What is supposed. Nothing: then everything must come out as recorded.
#[derive(Debug, Clone, Default)]
pub struct Supposition<'a> {
    /// The guidance in force is looked for here; absent: each assessment's own guidance holds.
    pub law: Option<&'a Library>,
    /// Another profile.
    pub profile: Option<ProfileName>,
    /// Another day whose guidance applies.
    pub as_of: Option<Date>,
    /// Other findings, by leaf.
    pub set: BTreeMap<Criterion, Value>,
}

/// A criterion that comes out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Turn {
    /// The criterion, or `outcome` where no criterion differs.
    pub node: String,
    /// Its title.
    pub title: String,
    /// What was recorded; empty: nothing.
    pub recorded: String,
    /// What comes out.
    pub supposed: String,
}

/// What came out for an assessment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Supposed {
    /// The outcome stays.
    Same,
    /// The outcome turns.
    Turned {
        /// What comes out.
        #[schemars(schema_with = "crate::schema::outcome")]
        outcome: Outcome,
        /// The criterion that turns it: from the first root that differs, else the first leaf, down
        /// to the deepest one whose own members explain no more.
        by: Turn,
    },
    /// It could not be derived: no guidance of the profile is in force on the day.
    NotDerived {
        /// Why, as a sentence.
        why: String,
    },
}

/// The latest assessment of a case, and what would come of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Answer {
    /// Its event.
    pub version: Version,
    /// The position of its record.
    pub position: u64,
    /// The profile of the guidance that was supposed, or of the recorded one.
    pub profile: String,
    /// That guidance's hash; empty where there is none.
    pub guidance: String,
    /// The outcome that was proposed.
    #[schemars(schema_with = "crate::schema::outcome")]
    pub recorded: Outcome,
    /// The outcome that stands in the case by now, if it was decided.
    pub decided: Option<DecisionOutcome>,
    /// What comes out.
    #[serde(flatten)]
    pub supposed: Supposed,
}

impl Answer {
    /// The outcome that stands in the case, or the proposed one where nothing was decided.
    #[must_use]
    pub fn stands(&self) -> &'static str {
        self.decided.map_or(self.recorded.as_str(), |outcome| outcome.as_str())
    }
}

/// A case that is being asked, record by record from version 1.
#[derive(Debug, Default)]
pub struct Asking {
    case: Case,
    latest: Option<Answer>,
}

impl Asking {
    /// How far the case was folded.
    #[must_use]
    pub fn version(&self) -> Version {
        self.case.version
    }

    /// Folds the next record.
    pub fn take(&mut self, record: &Recorded, known: Shelf<'_>, supposition: &Supposition<'_>) {
        if let Event::Assessment(assessment::Event::AssessmentCompleted(event)) = &record.event {
            let answer = answer(&self.case, event, record, known, supposition);
            self.latest = Some(answer);
        }
        self.case.evolve(record);
        self.case.answers.clear();
    }

    /// The answer for the latest assessment; `None` where none was completed.
    #[must_use]
    pub fn end(self) -> Option<Answer> {
        let decided = self.case.outcome();
        self.latest.map(|latest| Answer { decided, ..latest })
    }
}

fn guidance_for<'a>(
    event: &AssessmentCompleted,
    known: Shelf<'a>,
    supposition: &Supposition<'a>,
) -> Result<&'a Guidance, String> {
    let Some(library) = supposition.law else {
        let missing =
            || Missing::Guidance { hash: event.guidance.clone(), profile: event.profile.clone() };
        return known.find(&event.guidance).ok_or_else(|| missing().sentence());
    };
    let profile = supposition.profile.as_ref().unwrap_or(&event.profile);
    let day = supposition.as_of.or_else(|| event.as_of.exact_day());
    let day = day.ok_or_else(|| format!("{} is not one day; say --as-of", event.as_of))?;
    library.require(profile.as_str(), day).map_err(|error| error.to_string())
}

fn answer(
    case: &Case,
    event: &AssessmentCompleted,
    record: &Recorded,
    known: Shelf<'_>,
    supposition: &Supposition<'_>,
) -> Answer {
    let mut answer = Answer {
        version: record.envelope.version,
        position: record.position,
        profile: event.profile.to_string(),
        guidance: String::new(),
        recorded: event.outcome,
        decided: None,
        supposed: Supposed::Same,
    };
    let guidance = match guidance_for(event, known, supposition) {
        Ok(guidance) => guidance,
        Err(why) => return Answer { supposed: Supposed::NotDerived { why }, ..answer },
    };
    guidance.profile().clone_into(&mut answer.profile);
    answer.guidance = guidance.hash().to_string();
    answer.supposed = match law::suppose(guidance, case, &supposition.set) {
        Err(rejection) => Supposed::NotDerived { why: rejection.message },
        Ok(proposal) if proposal.outcome == event.outcome => Supposed::Same,
        Ok(proposal) => {
            let search = Search { guidance, event, proposal: &proposal, set: &supposition.set };
            Supposed::Turned { outcome: proposal.outcome, by: search.turn() }
        }
    };
    answer
}

/// The search for the criterion that turns an outcome.
struct Search<'a> {
    guidance: &'a Guidance,
    event: &'a AssessmentCompleted,
    proposal: &'a law::Proposal,
    set: &'a BTreeMap<Criterion, Value>,
}

impl Search<'_> {
    fn turn(&self) -> Turn {
        // A leaf that stands in no formula, such as exclusion, bears on the outcome by itself.
        let roots = self.guidance.roots().map(|root| root.id.as_str());
        let leaves = self.guidance.leaves().map(|(_, leaf)| leaf);
        let Some(first) = roots.chain(leaves).find(|id| self.differs(id)) else {
            return Turn {
                node: "outcome".to_owned(),
                title: "no criterion differs".to_owned(),
                recorded: self.event.outcome.to_string(),
                supposed: self.proposal.outcome.to_string(),
            };
        };
        let node = self.deepest(first);
        Turn {
            title: self.guidance.title_of(&node).unwrap_or_default().to_owned(),
            recorded: self.recorded(&node),
            supposed: self.supposed(&node),
            node,
        }
    }

    fn deepest(&self, id: &str) -> String {
        let mut members = Vec::new();
        if let Some(Kind::Node(join)) = self.guidance.criterion(id).map(|known| &known.kind) {
            collect(join, &mut members);
        }
        match members.into_iter().find(|member| self.differs(member)) {
            Some(member) => self.deepest(member),
            None => id.to_owned(),
        }
    }

    fn differs(&self, id: &str) -> bool {
        self.recorded(id) != self.supposed(id)
    }

    /// The value of a node, or of a leaf that was found or presumed.
    fn recorded(&self, id: &str) -> String {
        if let Some(value) = self.event.derived.get(id) {
            return value.to_string();
        }
        if self.event.presumed.iter().any(|leaf| leaf == id) {
            return "presumed".to_owned();
        }
        self.found(id)
    }

    /// A leaf without a finding is undetermined; exclusion that was not examined counts as not met.
    fn found(&self, id: &str) -> String {
        let found = self.event.findings.iter().find(|(known, _)| known.as_str() == id);
        let none = if id == law::EXCLUSION { Value::NotMet } else { Value::Undetermined };
        found.map_or(none, |(_, finding)| finding.value).to_string()
    }

    fn supposed(&self, id: &str) -> String {
        if let Some(value) = self.proposal.derived.get(id) {
            return value.to_string();
        }
        if self.proposal.presumed.iter().any(|leaf| leaf == id) {
            return "presumed".to_owned();
        }
        if let Some((_, value)) = self.set.iter().find(|(known, _)| known.as_str() == id) {
            return value.to_string();
        }
        self.found(id)
    }
}

fn collect<'j>(join: &'j Join, members: &mut Vec<&'j str>) {
    for member in &join.members {
        match &member.target {
            Target::Criterion(id) => members.push(id),
            Target::Group(group) => collect(group, members),
        }
    }
}
