//! `tebessa journal repair`: damaged records back from the stream, a backup or another node.

use std::path::{Path, PathBuf};

use journal::note::VerifierKey;
use journal::{
    Checkpoints, Lock, LogKeys, Position, ProvedBy, Reader, RepairOptions, RepairReport, Source,
};
use service::broker::{Broker, Port, Settings};
use service::client::Client;
use service::nats::Server;
use tokio::runtime::Handle;

use crate::address::NatsOptions;
use crate::data_directory;
use crate::journal::elsewhere::note_in;
use crate::output::{Bar, CliError, Exit, GOOD, count, line, note};

const HELP: &str = "\
Stop the node first. A lost record is written only where the log itself proves that the copy is the
one that was lost: by a signed checkpoint, by the tree in a footer, or by the hash that the next record
of its case names. So the source need not be trusted, and nothing is changed unless every lost record is
there and proved. That the checksum of its damaged frame fits is no proof: it can be made to.

A checkpoint that is damaged is replaced by the one of its size that the source or --checkpoint has, if a
key of the log signed that.

The damaged files and a report are kept in the data directory under journal/repaired. The next start
builds the index anew.

Examples:
  tebessa journal repair --from stream
  tebessa journal repair --data /srv/tebessa --from /mnt/backup/tebessa";

/// Restore damaged or lost records of a stopped node's log.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The data directory of the node to repair.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// Where from: `stream`, or the directory of a backup or of another node's data.
    #[arg(long, value_name = "stream|DIR")]
    from: String,
    /// Repair the access log instead, from a backup that was made with --access.
    #[arg(long)]
    access: bool,
    /// The NATS server that has the stream; by default the node's own is started on its store.
    #[arg(long, value_name = "URL", env = "TEBESSA_NATS", hide_env_values = true)]
    nats: Option<String>,
    #[command(flatten)]
    options: NatsOptions,
    /// Also write lost records that follow the ones before them but that nothing left here proves,
    /// such as those behind the last checkpoint, and put a damaged checkpoint aside for which there is
    /// no other. The report names each of them.
    #[arg(long)]
    accept_unproved: bool,
    /// A signed checkpoint that someone else kept, for a damaged one; may be given several times.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Repairs, and says what was done.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let log = data_directory::log(args.access);
    if args.access && args.from == "stream" {
        return Err(CliError::usage(
            "the stream has the cases and not the access log: name a backup of it, made by \
             `tebessa journal backup --access`",
        ));
    }
    let directory = data_directory::record(&args.data, log)?;
    // Held before a NATS server is started on the node's store.
    let held = Lock::take(&directory).map_err(CliError::other)?;
    let report = if args.from == "stream" {
        let policy = Policy::new(&args, &service::node::keys_dir(&args.data))?;
        from_stream(&args, held, policy).await?
    } else {
        let source = data_directory::log_of(Path::new(&args.from), log)?;
        // Those that are not to be read there are not needed from there.
        let kept = Checkpoints::new(&source, "");
        let kept = kept.each().map_err(CliError::other)?;
        let notes: Vec<_> = kept.filter_map(|(_, stored)| Some(stored.ok()?.note)).collect();
        // It may be damaged too, and have what is lost here.
        let source = Reader::open_what_is_whole(&source).map_err(CliError::other)?;
        // By the source's log: what is to be repaired may not be readable.
        let mut policy = Policy::new(&args, &log.keys(&args.data, source.id()))?;
        policy.notes.extend(notes);
        let seen = source.last();
        mend(held, source, seen, policy).await?
    };
    say(&args, &report)
}

/// What is believed and accepted.
struct Policy {
    keys: Vec<VerifierKey>,
    notes: Vec<String>,
    accept_unproved: bool,
}

impl Policy {
    /// Without keys no checkpoint proves anything.
    fn new(args: &Args, keys: &Path) -> Result<Self, CliError> {
        let keys = LogKeys::read(keys).map_err(CliError::other)?;
        let keys = keys.map(|keys| keys.known()).unwrap_or_default();
        let keys = keys.into_iter().map(|known| known.key).collect();
        // Whether a key of the log signed them, the repair looks.
        let notes = args.checkpoint.iter().map(|file| note_in(file).map(|(note, _)| note));
        let notes = notes.collect::<Result<_, _>>()?;
        Ok(Self { keys, notes, accept_unproved: args.accept_unproved })
    }
}

async fn from_stream(args: &Args, held: Lock, policy: Policy) -> Result<RepairReport, CliError> {
    if let Some(url) = &args.nats {
        // In the node's place, by its account.
        return mend_from(args.options.server(url)?.as_of_node(), held, policy).await;
    }
    // For nobody else, whatever the node's is.
    let directory = args.data.join("nats");
    let settings = Settings { directory, port: Port::Free, private: true };
    let broker = Broker::start(settings).await.map_err(CliError::other)?;
    let repaired = mend_from(broker.server().clone(), held, policy).await;
    broker.stop().await;
    repaired
}

async fn mend_from(server: Server, held: Lock, policy: Policy) -> Result<RepairReport, CliError> {
    let client = Client::connect(server).await.map_err(CliError::other)?;
    let seen = client.stream_position().await.map_err(CliError::other)?;
    let source = Stream { client, runtime: Handle::current(), last: seen };
    mend(held, source, Position(seen), policy).await
}

async fn mend(
    held: Lock,
    mut source: impl Source + Send + 'static,
    seen: Position,
    policy: Policy,
) -> Result<RepairReport, CliError> {
    let repaired = tokio::task::spawn_blocking(move || {
        let mut bar = Bar::new("Looking through the log");
        let Policy { keys, notes, accept_unproved } = policy;
        let options = RepairOptions { seen, keys: &keys, notes: &notes, accept_unproved };
        journal::repair(&held, &mut source, options, &mut |records| bar.show(records, 0, "records"))
    });
    repaired.await.map_err(CliError::other)?.map_err(CliError::other)
}

/// The NATS stream, which has each record at the sequence of its position.
struct Stream {
    client: Client,
    runtime: Handle,
    last: u64,
}

impl Source for Stream {
    fn record(&mut self, position: Position) -> Result<Option<Vec<u8>>, journal::Error> {
        if position.0 > self.last {
            return Ok(None);
        }
        let found = self.runtime.block_on(self.client.record(position.0));
        found.map(|record| record.map(Into::into)).map_err(|error| {
            journal::Error::Request(format!(
                "the stream, position {position}: {}",
                service::chain(&error)
            ))
        })
    }

    fn log(&self) -> Option<uuid::Uuid> {
        None
    }
}

fn say(args: &Args, report: &RepairReport) -> Result<Exit, CliError> {
    if args.json {
        line(&serde_json::to_string(report).map_err(CliError::other)?)?;
        return Ok(Exit::Done);
    }
    let Some(kept_in) = &report.kept_in else {
        line(&format!(
            "{GOOD}whole{GOOD:#}  nothing to repair in {}",
            count(report.last.0, "record", "records")
        ))?;
        return Ok(Exit::Done);
    };
    for segment in &report.segments {
        line(&format!(
            "{GOOD}mended{GOOD:#}  {}, byte {}: {}\n        {} whole, {} fetched",
            segment.file,
            segment.offset,
            segment.what,
            count(segment.whole, "record", "records"),
            segment.fetched,
        ))?;
    }
    for checkpoint in &report.checkpoints {
        let done = if checkpoint.fetched { "put back" } else { "put aside" };
        line(&format!(
            "{GOOD}mended{GOOD:#}  {}: {}\n        {done}",
            checkpoint.file, checkpoint.what
        ))?;
    }
    for (proved_by, words) in [
        (ProvedBy::Checkpoint, "proved by a signed checkpoint"),
        (ProvedBy::Tree, "proved by the tree in a footer"),
        (ProvedBy::Chain, "proved by the hash in the next record of the case"),
        (
            ProvedBy::Checksum,
            "with the checksum of the damaged frame: accepted because you said so",
        ),
        (ProvedBy::Nothing, "not proved: accepted because you said so"),
    ] {
        let number = report.restored.iter().filter(|one| one.proved_by == proved_by).count() as u64;
        if number > 0 {
            line(&format!("        {} {words}", count(number, "record", "records")))?;
        }
    }
    note(&format!("the damaged files and the report are in {}", kept_in.display()));
    if !report.segments.is_empty() {
        note("the index is built anew at the next start; `tebessa audit verify` checks everything");
    }
    Ok(Exit::Done)
}
