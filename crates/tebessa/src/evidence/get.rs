//! `tebessa evidence get`: a file of evidence out of the store, checked against its digest.

use std::io::Write;
use std::path::PathBuf;

use case::{CaseId, EvidenceId};
use futures::{StreamExt as _, pin_mut};
use service::client::Client;
use service::documents::{FileQuery, FileReply};
use sha2::{Digest as _, Sha256};

use crate::address::Address;
use crate::files::{self, OutFile};
use crate::output::{Bar, CliError, Exit, bytes, line};
use crate::viewing::Viewing;

const HELP: &str = "\
The digest that the record names is compared with what came. Into a file nothing but the whole,
right content is written; to standard output the bytes go as they come, and the exit code tells
whether they were right.

Examples:
  tebessa evidence get CASE EVIDENCE --out summons.pdf
  tebessa evidence get CASE EVIDENCE --out - | sha256sum";

/// Fetch the file of an item of evidence.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "CASE")]
    case: CaseId,
    /// The item.
    #[arg(value_name = "EVIDENCE")]
    evidence: EvidenceId,
    /// Where to write it; `-` is standard output. A file that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// One line of JSON about the file, on standard output; not together with `--out -`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    viewing: Viewing,
    #[command(flatten)]
    address: Address,
}

/// Fetches the file.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let to_stdout = args.out.as_os_str() == "-";
    if to_stdout && args.json {
        return Err(CliError::usage("--json and --out - would mix on standard output"));
    }
    // Before the query: what is opened is in the access log.
    let out =
        if to_stdout { None } else { Some(OutFile::begin_new(&args.out, &args.address.data)?) };
    let client = args.address.connect().await?;
    let query =
        FileQuery { case: args.case, evidence: args.evidence, viewer: args.viewing.viewer() };
    let file = client.open_file(&query).await.map_err(CliError::other)?;
    let Some(mut out) = out else {
        fetch(&client, &file, &mut std::io::stdout().lock(), CliError::output).await?;
        return Ok(Exit::Done);
    };
    fetch(&client, &file, &mut out, files::failed(&args.out)).await?;
    out.keep()?;
    if args.json {
        let shown = serde_json::json!({
            "case": file.case, "evidence": file.evidence, "sha256": file.sha256,
            "size": file.size, "file": args.out.display().to_string(),
        });
        line(&shown.to_string())?;
    } else {
        line(&format!("{}, {}, digest right", args.out.display(), bytes(file.size)))?;
    }
    Ok(Exit::Done)
}

/// Fetches a file; what came is that of the record, or an error.
pub(crate) async fn fetch(
    client: &Client,
    file: &FileReply,
    out: &mut impl Write,
    failed: impl Fn(std::io::Error) -> CliError,
) -> Result<(), CliError> {
    let mut bar = Bar::new("Fetching the file");
    let mut digest = Sha256::new();
    let mut done = 0;
    let parts = client.parts(file);
    pin_mut!(parts);
    while let Some(part) = parts.next().await {
        let part = part.map_err(CliError::other)?;
        digest.update(&part);
        out.write_all(&part).map_err(&failed)?;
        done += part.len() as u64;
        bar.show(done, file.size, "bytes");
    }
    out.flush().map_err(&failed)?;
    let found = hex::encode(digest.finalize());
    if found == file.sha256.as_str() && done == file.size {
        return Ok(());
    }
    Err(CliError::message(format!(
        "what came is not the file of the record: {done} bytes with SHA-256 {found}, not {} with {}",
        file.size, file.sha256
    )))
}
