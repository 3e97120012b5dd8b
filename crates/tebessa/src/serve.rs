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
    loop {
        if let Status::Waiting { running } = *status.borrow_and_update() {
            return running;
        }
        if status.changed().await.is_err() {
            // They ended, which is told elsewhere.
            return std::future::pending().await;
        }
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
    let ended = over(signals.told_to_stop(), told, timers.ended()).await;
    timers.stop().await;
    ended.map(|()| Exit::Done)
}

/// Returns once the timers are to stop: because they were told to, or because they cannot go on. Who starts
/// them again has a deadline end that would silently run for ever.
async fn over(
    told_to_stop: impl Future<Output = ()>,
    told_ready: impl Future<Output = Result<(), CliError>>,
    ended: impl Future<Output = &'static str>,
) -> Result<(), CliError> {
    tokio::select! {
        () = told_to_stop => Ok(()),
        told = told_ready => told,
        part = ended => Err(CliError::message(format!(
            "{part} ended though nobody stopped them, which is a defect: nothing expires; start them again"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn timers_that_fell_end_the_process_with_an_error_and_are_never_ready() {
        let (timers, mut status) = watch::channel(Status::Reading);
        drop(timers);
        let told = async {
            running(&mut status).await;
            Ok(())
        };
        let error = over(pending(), told, ready("the timers")).await.unwrap_err();
        assert!(error.to_string().starts_with("the timers ended"), "{error}");
        assert!(over(ready(()), pending(), pending()).await.is_ok());
    }
}
