//! `tebessa audit verify`: whether the record is whole and unaltered.

use std::path::PathBuf;

use case::Recorded;
use futures::StreamExt;
use journal::{Position, Reader};
use service::queries::NodeReply;

use crate::address::NodeFile;
use crate::output::{CliError, Exit};

/// How many records are read at once.
const BATCH: usize = 4_096;

/// Check the record: frames, hashes, chains and tree of the log, the form of every record, and,
/// where a node runs on the directory, the stream byte by byte.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data directory; the node may run or be stopped.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// Do not look at the stream.
    #[arg(long)]
    no_stream: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What was checked.
#[derive(serde::Serialize)]
struct Checked {
    ok: bool,
    records: u64,
    streams: u64,
    position: u64,
    root: String,
    stream: String,
    index: String,
}

/// Checks everything; the first fault ends it with exit code 1.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let directory = service::node::journal_dir(&args.data);
    let seen = if args.no_stream { Position(0) } else { seen_by_stream(&args.data).await };
    let bar = crate::output::bar("bytes");
    let report = {
        let directory = directory.clone();
        let shown = bar.clone();
        tokio::task::spawn_blocking(move || {
            journal::verify_at_least(&directory, seen, &mut |step| {
                shown.set_length(step.total_bytes);
                shown.set_position(step.bytes);
            })
        })
        .await
        .map_err(CliError::other)?
    };
    bar.finish_and_clear();
    let report = report.map_err(CliError::other)?;
    let read = {
        let directory = directory.clone();
        tokio::task::spawn_blocking(move || readable(&directory)).await.map_err(CliError::other)?
    };
    read?;
    let (stream, index) = live(&args, &directory).await?;
    let checked = Checked {
        ok: true,
        records: report.records,
        streams: report.streams,
        position: report.records,
        root: hex::encode(report.root),
        stream,
        index,
    };
    if args.json {
        crate::output::line(&serde_json::to_string(&checked).map_err(CliError::other)?)?;
    } else {
        crate::output::line(&format!(
            "the log is whole: {} records of {} cases, every frame, hash, chain and tree\n\
             every record can be read\nroot   {}\nstream {}\nindex  {}",
            checked.records, checked.streams, checked.root, checked.stream, checked.index
        ))?;
    }
    Ok(Exit::Done)
}

/// The last position that the stream has: a log that ends before it has lost records.
async fn seen_by_stream(data: &std::path::Path) -> Position {
    let Ok(file) = NodeFile::read(data) else { return Position(0) };
    match service::client::Client::connect(&file.nats).await {
        Ok(client) => Position(client.stream_position().await.unwrap_or(0)),
        Err(_) => Position(0),
    }
}

/// Reads every record strictly and into its type.
fn readable(directory: &std::path::Path) -> Result<(), CliError> {
    let reader = Reader::open(directory).map_err(CliError::other)?;
    let mut next = Position(1);
    while next <= reader.last() {
        let records = reader.read(next, BATCH).map_err(CliError::other)?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            let at = || format!("position {}, case {}", record.position, record.stream);
            case::strict::parse(&record.bytes).map_err(|error| CliError::caused(at(), error))?;
            Recorded::decode(&record.bytes, record.position.0)
                .map_err(|error| CliError::caused(at(), error))?;
            next = record.position.next();
        }
    }
    Ok(())
}

/// Compares the stream with the log where a node runs, and says what was not looked at.
async fn live(args: &Args, directory: &std::path::Path) -> Result<(String, String), CliError> {
    let Ok(file) = NodeFile::read(&args.data) else {
        let why = "not checked: no node runs here";
        return Ok((why.to_owned(), format!("{why}; it is rebuilt from the log where needed")));
    };
    let client = match service::client::Client::connect(&file.nats).await {
        Ok(client) => client,
        Err(error) => {
            let why = format!("not checked: {}", service::chain(&error));
            return Ok((why.clone(), why));
        }
    };
    let reply = client.query("node", Vec::new()).await.map_err(CliError::other)?;
    let node: NodeReply = serde_json::from_slice(&reply).map_err(CliError::other)?;
    let index = format!("the node says that it has {} of {}", node.index_position, node.position);
    if args.no_stream {
        return Ok(("not checked: --no-stream".to_owned(), index));
    }
    let last = client.stream_position().await.map_err(CliError::other)?;
    let reader = Reader::open(directory).map_err(CliError::other)?;
    let last = last.min(reader.last().0);
    let mut seen = 0;
    if last > 0 {
        let mut messages = std::pin::pin!(client.watch(1).await.map_err(CliError::other)?);
        while let Some(message) = messages.next().await {
            let message = message.map_err(CliError::other)?;
            let ours = reader.read(Position(message.position), 1).map_err(CliError::other)?;
            let same = ours.first().is_some_and(|ours| ours.bytes == message.record[..]);
            if message.position != seen + 1 || !same {
                return Err(CliError::message(format!(
                    "the stream differs from the log at position {}",
                    seen + 1
                )));
            }
            seen = message.position;
            if seen >= last {
                break;
            }
        }
    }
    Ok((format!("{seen} messages, every byte as in the log"), index))
}
