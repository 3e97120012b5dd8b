//! A report with the node's signature below it, its check offline, and its making again.
//!
//! The file is the report, one line of JSON, and below it a C2SP signed note whose text is a name of
//! its own and the report's SHA-256. The name keeps a signature of a report from ever passing for
//! one of a checkpoint, whose text begins with the log's origin and a size.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use case::replay::Shelf;
use case::what_if::Supposition;
use journal::Reader;
use journal::note::{self, VerifierKey};
use service::audit::{Inputs, Question, what_if};
use service::logs::Log;
use sha2::{Digest, Sha256};

use super::known::Source;
use crate::files::{self, OutFile};
use crate::output::{BAD, Bar, CliError, Exit, GOOD, line, plain};
use crate::{law, verifier_keys};

const HELP: &str = "\
Without --data nothing but the file and the keys is looked at: no node, no network. `tebessa journal
key show` prints a node's keys; only those of the log that the report names count. Whether the report
is right is another question. With --data it is made
again from the inputs that it names, over the same records of that log, and every byte is compared;
guidance that is not built in is given as it was when the report was made, by --under and --guidance.

Exit codes: 0 it holds, 1 it does not, with why.

Examples:
  tebessa audit check-what-if report.signed --key 'tebessa/log/…+8f2a91c4+AX…'
  tebessa audit check-what-if report.signed --key keys.txt --data tebessa-data";

/// Check the signature of a what-if report, offline, and make it again.
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
    /// Make the report again from the log in this data directory, and compare.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The directory that the report was made with as --under.
    #[arg(long, value_name = "DIR", requires = "data")]
    under: Option<PathBuf>,
    /// A directory that the report was made with as --guidance; may be given several times.
    #[arg(long, value_name = "DIR", requires = "data")]
    guidance: Vec<PathBuf>,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn note_text(report: &str) -> String {
    let digest = hex::encode(Sha256::digest(report.as_bytes()));
    format!("tebessa what-if report v1\nsha256:{digest}\n")
}

/// Writes a report, one line without its end, with the signatures of the node's keys below it.
pub(super) fn write(out: OutFile, report: &str, data: &Path) -> Result<(), CliError> {
    let keys = crate::data_directory::keys(data, Log::Cases)?;
    let text = format!("{report}\n{}", note::sign(&note_text(report), &keys.signing()));
    out.write_whole(text.as_bytes())
}

/// Checks.
pub(crate) async fn check(args: Args) -> Result<Exit, CliError> {
    tokio::task::spawn_blocking(move || examine(&args)).await.map_err(CliError::other)?
}

fn examine(args: &Args) -> Result<Exit, CliError> {
    let keys = verifier_keys::given(&args.key)?;
    let bytes = files::read(&args.file, files::LARGE)?;
    let refused = match (signed(&bytes, &keys), &args.data) {
        (Err(why), _) => Err(why),
        (Ok(report), None) => Ok(report.origin),
        (Ok(report), Some(data)) => {
            let source = Source { data: data.clone(), guidance: args.guidance.clone() };
            let differs = remake(report.text, &source, args.under.as_deref())?;
            differs.map_or(Ok(report.origin), Err)
        }
    };
    let again = args.data.is_some();
    let text = match (&refused, args.json) {
        (refused, true) => {
            let (ok, log) = (refused.is_ok(), refused.as_ref().ok());
            let fault = refused.as_ref().err();
            let made_again = ok && again;
            serde_json::json!({ "ok": ok, "made_again": made_again, "log": log, "fault": fault })
                .to_string()
        }
        (Ok(origin), false) => {
            let made = if again { ", and the same made again" } else { "" };
            format!("{GOOD}holds{GOOD:#}  the report is as it was signed{made}\nlog    {origin}")
        }
        (Err(why), false) => format!("{BAD}refused{BAD:#}  {}", plain(why)),
    };
    line(&text)?;
    Ok(if refused.is_ok() { Exit::Done } else { Exit::Failed })
}

/// A report that its log signed.
#[derive(Debug, PartialEq, Eq)]
struct SignedReport<'r> {
    text: &'r str,
    /// The origin of its log.
    origin: String,
}

/// What is read of a report to know whose keys count.
#[derive(serde::Deserialize)]
struct OfLog {
    inputs: NamedLog,
}

#[derive(serde::Deserialize)]
struct NamedLog {
    log: uuid::Uuid,
}

/// The report, if one of the keys signed it that belong to the log which it names; else why not.
fn signed<'r>(bytes: &'r [u8], keys: &[VerifierKey]) -> Result<SignedReport<'r>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())?;
    let (report, signed) = text
        .split_once('\n')
        .ok_or_else(|| "the file is one line; the signatures are missing".to_owned())?;
    let named: Result<OfLog, _> = serde_json::from_str(report);
    let named = named.map_err(|_| "the report does not name its log".to_owned())?;
    let origin = Log::Cases.origin(named.inputs.log);
    let keys: Vec<_> = keys.iter().filter(|key| key.name() == origin).cloned().collect();
    if keys.is_empty() {
        return Err(format!("no key was given of the log that the report names, {origin}"));
    }
    match note::verify(signed, &keys) {
        Ok(text) if text == note_text(report) => Ok(SignedReport { text: report, origin }),
        Ok(_) => Err("the report is not the one that was signed".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What is read of a report, to make it again.
#[derive(serde::Deserialize)]
struct Named {
    inputs: Inputs,
}

/// Makes a report again from its inputs; says what differs, if anything does.
fn remake(report: &str, source: &Source, under: Option<&Path>) -> Result<Option<String>, CliError> {
    let Ok(Named { inputs }) = serde_json::from_str(report) else {
        return Ok(Some("it names its inputs in another form than this program reads".to_owned()));
    };
    let (directory, libraries) = (source.journal()?, source.libraries()?);
    let last = Reader::open(&directory).map_err(CliError::other)?.last().0;
    if inputs.records > last {
        let text = format!("it is of {} records, and this log has {last}", inputs.records);
        return Ok(Some(text));
    }
    let supposed = law::library(under)?;
    let mut set = BTreeMap::new();
    for (leaf, value) in &inputs.set {
        let Some((leaf, value)) = leaf.parse().ok().zip(value.parse().ok()) else {
            return Ok(Some(format!("{leaf}={value} is no finding")));
        };
        set.insert(leaf, value);
    }
    let profile = inputs.profile.as_deref().map(str::parse).transpose();
    let Ok(profile) = profile else {
        return Ok(Some("its profile is none".to_owned()));
    };
    let question = Question {
        case: inputs.case,
        only: inputs.only.clone(),
        known: Shelf(&libraries),
        supposition: Supposition {
            law: inputs.law.as_ref().map(|_| &supposed),
            profile,
            as_of: inputs.as_of,
            set,
        },
    };
    let mut bar = Bar::new("Asking");
    let mut told = |done| bar.show(done, inputs.records, "records");
    let made =
        what_if(&directory, inputs.records, &question, &mut told).map_err(CliError::other)?;
    drop(bar);
    let text = serde_json::to_string(&made).map_err(CliError::other)?;
    Ok((text != report).then(|| difference(&inputs, &made.inputs)))
}

/// Why a report differs, the inputs first: they are what the checker may have given otherwise.
fn difference(signed: &Inputs, made: &Inputs) -> String {
    let said = if signed.log != made.log {
        "it is of another log"
    } else if signed.root != made.root {
        "the records of this log are not those that it was made from"
    } else if signed.engine != made.engine {
        "it was made by another version of the engine"
    } else if signed.law != made.law {
        "other guidance was supposed; give its directory with --under"
    } else if signed.known != made.known {
        "other guidance was known; give its directories with --guidance"
    } else {
        "its inputs are the same, and made again it says something else"
    };
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use journal::note::SigningKey;

    use super::*;

    #[test]
    fn a_report_holds_as_it_was_signed_and_with_no_byte_changed() {
        let log = uuid::Uuid::from_u128(7);
        let origin = Log::Cases.origin(log);
        let key = SigningKey::from_seed(&origin, &[7; 32]).expect("a key");
        let report = format!(r#"{{"inputs":{{"log":"{log}","records":3}},"turned":1}}"#);
        let by = |key| format!("{report}\n{}", note::sign(&note_text(&report), &[key]));
        let sound = by(&key);
        let keys = [key.verifier()];
        let wanted = SignedReport { text: &report, origin: origin.clone() };
        assert_eq!(signed(sound.as_bytes(), &keys), Ok(wanted));
        for at in 0..sound.len() {
            let mut other = sound.clone().into_bytes();
            other[at] ^= 1 << (at % 8);
            assert!(signed(&other, &keys).is_err(), "byte {at}");
            assert!(signed(&sound.as_bytes()[..at], &keys).is_err(), "cut off at {at}");
        }
        let other = SigningKey::from_seed(&origin, &[8; 32]).expect("a key");
        assert!(signed(sound.as_bytes(), &[other.verifier()]).is_err());
        // A key of another log that is believed too does not speak for this one.
        let of_another = Log::Cases.origin(uuid::Uuid::from_u128(8));
        let of_another = SigningKey::from_seed(&of_another, &[8; 32]).expect("a key");
        let keys = [key.verifier(), of_another.verifier()];
        assert!(signed(by(&of_another).as_bytes(), &keys).is_err());
    }
}
