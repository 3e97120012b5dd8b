//! `tebessa audit check-dossier`: a dossier checked with nothing but a key of one's own.

use std::path::PathBuf;

use service::audit::dossier::{Checked, MOST_BYTES, check};

use crate::output::{BAD, CliError, Exit, GOOD, count, hanging, line, plain, width};
use crate::{files, verifier_keys};

/// The columns of the word that a line begins with.
const LABEL: usize = 9;

const HELP: &str = "\
Nothing but the file and the keys is looked at: no node, no network. The key must have come another
way than the dossier; it names the log. Checked are the signature, the proof that these are all
records of the case, every record, every disclosed field against what was sealed, the guidance and
the files of evidence by their hashes, every derivation, and that every other byte follows from
these, the page included.

Exit codes: 0 all holds, 1 something does not, with the file within the dossier and why.

Examples:
  tebessa audit check-dossier case.dossier --key 'tebessa/log/…+8f2a91c4+AX…'
  tebessa audit check-dossier case.dossier --key keys.txt --json";

/// Check a dossier, offline.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The dossier.
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

#[derive(serde::Serialize)]
struct Holds<'a> {
    ok: bool,
    #[serde(flatten)]
    checked: &'a Checked,
}

/// Checks.
pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let keys = verifier_keys::given(&args.key)?;
    let bytes = files::read(&args.file, MOST_BYTES)?;
    match check(&bytes, &keys) {
        Ok(checked) => {
            let text = if args.json {
                serde_json::to_string(&Holds { ok: true, checked: &checked })
                    .map_err(CliError::other)?
            } else {
                hanging(&in_words(&checked), LABEL, width())
            };
            line(&text)?;
            Ok(Exit::Done)
        }
        Err(refused) => {
            let text = if args.json {
                serde_json::json!({ "ok": false, "fault": refused }).to_string()
            } else {
                in_red(&refused.to_string(), width())
            };
            line(&text)?;
            Ok(Exit::Failed)
        }
    }
}

/// Why it is refused, in lines behind the word.
fn in_red(why: &str, width: usize) -> String {
    let text = hanging(&format!("{:<LABEL$}{}", "refused", plain(why)), LABEL, width);
    text.replacen("refused", &format!("{BAD}refused{BAD:#}"), 1)
}

fn in_words(checked: &Checked) -> String {
    format!(
        "{GOOD}holds{GOOD:#}    case {}, {}\n\
         records  {}, all that the case had then\n\
         log      {}, signed with {}\n\
         replay   {} reproduced\n\
         words    {} of {} disclosed, each as it was sealed\n\
         files    {} of evidence, each with the digest in the record",
        checked.case,
        checked.status,
        count(checked.records, "record", "records"),
        plain(&checked.log),
        count(checked.size, "record", "records"),
        count(checked.reproduced, "step", "steps"),
        checked.disclosed,
        count(checked.personal_fields, "personal field", "personal fields"),
        count(checked.files, "file", "files"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_dossier_is_refused_fits_the_terminal() {
        let why =
            "records/000003.json: the signature of the checkpoint is by no key that is believed";
        let shown = anstream::adapter::strip_str(&in_red(why, 60)).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.len() == 2 && lines.iter().all(|line| line.len() <= 60), "{shown}");
        assert!(lines[0].starts_with("refused  records/") && lines[1].starts_with("         "));
    }
}
