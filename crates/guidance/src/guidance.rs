//! One version of one profile: what can be asked of it.

use std::sync::Arc;

use jiff::civil::Date;

use crate::bits::Values;
use crate::criteria::{
    Annotation, Criteria, Criterion, Kind, Override, Parameter, Presumption, Source,
};
use crate::evaluate::{self, Evaluation, Question};
use crate::explain::{self, Explanation};
use crate::hash::GuidanceHash;
use crate::program::{Findings, Leaf, Program};
use crate::value::Value;

/// A parameter as a profile sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The parameter's id.
    pub parameter: String,
    /// The value chosen.
    pub value: String,
    /// A sentence about the choice; may be empty.
    pub note: String,
    /// Where the choice comes from; never empty.
    pub sources: Vec<Source>,
}

/// A standard of proof as a profile names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standard {
    /// What it is the standard of: `past_facts`, `future_risk` or `exclusion`.
    pub of: String,
    /// The standard's id, as in `balance`.
    pub standard: String,
    /// The standard in words.
    pub words: String,
    /// A sentence about it; may be empty.
    pub note: String,
    /// Where it comes from; never empty.
    pub sources: Vec<Source>,
}

/// How the courts of a profile read a criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The criterion's or annotation's id.
    pub criterion: String,
    /// The reading, in sentences.
    pub text: String,
    /// Where it comes from; never empty.
    pub sources: Vec<Source>,
}

/// An id that takes no finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotALeaf {
    /// The engine derives it.
    #[error("`{0}` is derived and takes no finding")]
    Derived(String),
    /// It is recorded in words or facts.
    #[error("`{0}` is recorded in words and takes no finding")]
    Attribute(String),
    /// The criteria do not know it.
    #[error("unknown criterion `{0}`")]
    Unknown(String),
}

/// One version of one profile, with the criteria it pins; cheap to evaluate, immutable.
#[derive(Debug)]
pub struct Guidance {
    pub(crate) hash: GuidanceHash,
    pub(crate) profile: String,
    pub(crate) title: String,
    pub(crate) valid_from: Date,
    pub(crate) valid_to: Option<Date>,
    pub(crate) sources: Vec<Source>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) standards: Vec<Standard>,
    pub(crate) readings: Vec<Reading>,
    pub(crate) criteria: Arc<Criteria>,
    pub(crate) program: Program,
}

impl Guidance {
    /// The SHA-256 of the profile's file; it fixes everything that an evaluation depends on.
    #[must_use]
    pub fn hash(&self) -> GuidanceHash {
        self.hash
    }

    /// The SHA-256 of the criteria file that the profile pins.
    #[must_use]
    pub fn criteria_hash(&self) -> GuidanceHash {
        self.criteria.hash
    }

    /// The profile's name, as in `UK_post2022`.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The profile in words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The title of the criteria.
    #[must_use]
    pub fn criteria_title(&self) -> &str {
        &self.criteria.title
    }

    /// The first day it is in force.
    #[must_use]
    pub fn valid_from(&self) -> Date {
        self.valid_from
    }

    /// The last day it is in force; `None` while it has no end. Where its file names none, that is the
    /// eve of the next version of its profile in the same library.
    #[must_use]
    pub fn valid_to(&self) -> Option<Date> {
        self.valid_to
    }

    /// Whether it is in force on a day, first and last day included.
    #[must_use]
    pub fn in_force(&self, on: Date) -> bool {
        self.valid_from <= on && self.valid_to.is_none_or(|end| on <= end)
    }

    /// The instruments that the profile rests on; never empty.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The parameters as this profile sets them, in the order of the criteria file.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The value of a parameter.
    #[must_use]
    pub fn setting(&self, parameter: &str) -> Option<&str> {
        let found = self.settings.iter().find(|setting| setting.parameter == parameter);
        found.map(|setting| setting.value.as_str())
    }

    pub(crate) fn setting_sources(&self, parameter: &str) -> &[Source] {
        let found = self.settings.iter().find(|setting| setting.parameter == parameter);
        found.map_or(&[], |setting| setting.sources.as_slice())
    }

    /// The standards of proof: for past facts, future risk and exclusion.
    #[must_use]
    pub fn standards(&self) -> &[Standard] {
        &self.standards
    }

    /// How the courts of this profile read single criteria.
    #[must_use]
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// The parameters that the criteria declare.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.criteria.parameters
    }

    /// Leaves and nodes, in the order of the criteria file.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        &self.criteria.tree
    }

    /// A leaf or node by id.
    #[must_use]
    pub fn criterion(&self, id: &str) -> Option<&Criterion> {
        self.criteria.get(id)
    }

    /// What is recorded beside the tree and never derived from.
    #[must_use]
    pub fn annotations(&self) -> &[Annotation] {
        &self.criteria.annotations
    }

    /// The title of a criterion or of what is recorded beside the tree.
    #[must_use]
    pub fn title_of(&self, id: &str) -> Option<&str> {
        let annotation = || self.annotations().iter().find(|annotation| annotation.id == id);
        match self.criterion(id) {
            Some(criterion) => Some(&criterion.title),
            None => annotation().map(|annotation| annotation.title.as_str()),
        }
    }

    /// The presumptions that the criteria know; the profile's parameters say which it has.
    #[must_use]
    pub fn presumptions(&self) -> &[Presumption] {
        &self.criteria.presumptions
    }

    /// The facts that settle a node.
    #[must_use]
    pub fn overrides(&self) -> &[Override] {
        &self.criteria.overrides
    }

    /// The criteria that the decision table reads.
    pub fn roots(&self) -> impl Iterator<Item = &Criterion> {
        self.criteria.roots.iter().filter_map(|place| self.criteria.tree.get(*place))
    }

    /// The leaves and their ids, in the order of the criteria file.
    pub fn leaves(&self) -> impl Iterator<Item = (Leaf, &str)> {
        (0_u8..).zip(&self.program.leaves).filter_map(|(slot, place)| {
            Some((Leaf(slot), self.criteria.tree.get(*place)?.id.as_str()))
        })
    }

    /// The leaf of an id; `None` when the id is no leaf.
    #[must_use]
    pub fn leaf(&self, id: &str) -> Option<Leaf> {
        let place = self.criteria.by_id.get(id)?;
        let slot = self.program.leaves.binary_search(place).ok()?;
        u8::try_from(slot).ok().map(Leaf)
    }

    /// The id of a leaf; `None` for a leaf of criteria that have more leaves.
    #[must_use]
    pub fn id_of(&self, leaf: Leaf) -> Option<&str> {
        let place = self.program.leaves.get(usize::from(leaf.0))?;
        self.criteria.tree.get(*place).map(|criterion| criterion.id.as_str())
    }

    /// Findings in which every leaf is undetermined: where a case starts.
    #[must_use]
    pub fn undetermined_findings(&self) -> Findings {
        Findings { values: Values::default() }
    }

    /// The findings of a decided case that lists none: what it does not list counts as not met,
    /// save a few leaves that count as met. For decided cases only; a case starts undetermined.
    #[must_use]
    pub fn decided_findings(&self) -> Findings {
        let mut values = Values { met: 0, not_met: self.program.leaf_slots };
        for place in &self.criteria.met_in_fixtures {
            if let Ok(slot) = self.program.leaves.binary_search(place) {
                values.set(u8::try_from(slot).unwrap_or_default(), Value::Met);
            }
        }
        Findings { values }
    }

    /// Takes one finding by id. An annotation that takes findings is accepted and changes nothing.
    pub fn find(&self, findings: &mut Findings, id: &str, value: Value) -> Result<(), NotALeaf> {
        if let Some(leaf) = self.leaf(id) {
            findings.set(leaf, value);
            return Ok(());
        }
        if let Some(annotation) = self.criteria.annotations.iter().find(|known| known.id == id) {
            if annotation.finding {
                return Ok(());
            }
            return Err(NotALeaf::Attribute(id.to_owned()));
        }
        match self.criterion(id).map(|criterion| &criterion.kind) {
            Some(Kind::Leaf | Kind::Node(_)) => Err(NotALeaf::Derived(id.to_owned())),
            None => Err(NotALeaf::Unknown(id.to_owned())),
        }
    }

    /// Evaluates every criterion, always, and proposes an outcome.
    #[must_use]
    pub fn evaluate(&self, question: &Question) -> Evaluation<'_> {
        evaluate::evaluate(self, question)
    }

    /// Explains an evaluation as a tree of sentences with sources.
    #[must_use]
    pub fn explain(&self, evaluation: &Evaluation<'_>) -> Explanation {
        explain::explain(self, evaluation)
    }
}
