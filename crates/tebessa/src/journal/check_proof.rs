//! `tebessa journal check-proof`: a proof checked offline, with keys of one's own.

use std::path::PathBuf;

use case::strict;
use journal::note::VerifierKey;
use journal::{Checkpoint, TlogProof};
use service::logs::Log;

use super::consistency::{self, ProvedBeginning};
use super::prove::ProvedCase;
use crate::data_directory;
use crate::output::{BAD, CliError, Exit, GOOD, Screen, count, line, wrapped};
use crate::{files, verifier_keys};

const HELP: &str = "\
Nothing but the file and the keys is looked at. The keys must have come another way than the proof.
What follows from it: the record stood in the log at its place when the log was signed; or, of a
case, that these were all its records then; or, of two checkpoints, that the log of the older is the
beginning of the newer's, so that between them nothing was changed or taken back.

Exit codes: 0 proved, 1 not proved, with the reason.

Examples:
  tebessa journal check-proof record.tlog-proof \\
      --key 'tebessa/log/…+8f2a91c4+AX…'
  tebessa journal check-proof case.json --key-file keys.txt --json
  tebessa journal check-proof since.json --key keys.txt";

/// Check a proof that `tebessa journal prove` made, offline.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The proof; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A key that is believed, as name+id+key, or a file with such keys, one a line; may be given
    /// several times.
    #[arg(long, value_name = "KEY|FILE", required_unless_present_any = ["key_file", "data"])]
    key: Vec<String>,
    /// A file with such keys, one a line.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Believe the keys of this data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The record's exact bytes, where they are not in the proof.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What was proved.
#[derive(serde::Serialize)]
struct Verdict {
    proved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<uuid::Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_size: Option<u64>,
    size: u64,
    origin: String,
}

/// Checks the proof.
pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let keys = policy(args)?;
    let text = String::from_utf8(files::read_input(&args.file, files::LARGE)?)
        .map_err(|_| CliError::message(format!("{} is no text", args.file.display())))?;
    let checked =
        if TlogProof::is_one(&text) { record(args, &text, &keys)? } else { object(&text, &keys)? };
    match checked {
        Ok(proved) if args.json => {
            line(&serde_json::to_string(&proved).map_err(CliError::other)?)?;
            Ok(Exit::Done)
        }
        Ok(proved) => {
            show(&mut Screen::stdout(), &proved)?;
            Ok(Exit::Done)
        }
        Err(reason) if args.json => {
            line(&serde_json::json!({ "proved": false, "reason": reason }).to_string())?;
            Ok(Exit::Failed)
        }
        Err(reason) => {
            refuse(&mut Screen::stdout(), &reason)?;
            Ok(Exit::Failed)
        }
    }
}

/// The room of the labels, in columns.
const LABEL: usize = 9;

fn show(screen: &mut Screen, proved: &Verdict) -> Result<(), CliError> {
    let what = match (proved.position, proved.records, proved.old_size) {
        (Some(position), ..) => format!("the record is at position {position}"),
        (None, Some(records), _) => {
            format!("{}, all that the case had then", count(records, "record", "records"))
        }
        (None, None, Some(old)) => consistency::in_words(old, proved.size),
        (None, None, None) => "the proof holds".to_owned(),
    };
    for (place, part) in wrapped(&what, screen.width.saturating_sub(LABEL)).iter().enumerate() {
        let label = if place == 0 { "proved" } else { "" };
        screen.line(&format!("{GOOD}{label:<LABEL$}{GOOD:#}{part}"))?;
    }
    if let Some(case) = proved.case {
        screen.labelled(0, LABEL, "case", &case.to_string())?;
    }
    screen.labelled(0, LABEL, "log", &proved.origin)?;
    let mut signed = format!("with {}", count(proved.size, "record", "records"));
    if let Some(old) = proved.old_size {
        signed = format!("with {}, and later {signed}", count(old, "record", "records"));
    }
    screen.labelled(0, LABEL, "signed", &signed)?;
    screen.flush()
}

fn refuse(screen: &mut Screen, reason: &str) -> Result<(), CliError> {
    screen.line(&format!("{BAD}not proved{BAD:#}"))?;
    screen.labelled(0, LABEL, "why", reason)?;
    screen.flush()
}

/// Keys of one log: their name is its origin.
fn policy(args: &Args) -> Result<Vec<VerifierKey>, CliError> {
    let mut listed = verifier_keys::listed_as(&args.key)?;
    if let Some(file) = &args.key_file {
        listed.add(verifier_keys::in_file(file)?);
    }
    if let Some(data) = &args.data {
        let keys = data_directory::keys(data, Log::Cases)?;
        let believed = keys.known().into_iter().map(|known| known.key).collect();
        listed.add(verifier_keys::Listed { believed, struck: keys.distrusted() });
    }
    let keys = listed.counting();
    match keys.first() {
        None => Err(CliError::usage("no key is believed; say --key, --key-file or --data")),
        Some(first) if keys.iter().any(|key| key.name() != first.name()) => {
            Err(CliError::usage("the keys are of several logs; a proof is about one"))
        }
        Some(_) => Ok(keys),
    }
}

fn origin(keys: &[VerifierKey]) -> &str {
    keys.first().map_or("", VerifierKey::name)
}

fn record(
    args: &Args,
    text: &str,
    keys: &[VerifierKey],
) -> Result<Result<Verdict, String>, CliError> {
    let proof = match TlogProof::parse(text) {
        Ok(proof) => proof,
        Err(error) => return Ok(Err(service::chain(&error))),
    };
    let bytes = match (&args.record, &proof.record) {
        (Some(file), _) => files::read_input(file, files::SMALL)?,
        (None, Some(record)) => record.clone(),
        (None, None) => {
            return Err(CliError::usage("the proof is without its record; say --record FILE"));
        }
    };
    Ok(proof
        .verify(&bytes, origin(keys), keys)
        .map(|checkpoint| Verdict {
            proved: true,
            position: Some(proof.position.0),
            case: None,
            records: None,
            old_size: None,
            size: checkpoint.size,
            origin: checkpoint.origin,
        })
        .map_err(|error| service::chain(&error)))
}

/// A proof that is one JSON object, by its form.
fn object(text: &str, keys: &[VerifierKey]) -> Result<Result<Verdict, String>, CliError> {
    // Strictly, as everything that comes from elsewhere: the error says where and repeats nothing.
    let value = strict::parse(text.as_bytes()).map_err(no_proof)?;
    if value.get("format").is_some_and(|format| format == ProvedBeginning::FORMAT) {
        let proved: ProvedBeginning = strict::typed("", value).map_err(no_proof)?;
        return Ok(beginning(&proved, keys));
    }
    case(&strict::typed("", value).map_err(no_proof)?, keys)
}

fn no_proof(error: strict::Malformed) -> CliError {
    CliError::caused("this is no proof that `tebessa journal prove` makes", error)
}

fn beginning(proved: &ProvedBeginning, keys: &[VerifierKey]) -> Result<Verdict, String> {
    let (old, new) = proved.check(origin(keys), keys)?;
    Ok(Verdict {
        proved: true,
        position: None,
        case: None,
        records: None,
        old_size: Some(old.size),
        size: new.size,
        origin: new.origin,
    })
}

fn case(proved: &ProvedCase, keys: &[VerifierKey]) -> Result<Result<Verdict, String>, CliError> {
    if proved.format != ProvedCase::FORMAT {
        return Err(CliError::message(format!("the proof has the unknown form {}", proved.format)));
    }
    let checkpoint = match Checkpoint::verify(&proved.checkpoint, origin(keys), keys) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Ok(Err(format!("the checkpoint is not believed: {error}"))),
    };
    let records: Vec<&[u8]> = proved.records.iter().map(String::as_bytes).collect();
    Ok(proved
        .proof
        .verify(&records, &checkpoint)
        .map(|()| Verdict {
            proved: true,
            position: None,
            case: Some(proved.proof.stream.0),
            records: Some(records.len() as u64),
            old_size: None,
            size: checkpoint.size,
            origin: checkpoint.origin.clone(),
        })
        .map_err(|error| service::chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As wide as what the program makes: an origin with its id, a case, a count of records.
    fn verdict() -> Verdict {
        let id = uuid::Uuid::nil();
        Verdict {
            proved: true,
            position: None,
            case: Some(id),
            records: Some(1_234),
            old_size: None,
            size: 12_345_678,
            origin: format!("tebessa/log/{id}"),
        }
    }

    #[test]
    fn what_is_proved_fits_eighty_columns() {
        let case = verdict();
        let record = Verdict { position: Some(12_345_678), case: None, records: None, ..verdict() };
        let two = Verdict { old_size: Some(1_234_567), records: None, case: None, ..verdict() };
        for proved in [&case, &record, &two] {
            let (mut screen, shown) = Screen::for_test(80);
            show(&mut screen, proved).unwrap();
            let text = shown.text();
            assert!(text.starts_with("proved   "), "{text}");
            assert!(
                text.contains(&format!("log      {}\nsigned   with ", proved.origin)),
                "{text}"
            );
            assert!(text.ends_with("with 12,345,678 records\n"), "{text}");
            assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        }
        let (mut screen, shown) = Screen::for_test(80);
        refuse(&mut screen, &"a reason ".repeat(20)).unwrap();
        let text = shown.text();
        assert!(text.starts_with("not proved\nwhy      a reason"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}
