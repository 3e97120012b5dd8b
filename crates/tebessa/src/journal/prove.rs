//! `tebessa journal prove`: a proof for a third party, about a record, a whole case or two checkpoints.

use std::path::{Path, PathBuf};

use case::CaseId;
use journal::{Checkpoint, Checkpoints, Position, Reader, StreamId, StreamProof, TlogProof};

use service::logs::Log;

use super::consistency::{self, ProvedBeginning};
use crate::address::Address;
use crate::data_directory;
use crate::files;
use crate::output::{CliError, Exit};

const HELP: &str = "\
The proof needs neither this log nor a network to be checked, only a key of the log that came another
way: see `tebessa journal check-proof`. What it proves is, with
  --position  that a record is in the log, at its place: a C2SP tlog-proof,
              with the record
  --case      that these are all records of a case up to the checkpoint: one
              JSON object
  --since     that the log of an older checkpoint is the beginning of the log
              as it is signed now: nothing before was changed or taken back;
              one JSON object

Both checkpoints of --since are in the proof. Who kept the older one, such as a court, compares it
with its own copy.

Personal words in the records are sealed, and stay so.

Examples:
  tebessa journal prove --position 17 > record.tlog-proof
  tebessa journal prove --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11 > case.json
  tebessa journal prove --since court.checkpoint > since.json";

/// What stands behind "Usage: ", which the library does not wrap.
const USAGE: &str = "\
tebessa journal prove [OPTIONS] --position <P>
       tebessa journal prove [OPTIONS] --case <CASE>
       tebessa journal prove [OPTIONS] --since <FILE>";

/// Prove to others that a record is in the log, that a case is complete, or that nothing was changed
/// since a checkpoint.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, override_usage = USAGE, group(clap::ArgGroup::new("what").required(true)))]
pub(crate) struct Args {
    #[command(flatten)]
    address: Address,
    /// The position of the record.
    #[arg(long, value_name = "P", group = "what")]
    position: Option<u64>,
    /// The case.
    #[arg(long, value_name = "CASE", group = "what")]
    case: Option<CaseId>,
    /// A signed checkpoint from before; `-` reads standard input.
    #[arg(long, value_name = "FILE", group = "what")]
    since: Option<PathBuf>,
    /// Prove it for this signed checkpoint instead of one that is made now.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Leave the record out of the proof; who checks it must have it.
    #[arg(long, conflicts_with_all = ["case", "since"])]
    without_record: bool,
    /// Print JSON: a proof of a case or since a checkpoint is always one line of it. That of a record
    /// is a text that the tools of others read.
    #[arg(long, conflicts_with = "position")]
    json: bool,
}

/// All records of a case, and the proof that they are all.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvedCase {
    /// Always [`ProvedCase::FORMAT`].
    pub(super) format: String,
    /// The signed checkpoint.
    pub(super) checkpoint: String,
    /// The proof.
    pub(super) proof: StreamProof,
    /// The exact text of each record, in the order of versions.
    pub(super) records: Vec<String>,
}

impl ProvedCase {
    /// The name of the form.
    pub(super) const FORMAT: &str = "tebessa-case-proof/v1";
}

/// Prints the proof.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let directory = data_directory::record(&args.address.data, Log::Cases)?;
    let note = match &args.checkpoint {
        Some(file) => files::read_text(file, files::SMALL)?,
        None => signed(&args).await?,
    };
    let text = tokio::task::spawn_blocking(move || prove(&args, &directory, note))
        .await
        .map_err(CliError::other)??;
    super::checkpoint::print(&text)
}

/// The newest checkpoint that is kept, where it covers the record; else a new one.
async fn signed(args: &Args) -> Result<String, CliError> {
    if let Some(position) = args.position {
        let kept = Checkpoints::new(&service::node::journal_dir(&args.address.data), "").latest();
        if let Some(kept) = kept.map_err(CliError::other)?
            && kept.checkpoint().is_ok_and(|said| said.size >= position)
        {
            return Ok(kept.note);
        }
    }
    Ok(data_directory::checkpoint(&args.address, Log::Cases).await?.note)
}

fn prove(args: &Args, directory: &Path, note: String) -> Result<String, CliError> {
    let reader = Reader::open(directory).map_err(CliError::other)?;
    let policy: Vec<_> = data_directory::keys(&args.address.data, Log::Cases)?
        .known()
        .into_iter()
        .map(|known| known.key)
        .collect();
    let origin = Log::Cases.origin(reader.id());
    let checkpoint = Checkpoint::verify(&note, &origin, &policy)
        .map_err(|error| CliError::caused("the checkpoint is not one of this log", error))?;
    match (args.position, args.case, &args.since) {
        (Some(position), ..) => record(args, &reader, &checkpoint, note, Position(position)),
        (None, Some(case), _) => whole_case(&reader, &checkpoint, note, StreamId(case.0)),
        (None, None, Some(file)) => {
            let old = files::read_text(file, files::SMALL)?;
            let proved = since(&reader, &checkpoint, old, note)?;
            // As whoever gets it will: a log that was changed proves nothing.
            proved.check(&origin, &policy).map_err(|why| {
                CliError::message(format!("nothing is proved since {}: {why}", file.display()))
            })?;
            one_line(&proved)
        }
        (None, None, None) => Err(CliError::usage("say --position, --case or --since")),
    }
}

fn since(
    reader: &Reader,
    checkpoint: &Checkpoint,
    old: String,
    new: String,
) -> Result<ProvedBeginning, CliError> {
    // What it says is looked at with the proof; one that says nothing has no size to prove from.
    let size = consistency::said(&old).map_or(0, |said| said.size);
    let from = size.min(checkpoint.size);
    let proof = reader.prove_consistency(from, checkpoint.size).map_err(CliError::other)?;
    Ok(ProvedBeginning { format: ProvedBeginning::FORMAT.to_owned(), old, new, proof })
}

fn one_line(proved: &impl serde::Serialize) -> Result<String, CliError> {
    Ok(format!("{}\n", serde_json::to_string(proved).map_err(CliError::other)?))
}

fn record(
    args: &Args,
    reader: &Reader,
    checkpoint: &Checkpoint,
    note: String,
    position: Position,
) -> Result<String, CliError> {
    let proof = reader.prove_inclusion(position, checkpoint.size).map_err(CliError::other)?;
    let record = reader.read(position, 1).map_err(CliError::other)?.pop();
    let bytes = record.map(|record| record.bytes).filter(|_| !args.without_record);
    let proof = TlogProof { position, path: proof.path, record: bytes, checkpoint: note };
    Ok(proof.to_string())
}

fn whole_case(
    reader: &Reader,
    checkpoint: &Checkpoint,
    note: String,
    stream: StreamId,
) -> Result<String, CliError> {
    let proof = reader.prove_stream(stream, checkpoint).map_err(CliError::other)?;
    let last = journal::Version(proof.positions.len() as u64);
    let records = reader.read_stream(stream, Some(last)).map_err(CliError::other)?;
    let texts: Result<Vec<_>, _> =
        records.into_iter().map(|record| String::from_utf8(record.bytes)).collect();
    let proved = ProvedCase {
        format: ProvedCase::FORMAT.to_owned(),
        checkpoint: note,
        proof,
        records: texts.map_err(CliError::other)?,
    };
    one_line(&proved)
}
