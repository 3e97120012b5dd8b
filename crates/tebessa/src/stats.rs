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
Only months that are over are counted.

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
    show(&mut screen, "", &[(String::new(), &reply.outcomes)])?;
    for table in &reply.tables {
        screen.line("")?;
        // A profile is a name: it stands as it is typed elsewhere.
        let named = |value: &str| {
            if table.by == "profile" { value.to_owned() } else { words(value) }
        };
        let rows: Vec<_> = table.rows.iter().map(|r| (named(&r.value), &r.outcomes)).collect();
        show(&mut screen, &table.by, &rows)?;
    }
    screen.flush()?;
    note(&format!(
        "{ASIDE}· is hidden: below {}, or would tell such a number{ASIDE:#}",
        reply.threshold
    ));
    Ok(Exit::Done)
}

fn show(
    screen: &mut Screen,
    by: &str,
    rows: &[(String, &BTreeMap<String, Option<u64>>)],
) -> Result<(), CliError> {
    let mut table = Table::new(screen.width, &[&by.to_uppercase(), "OUTCOME", "CASES"], true);
    let cells = rows.iter().flat_map(|(value, outcomes)| {
        outcomes.iter().enumerate().map(move |(place, (outcome, count))| {
            let value = if place == 0 { value.clone() } else { String::new() };
            let shown = count.map_or_else(|| "·".to_owned(), |count| count.to_string());
            [value, words(outcome), shown].map(|text| (text, Style::new()))
        })
    });
    let mut filled = false;
    for row in cells {
        filled = true;
        table.row(&row);
    }
    if filled { table.show(screen) } else { Ok(()) }
}
