//! `tebessa watch`: events as they come, from the stream.

use case::{CaseId, Recorded};
use futures::StreamExt;

use crate::address::Address;
use crate::case_view::gist;
use crate::output::{CliError, Exit};

/// Follow the stream of events: one line an event, new ones as they come.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    address: Address,
    /// Start at this position; by default with what comes from now on. 1 is the beginning.
    #[arg(long, value_name = "POSITION")]
    from: Option<u64>,
    /// End behind this position.
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
    /// Only events of this case.
    #[arg(long, value_name = "ID")]
    case: Option<CaseId>,
    /// Print the records as they are, one a line.
    #[arg(long)]
    json: bool,
}

/// Follows until it is told to stop.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let from = match args.from {
        Some(from) => from,
        None => client.stream_position().await.map_err(CliError::other)? + 1,
    };
    let mut messages = std::pin::pin!(client.watch(from).await.map_err(CliError::other)?);
    loop {
        let message = tokio::select! {
            message = messages.next() => message,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
        };
        let Some(message) = message else { return Ok(Exit::Done) };
        let message = message.map_err(CliError::other)?;
        let record = Recorded::decode(&message.record, message.position)
            .map_err(|error| CliError::caused(format!("position {}", message.position), error))?;
        if args.case.is_none_or(|case| case == record.envelope.case) {
            if args.json {
                crate::output::line(&String::from_utf8_lossy(&message.record))?;
            } else {
                crate::output::line(&format!(
                    "{:>7}  {}  {:<3} {}",
                    message.position,
                    record.envelope.case,
                    record.envelope.version,
                    gist::of(&record)
                ))?;
            }
        }
        if args.until.is_some_and(|until| message.position >= until) {
            return Ok(Exit::Done);
        }
    }
}
