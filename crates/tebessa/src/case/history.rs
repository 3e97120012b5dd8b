//! `tebessa case history`: a case as a timeline that a person can follow.

use case::{CaseId, Version};

use super::fetch::Pages;
use super::timeline;
use crate::address::Address;
use crate::output::{CliError, Exit, Output, Screen};
use crate::viewing::Viewing;

const HELP: &str = "\
Each event has its number in the case, the day on which it happened in the world, what happened,
who acted, and the words that it holds: sealed, unless --open.

Examples:
  tebessa case history 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11
  tebessa case history 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11 --open --after 12
  tebessa case history 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11 --json |
      jq .record.type";

/// Show the history of a case, event by event.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "ID")]
    case: CaseId,
    /// Only what comes after this version.
    #[arg(long, value_name = "VERSION", default_value_t = 0)]
    after: u64,
    /// Open the personal fields: names, reasons, narratives.
    #[arg(long)]
    open: bool,
    /// One line of JSON a record: its position, the record exactly as it is stored, and with
    /// --open its words by path.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    viewing: Viewing,
    #[command(flatten)]
    address: Address,
}

/// Shows the history, page by page.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let mut pages = Pages::new(&client, args.case, Version(args.after), None, args.open)
        .seen_by(args.viewing.viewer());
    let mut out = Output::stdout();
    let mut screen = Screen::stdout();
    while let Some(page) = pages.next().await? {
        for entry in &page {
            if args.json {
                out.json(entry)?;
                continue;
            }
            for line in timeline::lines(entry, screen.width)? {
                screen.line(&line)?;
            }
        }
        out.flush()?;
        screen.flush()?;
    }
    Ok(Exit::Done)
}
