//! What differs between two versions of guidance, by criterion and parameter.

use std::collections::BTreeMap;

use crate::criteria::{Join, Kind, Source, Target};
use crate::guidance::Guidance;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it belongs to, as in `criterion C2` or `parameter nexus_presumed`.
    pub subject: String,
    /// Which of its fields, as in `question` or `sources`.
    pub field: &'static str,
    /// The text before; `None` when it is new.
    pub before: Option<String>,
    /// The text after; `None` when it is gone.
    pub after: Option<String>,
}

/// The differences from one guidance to another, in the order of the first one's files.
#[must_use]
pub fn compare(before: &Guidance, after: &Guidance) -> Vec<Difference> {
    let old = fields(before);
    let new = fields(after);
    let index = |fields: &[Field]| -> BTreeMap<(String, &'static str), String> {
        fields.iter().map(|f| ((f.subject.clone(), f.name), f.text.clone())).collect()
    };
    let (old_texts, new_texts) = (index(&old), index(&new));
    let mut found = Vec::new();
    for field in &old {
        let after = new_texts.get(&(field.subject.clone(), field.name));
        if after != Some(&field.text) {
            found.push(field.differs(Some(field.text.clone()), after.cloned()));
        }
    }
    for field in &new {
        if !old_texts.contains_key(&(field.subject.clone(), field.name)) {
            found.push(field.differs(None, Some(field.text.clone())));
        }
    }
    found
}

struct Field {
    subject: String,
    name: &'static str,
    text: String,
}

impl Field {
    fn differs(&self, before: Option<String>, after: Option<String>) -> Difference {
        Difference { subject: self.subject.clone(), field: self.name, before, after }
    }
}

/// Everything a guidance says, as single texts; empty texts are left out.
fn fields(guidance: &Guidance) -> Vec<Field> {
    let mut found = Vec::new();
    let mut add = |subject: &str, name: &'static str, text: String| {
        if !text.is_empty() {
            found.push(Field { subject: subject.to_owned(), name, text });
        }
    };
    let end = guidance.valid_to().map_or_else(String::new, |end| end.to_string());
    add("profile", "name", guidance.profile().to_owned());
    add("profile", "title", guidance.title().to_owned());
    add("profile", "valid_from", guidance.valid_from().to_string());
    add("profile", "valid_to", end);
    add("profile", "sources", cited(guidance.sources()));
    for setting in guidance.settings() {
        let subject = format!("parameter {}", setting.parameter);
        add(&subject, "value", setting.value.clone());
        add(&subject, "note", setting.note.clone());
        add(&subject, "sources", cited(&setting.sources));
    }
    for standard in guidance.standards() {
        let subject = format!("standard of {}", standard.of);
        add(&subject, "value", standard.standard.clone());
        add(&subject, "note", standard.note.clone());
        add(&subject, "sources", cited(&standard.sources));
    }
    for (place, reading) in guidance.readings().iter().enumerate() {
        let before = guidance.readings().iter().take(place);
        let number = before.filter(|other| other.criterion == reading.criterion).count() + 1;
        let subject = format!("reading {number} of {}", reading.criterion);
        add(&subject, "text", reading.text.clone());
        add(&subject, "sources", cited(&reading.sources));
    }
    criteria_fields(guidance, &mut add);
    rule_fields(guidance, &mut add);
    found
}

fn criteria_fields(guidance: &Guidance, add: &mut impl FnMut(&str, &'static str, String)) {
    for criterion in guidance.criteria() {
        let subject = format!("criterion {}", criterion.id);
        add(&subject, "title", criterion.title.clone());
        add(&subject, "question", criterion.question.clone());
        add(&subject, "facts", criterion.facts.join("; "));
        add(&subject, "supports", criterion.supports.join("; "));
        add(&subject, "undermines", criterion.undermines.join("; "));
        add(&subject, "sources", cited(&criterion.sources));
        add(&subject, "seed", criterion.seed.join(" "));
        if let Kind::Node(join) = &criterion.kind {
            add(&subject, "formula", join.to_string());
        }
    }
    for annotation in guidance.annotations() {
        let subject = format!("annotation {}", annotation.id);
        add(&subject, "title", annotation.title.clone());
        add(&subject, "question", annotation.question.clone());
        add(&subject, "words", annotation.words.join("; "));
        add(&subject, "facts", annotation.facts.join("; "));
        add(&subject, "supports", annotation.supports.join("; "));
        add(&subject, "undermines", annotation.undermines.join("; "));
        add(&subject, "why", annotation.why.clone());
        add(&subject, "sources", cited(&annotation.sources));
        add(&subject, "seed", annotation.seed.join(" "));
        add(&subject, "takes a finding", annotation.finding.to_string());
    }
}

fn rule_fields(guidance: &Guidance, add: &mut impl FnMut(&str, &'static str, String)) {
    for presumption in guidance.presumptions() {
        let subject = format!("presumption of {}", presumption.leaf);
        let facts: Vec<String> =
            presumption.facts.iter().map(|(fact, word)| format!("{fact} = {word}")).collect();
        let (parameter, value) = &presumption.when;
        add(
            &subject,
            "condition",
            format!(
                "{parameter} = {value}; {} is M; {}",
                presumption.requires,
                facts.join(" and ")
            ),
        );
        add(&subject, "why", presumption.why.clone());
        add(&subject, "sources", cited(&presumption.sources));
    }
    for settled in guidance.overrides() {
        let subject = format!("override of {}", settled.criterion);
        let (fact, word) = &settled.fact;
        add(&subject, "condition", format!("{fact} = {word} makes it {}", settled.value));
        add(&subject, "why", settled.why.clone());
        add(&subject, "sources", cited(&settled.sources));
    }
    for (place, row) in guidance.criteria.decisions.iter().enumerate() {
        let subject = format!("decision {}", place + 1);
        let sought: Vec<&str> = row.sought.iter().map(|sought| sought.as_str()).collect();
        let roots: Vec<&str> = guidance.roots().map(|criterion| criterion.id.as_str()).collect();
        let mut when: Vec<String> = row
            .criteria
            .iter()
            .map(|(root, value)| format!("{}={value}", roots.get(*root).unwrap_or(&"")))
            .collect();
        when.extend(row.parameters.iter().map(|(parameter, value)| format!("{parameter}={value}")));
        add(
            &subject,
            "rule",
            format!("{} with {}: {}", sought.join("/"), when.join(", "), row.outcome),
        );
        add(&subject, "why", row.why.clone());
    }
    for parameter in guidance.parameters() {
        let subject = format!("parameter {}", parameter.id);
        add(&subject, "title", parameter.title.clone());
        add(&subject, "choices", parameter.values.join(", "));
    }
    add("criteria", "title", guidance.criteria_title().to_owned());
    let derived = guidance.criteria.derived.iter().filter_map(|p| guidance.criteria().get(*p));
    let derived: Vec<&str> = derived.map(|criterion| criterion.id.as_str()).collect();
    add("criteria", "reported", derived.join(" "));
    let met = guidance.criteria.met_in_fixtures.iter().filter_map(|p| guidance.criteria().get(*p));
    let met: Vec<&str> = met.map(|criterion| criterion.id.as_str()).collect();
    add("criteria", "met when a decided case is silent", met.join(" "));
}

fn cited(sources: &[Source]) -> String {
    let cited: Vec<String> = sources.iter().map(Source::to_string).collect();
    cited.join("; ")
}

impl std::fmt::Display for Join {
    /// The formula as in `ALL(C2.1, C2.5 if only_means_required = yes, NOT SP)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.all { "ALL(" } else { "ANY(" })?;
        for (place, member) in self.members.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            if member.negated {
                f.write_str("NOT ")?;
            }
            match &member.target {
                Target::Criterion(id) => f.write_str(id)?,
                Target::Group(group) => group.fmt(f)?,
            }
            if let Some((parameter, value)) = &member.when {
                write!(f, " if {parameter} = {value}")?;
            }
        }
        f.write_str(")")
    }
}
