//! `tebessa audit replay`: every decision derived again from what was recorded.

use std::collections::BTreeMap;

use case::CaseId;
use case::replay::{Missing, Replayed, Shelf, Verdict};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use journal::Reader;
use service::audit::{Entry, replay_all, replay_case};

use super::known::Source;
use super::tally::{Came, Tally, read};
use crate::output::{ASIDE, BAD, CliError, Exit, GOOD, Output, Screen, Table, words};

const HELP: &str = "\
Each assessment is derived again from the findings and facts of the case as it was then, under the
guidance and the engine that its record names, and compared node by node. A review, decision or
ruling is reproduced when what it says of its assessment, of the onus and of what its maker was
shown follows from the record too. The log is read without a lock, beside a running node.

Guidance that is not built in is looked for in the directories of --guidance, by its hash.

Exit codes: 0 all reproduced, 1 something diverged or could not be derived.

Examples:
  tebessa audit replay
  tebessa audit replay --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11
  tebessa audit replay --since 2024-01-01 --guidance archive/2023 --json";

/// Derive recorded decisions again and compare.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only this case.
    #[arg(long, value_name = "CASE")]
    case: Option<CaseId>,
    /// Only what was recorded since this day (UTC) or from this position on.
    #[arg(long, value_name = "DATE|POSITION")]
    since: Option<Since>,
    #[command(flatten)]
    source: Source,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy)]
enum Since {
    Time(Timestamp),
    Position(u64),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        let day = case::whole_day(text);
        let day = day.ok_or_else(|| "expected 2024-01-31 or a position".to_owned())?;
        let start = day.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
        Ok(Self::Time(start.timestamp()))
    }
}

impl Since {
    fn admits(self, entry: &Entry) -> bool {
        match self {
            Self::Time(time) => entry.time >= time,
            Self::Position(position) => entry.step.position >= position,
        }
    }
}

/// What was replayed.
#[derive(serde::Serialize)]
struct Report {
    #[serde(flatten)]
    tally: Tally,
    /// Every step, in the order of positions.
    entries: Vec<Entry>,
}

/// Replays.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    tokio::task::spawn_blocking(move || replay(&args)).await.map_err(CliError::other)?
}

fn replay(args: &Args) -> Result<Exit, CliError> {
    let directory = args.source.journal()?;
    let libraries = args.source.libraries()?;
    let known = Shelf(&libraries);
    let (records, mut entries) = read(
        &directory,
        args.case,
        "Replaying",
        |records| replay_case(records, known),
        |records, told| replay_all(&directory, records, known, told),
    )?;
    if let Some(Since::Position(position)) = args.since {
        let last = Reader::open(&directory).map_err(CliError::other)?.last().0;
        // The next position is that of who asks for what came since the last time.
        if position > last + 1 {
            return Err(CliError::message(format!(
                "the log ends at position {last}; there is nothing at {position}"
            )));
        }
    }
    entries.retain(|entry| args.since.is_none_or(|since| since.admits(entry)));
    let each = entries.iter().map(|entry| (entry.case, came(&entry.step.verdict)));
    let report = Report { tally: Tally::of(records, each), entries };
    if args.json {
        let mut out = Output::stdout();
        out.json(&report)?;
        out.flush()?;
    } else {
        report.show(known, args.case.is_some(), &mut Screen::stdout())?;
    }
    Ok(if report.tally.ok { Exit::Done } else { Exit::Failed })
}

const fn came(verdict: &Verdict) -> Came {
    match verdict {
        Verdict::Reproduced => Came::Reproduced,
        Verdict::Diverged(_) => Came::Diverged,
        Verdict::NotDerived(_) => Came::NotDerived,
    }
}

impl Report {
    fn show(&self, known: Shelf<'_>, all: bool, screen: &mut Screen) -> Result<(), CliError> {
        for entry in &self.entries {
            if all || entry.step.verdict != Verdict::Reproduced {
                show_entry(entry, screen)?;
            }
        }
        self.missing(screen)?;
        if !self.entries.is_empty() {
            self.table(known, screen)?;
            screen.line("")?;
        }
        let engine = format!("; engine {}", guidance::ENGINE_VERSION);
        self.tally.show(("step", "steps"), &engine, screen)
    }

    /// Says once of each file and engine how to supply it.
    fn missing(&self, screen: &mut Screen) -> Result<(), CliError> {
        let mut told: Vec<&Missing> = Vec::new();
        for entry in &self.entries {
            if let Verdict::NotDerived(missing) = &entry.step.verdict
                && !told.contains(&missing)
            {
                told.push(missing);
                screen.labelled(0, 9, "missing", &missing.sentence())?;
            }
        }
        Ok(())
    }

    fn table(&self, known: Shelf<'_>, screen: &mut Screen) -> Result<(), CliError> {
        let mut rows: BTreeMap<String, [u64; 3]> = BTreeMap::new();
        for entry in &self.entries {
            let under = entry.step.guidance.as_deref().map_or_else(
                || "rulings on appeals".to_owned(),
                |hash| {
                    let name = known.find(hash).map_or("unknown", |guidance| guidance.profile());
                    format!("{name} {}", hash.get(7..15).unwrap_or_default())
                },
            );
            let row = rows.entry(under).or_default();
            match entry.step.verdict {
                Verdict::Reproduced => row[0] += 1,
                Verdict::Diverged(_) => row[1] += 1,
                Verdict::NotDerived(_) => row[2] += 1,
            }
        }
        let headings = ["steps under guidance", "reproduced", "diverged", "not derived"];
        let mut table = Table::new(screen.width, &headings, true);
        for (under, [reproduced, diverged, not]) in rows {
            let number = |number: u64, style| {
                let style = if number == 0 { ASIDE } else { style };
                (number.to_string(), style)
            };
            table.row(&[
                (under, anstyle::Style::new()),
                number(reproduced, GOOD),
                number(diverged, BAD),
                number(not, BAD),
            ]);
        }
        table.show(screen)
    }
}

const fn word(what: Replayed) -> &'static str {
    match what {
        Replayed::Assessment => "assessment",
        Replayed::Review => "review",
        Replayed::Decision => "decision",
        Replayed::Ruling => "ruling",
    }
}

fn show_entry(entry: &Entry, screen: &mut Screen) -> Result<(), CliError> {
    let step = &entry.step;
    let (style, verdict) = match &step.verdict {
        Verdict::Reproduced => (GOOD, "reproduced"),
        Verdict::Diverged(_) => (BAD, "diverged"),
        Verdict::NotDerived(_) => (BAD, "not derived"),
    };
    let (what, outcome) = (word(step.what), words(step.outcome));
    screen.line(&format!(
        "{style}{verdict}{style:#}  {what} {outcome}, version {}, position {}",
        step.version, step.position
    ))?;
    if let Verdict::Diverged(found) = &step.verdict {
        screen.line(&format!("  case {}", entry.case))?;
        let text =
            format!("{} was recorded, {} comes out", shown(&found.recorded), shown(&found.derived));
        screen.labelled(2, 8, &found.node, &text)?;
    }
    Ok(())
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
