//! `tebessa audit`: the record verified, its decisions derived again and handed over; and who looked at it.

mod access;
mod as_of;
mod check_dossier;
mod dossier;
mod evidence_files;
mod known;
mod replay;
mod signed_report;
mod tally;
mod time_limits;
mod verify;
mod what_if;

use clap::Subcommand;

use crate::output::{CliError, Exit};

/// What to audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    Verify(verify::Args),
    Replay(replay::Args),
    TimeLimits(time_limits::Args),
    AsOf(as_of::AsOfArgs),
    Diff(as_of::DiffArgs),
    WhatIf(what_if::Args),
    CheckWhatIf(signed_report::Args),
    Access(access::Args),
    Dossier(dossier::Args),
    CheckDossier(check_dossier::Args),
}

impl Commands {
    /// Whether the exit code says no more than that something was shown.
    pub(crate) const fn only_shows(&self) -> bool {
        matches!(self, Self::AsOf(_) | Self::Diff(_) | Self::Access(_))
    }
}

/// Runs a command.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    match command {
        Commands::Verify(args) => verify::run(args).await,
        Commands::Replay(args) => replay::run(args).await,
        Commands::TimeLimits(args) => time_limits::run(args).await,
        Commands::AsOf(args) => as_of::as_of(args).await,
        Commands::Diff(args) => as_of::diff(args).await,
        Commands::WhatIf(args) => what_if::run(args).await,
        Commands::CheckWhatIf(args) => signed_report::check(args).await,
        Commands::Access(args) => access::run(args).await,
        Commands::Dossier(args) => dossier::run(args).await,
        Commands::CheckDossier(args) => check_dossier::run(&args),
    }
}
