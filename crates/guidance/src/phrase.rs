//! The phrases of an explanation: why a join has its value, in words.

use crate::criteria::Criterion;
use crate::explain::Teller;
use crate::program::{Means, Rule, Step};
use crate::value::Value;

impl Teller<'_> {
    /// Why a join has its value, as a sentence.
    pub(crate) fn why(&self, all: bool, members: &[(u8, bool)], value: Value) -> String {
        let named = |wanted: Value| -> Vec<String> {
            let fits = members.iter().filter(|member| self.counts(**member) == wanted);
            fits.map(|(slot, _)| self.titled(*slot)).collect()
        };
        let is = |slots: &[String], words: &str| {
            let verb = if slots.len() == 1 { "is" } else { "are" };
            format!("{} {verb} {words}", list(slots, "and"))
        };
        let against: Vec<String> = self.against(members);
        let needs = self.needs(all, members);
        match (all, value) {
            (_, Value::Met) if members.len() == 1 => format!("{}.", is(&named(value), "met")),
            (_, Value::NotMet) if members.len() == 1 => format!("{}.", list(&against, "and")),
            (true, Value::Met) => format!("{needs}, and so it is."),
            (true, Value::NotMet) => format!("{}; {needs}.", list(&against, "and")),
            (true, Value::Undetermined) => {
                format!("{}; {needs}.", is(&named(Value::Undetermined), "undetermined"))
            }
            (false, Value::Met) => format!("{}; {needs}.", is(&named(Value::Met), "met")),
            (false, Value::NotMet) => format!("{needs}, and none is met."),
            (false, Value::Undetermined) => format!(
                "{}, and no other is met; {needs}.",
                is(&named(Value::Undetermined), "undetermined")
            ),
        }
    }

    /// The members that stand against ALL, each with its value.
    fn against(&self, members: &[(u8, bool)]) -> Vec<String> {
        let told = members.iter().filter_map(|(slot, negated)| {
            match (self.evaluation.values.get(*slot), negated) {
                (Value::NotMet, false) => Some(format!("{} is not met", self.titled(*slot))),
                (Value::Met, true) => Some(format!("{} is met", self.titled(*slot))),
                (Value::Met | Value::NotMet | Value::Undetermined, _) => None,
            }
        });
        told.collect()
    }

    fn needs(&self, all: bool, members: &[(u8, bool)]) -> String {
        let plain: Vec<String> =
            members.iter().filter(|(_, n)| !n).map(|(slot, _)| self.short(*slot)).collect();
        let negated: Vec<String> =
            members.iter().filter(|(_, n)| *n).map(|(slot, _)| self.short(*slot)).collect();
        let mut told = match (plain.as_slice(), all) {
            ([], _) => String::new(),
            ([one], _) => format!("it needs {one}"),
            (many, true) => format!("it needs all of {}", list(many, "and")),
            (many, false) => format!("it needs one of {}", list(many, "or")),
        };
        if !negated.is_empty() {
            let joined = if told.is_empty() { "it needs" } else { " and" };
            let against = list(&negated, "and");
            told = format!("{told}{joined} that {against} not be met");
        }
        told
    }

    /// A slot's id and title, or the ids of a group.
    pub(crate) fn titled(&self, slot: u8) -> String {
        let id = self.short(slot);
        match self.guidance.criterion(&id) {
            Some(criterion) => name(criterion),
            None => id,
        }
    }

    /// A slot's id, or the ids of a group.
    fn short(&self, slot: u8) -> String {
        let step = self.guidance.program.steps.iter().find(|step| step.slot == slot);
        match step {
            Some(Step { means: Means::Group, rule: Rule::Join { all, members, .. }, .. }) => {
                let ids: Vec<String> = members.iter().map(|(slot, _)| self.short(*slot)).collect();
                format!("({})", list(&ids, if *all { "and" } else { "or" }))
            }
            Some(Step { means: Means::Criterion(place), .. }) => {
                self.criterion(*place).map(|c| c.id.clone()).unwrap_or_default()
            }
            Some(Step { means: Means::Group, .. }) | None => {
                let place = self.guidance.program.leaves.get(usize::from(slot)).copied();
                place.and_then(|p| self.criterion(p)).map(|c| c.id.clone()).unwrap_or_default()
            }
        }
    }
}

pub(crate) fn name(criterion: &Criterion) -> String {
    format!("{} ({})", criterion.id, criterion.title)
}

pub(crate) fn list(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
