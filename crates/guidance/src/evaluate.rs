//! Evaluation: from findings to the value of every criterion, the outcome and what is open.

use crate::bits::{Values, slots};
use crate::criteria::Source;
use crate::decisions::{Answer, place_of};
use crate::guidance::Guidance;
use crate::open;
use crate::program::{Findings, Leaf, Program, Rule};
use crate::terms::{Facts, Outcome, Sought};
use crate::value::Value;

/// What is asked of a guidance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// What the claimant seeks.
    pub sought: Sought,
    /// The facts that rules read.
    pub facts: Facts,
    /// What people found; it must come from the guidance that is asked, or one with its criteria.
    pub findings: Findings,
}

/// The answer: every criterion's value, what was presumed, the outcome and what is open.
///
/// It proposes; people decide.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation<'g> {
    pub(crate) guidance: &'g Guidance,
    pub(crate) question: Question,
    pub(crate) values: Values,
    /// The presumptions that were used, as bits by their place.
    pub(crate) presumed: u32,
    pub(crate) open: u128,
    pub(crate) answer: Answer,
}

/// A presumption that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presumed<'g> {
    /// The leaf that counts as met.
    pub leaf: &'g str,
    /// Why, as a sentence.
    pub why: &'g str,
    /// The sources; never empty. Those of the rule first, then those of the profile's choice.
    pub rule_sources: &'g [Source],
    /// The sources for the profile having this presumption.
    pub profile_sources: &'g [Source],
}

impl<'g> Evaluation<'g> {
    /// The guidance that was asked.
    #[must_use]
    pub fn guidance(&self) -> &'g Guidance {
        self.guidance
    }

    /// The question as it was asked.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The proposed outcome.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.answer.outcome
    }

    /// The value of a leaf or node by id, a presumption included; `None` for an unknown id.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<Value> {
        let place = self.guidance.criteria.by_id.get(id)?;
        Some(self.at(*place))
    }

    /// The values that an answer reports, in its order: `C1.1`, `C1.2` and so on.
    pub fn derived(&self) -> impl Iterator<Item = (&'g str, Value)> + use<'g> {
        let evaluation = *self;
        let criteria = &evaluation.guidance.criteria;
        criteria.derived.iter().filter_map(move |place| {
            Some((criteria.tree.get(*place)?.id.as_str(), evaluation.at(*place)))
        })
    }

    /// The value of every node and leaf, in the order of the criteria file.
    pub fn all(&self) -> impl Iterator<Item = (&'g str, Value)> + use<'g> {
        let evaluation = *self;
        let criteria = &evaluation.guidance.criteria.tree;
        criteria.iter().enumerate().map(move |(place, c)| (c.id.as_str(), evaluation.at(place)))
    }

    /// The presumptions that were used, in the order of the criteria file.
    pub fn presumed(&self) -> impl Iterator<Item = Presumed<'g>> + use<'g> {
        let guidance = self.guidance;
        let used = self.presumed;
        let all = guidance.criteria.presumptions.iter().zip(0_u32..);
        all.filter(move |(_, place)| used & (1 << place) != 0).map(|(presumption, _)| Presumed {
            leaf: &presumption.leaf,
            why: &presumption.why,
            rule_sources: &presumption.sources,
            profile_sources: guidance.setting_sources(&presumption.when.0),
        })
    }

    /// Whether a leaf counts as met unless the contrary is found, or would if what is still open were
    /// met: then nobody bears the burden of proving it.
    #[must_use]
    pub fn may_be_presumed(&self, leaf: &str) -> bool {
        let facts = self.question.facts.bits();
        let holds = |(fact, word): &(String, String)| {
            Facts::bit(fact, word).is_some_and(|bit| facts & bit != 0)
        };
        self.guidance.criteria.presumptions.iter().any(|presumption| {
            let (parameter, word) = &presumption.when;
            presumption.leaf == leaf
                && self.guidance.setting(parameter) == Some(word.as_str())
                && presumption.facts.iter().all(holds)
                && self.value(&presumption.requires) != Some(Value::NotMet)
        })
    }

    /// The leaves worth asking next, in the order of the criteria file.
    ///
    /// Exactly those undetermined leaves, presumed ones aside, for which the others can be settled
    /// so that settling this one turns the outcome. None when the outcome is certain; and none
    /// either when it is undetermined only because a step was not settled that cannot turn it.
    pub fn open(&self) -> impl Iterator<Item = &'g str> + use<'g> {
        let guidance = self.guidance;
        slots(self.open).filter_map(move |slot| guidance.id_of(Leaf(slot)))
    }

    /// Why the outcome follows, as a sentence.
    #[must_use]
    pub fn reason(&self) -> &'g str {
        let row = usize::from(self.answer.row);
        self.guidance.criteria.decisions.get(row).map_or("", |decision| decision.why.as_str())
    }

    fn at(&self, place: usize) -> Value {
        let slot = self.guidance.program.slots.get(place);
        slot.map_or(Value::Undetermined, |slot| self.values.get(*slot))
    }
}

/// Evaluates a question; the criteria and the program are those of the guidance.
pub(crate) fn evaluate<'g>(guidance: &'g Guidance, question: &Question) -> Evaluation<'g> {
    let program = &guidance.program;
    let facts = question.facts.bits();
    let (values, presumed) = derive(program, question.findings.values, facts, Presume::AsDue);
    let answer = answer(program, values, question.sought);
    let open = open::leaves(program, question, values, presumed, answer);
    Evaluation { guidance, question: *question, values, presumed, open, answer }
}

/// Which presumptions apply.
#[derive(Clone, Copy)]
pub(crate) enum Presume {
    /// Those whose conditions are met.
    AsDue,
    /// Those of this set, as bits by their place, whatever their conditions.
    These(u32),
}

/// Computes every slot; returns the presumptions that were used too.
pub(crate) fn derive(
    program: &Program,
    findings: Values,
    facts: u8,
    presume: Presume,
) -> (Values, u32) {
    let mut values = findings;
    let mut presumed = 0;
    for step in &program.steps {
        let value = match &step.rule {
            Rule::Join { settled: Some((fact, value)), .. } if facts & fact != 0 => *value,
            Rule::Join { all, plain, negated, .. } => join(*all, *plain, *negated, values),
            Rule::Presumable { leaf, presumption, when } => {
                let found = values.get(*leaf);
                let applies = match presume {
                    Presume::These(set) => set & (1 << presumption) != 0,
                    Presume::AsDue => when.is_some_and(|(required, asked)| {
                        found == Value::Undetermined
                            && values.get(required) == Value::Met
                            && facts & asked == asked
                    }),
                };
                if applies {
                    presumed |= 1 << presumption;
                    Value::Met
                } else {
                    found
                }
            }
        };
        values.set(step.slot, value);
    }
    (values, presumed)
}

/// ALL or ANY of strong Kleene logic over sets of slots.
pub(crate) fn join(all: bool, plain: u128, negated: u128, values: Values) -> Value {
    // ANY is ALL seen through a mirror: what dominates and what must be unanimous change places.
    let (ones, zeros) =
        if all { (values.met, values.not_met) } else { (values.not_met, values.met) };
    let dominated = zeros & plain != 0 || ones & negated != 0;
    let unanimous = plain & !ones == 0 && negated & !zeros == 0;
    match (dominated, unanimous, all) {
        (true, _, true) | (false, true, false) => Value::NotMet,
        (true, _, false) | (false, true, true) => Value::Met,
        (false, false, _) => Value::Undetermined,
    }
}

/// Looks the outcome up.
pub(crate) fn answer(program: &Program, values: Values, sought: Sought) -> Answer {
    let place =
        program.roots.iter().rev().fold(0, |place, root| place_of(place, values.get(*root)));
    program.table.answer(sought, place)
}

#[cfg(test)]
mod tests {
    use super::join;
    use crate::bits::Values;
    use crate::value::Value::{self, Met, NotMet, Undetermined};

    /// Strong Kleene logic, one line per rule: first, second, ALL, ANY, ALL with the second
    /// negated, ANY with the second negated.
    const RULES: [(Value, Value, Value, Value, Value, Value); 9] = [
        (Met, Met, Met, Met, NotMet, Met),
        (Met, NotMet, NotMet, Met, Met, Met),
        (Met, Undetermined, Undetermined, Met, Undetermined, Met),
        (NotMet, Met, NotMet, Met, NotMet, NotMet),
        (NotMet, NotMet, NotMet, NotMet, NotMet, Met),
        (NotMet, Undetermined, NotMet, Undetermined, NotMet, Undetermined),
        (Undetermined, Met, Undetermined, Met, NotMet, Undetermined),
        (Undetermined, NotMet, NotMet, Undetermined, Undetermined, Met),
        (Undetermined, Undetermined, Undetermined, Undetermined, Undetermined, Undetermined),
    ];

    #[test]
    fn joins_follow_strong_kleene_logic() {
        for (first, second, all, any, all_negated, any_negated) in RULES {
            let mut values = Values::default();
            values.set(0, first);
            values.set(1, second);
            assert_eq!(join(true, 0b11, 0, values), all, "{first} ALL {second}");
            assert_eq!(join(false, 0b11, 0, values), any, "{first} ANY {second}");
            assert_eq!(join(true, 0b01, 0b10, values), all_negated, "{first} ALL NOT {second}");
            assert_eq!(join(false, 0b01, 0b10, values), any_negated, "{first} ANY NOT {second}");
        }
    }
}
