//! `tebessa clocks`: the time limits of each profile, with their sources.

use std::path::PathBuf;

use anstyle::Style;
use case::clocks::{Checked, Clock, Clocks, ProfileClocks};
use clap::Subcommand;

use crate::law;
use crate::output::{ASIDE, BAD, CliError, Exit, GOOD, Output, Screen, Table, count, words};

/// So much of a hash is shown in the table: enough to name it.
const SHOWN_HASH: usize = "sha256:".len() + 12;

const HELP: &str = "\
Every event whose time limit was computed names the file by its hash, so that the computation can be
repeated. A value whose source nobody read again is shown as not verified. Exit code 1: a file is
refused; each fault is told with file, line and reason.

Examples:
  tebessa clocks list
  tebessa clocks show EU
  tebessa clocks list --clocks my-clocks && tebessa up --clocks my-clocks";

/// The arguments of `tebessa clocks`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Use the files (*.toml) of this directory in place of those built in.
    #[arg(long, value_name = "DIR", global = true, env = "TEBESSA_CLOCKS")]
    clocks: Option<PathBuf>,
    /// One line of JSON a profile, or a time limit.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Commands,
}

/// What to do with clocks.
#[derive(Debug, Subcommand)]
enum Commands {
    /// List the profiles that have clocks, with their zones and hashes
    List,
    /// Show the time limits of a profile with their sources
    Show {
        /// The profile, such as EU.
        #[arg(value_name = "PROFILE")]
        profile: String,
    },
}

/// Lists or shows.
pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let clocks = law::clocks(args.clocks.as_deref())?;
    let mut screen = Screen::stdout();
    match (&args.command, args.json) {
        (Commands::List, false) => list(&clocks, &mut screen)?,
        (Commands::List, true) => list_json(&clocks)?,
        (Commands::Show { profile }, json) => {
            let found = clocks.all().find(|(name, _)| name == profile).ok_or_else(|| {
                let names: Vec<_> = clocks.all().map(|(name, _)| name).collect();
                CliError::message(format!(
                    "{profile} has no clocks; there are {}",
                    names.join(", ")
                ))
            })?;
            if json { show_json(found.1)? } else { show(found, &mut screen)? }
        }
    }
    screen.flush()?;
    Ok(Exit::Done)
}

fn unverified(clocks: &ProfileClocks) -> usize {
    clocks.clocks.iter().filter(|clock| !verified(clock)).count()
}

fn verified(clock: &Clock) -> bool {
    clock.sources.iter().all(|source| source.checked == Checked::Read)
}

fn list(clocks: &Clocks, screen: &mut Screen) -> Result<(), CliError> {
    let headings = ["profile", "time zone", "time limits", "hash"];
    let mut table = Table::new(screen.width, &headings, true);
    for (profile, found) in clocks.all() {
        let (all, not) = (found.clocks.len(), unverified(found));
        let style = if not > 0 { BAD } else { GOOD };
        table.row(&[
            (profile.to_owned(), Style::new()),
            (found.zone().to_owned(), Style::new()),
            (format!("{all}, {not} not verified"), style),
            (found.hash.as_str().chars().take(SHOWN_HASH).collect(), ASIDE),
        ]);
    }
    table.show(screen)?;
    screen.line("")?;
    screen.indented(0, "tebessa clocks show PROFILE: each with its source; --json: whole hashes")
}

fn list_json(clocks: &Clocks) -> Result<(), CliError> {
    let mut out = Output::stdout();
    for (profile, found) in clocks.all() {
        out.json(&serde_json::json!({
            "profile": profile, "zone": found.zone(), "rolls": found.rolls(), "hash": found.hash,
            "clocks": found.clocks.len(), "not_verified": unverified(found),
        }))?;
    }
    out.flush()
}

fn show_json(found: &ProfileClocks) -> Result<(), CliError> {
    let mut out = Output::stdout();
    found.clocks.iter().try_for_each(|clock| out.json(clock))?;
    out.flush()
}

fn show((profile, found): (&str, &ProfileClocks), screen: &mut Screen) -> Result<(), CliError> {
    screen.labelled(0, 9, "profile", profile)?;
    screen.labelled(0, 9, "zone", found.zone())?;
    screen.labelled(0, 9, "hash", found.hash.as_str())?;
    let rolls = "a time limit that would end on a day off ends on the next working day";
    let stays = "a time limit may end on a day off";
    screen.labelled(0, 9, "days off", if found.rolls() { rolls } else { stays })?;
    for clock in &found.clocks {
        screen.line("")?;
        let (style, word) =
            if verified(clock) { (GOOD, "verified") } else { (BAD, "not verified") };
        screen.line(&format!(
            "{}, {}{}: {}  {style}{word}{style:#}",
            words(clock.kind.as_str()),
            words(clock.circumstance.as_str()),
            step(clock),
            length(clock)
        ))?;
        for source in &clock.sources {
            let from = match source.checked {
                Checked::Read => "read",
                Checked::Memory => "from memory",
            };
            let text = format!("{}, {} ({from})", source.cite, source.pinpoint);
            screen.labelled(2, 8, "source", &text)?;
        }
        if let Some(note) = &clock.note {
            screen.labelled(2, 8, "note", note)?;
        }
    }
    Ok(())
}

/// Of which step on the way to the next court it is, where it is of one.
fn step(clock: &Clock) -> String {
    let rung = clock.rung.filter(|rung| *rung > 1);
    let rung = rung.map(|rung| format!(", after the ruling of court {rung}")).unwrap_or_default();
    let again = if clock.again { ", once more" } else { "" };
    format!("{rung}{again}")
}

fn length(clock: &Clock) -> String {
    let in_words = |number: Option<u16>, one: &str, many: &str| {
        number.map(|number| count(u64::from(number), one, many))
    };
    in_words(clock.days, "day", "days")
        .or_else(|| in_words(clock.working_days, "working day", "working days"))
        .or_else(|| in_words(clock.months, "month", "months"))
        .map(|length| if clock.franc { format!("{length} and the day after") } else { length })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_limit_is_shown_with_its_source_and_whether_it_was_verified() {
        let clocks = Clocks::embedded();
        for found in clocks.all() {
            let (mut screen, shown) = Screen::for_test(80);
            show(found, &mut screen).unwrap();
            let text = shown.text();
            assert!(text.contains(&format!("hash     {}\n", found.1.hash)), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            assert_eq!(text.matches("  not verified\n").count(), unverified(found.1), "{text}");
            let sources: usize = found.1.clocks.iter().map(|clock| clock.sources.len()).sum();
            assert_eq!(text.matches("  source  ").count(), sources, "{text}");
        }
        let (mut screen, shown) = Screen::for_test(80);
        list(clocks, &mut screen).unwrap();
        assert!(shown.text().lines().all(|line| line.chars().count() <= 80), "{}", shown.text());
    }
}
