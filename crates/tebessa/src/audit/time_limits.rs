//! `tebessa audit time-limits`: every time limit that clocks computed, computed again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use case::clocks::Clocks;
use case::time_limits::{ClockShelf, Stated, TimeLimit, Verdict};
use case::{CaseId, WorldDate};
use service::audit::{TimeLimitEntry, time_limits_of_all, time_limits_of_case};
use service::logs::Log;

use super::tally::{Came, Tally, read};
use crate::data_directory;
use crate::law;
use crate::output::{ASIDE, BAD, CliError, Exit, GOOD, Output, Screen, count};

const HELP: &str = "\
Each event that computed a time limit names the file of clocks by its hash: service of a decision, a
deadline, a warning, a claim that counts as withdrawn. The last day is computed again from the day
that the event states, by that file, and compared: the profile, the last day, and the instant at
which it is over. More time than computed may have been given, never less. The log is read without a
lock, beside a running node.

A file that is not built in is looked for in the directories of --clocks, by its hash. What a sender
stated without a clock derives from nothing: it is counted, and told where it gives less than the
built-in clock of the profile. `tebessa clocks show` says where each clock stands.

Exit codes: 0 all reproduced, 1 something diverged, or its file is not here. What was stated changes
none: a node with other clocks may be right.

Examples:
  tebessa audit time-limits
  tebessa audit time-limits --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11
  tebessa audit time-limits --clocks archive/2024 --json";

/// Compute recorded time limits again and compare.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only this case.
    #[arg(long, value_name = "CASE")]
    case: Option<CaseId>,
    /// The data directory; its node may run or be stopped.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// A directory with files of clocks beside the built-in ones, such as old ones; may be given
    /// several times.
    #[arg(long, value_name = "DIR")]
    clocks: Vec<PathBuf>,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What was computed again.
#[derive(serde::Serialize)]
struct Report {
    #[serde(flatten)]
    tally: Tally,
    /// How many were stated without a clock.
    stated: u64,
    /// How many of these give less than the built-in clock of the profile.
    stated_less: u64,
    /// Every time limit, in the order of positions.
    entries: Vec<TimeLimitEntry>,
}

/// Computes.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    tokio::task::spawn_blocking(move || compute(&args)).await.map_err(CliError::other)?
}

fn compute(args: &Args) -> Result<Exit, CliError> {
    let directory = data_directory::record(&args.data, Log::Cases)?;
    let given = args.clocks.iter().map(|directory| law::clocks(Some(directory)));
    let shelf: Vec<Clocks> =
        std::iter::once(law::clocks(None)).chain(given).collect::<Result<_, _>>()?;
    let known = ClockShelf(&shelf);
    let (records, entries) = read(
        &directory,
        args.case,
        "Computing",
        |records| time_limits_of_case(records, known),
        |records, told| time_limits_of_all(&directory, records, known, told),
    )?;
    let each = entries.iter();
    let each = each.filter_map(|entry| came(&entry.limit.verdict).map(|came| (entry.case, came)));
    let tally = Tally::of(records, each);
    let stated = || entries.iter().filter_map(|entry| stated(&entry.limit));
    let (all, less) = (stated().count(), stated().filter(|stated| stated.less).count());
    let report = Report { tally, stated: all as u64, stated_less: less as u64, entries };
    if args.json {
        let mut out = Output::stdout();
        out.json(&report)?;
        out.flush()?;
    } else {
        report.show(args.case.is_some(), &mut Screen::stdout())?;
    }
    Ok(if report.tally.ok { Exit::Done } else { Exit::Failed })
}

const fn came(verdict: &Verdict) -> Option<Came> {
    match verdict {
        Verdict::Reproduced => Some(Came::Reproduced),
        Verdict::Diverged(_) => Some(Came::Diverged),
        Verdict::NotDerived => Some(Came::NotDerived),
        Verdict::Stated(_) => None,
    }
}

const fn stated(limit: &TimeLimit) -> Option<&Stated> {
    match &limit.verdict {
        Verdict::Stated(stated) => Some(stated),
        Verdict::Reproduced | Verdict::Diverged(_) | Verdict::NotDerived => None,
    }
}

impl Report {
    fn show(&self, all: bool, screen: &mut Screen) -> Result<(), CliError> {
        let mut missing: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in &self.entries {
            let less = stated(&entry.limit).is_some_and(|stated| stated.less);
            if all || less || matches!(entry.limit.verdict, Verdict::Diverged(_)) {
                show_entry(entry, screen)?;
            }
            if entry.limit.verdict == Verdict::NotDerived {
                let file = entry.limit.clocks.as_ref().map_or("", |clocks| clocks.as_str());
                *missing.entry(file).or_default() += 1;
            }
        }
        for (clocks, times) in missing {
            let limits = count(times, "time limit", "time limits");
            let text = format!(
                "the file of clocks with the hash {clocks} computed {limits}; put it into a \
                 directory and name it with --clocks"
            );
            screen.labelled(0, 9, "missing", &text)?;
        }
        if self.stated > 0 {
            let limits = count(self.stated, "time limit", "time limits");
            let text = format!(
                "{limits} without a clock, {} with less time than the built-in clock of the profile gives",
                self.stated_less
            );
            screen.labelled(0, 9, "stated", &text)?;
        }
        self.tally.show(("time limit", "time limits"), "", screen)
    }
}

fn show_entry(entry: &TimeLimitEntry, screen: &mut Screen) -> Result<(), CliError> {
    let limit = &entry.limit;
    let (style, verdict) = match &limit.verdict {
        Verdict::Reproduced => (GOOD, "reproduced"),
        Verdict::Diverged(_) => (BAD, "diverged"),
        Verdict::NotDerived => (BAD, "not derived"),
        Verdict::Stated(Stated { less: true, .. }) => (BAD, "stated"),
        Verdict::Stated(_) => (ASIDE, "stated"),
    };
    let (kind, version, position) = (limit.kind, limit.version, limit.position);
    screen.line(&format!(
        "{style}{verdict}{style:#}  {kind}, version {version}, position {position}"
    ))?;
    let over = limit.over.map_or_else(String::new, |over| format!(", over at {over}"));
    screen.line(&format!("  {ASIDE}from {}{over}{ASIDE:#}", limit.from.as_str()))?;
    if let Some(stated) = stated(limit) {
        screen.line(&format!("  case {}", entry.case))?;
        let last = stated.last.as_ref().map_or("", WorldDate::as_str);
        let built_in = stated.built_in.as_ref().map_or_else(
            || "the profile has no built-in clock for it".to_owned(),
            |last| format!("the built-in clock of the profile gives until {last}"),
        );
        let said = if last.is_empty() { "an instant".to_owned() } else { format!("until {last}") };
        screen.labelled(2, 8, "stated", &format!("{said}; {built_in}"))?;
    }
    if let Verdict::Diverged(found) = &limit.verdict {
        screen.line(&format!("  case {}", entry.case))?;
        let text = format!("{} was recorded, {} comes out", found.recorded, found.derived);
        screen.labelled(2, 8, &found.node, &text)?;
    }
    Ok(())
}
