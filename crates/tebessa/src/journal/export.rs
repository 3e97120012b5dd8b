//! `tebessa journal export` and `import`: the records as lines or as tiles, and lines back.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use journal::{
    Checkpoint, Import, LogKeys, MAX_RECORD_BYTES, Options, Position, Reader, export_tiles,
};
use service::logs::Log;
use service::node::{journal_dir, keys_dir};

use crate::address::Address;
use crate::arguments::log_id;
use crate::data_directory;
use crate::files::{self, OutFile};
use crate::journal::backup::behind;
use crate::journal::elsewhere::ElsewhereArgs;
use crate::output::{Bar, CliError, Exit, GOOD, count, line, note};

const EXPORT_HELP: &str = "\
What is written is, with
  --jsonl  each record's exact bytes, one a line, in the order of positions;
           `-` is standard output
  --tiles  the log up to a checkpoint that is signed now, as C2SP tlog-tiles:
           tile/L/N, tile/entries/N and checkpoint, for the tools of others.
           Run again, it adds what is new.
Personal words stay sealed in both.

Examples:
  tebessa journal export --jsonl records.jsonl
  tebessa journal export --tiles /srv/www/log";

const IMPORT_HELP: &str = "\
The records must be those of one log from its first on, as `export --jsonl` writes them. Each must
follow the ones before it; the first that does not is named, and nothing is kept. Positions, bytes
and hashes are then those of the log they came from. With --log, so are its checkpoints.

With --checkpoint the records must be those that it signed, and the log is that of its origin; one that
has less is kept, but no node serves from it until it has the rest, by `tebessa journal repair`.

Example:
  tebessa journal import records.jsonl --data /srv/tebessa";

/// Write the records as JSON lines or as static tiles.
#[derive(Debug, clap::Args)]
#[command(after_help = EXPORT_HELP, group(clap::ArgGroup::new("form").required(true)))]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    address: Address,
    /// Write JSON lines to this file; `-` is standard output.
    #[arg(long, value_name = "FILE", group = "form")]
    jsonl: Option<PathBuf>,
    /// Begin with this position.
    #[arg(long, value_name = "P", default_value_t = 1, conflicts_with = "tiles")]
    from: u64,
    /// Write tiles into this directory.
    #[arg(long, value_name = "DIR", group = "form")]
    tiles: Option<PathBuf>,
    /// Print the result as one line of JSON on standard output, or standard error for `--jsonl -`.
    #[arg(long)]
    json: bool,
}

/// Make a new data directory from JSON lines.
#[derive(Debug, clap::Args)]
#[command(after_help = IMPORT_HELP)]
pub(crate) struct ImportArgs {
    /// The lines; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data directory to make.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// Which log it is, from the origin of its checkpoints; by default a new one.
    #[arg(long, value_name = "ID", value_parser = log_id)]
    log: Option<uuid::Uuid>,
    #[command(flatten)]
    elsewhere: ElsewhereArgs,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// How many records are read at once.
const BATCH: usize = 2_048;

/// Writes the records.
pub(crate) async fn export(args: ExportArgs) -> Result<Exit, CliError> {
    let directory = data_directory::record(&args.address.data, Log::Cases)?;
    if let Some(out) = &args.tiles {
        files::check_apart(out, &args.address.data, "a directory of their own elsewhere")?;
    }
    let note = match &args.tiles {
        Some(_) => Some(data_directory::checkpoint(&args.address, Log::Cases).await?.note),
        None => None,
    };
    let work = tokio::task::spawn_blocking(move || match (&args.jsonl, &args.tiles, note) {
        (Some(file), ..) => lines(&args, &directory, file),
        (None, Some(out), Some(note)) => tiles(&args, &directory, out, &note),
        (None, ..) => Err(CliError::usage("say --jsonl or --tiles")),
    });
    work.await.map_err(CliError::other)?
}

fn lines(args: &ExportArgs, directory: &Path, file: &Path) -> Result<Exit, CliError> {
    let screen = file == Path::new("-");
    let (records, last) = if screen {
        write_lines(args, directory, &mut std::io::stdout().lock(), CliError::output)?
    } else {
        let mut out = OutFile::begin(file, &args.address.data)?;
        let written = write_lines(args, directory, &mut out, files::failed(file))?;
        out.keep()?;
        written
    };
    let words = if args.json {
        serde_json::json!({ "records": records, "last": last }).to_string()
    } else {
        format!("{GOOD}exported{GOOD:#}  {}", count(records, "record", "records"))
    };
    if screen {
        note(&words);
    } else {
        line(&words)?;
    }
    Ok(Exit::Done)
}

/// Writes the records; how many, and the log's last position.
fn write_lines(
    args: &ExportArgs,
    directory: &Path,
    out: &mut impl Write,
    failed: impl Fn(std::io::Error) -> CliError,
) -> Result<(u64, Position), CliError> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    let reader = Reader::open(directory).map_err(CliError::other)?;
    let mut bar = Bar::new("Exporting");
    let mut next = Position(args.from.max(1));
    let mut records = 0_u64;
    while next <= reader.last() {
        let batch = reader.read(next, BATCH).map_err(CliError::other)?;
        let Some(last) = batch.last() else { break };
        next = last.position.next();
        for record in &batch {
            if record.bytes.contains(&b'\n') {
                let what = format!("the record at {} has a line's end within", record.position);
                return Err(CliError::message(what));
            }
            out.write_all(&record.bytes).and_then(|()| out.write_all(b"\n")).map_err(&failed)?;
        }
        records += batch.len() as u64;
        bar.show(next.0 - 1, reader.last().0, "records");
    }
    out.flush().map_err(failed)?;
    bar.finish();
    Ok((records, reader.last()))
}

fn tiles(args: &ExportArgs, directory: &Path, out: &Path, signed: &str) -> Result<Exit, CliError> {
    let reader = Reader::open(directory).map_err(CliError::other)?;
    let keys = LogKeys::read(&keys_dir(&args.address.data)).map_err(CliError::other)?;
    let keys = keys.map(|keys| keys.known()).unwrap_or_default();
    let policy: Vec<_> = keys.into_iter().map(|known| known.key).collect();
    let checkpoint = Checkpoint::verify(signed, &Log::Cases.origin(reader.id()), &policy)
        .map_err(|error| CliError::caused("the checkpoint is not one of this log", error))?;
    let mut bar = Bar::new("Writing tiles");
    let report = export_tiles(&reader, signed, &checkpoint, out, &mut |records| {
        bar.show(records, checkpoint.size, "records");
    })
    .map_err(CliError::other)?;
    bar.finish();
    line(&if args.json {
        serde_json::json!({
            "size": report.size, "written": report.written, "unchanged": report.unchanged,
        })
        .to_string()
    } else {
        format!(
            "{GOOD}exported{GOOD:#}  {} as tiles: {} written, {} were there",
            count(report.size, "record", "records"),
            count(report.written, "file", "files"),
            report.unchanged,
        )
    })?;
    Ok(Exit::Done)
}

/// Makes a log of the lines.
pub(crate) async fn import(args: ImportArgs) -> Result<Exit, CliError> {
    tokio::task::spawn_blocking(move || take_in(&args)).await.map_err(CliError::other)?
}

/// The next line without its end; of one that is too long a byte more than may be.
fn read_record<'b>(
    input: &mut dyn BufRead,
    bytes: &'b mut Vec<u8>,
) -> std::io::Result<Option<&'b [u8]>> {
    bytes.clear();
    let read = input.take(MAX_RECORD_BYTES as u64 + 1).read_until(b'\n', bytes)?;
    Ok((read > 0).then(|| bytes.strip_suffix(b"\n").unwrap_or(bytes)))
}

/// Which log it will be: the one that is named, or that of the checkpoints, or a new one.
fn log_of(args: &ImportArgs) -> Result<uuid::Uuid, CliError> {
    let of = |origin: String| {
        let id = origin.rsplit('/').next().and_then(|id| uuid::Uuid::parse_str(id).ok());
        // Only what the origin of that log would be, in every letter.
        id.filter(|id| Log::Cases.origin(*id) == origin)
    };
    let signed = args.elsewhere.origin()?.and_then(of);
    Ok(args.log.or(signed).unwrap_or_else(uuid::Uuid::new_v4))
}

fn take_in(args: &ImportArgs) -> Result<Exit, CliError> {
    files::check_new_data(&args.data)?;
    let wrong =
        |error| CliError::caused(format!("{} could not be read", args.file.display()), error);
    let mut input: Box<dyn BufRead> = if args.file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::with_capacity(1 << 20, File::open(&args.file).map_err(wrong)?))
    };
    let log = log_of(args)?;
    let elsewhere = args.elsewhere.read(&Log::Cases.origin(log))?;
    let directory = journal_dir(&args.data);
    data_directory::make_private(&directory)?;
    let held = journal::Lock::take(&directory).map_err(CliError::other)?;
    let mut import = Import::begin(&held, log, Options::default().segment_bytes)
        .map_err(CliError::other)?
        .promised(elsewhere);
    let mut bar = Bar::new("Importing");
    let mut bytes = Vec::new();
    let taken = loop {
        let record = match read_record(&mut input, &mut bytes) {
            Ok(None) => break Ok(()),
            Ok(Some(record)) => record,
            Err(error) => break Err(wrong(error)),
        };
        // Before it is followed: what contradicts a checkpoint does so behind it.
        let number = import.next();
        let refusal = match record.last() {
            Some(b'\r') => Some(CliError::message(
                "it ends with a carriage return, which no record does: take the file as `export` \
                 wrote it",
            )),
            _ if record.len() > MAX_RECORD_BYTES => Some(CliError::message(format!(
                "it is longer than the {MAX_RECORD_BYTES} bytes that a record may have"
            ))),
            _ => import.push(record).err().map(CliError::other),
        };
        if let Some(refusal) = refusal {
            let at = format!("line {number} of {}", args.file.display());
            break Err(CliError::caused(format!("{at} is refused; nothing was kept"), refusal));
        }
        bar.show(import.next().0, 0, "records");
    };
    let taken = taken.and_then(|()| match import.next() {
        Position(1) => Err(CliError::message(format!(
            "{} holds no record; nothing was made",
            args.file.display()
        ))),
        _ => Ok(()),
    });
    if let Err(error) = taken {
        import.abandon().map_err(CliError::other)?;
        return Err(error);
    }
    let shown = args.data.display().to_string();
    let (last, root) = import.finish().map_err(|error| behind(Log::Cases, &shown, error))?;
    bar.finish();
    let root = hex::encode(root);
    line(&if args.json {
        serde_json::json!({ "log": log, "records": last, "root": root }).to_string()
    } else {
        let records = count(last.0, "record", "records");
        format!("{GOOD}imported{GOOD:#}  {records} into log {log}\n          root {root}")
    })?;
    Ok(Exit::Done)
}
