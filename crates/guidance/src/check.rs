//! Reads a criteria file and refuses one that does not hold together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::criteria::{
    Annotation, Checked, Criteria, Criterion, Kind, Override, Parameter, Presumption, Rung, Source,
};
use crate::decisions;
use crate::fault::{Fault, Faults};
use crate::file::{CriteriaText, CriterionText, SourceText, Written};
use crate::formula::{self, Names};
use crate::graph;
use crate::terms::Facts;
use crate::value::Value;

/// The seed has 45 requirements.
const SEEDS: u32 = 45;
/// An answer leaves room for this many leaves.
const MOST_LEAVES: usize = 64;
/// A value is one bit of 128; walks over the tree are no deeper than this either.
const MOST_CRITERIA: usize = 128;

/// Reads a criteria file; every fault that can be told apart is reported, not only the first.
pub(crate) fn read(written: &Written<'_>) -> Result<Criteria, Vec<Fault>> {
    let mut faults = Faults::new(written.file, written.text);
    let hash = written.hash;
    let written: CriteriaText = written.read()?;
    if written.criterion.len() > MOST_CRITERIA {
        faults.whole(format!("more than {MOST_CRITERIA} criteria"));
        return Err(faults.into_vec());
    }
    let places = unique_ids(&written, &mut faults);
    let parameters = parameters(&written, &mut faults);
    let criteria_ids: BTreeSet<&str> =
        written.criterion.iter().map(|c| c.id.get_ref().as_str()).collect();
    let annotation_ids: BTreeSet<&str> =
        written.annotation.iter().map(|a| a.id.get_ref().as_str()).collect();
    let names =
        Names { criteria: &criteria_ids, annotations: &annotation_ids, parameters: &parameters };

    let criteria: Vec<Criterion> =
        written.criterion.iter().map(|text| criterion(text, &names, &mut faults)).collect();
    let leaves = criteria.iter().filter(|c| c.kind == Kind::Leaf).count();
    if leaves > MOST_LEAVES {
        faults
            .whole(format!("{leaves} leaves are more than the {MOST_LEAVES} that an answer holds"));
    }
    let by_id: BTreeMap<String, usize> =
        criteria.iter().enumerate().map(|(place, c)| (c.id.clone(), place)).collect();
    let presumptions = presumptions(&written, &criteria, &by_id, &parameters, &mut faults);
    let overrides = overrides(&written, &criteria, &by_id, &mut faults);
    let (decisions, roots) = decisions::read(&written, &by_id, &parameters, &mut faults);
    graph::check(&criteria, &by_id, &presumptions, &roots, &places, &mut faults);

    let derived = listed(&written.derived, &by_id, &mut faults, |place| {
        criteria.get(place).is_some_and(|c| {
            c.kind != Kind::Leaf || presumptions.iter().any(|presumption| presumption.leaf == c.id)
        })
    });
    let met_in_fixtures =
        listed(&written.met_when_unlisted_in_fixtures, &by_id, &mut faults, |place| {
            criteria.get(place).is_some_and(|c| c.kind == Kind::Leaf)
        });
    let annotations = annotations(&written, &mut faults);
    let standards = standards(&written, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into_vec());
    }
    Ok(Criteria {
        hash,
        title: written.title,
        tree: criteria,
        by_id,
        annotations,
        presumptions,
        overrides,
        parameters,
        standards,
        decisions,
        roots,
        derived,
        met_in_fixtures,
    })
}

/// Checks the form of ids and that none is given twice; returns where each stands.
fn unique_ids(written: &CriteriaText, faults: &mut Faults<'_>) -> BTreeMap<String, Range<usize>> {
    let ids = written.criterion.iter().map(|c| &c.id);
    let mut places = BTreeMap::new();
    for id in ids.chain(written.annotation.iter().map(|a| &a.id)) {
        let name = id.get_ref();
        let well_formed = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !well_formed {
            faults.at(&id.span(), format!("`{name}` is no id: letters, digits and `.` `_` `-`"));
        }
        if places.insert(name.clone(), id.span()).is_some() {
            faults.at(&id.span(), format!("`{name}` is defined twice"));
        }
    }
    places
}

fn criterion(text: &CriterionText, names: &Names<'_>, faults: &mut Faults<'_>) -> Criterion {
    let id = text.id.get_ref();
    let place = text.id.span();
    if text.title.trim().is_empty() || text.question.trim().is_empty() {
        faults.at(&place, format!("`{id}` needs a title and a question"));
    }
    Criterion {
        id: id.clone(),
        title: text.title.clone(),
        question: text.question.clone(),
        facts: text.facts.clone(),
        supports: text.supports.clone(),
        undermines: text.undermines.clone(),
        sources: sources(&text.sources, id, &place, faults),
        seed: seeds(&text.seed, faults),
        kind: formula::kind(text, names, faults),
    }
}

/// Reads the sources of a rule; a rule without one is refused.
pub(crate) fn sources(
    written: &[SourceText],
    what: &str,
    place: &Range<usize>,
    faults: &mut Faults<'_>,
) -> Vec<Source> {
    if written.is_empty() {
        faults.at(place, format!("`{what}` has no source"));
    }
    let mut read = Vec::new();
    for source in written {
        if source.cite.get_ref().trim().is_empty() || source.pinpoint.trim().is_empty() {
            faults.at(&source.cite.span(), format!("a source of `{what}` needs cite and pinpoint"));
        }
        let checked = match source.checked.get_ref().as_str() {
            "read" => Checked::Read,
            "memory" => Checked::Memory,
            other => {
                faults.at(
                    &source.checked.span(),
                    format!("`checked` is `read` or `memory`, not `{other}`"),
                );
                Checked::Memory
            }
        };
        read.push(Source {
            cite: source.cite.get_ref().clone(),
            pinpoint: source.pinpoint.clone(),
            checked,
        });
    }
    read
}

fn seeds(written: &[toml::Spanned<String>], faults: &mut Faults<'_>) -> Vec<String> {
    for seed in written {
        let number = seed.get_ref().strip_prefix('S').and_then(|digits| digits.parse::<u32>().ok());
        if !number.is_some_and(|number| (1..=SEEDS).contains(&number)) {
            faults.at(
                &seed.span(),
                format!("`{}` is no seed requirement: S1 to S{SEEDS}", seed.get_ref()),
            );
        }
    }
    written.iter().map(|seed| seed.get_ref().clone()).collect()
}

fn parameters(written: &CriteriaText, faults: &mut Faults<'_>) -> Vec<Parameter> {
    let mut read: Vec<Parameter> = Vec::new();
    for parameter in &written.parameter {
        let id = parameter.id.get_ref();
        if read.iter().any(|known| known.id == *id) {
            faults.at(&parameter.id.span(), format!("parameter `{id}` is defined twice"));
        }
        if parameter.values.len() < 2 {
            faults.at(&parameter.id.span(), format!("parameter `{id}` needs two values or more"));
        }
        read.push(Parameter {
            id: id.clone(),
            title: parameter.title.clone(),
            values: parameter.values.clone(),
        });
    }
    read
}

fn standards(written: &CriteriaText, faults: &mut Faults<'_>) -> Vec<Rung> {
    let mut read: Vec<Rung> = Vec::new();
    for standard in &written.standard {
        let id = standard.id.get_ref();
        if read.iter().any(|known| known.id == *id) {
            faults.at(&standard.id.span(), format!("standard `{id}` is defined twice"));
        }
        sources(&standard.sources, id, &standard.id.span(), faults);
        read.push(Rung { id: id.clone(), words: standard.words.clone() });
    }
    read
}

fn presumptions(
    written: &CriteriaText,
    criteria: &[Criterion],
    by_id: &BTreeMap<String, usize>,
    parameters: &[Parameter],
    faults: &mut Faults<'_>,
) -> Vec<Presumption> {
    let mut read: Vec<Presumption> = Vec::new();
    for text in &written.presumption {
        let leaf = text.leaf.get_ref();
        match by_id.get(leaf).and_then(|place| criteria.get(*place)).map(|c| &c.kind) {
            None => faults.at(&text.leaf.span(), format!("unknown criterion `{leaf}`")),
            Some(Kind::Node(_)) => {
                faults
                    .at(&text.leaf.span(), format!("`{leaf}` is derived: only a leaf is presumed"));
            }
            Some(Kind::Leaf) => {}
        }
        if read.iter().any(|known| known.leaf == *leaf) {
            faults.at(&text.leaf.span(), format!("`{leaf}` has two presumptions"));
        }
        if !by_id.contains_key(text.requires.get_ref()) {
            faults.at(
                &text.requires.span(),
                format!("unknown criterion `{}`", text.requires.get_ref()),
            );
        }
        formula::condition(
            text.when.get_ref(),
            text.is.get_ref(),
            &text.when.span(),
            parameters,
            faults,
        );
        for (fact, word) in &text.facts {
            known_fact(fact, word.get_ref(), &word.span(), faults);
        }
        read.push(Presumption {
            leaf: leaf.clone(),
            when: (text.when.get_ref().clone(), text.is.get_ref().clone()),
            requires: text.requires.get_ref().clone(),
            facts: text.facts.iter().map(|(f, w)| (f.clone(), w.get_ref().clone())).collect(),
            why: text.why.clone(),
            sources: sources(&text.sources, leaf, &text.leaf.span(), faults),
        });
    }
    read
}

fn overrides(
    written: &CriteriaText,
    criteria: &[Criterion],
    by_id: &BTreeMap<String, usize>,
    faults: &mut Faults<'_>,
) -> Vec<Override> {
    let mut read: Vec<Override> = Vec::new();
    for text in &written.overrides {
        let id = text.criterion.get_ref();
        let place = text.criterion.span();
        match by_id.get(id).and_then(|place| criteria.get(*place)).map(|c| &c.kind) {
            None => faults.at(&place, format!("unknown criterion `{id}`")),
            Some(Kind::Leaf) => faults.at(&place, format!("`{id}` is a leaf: people find it")),
            Some(Kind::Node(_)) => {}
        }
        if text.value == Value::Undetermined {
            faults.at(&place, format!("an override of `{id}` settles it: M or N"));
        }
        if read.iter().any(|known| known.criterion == *id) {
            faults.at(&place, format!("`{id}` has two overrides"));
        }
        known_fact(text.fact.get_ref(), text.is.get_ref(), &text.fact.span(), faults);
        read.push(Override {
            criterion: id.clone(),
            value: text.value,
            fact: (text.fact.get_ref().clone(), text.is.get_ref().clone()),
            why: text.why.clone(),
            sources: sources(&text.sources, id, &place, faults),
        });
    }
    read
}

fn known_fact(fact: &str, word: &str, place: &Range<usize>, faults: &mut Faults<'_>) {
    if Facts::bit(fact, word).is_none() {
        faults.at(place, format!("no rule may read the fact `{fact}` = `{word}`"));
    }
}

fn annotations(written: &CriteriaText, faults: &mut Faults<'_>) -> Vec<Annotation> {
    let mut read = Vec::new();
    for text in &written.annotation {
        let id = text.id.get_ref();
        read.push(Annotation {
            id: id.clone(),
            title: text.title.clone(),
            question: text.question.clone(),
            finding: text.finding,
            words: text.words.clone(),
            facts: text.facts.clone(),
            supports: text.supports.clone(),
            undermines: text.undermines.clone(),
            why: text.why.clone(),
            sources: sources(&text.sources, id, &text.id.span(), faults),
            seed: seeds(&text.seed, faults),
        });
    }
    read
}

/// Reads a list of ids that must fit.
fn listed(
    written: &[toml::Spanned<String>],
    by_id: &BTreeMap<String, usize>,
    faults: &mut Faults<'_>,
    fits: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let mut read = Vec::new();
    for id in written {
        match by_id.get(id.get_ref()) {
            Some(place) if fits(*place) && !read.contains(place) => read.push(*place),
            Some(_) => {
                faults.at(&id.span(), format!("`{}` does not belong here", id.get_ref()));
            }
            None => faults.at(&id.span(), format!("unknown criterion `{}`", id.get_ref())),
        }
    }
    read
}
