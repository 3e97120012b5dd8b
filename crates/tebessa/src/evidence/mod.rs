//! `tebessa evidence`: files of evidence, into a case and back out.

pub(crate) mod get;
mod put;

use clap::Subcommand;

use crate::output::{CliError, Exit};

/// What to do with a file.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    Put(Box<put::Args>),
    Get(Box<get::Args>),
}

/// Runs a command.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    match command {
        Commands::Put(args) => put::run(*args).await,
        Commands::Get(args) => get::run(*args).await,
    }
}
