//! `tebessa submit`: commands from a file or a pipe, one a line, answered in the same order.

mod line;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use service::client::{Client, ClientError};
use service::reply::Reply;
use tokio::io::{AsyncRead, BufReader};
use tokio::sync::Mutex;

use self::line::Line;
use crate::address::Address;
use crate::output::{CliError, Exit};

/// How many commands of different cases are under way at once.
const WINDOW: usize = 256;
/// How often a command without an answer is sent again; its id makes that safe.
const MOST_TRIES: u32 = 4;
/// The pause before a command is sent again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Send commands: one JSON object a line, one reply a line in the same order.
///
/// A reply is the service's own: accepted or rejected. Where there is none, the line is
/// {"outcome":"failed","code":…,"message":…}. Commands of one case go one after the other, those
/// of different cases side by side.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all accepted, 3 some rejected, 1 some failed, 2 wrong use.")]
pub(crate) struct Args {
    /// The file with the commands; - or nothing for standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    address: Address,
    /// No summary on standard error.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Default)]
struct Counts {
    accepted: u64,
    rejected: u64,
    failed: u64,
}

/// What a line became.
struct Answer {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Accepted,
    Rejected,
    Failed,
}

/// Sends every line.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let input: Box<dyn AsyncRead + Unpin + Send> = match &args.file {
        Some(path) if path.as_os_str() != "-" => Box::new(
            tokio::fs::File::open(path)
                .await
                .map_err(|error| CliError::caused(path.display(), error))?,
        ),
        _ => Box::new(tokio::io::stdin()),
    };
    let client = args.address.connect().await?;
    let bar = crate::output::bar("commands");
    let counts = send_all(&client, input, &bar).await;
    bar.finish_and_clear();
    let counts = counts?;
    if !args.quiet {
        let _ = std::io::Write::write_fmt(
            &mut anstream::stderr(),
            format_args!(
                "{} accepted, {} rejected, {} failed\n",
                counts.accepted, counts.rejected, counts.failed
            ),
        );
    }
    Ok(match counts {
        Counts { failed: 1.., .. } => Exit::Failed,
        Counts { rejected: 1.., .. } => Exit::Rejected,
        Counts { .. } => Exit::Done,
    })
}

/// One lock per case, handed out in the order of the lines: tokio's mutex is fair, so whoever
/// asks first is served first.
type Turns = HashMap<uuid::Uuid, Arc<Mutex<()>>>;

async fn send_all(
    client: &Client,
    input: Box<dyn AsyncRead + Unpin + Send>,
    bar: &indicatif::ProgressBar,
) -> Result<Counts, CliError> {
    let mut reader = BufReader::new(input);
    let mut counts = Counts::default();
    let mut turns = Turns::new();
    let mut number = 0_u64;
    let mut ended = false;
    let mut under_way = futures::stream::FuturesOrdered::new();
    let mut bytes = Vec::new();
    while !ended || !under_way.is_empty() {
        tokio::select! {
            read = line::read(&mut reader, &mut bytes), if !ended && under_way.len() < WINDOW => {
                let Some(line) = read.map_err(|error| CliError::caused("the input", error))? else {
                    ended = true;
                    continue;
                };
                number += 1;
                if line.is_blank() {
                    continue;
                }
                if turns.len() > 4 * WINDOW {
                    turns.retain(|_, turn| Arc::strong_count(turn) > 1);
                }
                let turn = line.case().map(|case| turns.entry(case).or_default().clone());
                // Asking for the turn here, before the next line is read, keeps the order.
                let turn = turn.map(Mutex::lock_owned);
                under_way.push_back(spawn(client.clone(), line, number, turn).await);
            }
            Some(answer) = under_way.next() => {
                let answer: Answer = answer.map_err(CliError::other)?;
                match answer.kind {
                    Kind::Accepted => counts.accepted += 1,
                    Kind::Rejected => counts.rejected += 1,
                    Kind::Failed => counts.failed += 1,
                }
                crate::output::line(&answer.text)?;
                bar.inc(1);
            }
        }
    }
    Ok(counts)
}

/// Starts a task that waits for its turn, sends and answers. The turn is queued for before this
/// returns.
async fn spawn(
    client: Client,
    line: Line,
    number: u64,
    turn: Option<impl Future<Output = tokio::sync::OwnedMutexGuard<()>> + Send + 'static>,
) -> tokio::task::JoinHandle<Answer> {
    let mut turn = turn.map(Box::pin);
    let mut first = None;
    if let Some(waiting) = turn.as_mut() {
        // One poll puts it into the queue of its case.
        first = match futures::poll!(waiting.as_mut()) {
            std::task::Poll::Ready(guard) => Some(guard),
            std::task::Poll::Pending => None,
        };
    }
    tokio::spawn(async move {
        let guard = match (first, turn) {
            (Some(guard), _) => Some(guard),
            (None, Some(waiting)) => Some(waiting.await),
            (None, None) => None,
        };
        let answer = send(&client, &line, number).await;
        drop(guard);
        answer
    })
}

async fn send(client: &Client, line: &Line, number: u64) -> Answer {
    let name = match line.name() {
        Ok(name) => name,
        Err(reason) => return failed(400, &format!("line {number}: {reason}")),
    };
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        match client.command(name, line.bytes().to_vec()).await {
            Ok(reply) => return answered(&reply, number),
            Err(ClientError::Timeout(_) | ClientError::Broken(_) | ClientError::NobodyThere(_))
                if attempt < MOST_TRIES =>
            {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(ClientError::Service { code, message }) => {
                return failed(code, &format!("line {number}: {message}"));
            }
            Err(error) => {
                return failed(503, &format!("line {number}: {}", service::chain(&error)));
            }
        }
    }
    failed(503, &format!("line {number}: no answer"))
}

fn answered(reply: &[u8], number: u64) -> Answer {
    let text = String::from_utf8_lossy(reply).into_owned();
    match serde_json::from_slice(reply) {
        Ok(Reply::Accepted { .. }) => Answer { text, kind: Kind::Accepted },
        Ok(Reply::Rejected { .. }) => Answer { text, kind: Kind::Rejected },
        Err(error) => failed(502, &format!("line {number}: the reply cannot be read: {error}")),
    }
}

fn failed(code: u16, message: &str) -> Answer {
    let text = json!({ "outcome": "failed", "code": code, "message": message }).to_string();
    Answer { text, kind: Kind::Failed }
}
