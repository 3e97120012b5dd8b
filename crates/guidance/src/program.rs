//! The criteria compiled for one profile: a short list of steps over bits.

use std::collections::BTreeMap;

use crate::bits::{Values, bit};
use crate::criteria::{Criteria, Join, Kind, Target};
use crate::decisions::Table;
use crate::graph;
use crate::terms::Facts;
use crate::value::Value;

/// Exact open questions try every completion of the leaves that feed more than one path.
const MOST_SHARED: u32 = 8;
/// The slots of [`Values`].
const MOST_SLOTS: usize = 128;

/// A leaf of the criteria of one guidance; with criteria of another hash it means another leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Leaf(pub(crate) u8);

/// What people found: a value for every leaf. The order of setting never matters.
///
/// It belongs to the criteria of the guidance that made it (`Guidance::undetermined_findings`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Findings {
    pub(crate) values: Values,
}

impl Findings {
    /// Sets what was found about a leaf; a later value replaces an earlier one.
    pub fn set(&mut self, leaf: Leaf, value: Value) {
        self.values.set(leaf.0, value);
    }

    /// What was found about a leaf.
    #[must_use]
    pub fn get(&self, leaf: Leaf) -> Value {
        self.values.get(leaf.0)
    }
}

/// What a slot stands for, to explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// A criterion, by its place.
    Criterion(usize),
    /// A group without a name.
    Group,
}

/// One slot is computed from others.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) slot: u8,
    pub(crate) means: Means,
    pub(crate) rule: Rule,
}

/// How a slot is computed.
#[derive(Debug)]
pub(crate) enum Rule {
    /// ALL or ANY of slots, some of them negated.
    Join {
        all: bool,
        plain: u128,
        negated: u128,
        /// The fact that settles it, as bits of [`Facts::bits`], and the value it then has.
        settled: Option<(u8, Value)>,
        /// The members in the order of the file, to explain them: slot, and whether negated.
        members: Vec<(u8, bool)>,
    },
    /// A leaf that may be presumed.
    Presumable {
        leaf: u8,
        /// Place among the presumptions of the criteria.
        presumption: u8,
        /// `None` where the profile does not presume: slot that must be met, facts required.
        when: Option<(u8, u8)>,
    },
}

/// A member that counts in its join under one value of a parameter only, to explain what a profile
/// chose. Of what a profile leaves out, groups without a name are not compiled and not told.
#[derive(Debug)]
pub(crate) struct Conditional {
    /// The slot of the join.
    pub(crate) of: u8,
    /// The parameter and the value under which the member counts.
    pub(crate) when: (String, String),
    /// The member: slot, and whether negated.
    pub(crate) member: (u8, bool),
}

/// The criteria under the parameters of one profile.
#[derive(Debug)]
pub(crate) struct Program {
    /// Every step stands behind those it depends on.
    pub(crate) steps: Vec<Step>,
    /// The slot that carries the value of each criterion, by its place.
    pub(crate) slots: Vec<u8>,
    /// Places of the criteria that are leaves, by leaf slot.
    pub(crate) leaves: Vec<usize>,
    /// The slots of all leaves.
    pub(crate) leaf_slots: u128,
    /// The leaves that feed more than one path to the outcome.
    pub(crate) shared: u128,
    /// The members that count under some profiles only, those that this one leaves out too.
    pub(crate) conditionals: Vec<Conditional>,
    /// The slots that the decision table reads.
    pub(crate) roots: Vec<u8>,
    pub(crate) table: Table,
}

/// Compiles criteria under a profile's settings; the error is a sentence for its author.
pub(crate) fn compile(
    criteria: &Criteria,
    settings: &BTreeMap<String, String>,
) -> Result<Program, String> {
    let leaves: Vec<usize> = (0..criteria.tree.len())
        .filter(|place| criteria.tree.get(*place).is_some_and(|c| c.kind == Kind::Leaf))
        .collect();
    let mut compiler = Compiler {
        criteria,
        settings,
        slots: vec![None; criteria.tree.len()],
        leaf_slots: BTreeMap::new(),
        next: 0,
        steps: Vec::new(),
        conditionals: Vec::new(),
    };
    let mut leaf_set = 0;
    for place in &leaves {
        let slot = compiler.take()?;
        compiler.leaf_slots.insert(*place, slot);
        leaf_set |= bit(slot);
    }
    let order =
        graph::order(&criteria.tree, &criteria.by_id, &criteria.presumptions, &criteria.roots);
    for place in order {
        compiler.criterion(place)?;
    }
    let slots: Vec<u8> = compiler.slots.iter().map(|slot| slot.unwrap_or_default()).collect();
    let roots: Vec<u8> =
        criteria.roots.iter().filter_map(|root| slots.get(*root)).copied().collect();
    let Compiler { steps, conditionals, .. } = compiler;
    let shared = shared(&steps, &roots, leaf_set);
    if shared.count_ones() > MOST_SHARED {
        return Err(format!(
            "{} leaves feed more than one path to the outcome: at most {MOST_SHARED}",
            shared.count_ones()
        ));
    }
    let table = Table::compile(&criteria.decisions, roots.len(), settings);
    let leaf_slots = leaf_set;
    Ok(Program { steps, slots, leaves, leaf_slots, shared, conditionals, roots, table })
}

struct Compiler<'a> {
    criteria: &'a Criteria,
    settings: &'a BTreeMap<String, String>,
    slots: Vec<Option<u8>>,
    leaf_slots: BTreeMap<usize, u8>,
    next: usize,
    steps: Vec<Step>,
    conditionals: Vec<Conditional>,
}

impl Compiler<'_> {
    fn take(&mut self) -> Result<u8, String> {
        let slot = self.next;
        self.next += 1;
        if slot >= MOST_SLOTS {
            return Err(format!("more than {MOST_SLOTS} criteria and groups"));
        }
        u8::try_from(slot).map_err(|error| error.to_string())
    }

    fn holds(&self, (parameter, value): &(String, String)) -> bool {
        self.settings.get(parameter) == Some(value)
    }

    fn slot_of(&self, id: &str) -> Option<u8> {
        let place = self.criteria.by_id.get(id)?;
        self.slots.get(*place).copied().flatten()
    }

    fn criterion(&mut self, place: usize) -> Result<(), String> {
        let criteria = self.criteria;
        let Some(criterion) = criteria.tree.get(place) else { return Ok(()) };
        let slot = match &criterion.kind {
            Kind::Leaf => self.leaf(place, &criterion.id)?,
            Kind::Node(join) => {
                let settled = criteria
                    .overrides
                    .iter()
                    .find(|known| known.criterion == criterion.id)
                    .and_then(|known| {
                        Some((Facts::bit(&known.fact.0, &known.fact.1)?, known.value))
                    });
                self.join(join, Means::Criterion(place), settled)?
            }
        };
        if let Some(entry) = self.slots.get_mut(place) {
            *entry = Some(slot);
        }
        Ok(())
    }

    fn leaf(&mut self, place: usize, id: &str) -> Result<u8, String> {
        let leaf = self.leaf_slots.get(&place).copied().unwrap_or_default();
        let found = (0..=u8::MAX).zip(&self.criteria.presumptions).find(|(_, p)| p.leaf == id);
        let Some((number, presumption)) = found else { return Ok(leaf) };
        let facts = presumption.facts.iter().filter_map(|(fact, word)| Facts::bit(fact, word));
        let facts = facts.sum();
        let when = if self.holds(&presumption.when) {
            self.slot_of(&presumption.requires).map(|required| (required, facts))
        } else {
            None
        };
        let slot = self.take()?;
        let rule = Rule::Presumable { leaf, presumption: number, when };
        self.steps.push(Step { slot, means: Means::Criterion(place), rule });
        Ok(slot)
    }

    fn join(
        &mut self,
        join: &Join,
        means: Means,
        settled: Option<(u8, Value)>,
    ) -> Result<u8, String> {
        let (mut members, mut conditional) = (Vec::new(), Vec::new());
        let (mut plain, mut negated) = (0, 0);
        for member in &join.members {
            let counts = member.when.as_ref().is_none_or(|when| self.holds(when));
            let slot = match &member.target {
                Target::Criterion(id) => self.slot_of(id).unwrap_or_default(),
                Target::Group(group) if counts => self.join(group, Means::Group, None)?,
                Target::Group(_) => continue,
            };
            if let Some(when) = &member.when {
                conditional.push((when.clone(), (slot, member.negated)));
            }
            if !counts {
                continue;
            }
            if member.negated {
                negated |= bit(slot);
            } else {
                plain |= bit(slot);
            }
            members.push((slot, member.negated));
        }
        if members.is_empty() {
            let name = match means {
                Means::Criterion(place) => {
                    self.criteria.tree.get(place).map_or("", |c| c.id.as_str())
                }
                Means::Group => "a group",
            };
            return Err(format!("{name} has no member left under these parameters"));
        }
        let slot = self.take()?;
        let conditional = conditional.into_iter();
        let of_join = conditional.map(|(when, member)| Conditional { of: slot, when, member });
        self.conditionals.extend(of_join);
        let rule = Rule::Join { all: join.all, plain, negated, settled, members };
        self.steps.push(Step { slot, means, rule });
        Ok(slot)
    }
}

/// The leaves from which more than one path leads to the roots. What no root reaches under a
/// profile counts as well: to take a leaf for a shared one costs time and changes no answer.
fn shared(steps: &[Step], roots: &[u8], leaves: u128) -> u128 {
    let mut paths = Paths::default();
    for root in roots {
        paths.reach(bit(*root), false);
    }
    for step in steps.iter().rev() {
        let twice = paths.twice & bit(step.slot) != 0;
        match &step.rule {
            Rule::Join { plain, negated, .. } => {
                // A slot that stands in a join both plain and negated has two paths.
                paths.reach(*plain, twice);
                paths.reach(*negated, twice);
            }
            Rule::Presumable { leaf, .. } => paths.reach(bit(*leaf), twice),
        }
    }
    paths.twice & leaves
}

/// Slots from which a path, or more than one, leads to the roots.
#[derive(Default)]
struct Paths {
    reached: u128,
    twice: u128,
}

impl Paths {
    fn reach(&mut self, slots: u128, twice: bool) {
        self.twice |= slots & self.reached;
        if twice {
            self.twice |= slots;
        }
        self.reached |= slots;
    }
}
