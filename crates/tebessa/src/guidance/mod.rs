//! `tebessa guidance`: list, show, check, compare and evaluate the law as data.

mod check;
mod diff;
mod evaluate;
mod list;
mod show;
mod version;

use std::path::PathBuf;

use crate::output::{CliError, Exit, Screen};

/// The width of the law as it is read, in columns: also on a wider terminal, and in a file.
const WIDEST: usize = 80;

/// The arguments of `tebessa guidance`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Use the guidance files (*.toml) of this directory in place of those built in
    #[arg(long, value_name = "DIR", global = true)]
    guidance: Option<PathBuf>,
    #[command(subcommand)]
    command: Commands,
}

/// What to do with guidance.
#[derive(Debug, clap::Subcommand)]
enum Commands {
    /// List the profiles, their versions and hashes
    List(list::Args),
    /// Show the tree of a profile with questions and sources
    Show(show::Args),
    /// Check guidance files and say file, line and reason of each fault
    Check(check::Args),
    /// Compare two versions by criterion and parameter
    Diff(diff::Args),
    /// Evaluate findings, one JSON object a line
    Evaluate(evaluate::Args),
}

impl Args {
    /// Whether the exit code says no more than that something was shown.
    pub(crate) const fn only_shows(&self) -> bool {
        matches!(self.command, Commands::List(_) | Commands::Show(_) | Commands::Diff(_))
    }
}

/// Runs a command.
pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let directory = args.guidance.as_deref();
    let mut screen = Screen::stdout();
    screen.width = screen.width.min(WIDEST);
    let exit = match &args.command {
        Commands::List(args) => list::run(args, directory, &mut screen),
        Commands::Show(args) => show::run(args, directory, &mut screen),
        Commands::Check(args) => check::run(args, directory, &mut screen),
        Commands::Diff(args) => diff::run(args, directory, &mut screen),
        Commands::Evaluate(args) => evaluate::run(args, directory, screen),
    }?;
    Ok(exit)
}
