//! `tebessa audit verify`: whether the record is whole and unaltered, beside a running node or
//! without one.

mod access;
mod files;
mod indexed;
mod keys;
mod live;
mod records;
mod report;
mod signed;

use std::path::PathBuf;

use service::audit::AuditError;
use service::logs::Log;

use self::indexed::Indexed;
use self::live::Live;
use self::report::{Damage, Report};
use self::signed::{Elsewhere, Signed};
use crate::data_directory;
use crate::output::{Bar, CliError, Exit, hanging, line, terminal_width};
use crate::verifier_keys;

const HELP: &str = "\
Checked are
  the log      every frame, checksum, hash, the chain of every case, the order
               of times, the tree
  checkpoints  the signatures, the tree's root at each, and the heads of all
               cases at the newest
  the keys     that the records name: each is in the key store, or was
               destroyed; where the node key can be read, that each opens
  access log   the same as of the log and its checkpoints, and its entries
  the records  read strictly into their types and folded into cases
  the index    how far it has seen the log, which must have that; where a node
               runs on the directory, its list of cases too
  the stream   where a node runs: that it has what the log has, byte for byte
  the files    of evidence, where a node runs: it reads each to its end and
               compares it with the record
What could not be checked is named. The log is read without a lock, so the node may go on writing:
checked is what was there when it began. Nothing is changed.

Exit codes: 0 no fault, 1 the first fault, with file, byte, position and case.

Examples:
  tebessa audit verify
  tebessa audit verify --checkpoint seen-by-the-court.checkpoint
  tebessa audit verify --data /srv/tebessa --no-stream --json";

/// Check that the record is whole and unaltered.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The data directory; its node may run or be stopped.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// A signed checkpoint that was kept elsewhere, which the log, or the access log, must still
    /// agree with; may be given several times.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// A key that is believed, as name+id+key, or a file of such keys, in the place of those in the
    /// data directory; may be given several times.
    #[arg(long, value_name = "KEY|FILE")]
    key: Vec<String>,
    /// Do not compare the stream with the log.
    #[arg(long)]
    no_stream: bool,
    /// Do not have the files of evidence read.
    #[arg(long)]
    no_files: bool,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Checks everything; the first fault ends it with exit code 1.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let directory = data_directory::record(&args.data, Log::Cases)?;
    let live = Live::find(&args.data).await;
    match check(&args, &directory, &live).await {
        Ok(report) => {
            line(&if args.json { report.json()? } else { shown(report.text()) })?;
            Ok(Exit::Done)
        }
        Err(Stop::Damage(damage)) => {
            line(&if args.json { damage.json()? } else { shown(damage.text()) })?;
            Ok(Exit::Failed)
        }
        Err(Stop::Failure(error)) => Err(error),
    }
}

/// On a terminal the lines fit into it; elsewhere each part stays on its line.
fn shown(text: String) -> String {
    match terminal_width() {
        Some(width) => hanging(&text, report::LABEL, width),
        None => text,
    }
}

/// Why the check ended early.
enum Stop {
    /// A fault in what was checked.
    Damage(Box<Damage>),
    /// The check itself failed.
    Failure(CliError),
}

impl From<CliError> for Stop {
    fn from(error: CliError) -> Self {
        Self::Failure(error)
    }
}

impl From<Damage> for Stop {
    fn from(damage: Damage) -> Self {
        Self::Damage(Box::new(damage))
    }
}

impl From<AuditError> for Stop {
    fn from(error: AuditError) -> Self {
        if let AuditError::Journal(error) = error {
            return error.into();
        }
        Self::Failure(CliError::other(error))
    }
}

impl From<journal::Error> for Stop {
    /// Only what the journal calls damage is damage.
    fn from(error: journal::Error) -> Self {
        match Damage::of(&error) {
            Some(damage) => damage.into(),
            None => Self::Failure(CliError::other(error)),
        }
    }
}

async fn check(args: &Args, directory: &std::path::Path, live: &Live) -> Result<Report, Stop> {
    let (of_access, elsewhere) = elsewhere(args)?;
    let keys = verifier_keys::given(&args.key)?;
    let signed = Signed::read(&args.data, Log::Cases, &elsewhere, &keys)?;
    let log = directory.to_owned();
    // Before the log is read, so that it must have all of that.
    let indexed = blocking(move || Indexed::read(&log)).await??;
    let log = directory.to_owned();
    let seen = signed.seen(live.positions(&indexed));
    let verified = blocking(move || {
        let mut bar = Bar::new("Verifying the log");
        journal::verify_against(&log, seen, &mut |step| {
            bar.show(step.bytes, step.total_bytes, "bytes");
        })
    })
    .await??;
    let log = directory.to_owned();
    let records = verified.records;
    let data = args.data.clone();
    let keys_before = blocking(move || keys::before(&data)).await?;
    let read = blocking(move || records::refold(&log, records)).await??;
    let of_records = report::Folded::of(&read);
    let keys_kept = keys::check(&args.data, live, read.keys, keys_before.as_ref())?;
    let access = access::check(&args.data, of_access, &keys).await?;
    let index = live.index(&indexed, &read.summaries).await?;
    let stream = live.stream(directory, args.no_stream).await?;
    let files = files::check(live, read.files, args.no_files).await?;
    Ok(Report {
        log: report::Log::of(&verified, live.knows_the_end(&indexed)),
        checkpoints: signed.part(&verified),
        records: of_records,
        keys: keys_kept,
        access,
        index,
        stream,
        files,
    })
}

/// The checkpoints of elsewhere: those of the access log, and the others.
fn elsewhere(args: &Args) -> Result<(Vec<Elsewhere>, Vec<Elsewhere>), Stop> {
    let access = Log::Access.directory(&args.data);
    let origin = if args.checkpoint.is_empty() || !data_directory::holds_log(&access)? {
        None
    } else {
        Some(Log::Access.origin(journal::Reader::id_in(&access)?))
    };
    let mut read = Vec::new();
    for file in &args.checkpoint {
        let note = crate::files::read_text(file, crate::files::SMALL)?;
        read.push(Elsewhere { name: file.display().to_string(), note });
    }
    let of_access = |one: &Elsewhere| origin.as_ref().is_some_and(|origin| one.is_of(origin));
    Ok(read.into_iter().partition(of_access))
}

/// Runs what reads the disk beside the tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CliError> {
    tokio::task::spawn_blocking(work).await.map_err(CliError::other)
}
