//! `tebessa case`: cases as tables and timelines for people, and as JSON for programs.

mod decision;
mod family;
mod fetch;
mod file;
mod find;
mod history;
mod list;
mod overview;
mod removal_bar;
mod show;
mod standing;
#[cfg(test)]
mod tests;
mod timeline;

use clap::Subcommand;

pub(crate) use self::timeline::timeline;
use crate::output::{CliError, Exit};

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    List(list::Args),
    Show(show::Args),
    History(history::Args),
    Family(family::Args),
    RemovalBar(removal_bar::Args),
    Decision(decision::Args),
    Find(find::Args),
}

impl Commands {
    /// Whether the exit code says no more than that something was shown.
    pub(crate) const fn only_shows(&self) -> bool {
        !matches!(self, Self::RemovalBar(_))
    }
}

/// Runs a command.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    match command {
        Commands::List(args) => list::run(args).await,
        Commands::Show(args) => show::run(args).await,
        Commands::History(args) => history::run(args).await,
        Commands::Family(args) => family::run(args).await,
        Commands::RemovalBar(args) => removal_bar::run(args).await,
        Commands::Decision(args) => decision::run(args).await,
        Commands::Find(args) => find::run(args).await,
    }
}
