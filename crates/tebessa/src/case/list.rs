//! `tebessa case list`: which cases there are, the oldest first.

use anstyle::Style;
use case::token::ProfileName;
use case::vocabulary::Status;
use case::{Instant, PersonId};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::{SignedDuration, Timestamp};
use service::client::Client;
use service::queries::{ListQuery, ListReply, ListedCase};

use crate::address::Address;
use crate::arguments::{days, from_one};
use crate::ask::ask;
use crate::output::{
    ASIDE, BAD, CliError, Exit, NO_WIDTH, Output, Screen, Table, count, note, of_outcome, of_status,
};

/// The most cases of one answer of the node.
const MOST_OF_A_PAGE: u64 = 1_000;
/// From this width on there are columns for the events and the last one's time, and for what is due.
const WIDE: usize = 115;

const HELP: &str = "\
The case that was recorded first stands before the others; with --due-days, the one whose deadline is
over soonest, which takes all that match before the first is shown. The age counts from registration.
DUE counts whole days to the end of the first deadline that runs, and is below 0 where that is over.

Examples:
  tebessa case list --due-days 7 --open
  tebessa case list --status awaiting_decision --status awaiting_review
  tebessa case list --profile EU --min-age-days 180
  tebessa case list --person 9c0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b5a
  tebessa case list --all --json | jq -r .case";

/// List cases by status, profile, age and what is due.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only cases of this status; may stand several times.
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    status: Vec<Status>,
    /// Only cases that are neither closed nor withdrawn.
    #[arg(long, conflicts_with = "status")]
    open: bool,
    /// Only cases with a deadline that is over within so many days from now, or over already.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    due_days: Option<u32>,
    /// Only cases of this profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<ProfileName>,
    /// Only cases of this person, by any of the ids that mean them.
    #[arg(long, value_name = "ID")]
    person: Option<PersonId>,
    /// Only cases that were registered at least so many days ago.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    min_age_days: Option<u32>,
    /// Only cases that were registered at most so many days ago.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    max_age_days: Option<u32>,
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
    let now = Timestamp::now();
    let most = if args.all { u64::MAX } else { args.limit };
    let mut query = ListQuery {
        status: if args.open { open() } else { args.status },
        profile: args.profile,
        person: args.person,
        min_age_days: args.min_age_days.map(i64::from),
        max_age_days: args.max_age_days.map(i64::from),
        due_before: args.due_days.map(|days| in_days(now, days)),
        cursor: None,
        limit: None,
    };
    let all = query == ListQuery::default();
    let mut shown = Pages {
        out: Output::stdout(),
        list: Listing::new(Screen::stdout(), now, args.due_days.is_some()),
        json: args.json,
    };
    let more = if args.due_days.is_some() {
        soonest_first(&client, query, most, &mut shown).await?
    } else {
        let mut left = most;
        while left > 0 {
            query.limit = u32::try_from(left.min(MOST_OF_A_PAGE)).ok();
            let page: ListReply = ask(&client, "list", &query).await?;
            left = left.saturating_sub(page.cases.len() as u64);
            shown.page(&page.cases)?;
            query.cursor = page.next;
            if page.next.is_none() {
                break;
            }
        }
        query.cursor.is_some()
    };
    if !args.json {
        shown.list.end(more, all);
    }
    Ok(Exit::Done)
}

/// Shows the cases whose deadlines are over soonest, at most so many; says whether there are more. The
/// node has no order but that of the log, so all that match are asked for.
async fn soonest_first(
    client: &Client,
    mut query: ListQuery,
    most: u64,
    shown: &mut Pages,
) -> Result<bool, CliError> {
    query.limit = u32::try_from(MOST_OF_A_PAGE).ok();
    let mut cases = Vec::new();
    loop {
        let page: ListReply = ask(client, "list", &query).await?;
        cases.extend(page.cases);
        query.cursor = page.next;
        if page.next.is_none() {
            break;
        }
    }
    cases.sort_by_key(first_due);
    let found = cases.len();
    cases.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    shown.page(&cases)?;
    Ok(cases.len() < found)
}

/// The instant at which so many days are over; the last that there is where that lies behind it.
fn in_days(now: Timestamp, days: u32) -> Instant {
    let span = SignedDuration::from_hours(24 * i64::from(days));
    Instant::new(now.checked_add(span).unwrap_or(Timestamp::MAX))
}

/// The statuses of cases that somebody works on.
fn open() -> Vec<Status> {
    let over = [Status::Closed, Status::Withdrawn];
    Status::ALL.iter().copied().filter(|status| !over.contains(status)).collect()
}

fn first_due(listed: &ListedCase) -> Option<Instant> {
    listed.summary.deadlines.iter().map(|running| running.due).min()
}

/// Where pages go.
struct Pages {
    out: Output,
    list: Listing,
    json: bool,
}

impl Pages {
    fn page(&mut self, cases: &[ListedCase]) -> Result<(), CliError> {
        if !self.json {
            return self.list.show(cases);
        }
        cases.iter().try_for_each(|listed| self.out.json(listed))?;
        self.out.flush()
    }
}

/// The table, page by page.
pub(super) struct Listing {
    screen: Screen,
    now: Timestamp,
    /// Whether what is due was asked for.
    by_due: bool,
    columns: Columns,
    shown: u64,
}

/// Which columns there are, which the first page decides.
#[derive(Default)]
struct Columns {
    /// The width of the column of profiles.
    profile: usize,
    /// The width of the column of ages; none where what is due takes its room.
    age: Option<usize>,
    /// The width of the column of what is due, where there is one.
    due: Option<usize>,
    /// Whether there are columns for the events and the last one's time.
    wide: bool,
}

impl Columns {
    fn of(cases: &[ListedCase], width: usize, now: Timestamp, by_due: bool) -> Self {
        // In a pipe the columns stay what they always were.
        let wide = (WIDE..NO_WIDTH).contains(&width);
        let any_due = cases.iter().any(|listed| first_due(listed).is_some());
        let widest = |lengths: &mut dyn Iterator<Item = usize>, least: usize, most: usize| {
            lengths.max().unwrap_or(0).clamp(least, most)
        };
        let names = &mut cases.iter().map(|listed| listed.summary.profile.as_str().len());
        let ages = &mut cases.iter().map(|listed| age(listed).len());
        let dues = &mut cases.iter().map(|listed| due(listed, now).len());
        Self {
            profile: widest(names, "PROFILE".len(), 16),
            age: (width >= WIDE || !by_due).then(|| widest(ages, 5, 9)),
            due: (by_due || wide && any_due).then(|| widest(dues, 5, 9)),
            wide,
        }
    }

    /// Headings, with the width of what is never wrapped.
    fn headings(&self) -> Vec<(&'static str, Option<usize>)> {
        let mut headings = vec![("CASE", Some(36)), ("PROFILE", Some(self.profile))];
        headings.extend(self.age.map(|width| ("AGE", Some(width))));
        headings.extend(self.due.map(|width| ("DUE", Some(width))));
        headings.push(("STATUS", None));
        if self.wide {
            headings.extend([("EVENTS", Some(6)), ("LAST EVENT (UTC)", Some(16))]);
        }
        headings
    }
}

impl Listing {
    pub(super) fn new(screen: Screen, now: Timestamp, by_due: bool) -> Self {
        Self { screen, now, by_due, columns: Columns::default(), shown: 0 }
    }

    pub(super) fn show(&mut self, cases: &[ListedCase]) -> Result<(), CliError> {
        if cases.is_empty() {
            return Ok(());
        }
        if self.shown == 0 {
            self.columns = Columns::of(cases, self.screen.width, self.now, self.by_due);
        }
        let headings = self.columns.headings();
        let names: Vec<_> = headings.iter().map(|(name, _)| *name).collect();
        let mut table = Table::new(self.screen.width, &names, self.shown == 0);
        for (column, width) in headings.iter().enumerate() {
            if let (_, Some(width)) = width {
                table.fixed(column, *width);
            }
        }
        for listed in cases {
            table.row(&self.row(listed));
        }
        self.shown += cases.len() as u64;
        table.show(&mut self.screen)?;
        self.screen.flush()
    }

    fn row(&self, listed: &ListedCase) -> Vec<(String, Style)> {
        let (summary, plain) = (&listed.summary, Style::new());
        let (mut status, style) = match summary.outcome {
            Some(outcome) => (format!("{}: {outcome}", summary.status), of_outcome(outcome)),
            None => (summary.status.to_string(), of_status(summary.status)),
        };
        let mut cells =
            vec![(summary.case.to_string(), plain), (summary.profile.to_string(), plain)];
        cells.extend(self.columns.age.map(|_| (age(listed), plain)));
        let due = due(listed, self.now);
        if self.columns.due.is_some() {
            let style = if due.starts_with('-') { BAD } else { plain };
            cells.push((due, style));
        } else if !due.is_empty() && self.screen.width < WIDE {
            // A terminal that has no room for the column.
            let due =
                if due.starts_with('-') { "overdue".to_owned() } else { format!("due in {due}") };
            status = format!("{status}\n{due}");
        }
        cells.push((status, style));
        if self.columns.wide {
            let updated = summary.updated.get(..16).unwrap_or(&summary.updated).replace('T', " ");
            cells.push((summary.version.to_string(), plain));
            cells.push((updated, ASIDE));
        }
        cells
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

/// Whole days to the end of the first deadline that runs, below 0 where that is over; empty where none
/// runs.
fn due(listed: &ListedCase, now: Timestamp) -> String {
    let Some(due) = first_due(listed) else { return String::new() };
    let seconds = due.timestamp().duration_since(now).as_secs();
    format!("{} d", seconds.div_euclid(24 * 60 * 60))
}

fn age(listed: &ListedCase) -> String {
    format!("{} d", listed.age_days)
}
