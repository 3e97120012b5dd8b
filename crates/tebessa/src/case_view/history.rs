//! `tebessa case history`: a case as a timeline that a person can follow.

use case::{CaseId, Recorded, Version};
use service::personal::Opened;
use service::queries::{HistoryEntry, HistoryQuery, HistoryReply};

use super::gist;
use crate::address::Address;
use crate::output::{CliError, Exit};

/// Show the history of a case, event by event.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "ID")]
    case: CaseId,
    #[command(flatten)]
    address: Address,
    /// Only what comes after this version.
    #[arg(long, value_name = "VERSION", default_value_t = 0)]
    after: u64,
    /// Open the personal fields: names, reasons, narratives.
    #[arg(long)]
    open: bool,
    /// One record a line as JSON, exactly as it is stored, with its position.
    #[arg(long)]
    json: bool,
}

/// Shows the history, page by page.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let mut after = Version(args.after);
    loop {
        let query = HistoryQuery { case: args.case, after, limit: None, open: args.open };
        let body = serde_json::to_vec(&query).map_err(CliError::other)?;
        let reply = client.query("history", body).await.map_err(CliError::other)?;
        let page: HistoryReply = serde_json::from_slice(&reply).map_err(CliError::other)?;
        for entry in &page.history {
            if args.json {
                let line = serde_json::to_string(entry).map_err(CliError::other)?;
                crate::output::line(&line)?;
            } else {
                for line in timeline(entry)? {
                    crate::output::line(&line)?;
                }
            }
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(Exit::Done),
        }
    }
}

/// The lines of one event: its number, the day in the world, what happened and who acted; below
/// it the opened words, if any.
pub(crate) fn timeline(entry: &HistoryEntry) -> Result<Vec<String>, CliError> {
    let record = Recorded::decode(entry.record.get().as_bytes(), entry.position)
        .map_err(|error| CliError::caused(format!("position {}", entry.position), error))?;
    let envelope = &record.envelope;
    let day = envelope.occurred.as_str().get(..10).unwrap_or(envelope.occurred.as_str());
    let mut lines = vec![format!(
        "{:>4}  {day:<10}  {} ({})",
        envelope.version.0,
        gist::of(&record),
        envelope.by.id
    )];
    for (path, opened) in entry.opened.iter().flatten() {
        let words = match opened {
            Opened::Words(words) => format!("{path}: {words}"),
            Opened::Withheld(why) => format!("{path}: [{why}]"),
        };
        lines.extend(crate::output::wrapped(&words, 18, crate::output::width()));
    }
    Ok(lines)
}
