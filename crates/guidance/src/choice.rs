//! What a profile's parameters choose for a criterion, in words: the rule that decides where courts
//! part ways.

use crate::bits::bit;
use crate::criteria::Source;
use crate::evaluate::join;
use crate::explain::Teller;
use crate::program::{Conditional, Rule, Step};
use crate::value::Value;

/// What a parameter of the profile chooses for a criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the profile asks for or leaves out, and its note, in sentences.
    pub sentence: String,
    /// Where the choice comes from; never empty.
    pub sources: Vec<Source>,
    /// Whether the criterion would have another value under another choice.
    pub decides: bool,
}

impl Teller<'_> {
    /// What the parameters choose for a join, in the order of its members. Where a fact settles the
    /// join whatever its members say, no choice decides.
    pub(crate) fn choices(&self, step: &Step, settled: bool) -> Vec<Choice> {
        let all = self.guidance.program.conditionals.iter();
        let members: Vec<&Conditional> = all.filter(|known| known.of == step.slot).collect();
        let mut told: Vec<&str> = Vec::new();
        let mut choices = Vec::new();
        for member in &members {
            let parameter = member.when.0.as_str();
            if !told.contains(&parameter) {
                told.push(parameter);
                let of_parameter: Vec<&Conditional> =
                    members.iter().copied().filter(|other| other.when.0 == parameter).collect();
                let decides = !settled && self.turns(step, parameter, &of_parameter);
                choices.extend(self.choice(parameter, &of_parameter, decides));
            }
        }
        choices
    }

    fn choice(&self, parameter: &str, members: &[&Conditional], decides: bool) -> Option<Choice> {
        let setting = self.guidance.settings().iter().find(|known| known.parameter == parameter)?;
        let (asked, left_out): (Vec<&Conditional>, Vec<&Conditional>) =
            members.iter().copied().partition(|member| member.when.1 == setting.value);
        let mut sentences: Vec<String> =
            left_out.iter().filter_map(|member| self.left_out(member, !asked.is_empty())).collect();
        if !setting.note.is_empty() {
            sentences.push(setting.note.clone());
        }
        if sentences.is_empty() {
            let asked: Vec<String> =
                asked.iter().map(|member| self.titled(member.member.0)).collect();
            sentences.push(format!("This profile asks for {}.", asked.join(" and ")));
        }
        Some(Choice { sentence: sentences.join(" "), sources: setting.sources.clone(), decides })
    }

    /// That the profile leaves a member out, and what was found of it: but not that it is not met,
    /// which all is that a decided case does not list, and nothing then of one that has another in its
    /// stead.
    fn left_out(&self, member: &Conditional, instead: bool) -> Option<String> {
        let (slot, _) = member.member;
        let name = self.titled(slot);
        let found = match self.evaluation.values.get(slot) {
            Value::Met => "found met",
            Value::Undetermined => "left undetermined",
            Value::NotMet if instead => return None,
            Value::NotMet => return Some(format!("This profile does not ask for {name} here.")),
        };
        Some(format!("{name} was {found}; this profile does not ask for it here."))
    }

    /// Whether the join would have another value under another value of the parameter.
    fn turns(&self, step: &Step, parameter: &str, conditional: &[&Conditional]) -> bool {
        let Rule::Join { all, members, .. } = &step.rule else { return false };
        let (values, chosen) = (self.evaluation.values, self.guidance.setting(parameter));
        let is_conditional = |member: &(u8, bool)| {
            let mut asked =
                conditional.iter().filter(|known| chosen == Some(known.when.1.as_str()));
            asked.any(|known| known.member == *member)
        };
        let always = members.iter().filter(|member| !is_conditional(member));
        let declared = self.guidance.parameters().iter().find(|known| known.id == parameter);
        let others = declared.into_iter().flat_map(|known| &known.values);
        others.filter(|value| chosen != Some(value.as_str())).any(|value| {
            let counted = conditional.iter().filter(|known| known.when.1 == *value);
            let members = always.clone().copied().chain(counted.map(|known| known.member));
            let (mut plain, mut negated) = (0, 0);
            for (slot, is_negated) in members {
                let side = if is_negated { &mut negated } else { &mut plain };
                *side |= bit(slot);
            }
            plain | negated != 0 && join(*all, plain, negated, values) != values.get(step.slot)
        })
    }
}
