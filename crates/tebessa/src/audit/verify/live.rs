//! What only a running node can be asked: its index, which it holds locked, and its stream.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use case::{CaseId, Summary};
use futures::{Stream, StreamExt};
use journal::{Position, Reader};
use service::client::{Client, ClientError, StreamMessage};
use service::nats::Server;
use service::queries::{FollowerState, ListQuery, ListReply, NodeReply};

use super::Stop;
use super::indexed::Indexed;
use super::report::{Damage, Part};
use crate::address::NodeFile;
use crate::ask::{ask, ask_node};
use crate::output::{Bar, CliError, count};

/// How long the next message of the stream may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many records are read at once.
const BATCH: usize = 2_048;
/// How many cases are asked for at once.
const PAGE: u32 = 1_000;

/// The node that runs on the data directory, or why there is none to ask.
pub(super) enum Live {
    Running { client: Client, server: Box<Server>, node: Box<NodeReply> },
    Absent { reason: String },
}

impl Live {
    /// Looks for the node.
    pub(super) async fn find(data: &Path) -> Self {
        let file = match NodeFile::read(data) {
            Ok(file) => file,
            Err(error) if error.missing() => {
                return Self::Absent { reason: "no node runs on this directory".to_owned() };
            }
            // A node may run there all the same.
            Err(error) => return Self::Absent { reason: service::chain(&error) },
        };
        let server = file.server();
        match connect(server.clone()).await {
            Ok((client, node)) => {
                Self::Running { client, server: Box::new(server), node: Box::new(node) }
            }
            Err(error) => Self::Absent {
                reason: format!("the node does not answer ({})", service::chain(&error)),
            },
        }
    }

    /// The last position that the node has promised, or that its index has seen where it does not run;
    /// the log must have it.
    pub(super) fn positions(&self, indexed: &Indexed) -> u64 {
        match self {
            Self::Running { node, .. } => node.position,
            Self::Absent { .. } => indexed.position(),
        }
    }

    /// Whether it is known beside the log what was acknowledged last.
    pub(super) const fn knows_the_end(&self, indexed: &Indexed) -> bool {
        match self {
            Self::Running { .. } => true,
            Self::Absent { .. } => indexed.known(),
        }
    }

    /// Compares the node's list of cases with what the records add up to. Cases that changed
    /// since the records were read are passed over.
    pub(super) async fn index(
        &self,
        indexed: &Indexed,
        folded: &HashMap<CaseId, Summary>,
    ) -> Result<Part, Stop> {
        let Self::Running { client, node, .. } = self else {
            return Ok(Part::unchecked(self.reason(&indexed.words())));
        };
        let mut query = ListQuery { limit: Some(PAGE), ..ListQuery::default() };
        let (mut seen, mut equal) = (0_u64, 0_u64);
        loop {
            let page: ListReply = ask(client, "list", &query).await?;
            for listed in page.cases.iter().map(|listed| &listed.summary) {
                seen += 1;
                match folded.get(&listed.case) {
                    Some(ours) if ours.version != listed.version => {}
                    Some(ours) if ours == listed => equal += 1,
                    // Registered since the records were read.
                    None if node.position < page.position => {}
                    Some(_) | None => return Err(Damage::of_index(listed.case).into()),
                }
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        let behind = node.position.saturating_sub(node.index_position);
        if seen < folded.len() as u64 && behind == 0 {
            let what = format!("it lists {seen} of {} cases", folded.len());
            return Err(Damage::elsewhere("the index", what).into());
        }
        let cases = count(equal, "case as its records", "cases as their records");
        let position = count(node.index_position, "record", "records");
        let words = format!("has {position}, lists {cases} add up to (the node was asked)");
        Ok(Part::checked(node.index_position, words))
    }

    /// Compares the stream with the log, message by message.
    pub(super) async fn stream(&self, directory: &Path, skip: bool) -> Result<Part, Stop> {
        let Self::Running { client, server, node } = self else {
            return Ok(Part::unchecked(self.reason("the stream is filled from the log")));
        };
        if skip {
            return Ok(Part::unchecked("--no-stream".to_owned()));
        }
        match &node.stream {
            FollowerState::Away => {
                return Ok(Part::unchecked("NATS or the stream is away".to_owned()));
            }
            FollowerState::Halted { reason } => {
                return Err(Damage::elsewhere("the stream", reason.clone()).into());
            }
            FollowerState::Following { .. } | FollowerState::CatchingUp { .. } => {}
        }
        let last = match client.stream_position().await {
            Ok(last) => last,
            Err(error) => return Ok(Part::unchecked(service::chain(&error))),
        };
        // Opened behind the question, so that it must have all that the stream has.
        let reader = Reader::open(directory)?;
        if reader.last().0 < last {
            let what = format!("has position {last}, but the log ends at {}", reader.last());
            return Err(Damage::elsewhere("the stream", what).into());
        }
        if last > 0 {
            let messages = client.watch(1).await.map_err(CliError::other)?;
            compare(server, std::pin::pin!(messages), &reader, last).await?;
        }
        let same =
            count(last, "message, byte for byte the log's", "messages, byte for byte the log's");
        let words = match node.position.saturating_sub(last) {
            0 => same,
            behind => format!("{same}; {} are still to come", count(behind, "record", "records")),
        };
        Ok(Part::checked(last, words))
    }

    /// Why there is no node to ask, and what to say of it.
    pub(super) fn reason(&self, consolation: &str) -> String {
        match self {
            Self::Running { .. } => consolation.to_owned(),
            Self::Absent { reason } => format!("{reason}; {consolation}"),
        }
    }
}

async fn connect(server: Server) -> Result<(Client, NodeReply), CliError> {
    let client = Client::connect(server).await.map_err(CliError::other)?;
    let (node, _) = ask_node(&client).await?;
    Ok((client, node))
}

/// Compares the messages from position 1 to `last` with the log.
async fn compare(
    server: &Server,
    mut messages: impl Stream<Item = Result<StreamMessage, ClientError>> + Unpin,
    reader: &Reader,
    last: u64,
) -> Result<(), Stop> {
    let mut bar = Bar::new("Comparing the stream");
    let mut next = Position(1);
    while next.0 <= last {
        let most = usize::try_from(last - next.0 + 1).unwrap_or(BATCH).min(BATCH);
        for record in reader.read(next, most)? {
            let message = match next_message(&mut messages, next).await {
                Ok(message) => message,
                Err(error) => {
                    return Err(match unreadable(server, reader, next, last).await {
                        Some(damage) => damage.into(),
                        None => error.into(),
                    });
                }
            };
            if message.position != next.0 {
                let what = format!("the message at {next} is missing");
                return Err(Damage::elsewhere("the stream", what).into());
            }
            if message.record[..] != record.bytes[..] {
                let what = "the message has other bytes than the record".to_owned();
                return Err(Damage::of_record(&record, what).found_in("the stream").into());
            }
            next = next.next();
        }
        bar.show(next.0 - 1, last, "messages");
    }
    Ok(())
}

/// The message at which a connection ends, as nobody can read it: it is at the position that was waited for,
/// or one behind that was on its way too. Asked for one by one, by a connection that does not end with it.
async fn unreadable(server: &Server, reader: &Reader, from: Position, last: u64) -> Option<Damage> {
    let client = Client::connect(server.clone()).await.ok()?;
    let most = usize::try_from(last - from.0 + 1).unwrap_or(BATCH).min(BATCH);
    for record in reader.read(from, most).ok()? {
        if client.is_unreadable(record.position.0).await.ok()? {
            let what = "the message is none that can be read".to_owned();
            return Some(Damage::of_record(&record, what).found_in("the stream"));
        }
    }
    None
}

async fn next_message(
    messages: &mut (impl Stream<Item = Result<StreamMessage, ClientError>> + Unpin),
    next: Position,
) -> Result<StreamMessage, CliError> {
    tokio::time::timeout(PATIENCE, messages.next())
        .await
        .map_err(|_| CliError::message(format!("the stream gave no position {next} for 30 s")))?
        .ok_or_else(|| CliError::message("the stream ended early"))?
        .map_err(CliError::other)
}
