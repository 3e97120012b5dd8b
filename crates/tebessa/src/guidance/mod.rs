//! `tebessa guidance`: list, show, check, compare and evaluate the law as data.

mod check;
mod diff;
mod evaluate;
mod files;
mod list;
mod show;
mod text;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The arguments of `tebessa guidance`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Use the guidance files (*.toml) of this directory in place of those built in
    #[arg(long, value_name = "DIR", global = true)]
    guidance: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// What to do with guidance.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the profiles, their versions and hashes
    List(list::Arguments),
    /// Show the tree of a profile with questions and sources
    Show(show::Arguments),
    /// Check guidance files and say file, line and reason of each fault
    Check(check::Arguments),
    /// Compare two versions by criterion and parameter
    Diff(diff::Arguments),
    /// Evaluate findings, one JSON object a line
    Evaluate(evaluate::Arguments),
}

/// Why a command of `tebessa guidance` gave up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file or directory could not be read. Fix the path and run again.
    #[error("{path} could not be read")]
    Read {
        /// The path as it was given.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Guidance files do not hold together. Fix them: each fault says file, line and reason.
    #[error("the guidance is refused:\n{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Refused {
        /// Every fault of every file.
        faults: Vec<::guidance::Fault>,
    },
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// The answer could not be written.
    #[error("the answer could not be written")]
    Write(#[from] io::Error),
}

/// Runs a command of `tebessa guidance`. A reader that went away (`| head`) is no failure.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directory = arguments.guidance.as_deref();
    let result = match &arguments.command {
        Command::List(list) => list::run(list, directory, &mut anstream::stdout().lock()),
        Command::Show(show) => show::run(show, directory, &mut anstream::stdout().lock()),
        Command::Check(check) => check::run(check, directory, &mut anstream::stdout().lock()),
        Command::Diff(diff) => diff::run(diff, directory, &mut anstream::stdout().lock()),
        Command::Evaluate(evaluate) => evaluate::run(evaluate, directory),
    };
    match result {
        Err(Failure::Write(error)) if error.kind() == ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        other => other,
    }
}

/// Writes a value as one line of JSON.
fn json_line(out: &mut dyn Write, value: &serde_json::Value) -> Result<(), Failure> {
    Ok(writeln!(out, "{value}")?)
}
