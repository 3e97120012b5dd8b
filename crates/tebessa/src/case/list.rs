//! `tebessa case list`: which cases there are, the oldest first.

use anstyle::Style;
use case::PersonId;
use case::token::ProfileName;
use case::vocabulary::Status;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use service::queries::{ListQuery, ListReply, ListedCase};

use crate::address::Address;
use crate::arguments::from_one;
use crate::ask::ask;
use crate::output::{
    ASIDE, CliError, Exit, NO_WIDTH, Output, Screen, Table, count, note, of_outcome, of_status,
};

/// The most cases of one answer of the node.
const MOST_OF_A_PAGE: u64 = 1_000;
/// From this width on there are columns for the events and the last one's time.
const WIDE: usize = 110;

const HELP: &str = "\
The case that was recorded first stands before the others. The age counts from registration.

Examples:
  tebessa case list --status awaiting_decision --status awaiting_review
  tebessa case list --profile EU --min-age-days 180
  tebessa case list --person 9c0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b5a
  tebessa case list --all --json | jq -r .case";

/// List cases by status, profile and age.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only cases of this status; may stand several times.
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    status: Vec<Status>,
    /// Only cases of this profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<ProfileName>,
    /// Only cases of this person, by any of the ids that mean them.
    #[arg(long, value_name = "ID")]
    person: Option<PersonId>,
    /// Only cases that were registered at least so many days ago.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..))]
    min_age_days: Option<i64>,
    /// Only cases that were registered at most so many days ago.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..))]
    max_age_days: Option<i64>,
    /// At most so many cases.
    #[arg(long, value_name = "CASES", default_value_t = 100,
        value_parser = from_one)]
    limit: u64,
    /// All cases, however many.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// One line of JSON a case.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

fn statuses() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.iter().map(|status| status.as_str()))
        .try_map(|text| Status::ALL.iter().copied().find(|s| s.as_str() == text).ok_or("unknown"))
}

/// Lists the cases.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let mut left = if args.all { u64::MAX } else { args.limit };
    let mut query = ListQuery {
        status: args.status,
        profile: args.profile,
        person: args.person,
        min_age_days: args.min_age_days,
        max_age_days: args.max_age_days,
        cursor: None,
        limit: None,
    };
    let mut out = Output::stdout();
    let mut list = Listing::new(Screen::stdout());
    loop {
        query.limit = u32::try_from(left.min(MOST_OF_A_PAGE)).ok();
        let page: ListReply = ask(&client, "list", &query).await?;
        left = left.saturating_sub(page.cases.len() as u64);
        if args.json {
            page.cases.iter().try_for_each(|listed| out.json(listed))?;
            out.flush()?;
        } else {
            list.show(&page.cases)?;
        }
        query.cursor = page.next;
        if left == 0 || page.next.is_none() {
            break;
        }
    }
    if !args.json {
        let all = ListQuery { cursor: None, limit: None, ..query.clone() } == ListQuery::default();
        list.end(query.cursor.is_some(), all);
    }
    Ok(Exit::Done)
}

/// The table, page by page.
pub(super) struct Listing {
    screen: Screen,
    shown: u64,
    /// The width of the column of profiles, which the first page decides.
    profile: usize,
    /// The width of the column of ages, likewise.
    age: usize,
}

impl Listing {
    pub(super) const fn new(screen: Screen) -> Self {
        Self { screen, shown: 0, profile: 0, age: 0 }
    }

    pub(super) fn show(&mut self, cases: &[ListedCase]) -> Result<(), CliError> {
        if cases.is_empty() {
            return Ok(());
        }
        // In a pipe the columns stay what they always were.
        let wide = (WIDE..NO_WIDTH).contains(&self.screen.width);
        if self.shown == 0 {
            let names = cases.iter().map(|listed| listed.summary.profile.as_str().len());
            self.profile = names.max().unwrap_or(0).clamp("PROFILE".len(), 16);
            let ages = cases.iter().map(|listed| age(listed).len());
            self.age = ages.max().unwrap_or(0).clamp(5, 9);
        }
        let mut headings = vec!["CASE", "PROFILE", "AGE", "STATUS"];
        if wide {
            headings.extend(["EVENTS", "LAST EVENT (UTC)"]);
        }
        let mut table = Table::new(self.screen.width, &headings, self.shown == 0);
        table.fixed(0, 36);
        table.fixed(1, self.profile);
        table.fixed(2, self.age);
        if wide {
            table.fixed(4, 6);
            table.fixed(5, 16);
        }
        for listed in cases {
            table.row(&row(listed, wide));
        }
        self.shown += cases.len() as u64;
        table.show(&mut self.screen)?;
        self.screen.flush()
    }

    /// `all` says that no case was left out by what was asked for.
    fn end(&self, more: bool, all: bool) {
        let cases = count(self.shown, "case", "cases");
        note(&match (self.shown, more) {
            (0, _) if all => "there are no cases yet".to_owned(),
            (0, _) => "no such case".to_owned(),
            (_, false) => format!("{ASIDE}{cases}{ASIDE:#}"),
            (_, true) => format!("{ASIDE}the first {cases}; --all shows the others{ASIDE:#}"),
        });
    }
}

fn row(listed: &ListedCase, wide: bool) -> Vec<(String, Style)> {
    let summary = &listed.summary;
    let (status, style) = match summary.outcome {
        Some(outcome) => (format!("{}: {outcome}", summary.status), of_outcome(outcome)),
        None => (summary.status.to_string(), of_status(summary.status)),
    };
    let mut cells = vec![
        (summary.case.to_string(), Style::new()),
        (summary.profile.to_string(), Style::new()),
        (age(listed), Style::new()),
        (status, style),
    ];
    if wide {
        let updated = summary.updated.get(..16).unwrap_or(&summary.updated).replace('T', " ");
        cells.push((summary.version.to_string(), Style::new()));
        cells.push((updated, ASIDE));
    }
    cells
}

fn age(listed: &ListedCase) -> String {
    format!("{} d", listed.age_days)
}
