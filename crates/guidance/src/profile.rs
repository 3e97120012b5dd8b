//! Reads a profile file against the criteria that it pins.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use toml::Spanned;
use toml::value::Datetime;

use crate::check;
use crate::criteria::Criteria;
use crate::fault::{Fault, Faults};
use crate::file::{ProfileText, SettingText, Written};
use crate::formula;
use crate::guidance::{Guidance, Reading, Setting, Standard};
use crate::hash::GuidanceHash;
use crate::program;

/// The standards of proof that every profile names: what happened, what may happen, exclusion.
const STANDARDS: [&str; 3] = ["past_facts", "future_risk", "exclusion"];

/// Reads a profile file; `known` are the criteria files that were read beside it.
///
/// When a criteria file was refused, a profile that finds no criteria is refused without a word:
/// the fault is over there.
pub(crate) fn read(
    written: &Written<'_>,
    known: &[(&str, Arc<Criteria>)],
    criteria_refused: bool,
) -> Result<(Guidance, Range<usize>), Vec<Fault>> {
    let mut faults = Faults::new(written.file, written.text);
    let hash = written.hash;
    let written: ProfileText = written.read()?;
    let Some(criteria) = pinned(&written.criteria, known, &mut faults) else {
        return Err(if criteria_refused { Vec::new() } else { faults.into_vec() });
    };
    let name = written.profile.get_ref();
    let place = written.profile.span();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        faults.at(&place, "the name of a profile is letters, digits and `_`");
    }
    let valid_from = date(&written.valid_from, &mut faults);
    let valid_to = written.valid_to.as_ref().map(|text| date(text, &mut faults));
    if let (Some(end), Some(text)) = (valid_to, &written.valid_to)
        && end < valid_from
    {
        faults.at(&text.span(), format!("valid_to {end} is before valid_from {valid_from}"));
    }
    let sources = check::sources(&written.sources, name, &place, &mut faults);
    let settings = settings(&written, &criteria, &mut faults);
    let standards = standards(&written, &criteria, &mut faults);
    let readings = readings(&written, &criteria, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into_vec());
    }
    let values: BTreeMap<String, String> =
        settings.iter().map(|setting| (setting.parameter.clone(), setting.value.clone())).collect();
    let program = match program::compile(&criteria, &values) {
        Ok(program) => program,
        Err(reason) => {
            faults.at(&place, reason);
            return Err(faults.into_vec());
        }
    };
    let guidance = Guidance {
        hash,
        profile: name.clone(),
        title: written.title,
        valid_from,
        valid_to,
        sources,
        settings,
        standards,
        readings,
        criteria,
        program,
    };
    Ok((guidance, written.valid_from.span()))
}

/// Finds the criteria file that a profile pins.
fn pinned(
    text: &Spanned<String>,
    known: &[(&str, Arc<Criteria>)],
    faults: &mut Faults<'_>,
) -> Option<Arc<Criteria>> {
    let hash: GuidanceHash = match text.get_ref().parse() {
        Ok(hash) => hash,
        Err(error) => {
            faults.at(&text.span(), error.to_string());
            return None;
        }
    };
    let found = known.iter().find(|(_, criteria)| criteria.hash == hash);
    if found.is_none() {
        let here: Vec<String> =
            known.iter().map(|(file, criteria)| format!("{file} is {}", criteria.hash)).collect();
        faults.at(
            &text.span(),
            format!("no sound criteria file has the hash {hash} ({})", here.join(", ")),
        );
    }
    found.map(|(_, criteria)| Arc::clone(criteria))
}

fn date(text: &Spanned<Datetime>, faults: &mut Faults<'_>) -> Date {
    let written = text.get_ref();
    let read = match (written.date, written.time, written.offset) {
        (Some(date), None, None) => i16::try_from(date.year)
            .ok()
            .zip(i8::try_from(date.month).ok())
            .zip(i8::try_from(date.day).ok())
            .and_then(|((year, month), day)| Date::new(year, month, day).ok()),
        _ => None,
    };
    read.unwrap_or_else(|| {
        faults.at(&text.span(), format!("`{written}` is no date of the form 2004-10-20"));
        Date::MIN
    })
}

fn settings(written: &ProfileText, criteria: &Criteria, faults: &mut Faults<'_>) -> Vec<Setting> {
    let mut read = Vec::new();
    for parameter in &criteria.parameters {
        let Some(text) = written.parameters.get(&parameter.id) else {
            faults.at(
                &written.profile.span(),
                format!("the profile does not set the parameter `{}`", parameter.id),
            );
            continue;
        };
        let value = &text.get_ref().value;
        formula::condition(
            &parameter.id,
            value.get_ref(),
            &value.span(),
            &criteria.parameters,
            faults,
        );
        read.push(Setting {
            parameter: parameter.id.clone(),
            value: value.get_ref().clone(),
            note: text.get_ref().note.clone(),
            sources: check::sources(&text.get_ref().sources, &parameter.id, &value.span(), faults),
        });
    }
    for (id, text) in &written.parameters {
        if !criteria.parameters.iter().any(|known| known.id == *id) {
            faults.at(&text.span(), format!("unknown parameter `{id}`"));
        }
    }
    read
}

fn standards(written: &ProfileText, criteria: &Criteria, faults: &mut Faults<'_>) -> Vec<Standard> {
    let mut read = Vec::new();
    for name in STANDARDS {
        match written.standards.get(name) {
            None => faults.at(
                &written.profile.span(),
                format!("the profile does not name the standard of proof for `{name}`"),
            ),
            Some(text) => read.push(standard(name, text.get_ref(), criteria, faults)),
        }
    }
    for (name, text) in &written.standards {
        if !STANDARDS.contains(&name.as_str()) {
            faults.at(&text.span(), format!("unknown standard `{name}`"));
        }
    }
    read
}

fn standard(
    of: &str,
    text: &SettingText,
    criteria: &Criteria,
    faults: &mut Faults<'_>,
) -> Standard {
    let value = text.value.get_ref();
    let rung = criteria.standards.iter().find(|rung| rung.id == *value);
    if rung.is_none() {
        let known: Vec<&str> = criteria.standards.iter().map(|rung| rung.id.as_str()).collect();
        faults.at(
            &text.value.span(),
            format!("`{value}` is no standard of proof: {}", known.join(", ")),
        );
    }
    Standard {
        of: of.to_owned(),
        standard: value.clone(),
        words: rung.map_or_else(String::new, |rung| rung.words.clone()),
        note: text.note.clone(),
        sources: check::sources(&text.sources, of, &text.value.span(), faults),
    }
}

fn readings(written: &ProfileText, criteria: &Criteria, faults: &mut Faults<'_>) -> Vec<Reading> {
    let mut read = Vec::new();
    for text in &written.reading {
        let id = text.criterion.get_ref();
        let place = text.criterion.span();
        let annotation = criteria.annotations.iter().any(|annotation| annotation.id == *id);
        if criteria.get(id).is_none() && !annotation {
            faults.at(&place, format!("unknown criterion `{id}`"));
        }
        read.push(Reading {
            criterion: id.clone(),
            text: text.text.clone(),
            sources: check::sources(&text.sources, id, &place, faults),
        });
    }
    read
}
