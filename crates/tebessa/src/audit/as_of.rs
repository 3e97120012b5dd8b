//! `tebessa audit as-of` and `audit diff`: a case as it was known, and what differs between two
//! points.

use case::CaseId;
use case::picture::{Change, Difference, Line, Picture, Section};
use case::replay::Shelf;
use jiff::civil::Date;
use journal::{Reader, Record, StreamId};
use service::audit::{Known, Point, difference_between, picture_at, time_or_day};

use super::known::Source;
use crate::arguments::day;
use crate::output::{
    ASIDE, BAD, CliError, Exit, GOOD, NAME, Output, Screen, count, of_outcome, of_status,
};

const AS_OF_HELP: &str = "\
The record has two axes of time. What it knew: by --version, --position or --known-at, else all that
is recorded now. What had happened in the world: by --happened-by, a day; what surely happened later
is left out of the lines, what perhaps did (its date is a month, a year or unknown) is marked. Status,
outcome and removal bar are those of all that was known, for the rules need the whole history.

The removal bar is that of this claim alone, at the moment that was asked for (with --version and
--position: when the last event was recorded). Another claim of the same person may bar: no line of
this is a clearance, only `tebessa case removal-bar` gives one.

A day given to --known-at means its end in UTC. Sealed words are never shown.

Exit codes: 0 shown, 1 no such case or nothing was recorded then.

Examples:
  tebessa audit as-of --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 --version 12
  tebessa audit as-of --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 \\
      --known-at 2024-05-01 --happened-by 2023-12-31 --json";

const DIFF_HELP: &str = "\
A point is now, version:3, position:120, known:2024-05-01 or known:2024-05-01T12:00:00Z, and behind it
perhaps ,happened:2023-12-31. See `tebessa audit as-of --help` for what they mean.

Exit codes: 0 compared, whether or not something differs; 1 no such case or nothing was recorded then.

Examples:
  tebessa audit diff --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 \\
      --from version:5 --to now
  tebessa audit diff --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 \\
      --from known:2024-01-31 --to known:2024-05-01 --json";

/// Show a case as it was known at a point in time.
#[derive(Debug, clap::Args)]
#[command(after_help = AS_OF_HELP)]
pub(crate) struct AsOfArgs {
    /// The case.
    #[arg(long, value_name = "CASE")]
    case: CaseId,
    /// With the case's first N events.
    #[arg(long, value_name = "N", group = "known")]
    version: Option<u64>,
    /// With what was recorded up to this position of the log.
    #[arg(long, value_name = "P", group = "known")]
    position: Option<u64>,
    /// With what was recorded until then: 2024-05-01 or 2024-05-01T12:00:00Z.
    #[arg(long, value_name = "TIME", group = "known", value_parser = time)]
    known_at: Option<jiff::Timestamp>,
    /// Only what had happened in the world by this day.
    #[arg(long, value_name = "DAY", value_parser = day)]
    happened_by: Option<Date>,
    #[command(flatten)]
    source: Source,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Show in words what differs between two points of a case.
#[derive(Debug, clap::Args)]
#[command(after_help = DIFF_HELP)]
pub(crate) struct DiffArgs {
    /// The case.
    #[arg(long, value_name = "CASE")]
    case: CaseId,
    /// The first point.
    #[arg(long, value_name = "POINT")]
    from: Point,
    /// The second point.
    #[arg(long, value_name = "POINT", default_value = "now")]
    to: Point,
    #[command(flatten)]
    source: Source,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<jiff::Timestamp, String> {
    time_or_day(text).ok_or_else(|| "expected 2024-05-01 or 2024-05-01T12:00:00Z".to_owned())
}

impl AsOfArgs {
    fn point(&self) -> Point {
        let version = self.version.map(Known::Version);
        let position = self.position.map(Known::Position);
        let time = self.known_at.map(Known::Time);
        let known = version.or(position).or(time).unwrap_or(Known::Now);
        Point { known, happened_by: self.happened_by }
    }
}

/// The records of a case, from a log that has the points that are asked for.
fn records(source: &Source, case: CaseId, points: &[Point]) -> Result<Vec<Record>, CliError> {
    let reader = Reader::open(&source.journal()?).map_err(CliError::other)?;
    let last = reader.last();
    points.iter().try_for_each(|point| point.within(last)).map_err(CliError::other)?;
    reader.read_stream(StreamId(case.0), None).map_err(CliError::other)
}

/// Shows a case as it was known.
pub(crate) async fn as_of(args: AsOfArgs) -> Result<Exit, CliError> {
    let work = move || {
        let records = records(&args.source, args.case, &[args.point()])?;
        let libraries = args.source.libraries()?;
        let picture = picture_at(args.case, &records, args.point(), Shelf(&libraries))
            .map_err(CliError::other)?;
        if args.json {
            return print(&picture);
        }
        let mut screen = Screen::stdout();
        show(&picture, &mut screen)?;
        screen.flush()?;
        Ok(Exit::Done)
    };
    tokio::task::spawn_blocking(work).await.map_err(CliError::other)?
}

/// Shows what differs.
pub(crate) async fn diff(args: DiffArgs) -> Result<Exit, CliError> {
    let work = move || {
        let points = [args.from, args.to];
        let records = records(&args.source, args.case, &points)?;
        let libraries = args.source.libraries()?;
        let found = difference_between(args.case, &records, points, Shelf(&libraries))
            .map_err(CliError::other)?;
        if args.json {
            return print(&found);
        }
        let mut screen = Screen::stdout();
        show_difference(&found, &mut screen)?;
        screen.flush()?;
        Ok(Exit::Done)
    };
    tokio::task::spawn_blocking(work).await.map_err(CliError::other)?
}

fn print(what: &impl serde::Serialize) -> Result<Exit, CliError> {
    let mut out = Output::stdout();
    out.json(what)?;
    out.flush()?;
    Ok(Exit::Done)
}

/// Which picture it is, in a line.
fn moment(picture: &Picture) -> String {
    let recorded = picture.recorded.timestamp().strftime("%Y-%m-%d %H:%M:%S%.6f UTC");
    let mut text = format!("version {}, recorded {recorded}", picture.version);
    if let Some(day) = picture.happened_by {
        text = format!("{text}; happened by {day}");
    }
    text
}

fn show(picture: &Picture, screen: &mut Screen) -> Result<(), CliError> {
    screen.line(&format!("{NAME}Case {}{NAME:#}", picture.case))?;
    screen.labelled(
        2,
        12,
        "as of",
        &format!("{}, position {}", moment(picture), picture.position),
    )?;
    if picture.later > 0 {
        let events = count(picture.later, "event was", "events were");
        screen.labelled(2, 12, "not yet", &format!("{events} recorded only later"))?;
    }
    if picture.not_happened > 0 {
        let events = count(picture.not_happened, "known event", "known events");
        screen.labelled(2, 12, "left out", &format!("{events} that happened later"))?;
    }
    let style = of_status(picture.status);
    screen.line(&format!("  {ASIDE}status      {ASIDE:#}{style}{}{style:#}", picture.status))?;
    if let Some(outcome) = picture.outcome {
        let style = of_outcome(outcome);
        screen.line(&format!("  {ASIDE}outcome     {ASIDE:#}{style}{outcome}{style:#}"))?;
    }
    let at = picture.barred_at.unwrap_or(picture.recorded);
    let at = at.timestamp().strftime("as of %Y-%m-%d %H:%M:%S UTC");
    let ask = "ask `tebessa case removal-bar`, which looks at all claims of the person";
    screen.labelled(2, 12, "removal", &format!("{}, {at}; {ask}", removal(picture)))?;
    for section in Section::ALL {
        let lines = picture.sections.get(&section).map_or(&[][..], Vec::as_slice);
        show_lines(section.title(), lines, screen)?;
    }
    show_lines("Events", &picture.events, screen)
}

/// What this claim says of a removal, which is no clearance.
fn removal(picture: &Picture) -> String {
    match picture.barred.as_slice() {
        [] => "not barred by this claim alone".to_owned(),
        reasons => format!("barred: {}", reasons.join("; ")),
    }
}

fn show_lines(title: &str, lines: &[Line], screen: &mut Screen) -> Result<(), CliError> {
    if lines.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    screen.line(&format!("{NAME}{title}{NAME:#}"))?;
    lines.iter().try_for_each(|line| show_line(line, screen))
}

fn show_line(line: &Line, screen: &mut Screen) -> Result<(), CliError> {
    let perhaps = if line.uncertain { ", perhaps later" } else { "" };
    let version = line.version.to_string();
    let about = if line.key == version { String::new() } else { format!("version {version}, ") };
    let text = format!("{} ({about}{}{perhaps})", line.text, line.occurred);
    if line.key.len() > 12 {
        screen.line(&format!("  {}", line.key))?;
        return screen.labelled(2, 14, "", &text);
    }
    screen.labelled(2, 14, &line.key, &text)
}

fn show_difference(found: &Difference, screen: &mut Screen) -> Result<(), CliError> {
    screen.line(&format!("{NAME}Case {}{NAME:#}", found.from.case))?;
    screen.labelled(2, 12, "from", &moment(&found.from))?;
    screen.labelled(2, 12, "to", &moment(&found.to))?;
    if found.same {
        return screen.line("  nothing differs");
    }
    let outcome = |picture: &Picture| {
        picture.outcome.map_or_else(|| "none".to_owned(), |outcome| outcome.to_string())
    };
    let pairs = [
        ("status", found.from.status.to_string(), found.to.status.to_string()),
        ("outcome", outcome(&found.from), outcome(&found.to)),
        ("removal", removal(&found.from), removal(&found.to)),
    ];
    for (label, before, after) in pairs.iter().filter(|(_, before, after)| before != after) {
        screen.labelled(2, 12, label, &format!("was {before}; is {after}"))?;
    }
    for section in Section::ALL {
        let changes: Vec<&Change> =
            found.changes.iter().filter(|change| change.section == section).collect();
        if changes.is_empty() {
            continue;
        }
        screen.line("")?;
        screen.line(&format!("{NAME}{}{NAME:#}", section.title()))?;
        for change in changes {
            show_change(change, screen)?;
        }
    }
    show_lines("Events that came", &found.added, screen)?;
    show_lines("Events that are not there any more", &found.missing, screen)
}

fn show_change(change: &Change, screen: &mut Screen) -> Result<(), CliError> {
    let of = |line: &Line| format!("{} (version {})", line.text, line.version);
    let (style, text) = match (&change.before, &change.after) {
        (None, Some(after)) => (GOOD, format!("new: {}", of(after))),
        (Some(before), None) => (BAD, format!("gone: {}", of(before))),
        (Some(before), Some(after)) => (NAME, format!("was {}; is {}", of(before), of(after))),
        (None, None) => return Ok(()),
    };
    screen.line(&format!("  {style}{}{style:#}", change.key))?;
    screen.labelled(6, 0, "", &text)
}
