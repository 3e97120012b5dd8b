//! A report with the node's signature below it, and its check offline.
//!
//! The file is the report, one line of JSON, and below it a C2SP signed note whose text is a name of
//! its own and the report's SHA-256. The name keeps a signature of a report from ever passing for
//! one of a checkpoint, whose text begins with the log's origin and a size.

use std::path::{Path, PathBuf};

use journal::note;
use sha2::{Digest, Sha256};

use super::check_dossier::keys;
use crate::output::{BAD, CliError, Exit, GOOD, line, plain};

const HELP: &str = "\
Nothing but the file and the keys is looked at: no node, no network. `tebessa journal key show` prints
a node's keys. Whether the report is right is another question: its inputs are in it, and the same
`tebessa audit what-if` over the same records gives the same bytes.

Exit codes: 0 the signature holds, 1 it does not, with why.

Example:
  tebessa audit check-what-if report.signed --key 'tebessa/log/…+8f2a91c4+AX…'";

/// Check the signature of a what-if report, offline.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The signed report.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A key that is believed, as name+id+key, or a file with such keys, one a line; may be given
    /// several times.
    #[arg(long, value_name = "KEY|FILE", required = true)]
    key: Vec<String>,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn note_text(report: &str) -> String {
    let digest = hex::encode(Sha256::digest(report.as_bytes()));
    format!("tebessa what-if report v1\nsha256:{digest}\n")
}

/// Writes a report, one line without its end, with the signatures of the node's keys below it. A
/// file of that name is not overwritten.
pub(super) fn write(file: &Path, report: &str, data: &Path) -> Result<(), CliError> {
    use std::io::Write;
    let keys = crate::journal::node::keys(data)?;
    let text = format!("{report}\n{}", note::sign(&note_text(report), &keys.signing()));
    let failed =
        |error| CliError::caused(format!("{} could not be written", file.display()), error);
    let mut out = std::fs::File::create_new(file).map_err(failed)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(failed)
}

/// Checks.
pub(crate) fn check(args: &Args) -> Result<Exit, CliError> {
    let keys = keys(&args.key)?;
    let failed =
        |error| CliError::caused(format!("{} could not be read", args.file.display()), error);
    let bytes = std::fs::read(&args.file).map_err(failed)?;
    let refused = match std::str::from_utf8(&bytes).map(|text| text.split_once('\n')) {
        Ok(Some((report, signed))) => match note::verify(signed, &keys) {
            Ok(text) if text == note_text(report) => None,
            Ok(_) => Some("the report is not the one that was signed".to_owned()),
            Err(error) => Some(error.to_string()),
        },
        Ok(None) => Some("the file is one line; the signatures are missing".to_owned()),
        Err(_) => Some("the file is not UTF-8".to_owned()),
    };
    let text = match (&refused, args.json) {
        (refused, true) => {
            serde_json::json!({ "ok": refused.is_none(), "fault": refused }).to_string()
        }
        (None, false) => format!("{GOOD}holds{GOOD:#}  the report is as it was signed"),
        (Some(why), false) => format!("{BAD}refused{BAD:#}  {}", plain(why)),
    };
    line(&text)?;
    Ok(if refused.is_none() { Exit::Done } else { Exit::Failed })
}
