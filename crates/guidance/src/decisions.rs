//! The decision table: which outcome follows from the criteria it reads.
//!
//! A table must answer every question exactly once, and a certain outcome may not hang on a
//! criterion that is undetermined; a table that does otherwise is refused.

use std::collections::BTreeMap;

use crate::criteria::Parameter;
use crate::fault::Faults;
use crate::file::{CriteriaText, DecisionText};
use crate::formula;
use crate::terms::{Outcome, Sought};
use crate::value::Value;

/// 3 to the power of this many criteria is the size of a table.
pub(crate) const MOST_ROOTS: usize = 5;

/// A row of the decision table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) sought: Vec<Sought>,
    /// The values it asks of the roots: place among the roots, and value.
    pub(crate) criteria: Vec<(usize, Value)>,
    pub(crate) parameters: Vec<(String, String)>,
    /// Why this outcome follows, as a sentence.
    pub(crate) why: String,
}

impl Decision {
    fn covers(&self, sought: Sought, state: &[Value]) -> bool {
        self.sought.contains(&sought)
            && self.criteria.iter().all(|(root, value)| state.get(*root) == Some(value))
    }

    /// Whether the row is in use under these settings.
    pub(crate) fn applies(&self, settings: &BTreeMap<String, String>) -> bool {
        self.parameters.iter().all(|(parameter, value)| settings.get(parameter) == Some(value))
    }
}

/// Reads the rows, and the criteria that they read in the order of the file.
pub(crate) fn read(
    written: &CriteriaText,
    by_id: &BTreeMap<String, usize>,
    parameters: &[Parameter],
    faults: &mut Faults<'_>,
) -> (Vec<Decision>, Vec<usize>) {
    let mut roots: Vec<usize> = Vec::new();
    for text in &written.decision {
        for (id, value) in &text.criteria {
            match by_id.get(id) {
                None => faults.at(&value.span(), format!("unknown criterion `{id}`")),
                Some(place) if roots.contains(place) => {}
                Some(place) => roots.push(*place),
            }
        }
    }
    roots.sort_unstable();
    if roots.len() > MOST_ROOTS {
        faults.whole(format!(
            "the decision table reads {} criteria, more than {MOST_ROOTS}",
            roots.len()
        ));
        return (Vec::new(), roots);
    }
    let rows: Vec<Decision> =
        written.decision.iter().map(|text| row(text, by_id, &roots, parameters, faults)).collect();
    if faults.is_empty() {
        check_table(written, &rows, &roots, parameters, faults);
    }
    (rows, roots)
}

fn row(
    text: &DecisionText,
    by_id: &BTreeMap<String, usize>,
    roots: &[usize],
    parameters: &[Parameter],
    faults: &mut Faults<'_>,
) -> Decision {
    let outcome = text.outcome.get_ref().parse().unwrap_or_else(|error| {
        faults.at(&text.outcome.span(), format!("{error}"));
        Outcome::Undetermined
    });
    let mut sought = Vec::new();
    for word in &text.sought {
        match word.get_ref().parse() {
            Ok(known) => sought.push(known),
            Err(error) => faults.at(&word.span(), format!("{error}")),
        }
    }
    for (parameter, value) in &text.parameters {
        formula::condition(parameter, value.get_ref(), &value.span(), parameters, faults);
    }
    let criteria = text.criteria.iter().filter_map(|(id, value)| {
        let place = by_id.get(id)?;
        Some((roots.iter().position(|root| root == place)?, *value.get_ref()))
    });
    Decision {
        outcome,
        sought,
        criteria: criteria.collect(),
        parameters: text.parameters.iter().map(|(p, v)| (p.clone(), v.get_ref().clone())).collect(),
        why: text.why.clone(),
    }
}

/// Checks, under every setting of the parameters that rows name, that each question has exactly
/// one answer and that a certain answer stays when what is undetermined is settled. Stops at the
/// first question of which that is not true.
fn check_table(
    written: &CriteriaText,
    rows: &[Decision],
    roots: &[usize],
    parameters: &[Parameter],
    faults: &mut Faults<'_>,
) {
    for settings in every_setting(rows, parameters) {
        let used: Vec<(usize, &Decision)> =
            rows.iter().enumerate().filter(|(_, row)| row.applies(&settings)).collect();
        for sought in Sought::ALL {
            for state in every_state(roots.len()) {
                let Some((row, reason)) = question_fault(&used, *sought, &state) else { continue };
                let ids = roots.iter().filter_map(|root| written.criterion.get(*root));
                let values =
                    ids.zip(&state).map(|(c, value)| format!("{}={value}", c.id.get_ref()));
                let values: Vec<String> = values.collect();
                let reason = reason.replace("{}", &format!("{sought} with {}", values.join(", ")));
                match row.and_then(|row| written.decision.get(row)) {
                    Some(text) => faults.at(&text.outcome.span(), reason),
                    None => faults.whole(reason),
                }
                return;
            }
        }
    }
}

/// What is wrong with the answer to one question: the row to blame, if one is, and the reason with
/// `{}` in place of the question.
fn question_fault(
    used: &[(usize, &Decision)],
    sought: Sought,
    state: &[Value],
) -> Option<(Option<usize>, String)> {
    let mut covering = used.iter().filter(|(_, row)| row.covers(sought, state));
    let Some((place, row)) = covering.next() else {
        return Some((None, "no decision covers {}".to_owned()));
    };
    if let Some((second, _)) = covering.next() {
        let (one, two) = (place + 1, second + 1);
        return Some((Some(*second), format!("decisions {one} and {two} both cover {{}}")));
    }
    let same = |settled: &[Value]| {
        used.iter().any(|(_, other)| other.covers(sought, settled) && other.outcome == row.outcome)
    };
    let hangs =
        row.outcome != Outcome::Undetermined && settle_one(state).any(|settled| !same(&settled));
    hangs.then(|| {
        let outcome = row.outcome;
        let reason = format!("`{outcome}` is certain for {{}} though settling it gives another");
        (Some(*place), reason)
    })
}

/// Every combination of values of the parameters that rows name.
fn every_setting(rows: &[Decision], parameters: &[Parameter]) -> Vec<BTreeMap<String, String>> {
    let mut settings = vec![BTreeMap::new()];
    for parameter in parameters {
        if !rows.iter().any(|row| row.parameters.iter().any(|(id, _)| *id == parameter.id)) {
            continue;
        }
        settings = settings
            .into_iter()
            .flat_map(|setting| {
                parameter.values.iter().map(move |value| {
                    let mut setting = setting.clone();
                    setting.insert(parameter.id.clone(), value.clone());
                    setting
                })
            })
            .collect();
    }
    settings
}

/// Every combination of values of the roots, in the order of [`place_of`].
fn every_state(roots: usize) -> impl Iterator<Item = Vec<Value>> {
    let size = (0..roots).fold(1, |size, _| size * Value::ALL.len());
    (0..size).map(move |place| {
        let mut rest = place;
        (0..roots)
            .map(|_| {
                let digit = rest % Value::ALL.len();
                rest /= Value::ALL.len();
                match digit {
                    0 => Value::Met,
                    1 => Value::NotMet,
                    _ => Value::Undetermined,
                }
            })
            .collect()
    })
}

/// The states in which one undetermined root of this one is settled.
fn settle_one(state: &[Value]) -> impl Iterator<Item = Vec<Value>> {
    let undetermined =
        state.iter().enumerate().filter(|(_, v)| **v == Value::Undetermined).map(|(root, _)| root);
    undetermined.flat_map(move |root| {
        [Value::Met, Value::NotMet].map(|value| {
            let mut settled = state.to_vec();
            if let Some(entry) = settled.get_mut(root) {
                *entry = value;
            }
            settled
        })
    })
}

/// One answer of the compiled table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// The row it comes from.
    pub(crate) row: u8,
    /// The roots, as bits, that are undetermined and turn the outcome in some completion.
    pub(crate) turning: u8,
}

/// The decision table of a profile, one answer for each thing sought and state of the roots.
#[derive(Debug)]
pub(crate) struct Table {
    answers: Vec<Answer>,
    states: usize,
}

impl Table {
    /// Compiles rows that [`read`] has checked.
    pub(crate) fn compile(
        rows: &[Decision],
        roots: usize,
        settings: &BTreeMap<String, String>,
    ) -> Self {
        let used: Vec<(u8, &Decision)> =
            (0..=u8::MAX).zip(rows).filter(|(_, row)| row.applies(settings)).collect();
        let states: Vec<Vec<Value>> = every_state(roots).collect();
        let mut answers = Vec::with_capacity(states.len() * Sought::ALL.len());
        for sought in Sought::ALL {
            let outcomes: Vec<(Outcome, u8)> = states
                .iter()
                .map(|state| {
                    let found = used.iter().find(|(_, row)| row.covers(*sought, state));
                    found.map_or((Outcome::Undetermined, u8::MAX), |(place, row)| {
                        (row.outcome, *place)
                    })
                })
                .collect();
            for (place, (outcome, row)) in outcomes.iter().enumerate() {
                let turning = (0..roots)
                    .filter(|root| turns(*root, place, roots, &outcomes))
                    .map(|root| 1 << root)
                    .sum();
                answers.push(Answer { outcome: *outcome, row: *row, turning });
            }
        }
        Self { answers, states: states.len() }
    }

    /// The answer for a state of the roots, given as its place (see [`place_of`]).
    pub(crate) fn answer(&self, sought: Sought, place: usize) -> Answer {
        let block = match sought {
            Sought::Refugee => 0,
            Sought::Protection => 1,
            Sought::Nonrefoulement => 2,
        };
        let undetermined = Answer { outcome: Outcome::Undetermined, row: u8::MAX, turning: 0 };
        self.answers.get(block * self.states + place).copied().unwrap_or(undetermined)
    }
}

/// Adds the next root, counted from the last to the first, to the place of a state.
pub(crate) const fn place_of(place: usize, value: Value) -> usize {
    let digit = match value {
        Value::Met => 0,
        Value::NotMet => 1,
        Value::Undetermined => 2,
    };
    place * Value::ALL.len() + digit
}

/// Whether an undetermined root turns the outcome in some completion of the others.
fn turns(root: usize, place: usize, roots: usize, outcomes: &[(Outcome, u8)]) -> bool {
    let step = power(root);
    place / step % 3 == UNDETERMINED && differ(place - 2 * step, place - step, roots, outcomes)
}

/// Whether two states that differ in settled roots only have a completion with two outcomes.
fn differ(first: usize, second: usize, roots: usize, outcomes: &[(Outcome, u8)]) -> bool {
    if let Some(step) = (0..roots).map(power).find(|step| first / step % 3 == UNDETERMINED) {
        return differ(first - step, second - step, roots, outcomes)
            || differ(first - 2 * step, second - 2 * step, roots, outcomes);
    }
    let outcome = |place: usize| outcomes.get(place).map(|(outcome, _)| *outcome);
    outcome(first) != outcome(second)
}

/// The digit of an undetermined root in the place of a state.
const UNDETERMINED: usize = 2;

/// The weight of a root in the place of a state.
fn power(root: usize) -> usize {
    (0..root).fold(1, |power, _| power * 3)
}
