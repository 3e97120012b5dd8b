//! `tebessa bench journal`: how fast the journal is on this machine, beside the machine's limit.
//!
//! Every measure runs in a program of its own, this one once more: so no measure finds the memory
//! of the one before, and what is said of memory is that of a node.

mod measures;
mod report;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Subcommand;
use journal::measure::Figure;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use self::measures::Measure;
use crate::output::{CliError, Exit, line, note};

const HELP: &str = "\
Records are 600 bytes long. The limit of a measure is taken in turns with it: for appends a bare
loop of write and fdatasync over a preallocated file with the same bytes, for index_burst the same
appends without an index, for verify one core that does nothing but hash.

Appends of groups are measured on the log alone: the rate with eight groups on their way, waits with
one at a time, and under load with eight. What one core hashes when it does nothing else stands
beside, for every record is hashed.

With --json each figure is an object in a line of its own:
  {\"bench\":\"append\",\"group\":16,\"records\":160000,\"records_per_s\":51234.5,
   \"limit_records_per_s\":60123.4,\"ratio\":0.85,\"p99_us\":212.0,…}

Examples:
  tebessa bench journal
  tebessa bench journal --records 10000000 --dir /var/tmp --json > figures.jsonl
  tebessa bench journal --only append --only append_contended
  tebessa bench journal --only growth --records 10000000";

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    Journal(Args),
}

/// Measure the journal: appends, reading, verifying, opening, the index.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// How many records the log has that is opened, verified and indexed, or grows.
    #[arg(long, value_name = "N", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(10_000..=1_000_000_000))]
    records: u64,
    /// Measure only this; may be given several times. All but growth if it is not given.
    #[arg(long, value_name = "NAME")]
    only: Vec<Measure>,
    /// Print each figure as a line of JSON.
    #[arg(long)]
    json: bool,
    /// Where the temporary directory is made: on the disk that is to be measured.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measure in this directory and in this program.
    #[arg(long, value_name = "DIR", hide = true, requires = "only")]
    here: Option<PathBuf>,
}

/// Runs the measures one after the other.
pub(crate) async fn run(command: Commands) -> Result<Exit, CliError> {
    let Commands::Journal(args) = command;
    if let (Some(directory), Some(measure)) = (args.here.clone(), args.only.first().copied()) {
        return tokio::task::spawn_blocking(move || measure.run(&directory, args.records))
            .await
            .map_err(CliError::other)?;
    }
    let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let directory =
        tempfile::Builder::new().prefix("tebessa-bench-").tempdir_in(&parent).map_err(|error| {
            CliError::caused(format!("{} cannot be written to", parent.display()), error)
        })?;
    if journal::measure::is_in_memory(directory.path()).map_err(CliError::other)? {
        note(&format!(
            "warning: {} is in memory: nothing becomes durable there; see --dir",
            parent.display()
        ));
    }
    if cfg!(debug_assertions) {
        note("warning: this program was built without optimisation; the figures mean little");
    }
    let mut figures = Vec::new();
    // The directory is removed when this function ends, however it does.
    tokio::select! {
        measured = measure_all(&args, directory.path(), &mut figures) => measured?,
        stopped = tokio::signal::ctrl_c() => {
            stopped.map_err(CliError::other)?;
            return Err(CliError::message("stopped before all was measured"));
        }
    }
    if !args.json {
        report::show(&figures)?;
    }
    directory.close().map_err(CliError::other)?;
    Ok(Exit::Done)
}

async fn measure_all(
    args: &Args,
    directory: &Path,
    figures: &mut Vec<Figure>,
) -> Result<(), CliError> {
    let wanted = |measure: &Measure| {
        if args.only.is_empty() { *measure != Measure::Growth } else { args.only.contains(measure) }
    };
    let mut filled = false;
    for measure in Measure::ALL.into_iter().filter(wanted) {
        let place = directory.join(if measure.reads() { "filled" } else { measure.name() });
        if measure.reads() && !filled {
            filled = true;
            one(args, Measure::Fill, &place, figures).await?;
        }
        one(args, measure, &place, figures).await?;
        if !measure.reads() {
            tokio::fs::remove_dir_all(&place).await.map_err(CliError::other)?;
        }
    }
    Ok(())
}

/// Runs one measure in a program of its own.
async fn one(
    args: &Args,
    measure: Measure,
    place: &Path,
    figures: &mut Vec<Figure>,
) -> Result<(), CliError> {
    tokio::fs::create_dir_all(place).await.map_err(CliError::other)?;
    let program = std::env::current_exe().map_err(CliError::other)?;
    let mut child = Command::new(program)
        .args(["bench", "journal", "--only", measure.name(), "--records"])
        .arg(args.records.to_string())
        .arg("--here")
        .arg(place)
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(CliError::other)?;
    if let Some(out) = child.stdout.take() {
        let mut lines = BufReader::new(out).lines();
        while let Some(text) = lines.next_line().await.map_err(CliError::other)? {
            if args.json {
                line(&text)?;
            }
            figures.push(serde_json::from_str(&text).map_err(CliError::other)?);
        }
    }
    let ended = child.wait().await.map_err(CliError::other)?;
    if ended.success() {
        return Ok(());
    }
    Err(CliError::message(format!("the measure {} failed ({ended})", measure.name())))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_measure_is_known_by_its_name() {
        for measure in Measure::ALL {
            assert_eq!(Measure::from_str(measure.name(), false), Ok(measure));
        }
    }
}
