//! Which undetermined leaves can still turn the outcome: exactly, and fast.
//!
//! A leaf is open when the other undetermined leaves can be settled so that settling this one
//! turns the outcome. Where every leaf stands in one place only, the rule "every ancestor up to
//! the outcome is undetermined" says just that: a join that is undetermined has no member that
//! dominates it, so all its undetermined members can be settled out of the way. A few leaves stand
//! in several places (relocation, punishment, harm within article 3), and there that rule names
//! leaves that nothing can turn. So these shared leaves are settled in every way, one after the
//! other; what remains undetermined then stands in one place only.
//!
//! For a shared leaf itself, each slot gets the set of pairs (value with the leaf not met, value
//! with the leaf met) that it can take. Members of a join have no unsettled leaf in common, so
//! their sets combine freely.

use crate::Question;
use crate::bits::{Values, bit, slots};
use crate::decisions::{Answer, place_of};
use crate::evaluate::{Presume, answer, derive};
use crate::program::{Program, Rule};
use crate::terms::{Outcome, Sought};
use crate::value::Value;

/// A set of pairs of truth values, as four bits: bit `2 * with_leaf_met + with_leaf_not_met`.
type Pairs = u8;
/// Not met with and without the leaf.
const NEVER: Pairs = 0b0001;
/// Met exactly when the leaf is met.
const FOLLOWS: Pairs = 0b0100;
/// Met with and without the leaf.
const ALWAYS: Pairs = 0b1000;
/// Met or not, with and without the leaf alike.
const EITHER: Pairs = 0b1001;

/// The open leaves.
pub(crate) fn leaves(
    program: &Program,
    question: &Question,
    values: Values,
    presumed: u32,
    found: Answer,
) -> u128 {
    if found.outcome != Outcome::Undetermined {
        return 0;
    }
    // No leaf outside of this set can turn the outcome, however the others are settled. A presumed
    // leaf is never in it: what it feeds is met.
    let candidates = live(program, values, found) & program.leaf_slots;
    let shared = candidates & program.shared;
    if shared == 0 {
        return candidates;
    }
    let search = Search { program, question, presumed };
    let mut open = 0;
    for settled in settlements(question.findings.values, shared) {
        let values = search.derive(settled);
        let found = answer(program, values, question.sought);
        open |= live(program, values, found) & program.leaf_slots;
    }
    for leaf in slots(shared) {
        let others = shared & !bit(leaf);
        let turns = settlements(question.findings.values, others)
            .into_iter()
            .any(|settled| search.turned_by(leaf, settled));
        if turns {
            open |= bit(leaf);
        }
    }
    open
}

/// The undetermined slots that are tied to a turning root by undetermined slots only.
pub(crate) fn live(program: &Program, values: Values, found: Answer) -> u128 {
    let turning = program.roots.iter().zip(0_u8..);
    let turning = turning.filter(|(_, place)| found.turning & (1 << place) != 0);
    let mut live = turning.map(|(root, _)| bit(*root)).sum();
    for step in program.steps.iter().rev() {
        if live & bit(step.slot) == 0 {
            continue;
        }
        match &step.rule {
            Rule::Join { plain, negated, .. } => {
                live |= values.undetermined(*plain);
                live |= values.undetermined(*negated);
            }
            Rule::Presumable { leaf, .. } => live |= values.undetermined(bit(*leaf)),
        }
    }
    live
}

/// Every way to settle a set of leaves.
fn settlements(findings: Values, leaves: u128) -> Vec<Values> {
    let mut ways = vec![findings];
    for leaf in slots(leaves) {
        let with = |mut way: Values, value| {
            way.set(leaf, value);
            way
        };
        ways = ways
            .into_iter()
            .flat_map(|way| [with(way, Value::Met), with(way, Value::NotMet)])
            .collect();
    }
    ways
}

/// What stays the same while completions are tried.
struct Search<'a> {
    program: &'a Program,
    question: &'a Question,
    presumed: u32,
}

impl Search<'_> {
    fn derive(&self, findings: Values) -> Values {
        // Where a leaf is settled, it is not presumed: no presumption comes on top.
        let presume = Presume::These(self.presumed);
        derive(self.program, findings, self.question.facts.bits(), presume).0
    }

    /// Whether a shared leaf turns the outcome in some completion of what is unsettled.
    fn turned_by(&self, leaf: u8, findings: Values) -> bool {
        let values = self.derive(findings);
        let mut pairs = [0; 128];
        for slot in slots(self.program.leaf_slots) {
            set(&mut pairs, slot, of_value(findings.get(slot)));
        }
        set(&mut pairs, leaf, FOLLOWS);
        for step in &self.program.steps {
            let found = match (values.get(step.slot), &step.rule) {
                // What is certain though the leaf is open does not follow it.
                (value @ (Value::Met | Value::NotMet), _) => of_value(value),
                (Value::Undetermined, Rule::Join { all, members, .. }) => {
                    joined(*all, members, &pairs)
                }
                (Value::Undetermined, Rule::Presumable { leaf, .. }) => get(&pairs, *leaf),
            };
            set(&mut pairs, step.slot, found);
        }
        let roots = self.program.roots.iter().rev().map(|root| get(&pairs, *root));
        differs(self.program, self.question.sought, roots, 0, 0)
    }
}

/// Whether some choice of the roots' pairs has one outcome with the leaf and another without it.
fn differs(
    program: &Program,
    sought: Sought,
    mut roots: impl Iterator<Item = Pairs> + Clone,
    met: usize,
    not_met: usize,
) -> bool {
    let Some(pairs) = roots.next() else {
        let outcome = |place| program.table.answer(sought, place).outcome;
        return outcome(met) != outcome(not_met);
    };
    (0..4_u8).filter(|pair| pairs & (1 << pair) != 0).any(|pair| {
        let value = |bit: u8| if pair & bit == 0 { Value::NotMet } else { Value::Met };
        let met = place_of(met, value(0b10));
        differs(program, sought, roots.clone(), met, place_of(not_met, value(0b01)))
    })
}

fn of_value(value: Value) -> Pairs {
    match value {
        Value::Met => ALWAYS,
        Value::NotMet => NEVER,
        Value::Undetermined => EITHER,
    }
}

fn joined(all: bool, members: &[(u8, bool)], pairs: &[Pairs; 128]) -> Pairs {
    let neutral = if all { ALWAYS } else { NEVER };
    members.iter().fold(neutral, |found, (slot, negated)| {
        let member = get(pairs, *slot);
        let member = if *negated { complement(member) } else { member };
        combine(all, found, member)
    })
}

/// Every pair that two members can make together.
fn combine(all: bool, first: Pairs, second: Pairs) -> Pairs {
    let mut found = 0;
    for one in (0..4_u8).filter(|pair| first & (1 << pair) != 0) {
        for other in (0..4_u8).filter(|pair| second & (1 << pair) != 0) {
            found |= 1 << if all { one & other } else { one | other };
        }
    }
    found
}

fn complement(pairs: Pairs) -> Pairs {
    (0..4_u8).filter(|pair| pairs & (1 << pair) != 0).map(|pair| 1 << (3 - pair)).sum()
}

fn get(pairs: &[Pairs; 128], slot: u8) -> Pairs {
    pairs.get(usize::from(slot)).copied().unwrap_or_default()
}

fn set(pairs: &mut [Pairs; 128], slot: u8, found: Pairs) {
    if let Some(entry) = pairs.get_mut(usize::from(slot)) {
        *entry = found;
    }
}

#[cfg(test)]
mod tests {
    use super::{ALWAYS, EITHER, FOLLOWS, NEVER, combine, complement};

    /// Met exactly when the leaf is not met.
    const OPPOSES: u8 = 0b0010;

    #[test]
    fn pairs_combine_as_the_values_in_them() {
        let table = [
            // first, second, ALL of both, ANY of both
            (FOLLOWS, ALWAYS, FOLLOWS, ALWAYS),
            (FOLLOWS, NEVER, NEVER, FOLLOWS),
            (FOLLOWS, FOLLOWS, FOLLOWS, FOLLOWS),
            (FOLLOWS, OPPOSES, NEVER, ALWAYS),
            (FOLLOWS, EITHER, FOLLOWS | NEVER, FOLLOWS | ALWAYS),
            (OPPOSES, EITHER, OPPOSES | NEVER, OPPOSES | ALWAYS),
            (EITHER, EITHER, EITHER, EITHER),
            (ALWAYS, NEVER, NEVER, ALWAYS),
        ];
        for (first, second, all, any) in table {
            assert_eq!(combine(true, first, second), all, "{first:04b} ALL {second:04b}");
            assert_eq!(combine(true, second, first), all, "{second:04b} ALL {first:04b}");
            assert_eq!(combine(false, first, second), any, "{first:04b} ANY {second:04b}");
            assert_eq!(combine(false, second, first), any, "{second:04b} ANY {first:04b}");
        }
    }

    #[test]
    fn a_complement_turns_both_values() {
        for (pairs, turned) in [(FOLLOWS, OPPOSES), (ALWAYS, NEVER), (EITHER, EITHER)] {
            assert_eq!(complement(pairs), turned);
            assert_eq!(complement(turned), pairs);
        }
    }
}
