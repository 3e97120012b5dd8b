//! `tebessa journal`: the log as an operator and an auditor handle it.

mod backup;
mod check_proof;
mod checkpoint;
mod consistency;
mod elsewhere;
mod export;
mod key;
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
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Repair(repair::Args),
    Export(export::ExportArgs),
    Import(export::ImportArgs),
}

/// Runs one of them.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    match command {
        Commands::Checkpoint(args) => checkpoint::run(args).await,
        Commands::Key { command } => key::run(command),
        Commands::Prove(args) => prove::run(args).await,
        Commands::CheckProof(args) => check_proof::run(&args),
        Commands::Backup(args) => backup::backup(args).await,
        Commands::Restore(args) => backup::restore(args).await,
        Commands::Repair(args) => repair::run(args).await,
        Commands::Export(args) => export::export(args).await,
        Commands::Import(args) => export::import(args).await,
    }
}
