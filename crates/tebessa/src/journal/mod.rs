//! `tebessa journal`: the log as an operator and an auditor handle it.

mod check_proof;
mod checkpoint;
mod key;
mod node;
mod prove;
mod repair;

use clap::Subcommand;

use crate::output::{CliError, Exit};

/// What can be done with the log.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    Checkpoint(checkpoint::Args),
    /// The keys that sign checkpoints: show, rotate, retire
    Key {
        #[command(subcommand)]
        command: key::Commands,
    },
    Prove(prove::Args),
    CheckProof(check_proof::Args),
    Repair(repair::Args),
}

/// Runs one of them.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    match command {
        Commands::Checkpoint(args) => checkpoint::run(args).await,
        Commands::Key { command } => key::run(command),
        Commands::Prove(args) => prove::run(args).await,
        Commands::CheckProof(args) => check_proof::run(&args),
        Commands::Repair(args) => repair::run(args).await,
    }
}
