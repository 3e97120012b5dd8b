//! `tebessa journal backup` and `restore`: the log elsewhere, and back.

use std::path::{Path, PathBuf};

use journal::{CopyReport, Lock, Position, Reader};
use service::access::AccessEntry;
use service::logs::Log;

use crate::data_directory;
use crate::files;
use crate::journal::elsewhere::ElsewhereArgs;
use crate::output::{Bar, CliError, Exit, GOOD, bytes, count, line, note};

const BACKUP_HELP: &str = "\
The node may go on writing: copied is what is whole when the command begins. Run again with the same
directory, it copies only what is new: a sealed segment never changes. The copy is then read and
verified whole. A log that has less than its backup is an alarm, and the backup stays as it is.
The directory of a node, this one's or another's, is no place for it, nor one in it or around it.

The access log is a log of its own: with --access it is copied, into another directory.

Keys are not in it. Back them up apart (the directory keys), and for less long: a key that was
destroyed must not come back with a backup.

Examples:
  tebessa journal backup --data /srv/tebessa --out /mnt/backup/tebessa
  tebessa journal backup --data /srv/tebessa --access --out /mnt/backup/access";

const RESTORE_HELP: &str = "\
The data directory must not have a log yet. Restore the keys (the directory keys) beside it. The index
is built at the first start.

With --checkpoint, a restored log that is behind what was signed is kept, but no node serves from it
until it has the rest: from a newer backup, or by `tebessa journal repair`.

Example:
  tebessa journal restore --from /mnt/backup/tebessa --data /srv/tebessa \\
      --checkpoint court.checkpoint --key keys.txt";

/// Copy the log to another place, beside a running node or without one.
#[derive(Debug, clap::Args)]
#[command(after_help = BACKUP_HELP)]
pub(crate) struct BackupArgs {
    /// The data directory; its node may run or be stopped.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// Copy the access log instead: who viewed which case.
    #[arg(long)]
    access: bool,
    /// Where to: a new directory, or one with an older backup of the same log.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Put a backup into a new data directory.
#[derive(Debug, clap::Args)]
#[command(after_help = RESTORE_HELP)]
pub(crate) struct RestoreArgs {
    /// The backup, or another node's data directory.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data directory to make.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// Restore the access log instead, from a backup that was made with --access.
    #[arg(long)]
    access: bool,
    #[command(flatten)]
    elsewhere: ElsewhereArgs,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Makes or continues a backup.
pub(crate) async fn backup(args: BackupArgs) -> Result<Exit, CliError> {
    let directory = source(&args)?;
    files::check_apart(
        &args.out,
        &args.data,
        "a new directory elsewhere, or that of an older backup",
    )?;
    data_directory::make_private(&args.out)?;
    let copied = tokio::task::spawn_blocking(move || {
        let mut bar = Bar::new("Verifying the copy");
        let report = journal::backup(&directory, &args.out, &mut |step| {
            bar.show(step.bytes, step.total_bytes, "bytes");
        });
        report.map(|report| (report, args))
    });
    let (report, args) = copied.await.map_err(CliError::other)?.map_err(CliError::other)?;
    say("saved", &report, args.json)
}

fn source(args: &BackupArgs) -> Result<PathBuf, CliError> {
    let directory = data_directory::record(&args.data, Log::Cases)?;
    if args.access { data_directory::record(&args.data, Log::Access) } else { Ok(directory) }
}

/// Makes a data directory from a backup.
pub(crate) async fn restore(args: RestoreArgs) -> Result<Exit, CliError> {
    let log = data_directory::log(args.access);
    let source = data_directory::log_of(&args.from, log)?;
    files::check_new_data(&args.data)?;
    is_a(&source, log)?;
    let origin = log.origin(Reader::id_in(&source).map_err(CliError::other)?);
    let elsewhere = args.elsewhere.read(&origin)?;
    let json = args.json;
    let (data, shown) = (log.directory(&args.data), args.data.display().to_string());
    let restored = tokio::task::spawn_blocking(move || {
        data_directory::make_private(&data)?;
        let held = Lock::take(&data).map_err(CliError::other)?;
        let mut bar = Bar::new("Verifying the copy");
        journal::restore(&source, &held, &elsewhere, &mut |step| {
            bar.show(step.bytes, step.total_bytes, "bytes");
        })
        .map_err(|error| behind(log, &shown, error))
    });
    let report = restored.await.map_err(CliError::other)??;
    say("restored", &report, json)?;
    if !service::node::keys_dir(&args.data).join("node.key").exists() {
        note(
            "the keys are not in a backup: put the directory keys beside the log before the start",
        );
    }
    Ok(Exit::Done)
}

/// The words for a new log that has less than a checkpoint signed.
pub(super) fn behind(log: Log, shown: &str, error: journal::Error) -> CliError {
    if !matches!(error, journal::Error::LogLostRecords { .. }) {
        return CliError::other(error);
    }
    let what = match log {
        Log::Cases => format!("no node serves from {shown}"),
        Log::Access => format!("no node of {shown} opens words"),
    };
    let what = format!(
        "the new log is behind a checkpoint: {what} until it has the rest, from a newer backup or by \
         `tebessa journal repair`"
    );
    CliError::caused(what, error)
}

/// Refuses one log in the place of the other, as far as its first record tells.
fn is_a(source: &Path, log: Log) -> Result<(), CliError> {
    // A copy that is behind what was signed is restored, and not served.
    let reader = Reader::open_what_is_whole(source).map_err(CliError::other)?;
    let first = reader.read(Position(1), 1).map_err(CliError::other)?;
    let Some(first) = first.first() else { return Ok(()) };
    let (found, advice) = match (AccessEntry::decode(first).is_ok(), log) {
        (true, Log::Cases) => ("an access log", "give --access"),
        (false, Log::Access) => ("a record of cases", "leave out --access"),
        (true, Log::Access) | (false, Log::Cases) => return Ok(()),
    };
    Err(CliError::usage(format!("{} is the copy of {found}: {advice}", source.display())))
}

fn say(done: &str, report: &CopyReport, json: bool) -> Result<Exit, CliError> {
    let words = if json {
        serde_json::json!({
            "log": report.log, "last": report.last, "root": hex::encode(report.root),
            "copied": report.copied, "unchanged": report.unchanged, "bytes": report.bytes,
            "checkpoints": report.checkpoints,
        })
        .to_string()
    } else {
        format!(
            "{GOOD}{done}{GOOD:#}  {}, verified; {} copied ({}), {} unchanged\n       root {}",
            count(report.last.0, "record", "records"),
            count(report.copied, "file", "files"),
            bytes(report.bytes),
            report.unchanged,
            hex::encode(report.root),
        )
    };
    line(&words)?;
    Ok(Exit::Done)
}
