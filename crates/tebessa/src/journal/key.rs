//! `tebessa journal key`: the keys that sign the log's checkpoints.

use std::path::PathBuf;

use crate::data_directory;
use crate::output::{CliError, Exit, Output, line, note};
use clap::Subcommand;
use journal::LogKeys;
use journal::note::VerifierKey;

const HELP: &str = "\
A verifier keeps the keys that he believes in a list of his own, in the form name+id+key (C2SP
signed-note). To change a key without a day on which nobody can verify:
  1. `rotate` makes a new key; from now on both sign every checkpoint;
  2. give the new key to those who verify, another way than through the log;
  3. `retire` when they have it: the old key signs no more, its secret is
     deleted, and what it signed can still be checked.

A key that somebody else may have: `rotate`, then `distrust` it, and sign anew by `tebessa journal
checkpoint`. Nothing that it signed counts here any more, for nobody can tell when, and those who
verify strike it from their lists: `retire` does not do that. The node need not be stopped.

A file of keys that is lost is not replaced by itself where checkpoints are kept: restore it. Where
there is no copy, `new` makes a key, and each `--lost` names one of the lost ones, as those who verify
have it, so that what it signed can be checked here. Give the new key to them.";

/// What to do with the keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    /// Show the keys that verify the log's checkpoints; kept in a file, they are what --key takes
    Show(Args),
    /// Make a new key, which signs beside the present one
    #[command(after_help = HELP)]
    Rotate(Args),
    /// Make the first key anew where the file of keys is lost, and no copy of it is left
    #[command(after_help = HELP)]
    New(NewArgs),
    /// Let the older of two keys sign no more
    #[command(after_help = HELP)]
    Retire(Args),
    /// Believe nothing that a key signed: somebody else may have it
    #[command(after_help = HELP)]
    Distrust(DistrustArgs),
}

/// Which keys were lost, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// A key that is lost, as `show` printed it, name+id+key; may be given several times.
    #[arg(long, value_name = "KEY")]
    lost: Vec<String>,
    #[command(flatten)]
    place: Args,
}

/// Which key, and where it is.
#[derive(Debug, clap::Args)]
pub(crate) struct DistrustArgs {
    /// The key as `show` prints it, name+id+key.
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    place: Args,
}

/// Where the keys are.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data directory; its node may run or be stopped.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// The keys of the access log instead.
    #[arg(long)]
    access: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Shows or changes the keys. Secrets are never printed.
pub(crate) fn run(command: Commands) -> Result<Exit, CliError> {
    match command {
        Commands::Show(args) => show(&args),
        Commands::Rotate(args) => {
            let mut keys = writable(&args)?;
            let new = keys.rotate().map_err(CliError::other)?;
            let option = if args.access { " --access" } else { "" };
            let advice = format!(
                "the new key signs beside the old one from now on; give it to those who verify, \
                 then run `tebessa journal key retire{option}`"
            );
            tell(&args, &new, "signs", &advice)
        }
        Commands::New(NewArgs { lost, place }) => begin_anew(&place, &lost),
        Commands::Retire(args) => {
            let mut keys = writable(&args)?;
            let old = keys.retire().map_err(CliError::other)?;
            tell(&args, &old, "retired", "this key signs no more; what it signed can be checked")
        }
        Commands::Distrust(DistrustArgs { key, place }) => {
            let key = parsed(&key)?;
            let mut keys = writable(&place)?;
            keys.distrust(&key).map_err(CliError::other)?;
            let advice = "nothing that this key signed counts any more; tell those who verify to \
                          strike it from their lists, and sign anew: `tebessa journal checkpoint`";
            tell(&place, &key, "distrusted", advice)
        }
    }
}

fn begin_anew(args: &Args, lost: &[String]) -> Result<Exit, CliError> {
    let lost = lost.iter().map(|key| parsed(key)).collect::<Result<Vec<_>, _>>()?;
    let log = data_directory::log(args.access);
    let id = journal::Reader::id_in(&data_directory::record(&args.data, log)?);
    let id = id.map_err(CliError::other)?;
    let keys = LogKeys::begin_anew(&log.keys(&args.data, id), &log.origin(id), &lost);
    let keys = keys.map_err(CliError::other)?;
    let new = keys.signing().first().map(|key| key.verifier());
    let new = new.ok_or_else(|| CliError::message("no key signs"))?;
    let option = if args.access { " --access" } else { "" };
    let advice = format!(
        "this key signs from now on; give it to those who verify, and sign: `tebessa journal \
         checkpoint{option}`"
    );
    tell(args, &new, "signs", &advice)
}

fn parsed(key: &str) -> Result<VerifierKey, CliError> {
    VerifierKey::parse(key)
        .map_err(|error| CliError::usage(format!("this is no key as `show` prints it: {error}")))
}

fn writable(args: &Args) -> Result<LogKeys, CliError> {
    let log = data_directory::log(args.access);
    data_directory::record(&args.data, log)?;
    data_directory::keys(&args.data, log)
}

fn show(args: &Args) -> Result<Exit, CliError> {
    let keys = writable(args)?;
    let mut output = Output::stdout();
    for known in keys.known() {
        let state = if known.signs { "signs" } else { "retired" };
        if args.json {
            output.json(&described(&known.key, state))?;
        } else {
            output.line(format!("{state:<8} {}", known.key).as_bytes())?;
        }
    }
    for key in keys.distrusted() {
        if args.json {
            output.json(&described(&key, "distrusted"))?;
        } else {
            output.line(format!("distrusted {key}").as_bytes())?;
        }
    }
    output.flush()?;
    if !args.json {
        let kept = data_directory::keys_of(&args.data, data_directory::log(args.access))?;
        note(&format!("the keys are kept in {}", kept.display()));
    }
    Ok(Exit::Done)
}

fn tell(args: &Args, key: &VerifierKey, state: &str, advice: &str) -> Result<Exit, CliError> {
    if args.json {
        line(&described(key, state).to_string())?;
    } else {
        line(&key.to_string())?;
        note(advice);
    }
    Ok(Exit::Done)
}

fn described(key: &VerifierKey, state: &str) -> serde_json::Value {
    serde_json::json!({ "key": key.to_string(), "state": state })
}
