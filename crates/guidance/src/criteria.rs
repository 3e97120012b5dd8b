//! The criteria: leaves that people find, nodes that are derived, and the rules between them.

use std::collections::BTreeMap;

use crate::decisions::Decision;
use crate::hash::GuidanceHash;
use crate::value::Value;

/// Whether a source was read when it was cited, or cited from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Someone read the source.
    Read,
    /// Cited from memory: not verified, and shown so.
    Memory,
}

/// A source of law or fact, with the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What is cited.
    pub cite: String,
    /// Article, paragraph or section.
    pub pinpoint: String,
    /// Whether it was read or cited from memory.
    pub checked: Checked,
}

impl std::fmt::Display for Source {
    /// Names the source and its pinpoint, and says when it was not verified.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.cite, self.pinpoint)?;
        match self.checked {
            Checked::Read => Ok(()),
            Checked::Memory => f.write_str(" [not verified]"),
        }
    }
}

/// A leaf or a node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// The id, as in `C1.1.a`.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What a caseworker answers, or for a node what its value says.
    pub question: String,
    /// The facts needed to answer.
    pub facts: Vec<String>,
    /// Kinds of evidence that support.
    pub supports: Vec<String>,
    /// Kinds of evidence that undermine.
    pub undermines: Vec<String>,
    /// Where it comes from; never empty.
    pub sources: Vec<Source>,
    /// The seed requirements it serves, as in `S19`.
    pub seed: Vec<String>,
    /// Leaf or node.
    pub kind: Kind,
}

/// Who says the value of a criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A person finds it.
    Leaf,
    /// The engine derives it.
    Node(Join),
}

/// Members joined by ALL or ANY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// `true` for ALL, `false` for ANY.
    pub all: bool,
    /// The members, in the order of the file.
    pub members: Vec<Member>,
}

/// A member of a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What is joined.
    pub target: Target,
    /// Whether it counts the other way round.
    pub negated: bool,
    /// The parameter and its value under which it counts; `None`: always.
    pub when: Option<(String, String)>,
}

/// What a member refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Another criterion, by id.
    Criterion(String),
    /// A group without a name.
    Group(Join),
}

/// Something recorded beside the tree that enters no derivation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The id, as in `C1.2.d`.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What a caseworker answers.
    pub question: String,
    /// Whether it takes a finding (M, N or U); otherwise it takes words or facts.
    pub finding: bool,
    /// The words it takes, if it takes words.
    pub words: Vec<String>,
    /// The facts needed to answer.
    pub facts: Vec<String>,
    /// Kinds of evidence that support.
    pub supports: Vec<String>,
    /// Kinds of evidence that undermine.
    pub undermines: Vec<String>,
    /// Why it is recorded and not derived from.
    pub why: String,
    /// Where it comes from; never empty.
    pub sources: Vec<Source>,
    /// The seed requirements it serves.
    pub seed: Vec<String>,
}

/// A leaf that counts as met although it is undetermined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presumption {
    /// The leaf.
    pub leaf: String,
    /// The parameter and its value under which the profile presumes.
    pub when: (String, String),
    /// The criterion that must be met.
    pub requires: String,
    /// The facts that must have been found, as name and word.
    pub facts: Vec<(String, String)>,
    /// Why it is presumed, as a sentence.
    pub why: String,
    /// Where it comes from; never empty.
    pub sources: Vec<Source>,
}

/// A fact that settles a node whatever its members say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The node.
    pub criterion: String,
    /// The value it takes: met or not met.
    pub value: Value,
    /// The fact and its word.
    pub fact: (String, String),
    /// Why, as a sentence.
    pub why: String,
    /// Where it comes from; never empty.
    pub sources: Vec<Source>,
}

/// A parameter of profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The id.
    pub id: String,
    /// What it decides, as a sentence.
    pub title: String,
    /// The values a profile may choose.
    pub values: Vec<String>,
}

/// A rung of the ladder of standards of proof, as the criteria declare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) id: String,
    pub(crate) words: String,
}

/// A criteria file that passed every check.
#[derive(Debug)]
pub(crate) struct Criteria {
    pub(crate) hash: GuidanceHash,
    pub(crate) title: String,
    /// Leaves and nodes, in the order of the file.
    pub(crate) tree: Vec<Criterion>,
    /// Place in `tree` by id.
    pub(crate) by_id: BTreeMap<String, usize>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) presumptions: Vec<Presumption>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) standards: Vec<Rung>,
    pub(crate) decisions: Vec<Decision>,
    /// Places of the criteria that the decision table reads, in the order of the file.
    pub(crate) roots: Vec<usize>,
    /// Places of the criteria that an answer reports, in its order.
    pub(crate) derived: Vec<usize>,
    /// Places of the leaves that count as met when a fixture does not list them.
    pub(crate) met_in_fixtures: Vec<usize>,
}

impl Criteria {
    pub(crate) fn get(&self, id: &str) -> Option<&Criterion> {
        self.by_id.get(id).and_then(|place| self.tree.get(*place))
    }
}
