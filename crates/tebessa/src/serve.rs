//! `tebessa serve`: one service as a process of its own, beside a node.

use std::path::PathBuf;

use service::timers::{Status, Timers};

use crate::address::Address;
use crate::output::{CliError, Exit};
use crate::signals::Signals;

/// Which service.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Commands {
    Deadlines(Args),
}

/// Run the timers of the deadlines: what falls due in any case is told to the node.
///
/// Reads the node's stream, and prints a line when it knows what runs. It may be killed at any time,
/// and may run several times at once, each with a store of its own: nothing fires twice. What is in
/// the store may be deleted; it is read again from the stream. SIGTERM, SIGQUIT, Ctrl-C and
/// the end of the terminal end it with exit code 0.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    address: Address,
    /// A directory in which to keep what runs, so that a start reads only what is new. One for each
    /// process; without it every start reads the whole stream.
    #[arg(long, value_name = "DIR", env = "TEBESSA_DEADLINES")]
    store: Option<PathBuf>,
    /// Print the ready line as JSON.
    #[arg(long)]
    json: bool,
}

/// How many deadlines run, once that is known. The status is let go of again: while it is borrowed the
/// timers cannot tell of the next, and wait.
async fn running(status: &mut tokio::sync::watch::Receiver<Status>) -> usize {
    let ready = status.wait_for(|status| matches!(status, Status::Waiting { .. })).await;
    match ready.as_deref() {
        Ok(Status::Waiting { running }) => *running,
        Ok(Status::Reading | Status::Failing { .. }) | Err(_) => 0,
    }
}

/// Runs a service until it is told to stop.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    let Commands::Deadlines(args) = command;
    let mut signals = Signals::new()?;
    let timers = Timers::start(args.address.server()?, args.store.clone()).await;
    let timers = timers.map_err(CliError::other)?;
    let mut status = timers.status();
    let told = async {
        let running = running(&mut status).await;
        let line = if args.json {
            serde_json::json!({ "ready": true, "running": running }).to_string()
        } else {
            format!("the timers are ready: {running} deadlines run")
        };
        crate::output::line(&line)?;
        std::future::pending::<Result<(), CliError>>().await
    };
    let ended = tokio::select! {
        told = told => told,
        () = signals.told_to_stop() => Ok(()),
    };
    timers.stop().await;
    ended.map(|()| Exit::Done)
}
