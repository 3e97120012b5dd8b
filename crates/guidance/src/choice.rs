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
        let is_asked = |member: &&&Conditional| member.when.1 == setting.value;
        let names = |wanted: bool| -> Vec<String> {
            let fits = members.iter().filter(|member| is_asked(member) == wanted);
            fits.map(|member| self.titled(member.member.0)).collect()
        };
        let (asked, left_out) = (names(true), names(false));
        let mut sentences: Vec<String> = members
            .iter()
            .filter(|member| !is_asked(member))
            .filter_map(|m| self.found_in_vain(m))
            .collect();
        if !setting.note.is_empty() {
            sentences.push(setting.note.clone());
        }
        if sentences.is_empty() && !left_out.is_empty() {
            sentences.push(format!("This profile does not ask for {}.", left_out.join(" and ")));
        }
        if sentences.is_empty() {
            sentences.push(format!("This profile asks for {}.", asked.join(" and ")));
        }
        Some(Choice { sentence: sentences.join(" "), sources: setting.sources.clone(), decides })
    }

    /// What was found about a member that the profile leaves out. One that is not met is not told: so
    /// is all that a decided case does not list.
    fn found_in_vain(&self, left_out: &Conditional) -> Option<String> {
        let (slot, _) = left_out.member;
        let found = match self.evaluation.values.get(slot) {
            Value::Met => "was found met",
            Value::Undetermined => "was left undetermined",
            Value::NotMet => return None,
        };
        Some(format!("{} {found}; this profile does not ask for it.", self.titled(slot)))
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
