//! `tebessa case show`: where a case stands.

use case::{CaseId, Instant, Version};
use serde_json::value::RawValue;
use service::audit::AuditError;
use service::client::Client;
use service::queries::CaseQuery;

use super::fetch::Pages;
use super::file::CaseFile;
use super::overview;
use crate::address::Address;
use crate::arguments::from_one;
use crate::ask::ask;
use crate::output::{CliError, Exit, Output, Screen};
use crate::viewing::Viewing;

const HELP: &str = "\
The overview is folded from the records of the case by the same rules as in the node. What runs,
what forbids a removal and what is open stands before what was done. Whether a time limit is overdue
is said as of now, or of the version that is shown. With --json it is the node's own answer: the
folded state, which holds no words. The words of a case as JSON are in
`tebessa case history ID --open --json`.

Examples:
  tebessa case show 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11
  tebessa case show 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11 --at-version 12 --open";

/// Show where a case stands, now or as it stood at a version.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "ID")]
    case: CaseId,
    /// As it stood after this event.
    #[arg(long, value_name = "VERSION", value_parser = from_one)]
    at_version: Option<u64>,
    /// Open the personal fields: names, reasons, narratives.
    #[arg(long, conflicts_with = "json")]
    open: bool,
    /// The whole state as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    viewing: Viewing,
    #[command(flatten)]
    address: Address,
}

/// Shows the case.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    if args.json {
        let query = CaseQuery {
            case: args.case,
            at_version: args.at_version.map(Version),
            viewer: args.viewing.viewer(),
        };
        let reply: Box<RawValue> = ask(&client, "case", &query).await?;
        let mut out = Output::stdout();
        out.line(reply.get().as_bytes())?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    let file = fetch(&client, &args).await?;
    let mut screen = Screen::stdout();
    // As it stood then, for what was due: then too.
    let then = args.at_version.and_then(|_| file.updated());
    let at = Instant::new(then.unwrap_or_else(jiff::Timestamp::now));
    overview::show(&file, at, &mut screen)?;
    screen.flush()?;
    Ok(Exit::Done)
}

async fn fetch(client: &Client, args: &Args) -> Result<CaseFile, CliError> {
    let mut pages = Pages::new(client, args.case, Version(0), args.at_version, args.open)
        .seen_by(args.viewing.viewer());
    let mut file = CaseFile::default();
    while let Some(page) = pages.next().await? {
        for entry in page {
            file.add(entry)?;
        }
    }
    if !file.case.register.is_empty() {
        return Err(CliError::other(AuditError::IsRegister(args.case)));
    }
    let last = file.case.version;
    match args.at_version {
        Some(at) if last < Version(at) => {
            Err(CliError::message(format!("the case has versions 1 to {last}, not {at}")))
        }
        _ => Ok(file),
    }
}
