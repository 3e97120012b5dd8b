//! The command line: what there is, and where it goes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::{CliError, Exit};
use crate::{audit_verify, case_view, demo, guidance, health, submit, up, watch};

/// The record of protection claims by people who flee conscription.
#[derive(Debug, Parser)]
#[command(
    name = "tebessa",
    version,
    after_help = "Exit codes: 0 done, 1 a failure or damage \
found, 2 wrong use, 3 some commands were rejected.\nClients find the node by --nats URL, else by \
TEBESSA_NATS, else by node.json in the data directory (--data, TEBESSA_DATA, ./tebessa-data)."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    Up(up::Args),
    Submit(submit::Args),
    /// Look at cases
    Case {
        #[command(subcommand)]
        command: case_view::Commands,
    },
    Watch(watch::Args),
    /// Check the record
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// The law as data: list, show, check, compare, evaluate
    Guidance(guidance::Arguments),
    Health(health::Args),
    Demo(demo::Args),
}

#[derive(Debug, Subcommand)]
enum Audit {
    Verify(audit_verify::Args),
}

/// Reads the arguments, runs the command and gives the exit code.
pub(crate) async fn run() -> ExitCode {
    let result: Result<Exit, CliError> = match Cli::parse().command {
        Commands::Up(args) => up::run(args).await,
        Commands::Submit(args) => submit::run(args).await,
        Commands::Case { command } => case_view::run(command).await,
        Commands::Watch(args) => watch::run(args).await,
        Commands::Audit { command: Audit::Verify(args) } => audit_verify::run(args).await,
        Commands::Health(args) => health::run(args).await,
        Commands::Demo(args) => demo::run(args).await,
        Commands::Guidance(arguments) => {
            return guidance::run(&arguments)
                .unwrap_or_else(|failure| CliError::other(failure).report());
        }
    };
    result.map_or_else(|error| error.report(), ExitCode::from)
}
