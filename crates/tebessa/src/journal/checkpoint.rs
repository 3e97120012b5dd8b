//! `tebessa journal checkpoint`: the log's size and root, signed.

use journal::Checkpoints;

use crate::address::Address;
use crate::data_directory;
use crate::output::{CliError, Exit, Output};

const HELP: &str = "\
A checkpoint commits to every record, their order, and the last version of every case. Whoever keeps
one can later tell whether anything before it was changed, dropped or put in between. Give them away:
to the court, the ombudsman, another authority.

Where a node runs, it is asked; else the directory is opened. A log that is smaller than, or does not
begin with, what was signed before is not signed, and the command fails.

The access log, which says who viewed which case, is a log of its own with keys of its own. Its
checkpoint, given away, shows later whether views were taken out of it.

Examples:
  tebessa journal checkpoint > 2026-11-25.checkpoint
  tebessa journal checkpoint --access > 2026-11-25.access.checkpoint
  tebessa journal checkpoint --latest --data /srv/tebessa";

/// Sign the log as it is now, and print the signed note (C2SP tlog-checkpoint).
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    address: Address,
    /// Sign the access log instead: who viewed which case.
    #[arg(long)]
    access: bool,
    /// Print the newest checkpoint that is kept in the data directory, and sign nothing.
    #[arg(long, conflicts_with = "nats")]
    latest: bool,
    /// Print origin, size, streams (cases), note and, without --latest, keys as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Prints a checkpoint.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    if args.latest {
        return latest(&args);
    }
    let reply = data_directory::checkpoint(&args.address, data_directory::log(args.access)).await?;
    let text = if args.json {
        format!("{}\n", serde_json::to_string(&reply).map_err(CliError::other)?)
    } else {
        reply.note
    };
    print(&text)
}

fn latest(args: &Args) -> Result<Exit, CliError> {
    let directory = data_directory::record(&args.address.data, data_directory::log(args.access))?;
    let kept = Checkpoints::new(&directory, "").latest();
    let Some(kept) = kept.map_err(CliError::other)? else {
        return Err(CliError::message("no checkpoint was signed here yet; leave out --latest"));
    };
    let said = kept.checkpoint().map_err(CliError::other)?;
    if !args.json {
        return print(&kept.note);
    }
    let streams = said.heads.map_or(0, |heads| heads.streams);
    let line = serde_json::json!({
        "origin": said.origin, "size": said.size, "streams": streams, "note": kept.note,
    });
    print(&format!("{line}\n"))
}

/// Prints exact bytes: a note is no longer one with another line's end.
pub(super) fn print(text: &str) -> Result<Exit, CliError> {
    let mut output = Output::stdout();
    output.exact(text.as_bytes())?;
    output.flush()?;
    Ok(Exit::Done)
}
