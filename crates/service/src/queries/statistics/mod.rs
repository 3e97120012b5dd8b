//! `tebessa.query.statistics`: outcomes in numbers for the public, with small numbers hidden.
//!
//! There is one publication and no filter, because the difference of two answers tells what neither
//! tells. Only months that are over are counted, so that a decision first shows beside all others of
//! its month.
//!
//! *Remaining risk:* a month that was published changes when an outcome of it is replaced or falls
//! later, on appeal, by a withdrawal or with the status. The case leaves its rows at once and stands in
//! those of the new outcome when that one's month is over, so two looks before and after tell that one
//! case of that month and row changed.

mod bounds;
mod suppress;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use case::Summary;
use case::vocabulary::DecisionOutcome;
use jiff::Timestamp;

use self::suppress::{Table, hidden_parts};
use crate::node::Node;
use crate::reply::Failure;
use crate::summaries::visit_summaries;

/// Numbers from 1 to below this are not published.
const LEAST: u64 = 5;

/// Asks for the statistics.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct StatisticsQuery {}

/// Outcomes in numbers. A number that is left out is small, or would tell a small one.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct StatisticsReply {
    /// Numbers from 1 to below this are hidden.
    pub threshold: u64,
    /// The months before this one are counted.
    pub before: String,
    /// The journal's position that is taken into account.
    pub position: u64,
    /// How many cases have an outcome that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<u64>,
    /// How many of them have which outcome.
    pub outcomes: BTreeMap<String, Option<u64>>,
    /// The same by profile, ground, category and month. A table that cannot be published without
    /// telling a small number is left out.
    pub tables: Vec<StatisticsTable>,
}

/// Outcomes by one thing.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct StatisticsTable {
    /// By what: `profile`, `ground`, `category` or `month`.
    pub by: String,
    /// One row for each value; `several` and `none` stand for cases with several or none.
    pub rows: Vec<StatisticsRow>,
}

/// One row of a table.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct StatisticsRow {
    /// The value.
    pub value: String,
    /// How many cases have which outcome.
    pub outcomes: BTreeMap<String, Option<u64>>,
    /// How many cases it has in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<u64>,
}

/// One case, as it is counted.
struct Counted {
    outcome: DecisionOutcome,
    /// Its value in each table.
    values: [String; 4],
}

const TABLES: [&str; 4] = ["profile", "ground", "category", "month"];

/// Answers from the index, which follows the journal by moments; see `wait_for_index`.
pub(super) fn answer(node: &Node) -> Result<StatisticsReply, Failure> {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let before = format!("{:04}-{:02}", today.year(), today.month());
    let position = node.journal().index_position().0;
    let mut counted = Vec::new();
    visit_summaries(node.journal(), None, &mut |_, summary| {
        counted.extend(count(&summary, &before));
        ControlFlow::Continue(())
    })?;
    Ok(publish(&counted, before, position))
}

fn count(summary: &Summary, before: &str) -> Option<Counted> {
    let outcome = summary.outcome?;
    let counted = &summary.counted;
    let month = counted.month.as_ref().filter(|month| month.as_str() < before)?;
    let values = [
        summary.profile.to_string(),
        one_of(counted.grounds.iter()),
        one_of(counted.categories.iter()),
        month.clone(),
    ];
    Some(Counted { outcome, values })
}

/// The one value, or that there are several or none: so every case stands in one row.
fn one_of<T: ToString>(mut values: impl Iterator<Item = T>) -> String {
    match (values.next(), values.next()) {
        (None, _) => "none".to_owned(),
        (Some(one), None) => one.to_string(),
        (Some(_), Some(_)) => "several".to_owned(),
    }
}

fn publish(counted: &[Counted], before: String, position: u64) -> StatisticsReply {
    let total = counted.len() as u64;
    let totals: Vec<u64> = DecisionOutcome::ALL
        .iter()
        .map(|outcome| counted.iter().filter(|case| case.outcome == *outcome).count() as u64)
        .collect();
    let mut hidden_totals = hidden_parts(&totals, LEAST);
    // The whole is published, unless it is small itself.
    let all_hidden = total < LEAST && total > 0;
    if all_hidden {
        hidden_totals.fill(true);
    }
    let outcomes = named(&totals, &hidden_totals);
    let cases = (!all_hidden).then_some(total);
    let mut tables = Vec::new();
    if !all_hidden {
        hidden_totals.push(false);
        tables.extend(
            TABLES
                .iter()
                .enumerate()
                .filter_map(|(place, by)| table(by, place, counted, &totals, &hidden_totals)),
        );
    }
    StatisticsReply { threshold: LEAST, before, position, cases, outcomes, tables }
}

fn table(
    by: &str,
    place: usize,
    counted: &[Counted],
    totals: &[u64],
    hidden_totals: &[bool],
) -> Option<StatisticsTable> {
    let mut rows: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for case in counted {
        let value = case.values.get(place)?;
        let row = rows.entry(value).or_insert_with(|| vec![0; DecisionOutcome::ALL.len() + 1]);
        let column = DecisionOutcome::ALL.iter().position(|outcome| *outcome == case.outcome)?;
        *row.get_mut(column)? += 1;
        *row.last_mut()? += 1;
    }
    let mut cells: Vec<Vec<u64>> = rows.values().cloned().collect();
    let mut last = totals.to_vec();
    last.push(totals.iter().sum());
    cells.push(last);
    let table = Table { cells, hidden_totals: hidden_totals.to_vec(), least: LEAST };
    let hidden = table.hidden()?;
    let rows = rows.into_iter().zip(hidden).map(|((value, counts), hidden)| {
        let total = counts.last().filter(|_| hidden.last() == Some(&false)).copied();
        StatisticsRow { value: value.to_owned(), outcomes: named(&counts, &hidden), cases: total }
    });
    Some(StatisticsTable { by: by.to_owned(), rows: rows.collect() })
}

/// Counts by outcome; those that are zero are left out, those that are hidden have no number.
fn named(counts: &[u64], hidden: &[bool]) -> BTreeMap<String, Option<u64>> {
    let cells = counts.iter().zip(hidden).zip(DecisionOutcome::ALL);
    let shown = cells.filter(|((count, hidden), _)| **count > 0 || **hidden);
    shown
        .map(|((count, hidden), outcome)| (outcome.to_string(), (!hidden).then_some(*count)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(number: usize, outcome: DecisionOutcome, profile: &str, month: &str) -> Vec<Counted> {
        let values = || [profile, "none", "C1", month].map(ToOwned::to_owned);
        (0..number).map(|_| Counted { outcome, values: values() }).collect()
    }

    fn published(counted: &[Vec<Counted>]) -> StatisticsReply {
        let all: Vec<_> = counted
            .iter()
            .flatten()
            .map(|case| Counted { outcome: case.outcome, values: case.values.clone() })
            .collect();
        publish(&all, "2024-06".to_owned(), 1)
    }

    #[test]
    fn large_numbers_are_published_as_they_are() {
        use DecisionOutcome::{Refugee, Refused};
        let reply = published(&[
            cases(20, Refugee, "EU", "2024-01"),
            cases(30, Refused, "EU", "2024-02"),
            cases(10, Refused, "DE", "2024-02"),
        ]);
        assert_eq!((reply.cases, reply.outcomes["refugee"]), (Some(60), Some(20)));
        let by: Vec<_> = reply.tables.iter().map(|table| table.by.as_str()).collect();
        assert_eq!(by, TABLES);
        let profiles = &reply.tables[0].rows;
        assert_eq!((profiles[0].value.as_str(), profiles[0].outcomes["refused"]), ("DE", Some(10)));
        assert_eq!((profiles[1].value.as_str(), profiles[1].cases), ("EU", Some(50)));
    }

    #[test]
    fn a_small_number_takes_its_neighbours_with_it() {
        use DecisionOutcome::{Refugee, Refused};
        let reply = published(&[
            cases(20, Refugee, "EU", "2024-01"),
            cases(30, Refused, "EU", "2024-01"),
            cases(25, Refugee, "DE", "2024-01"),
            cases(2, Refused, "DE", "2024-01"),
        ]);
        assert_eq!(reply.outcomes["refused"], Some(32));
        let hidden = |row: &StatisticsRow| row.outcomes.values().all(Option::is_none);
        assert!(reply.tables[0].rows.iter().all(hidden), "{:?}", reply.tables[0]);
    }

    #[test]
    fn of_few_cases_nothing_is_told() {
        let reply = published(&[cases(3, DecisionOutcome::Refused, "EU", "2024-01")]);
        assert_eq!((reply.cases, reply.tables.len()), (None, 0));
        assert!(reply.outcomes.values().all(Option::is_none));
    }
}
