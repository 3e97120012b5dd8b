//! `tebessa stats`: outcomes in numbers for the public.

use std::collections::BTreeMap;

use anstyle::Style;
use service::queries::{StatisticsQuery, StatisticsReply};

use crate::address::Address;
use crate::ask::ask;
use crate::output::{ASIDE, CliError, Exit, NAME, Screen, Table, line, note, words};

const HELP: &str = "\
Outcomes that stand, by profile, ground, category (C1, C2, C3 of the assessment on which the decision
rests) and month; a case with several grounds or categories is counted once, as `several`. Numbers
below 5 are hidden, and others with them, so that no hidden number can be computed from the rest.
Only months that are over are counted. `in all` stands where numbers of a row are hidden and their sum
is not.

Examples:
  tebessa stats
  tebessa stats --json | jq .outcomes";

/// Show outcomes in numbers, fit to be published.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// One line of JSON; a hidden number is null.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

/// Shows the statistics.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let reply: StatisticsReply = ask(&client, "statistics", &StatisticsQuery {}).await?;
    if args.json {
        line(&serde_json::to_string(&reply).map_err(CliError::other)?)?;
        return Ok(Exit::Done);
    }
    let mut screen = Screen::stdout();
    let cases = reply.cases.map_or_else(|| "few".to_owned(), |cases| cases.to_string());
    screen.line(&format!("{NAME}Outcomes before {}{NAME:#}: {cases} cases", reply.before))?;
    screen.line("")?;
    show(&mut screen, "", &[(String::new(), &reply.outcomes, None)])?;
    for table in &reply.tables {
        screen.line("")?;
        // A profile is a name: it stands as it is typed elsewhere.
        let named = |value: &str| {
            if table.by == "profile" { value.to_owned() } else { words(value) }
        };
        let rows = table.rows.iter().map(|row| (named(&row.value), &row.outcomes, row.cases));
        let rows: Vec<_> = rows.collect();
        show(&mut screen, &table.by, &rows)?;
    }
    screen.flush()?;
    note(&format!(
        "{ASIDE}· is hidden: below {}, or would tell such a number{ASIDE:#}",
        reply.threshold
    ));
    Ok(Exit::Done)
}

/// A value, its numbers by outcome, and how many it has in all where that is published.
type ByOutcome<'a> = (String, &'a BTreeMap<String, Option<u64>>, Option<u64>);

fn show(screen: &mut Screen, by: &str, rows: &[ByOutcome<'_>]) -> Result<(), CliError> {
    let mut table = Table::new(screen.width, &[&by.to_uppercase(), "OUTCOME", "CASES"], true);
    let cells = rows.iter().flat_map(|(value, outcomes, in_all)| {
        let shown = |count: Option<u64>| count.map_or_else(|| "·".to_owned(), |it| it.to_string());
        // Where nothing is hidden the reader can add up.
        let hides = outcomes.values().any(Option::is_none);
        let in_all = in_all.filter(|_| hides).map(|all| ("in all".to_owned(), shown(Some(all))));
        let each = outcomes.iter().map(move |(outcome, count)| (words(outcome), shown(*count)));
        each.chain(in_all).enumerate().map(move |(place, (outcome, count))| {
            let value = if place == 0 { value.clone() } else { String::new() };
            [value, outcome, count].map(|text| (text, Style::new()))
        })
    });
    let mut filled = false;
    for row in cells {
        filled = true;
        table.row(&row);
    }
    if filled { table.show(screen) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_is_published_stands_where_its_parts_are_hidden() {
        let of = |numbers: [Option<u64>; 2]| -> BTreeMap<String, Option<u64>> {
            ["refugee", "refused"].map(str::to_owned).into_iter().zip(numbers).collect()
        };
        let (few, many) = (of([None, None]), of([Some(20), Some(30)]));
        let rows = [
            ("DE".to_owned(), &few, Some(5)),
            ("EU".to_owned(), &many, Some(50)),
            ("FR".to_owned(), &few, None),
        ];
        let (mut screen, shown) = Screen::for_test(80);
        show(&mut screen, "profile", &rows).unwrap();
        let text = shown.text();
        assert_eq!(text.matches("in all").count(), 1, "{text}");
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            lines[1..4],
            [vec!["DE", "refugee", "·"], vec!["refused", "·"], vec!["in", "all", "5"]]
        );
    }
}
