//! Queries: what the registry answers about cases. They read, and never write.

mod access;
mod audit;
mod case_state;
mod checkpoint;
mod history;
mod list;
mod query;
mod register;
mod removal_bar;
mod search;
mod statistics;
mod status;
mod what_if;

use std::time::Duration;

use case::Instant;
use journal::Position;
use serde::de::DeserializeOwned;

pub use self::access::{AccessQuery, AccessReply};
pub use self::audit::{
    AsOfQuery, AuditQuery, CardsReply, DiffQuery, DisclosuresQuery, DisclosuresReply, ReplayReply,
};
pub use self::case_state::{CaseQuery, CaseReply};
pub use self::checkpoint::{CheckpointQuery, CheckpointReply};
pub(crate) use self::history::opened;
pub use self::history::{HistoryEntry, HistoryQuery, HistoryReply, RectifiedBy};
pub use self::list::{ListQuery, ListReply, ListedCase};
pub(crate) use self::query::LaneName;
pub use self::query::Query;
pub use self::register::{
    FamilyLink, FamilyQuery, FamilyReply, PersonQuery, PersonReply, RegisterQuery, RegisterReply,
};
pub use self::removal_bar::{BarredBy, RemovalBarQuery, RemovalBarReply, RestsOn};
pub use self::search::{SearchQuery, SearchReply};
pub use self::statistics::{StatisticsQuery, StatisticsReply, StatisticsRow, StatisticsTable};
pub use self::status::{
    AccessState, FollowerState, NodeQuery, NodeReply, TimersState, UnsignedLogs,
};
pub use self::what_if::{WhatIfPageQuery, WhatIfPageReply, WhatIfQuery, WhatIfReply};
use crate::follower;
pub use crate::nats::Cut;
use crate::node::Node;
pub use crate::overheard::Overheard;
use crate::reply::Failure;
use crate::timers;

/// The most bytes of a reply; below the 1 MiB that a NATS server takes by default.
pub(crate) const MOST_REPLY_BYTES: usize = 900_000;

/// How long a query waits for the index: that lets records gather for a second at most, and then has to
/// take them in.
const INDEX_WAIT: Duration = Duration::from_secs(3);

/// When a query came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// By the node's clock.
    pub(crate) at: Instant,
    /// Everything that was durable at that moment is at this position of the journal or before it.
    pub(crate) position: Position,
}

impl Asked {
    /// A query that comes now.
    pub(crate) fn now(node: &Node) -> Self {
        // In this order: what becomes durable in between is taken in.
        let at = Instant::new(jiff::Timestamp::now());
        Self { at, position: node.journal().durable_position() }
    }
}

/// Before a query is answered from the index: lets that catch up with what is durable now, for a
/// moment. So who was told that a command was accepted finds what it did. While the index is built
/// anew, or under the heaviest load, they may not: the position in the answer says so, and a removal is
/// barred.
pub(crate) async fn wait_for_index(node: &Node, query: Query) -> Asked {
    let asked = Asked::now(node);
    if query.needs_index() {
        let mut applied = node.journal().index_caught_up();
        let reached = applied.wait_for(|applied| *applied >= asked.position);
        // Late or ended, the answer is what there is.
        let _ = tokio::time::timeout(INDEX_WAIT, reached).await;
    }
    asked
}

/// The query of a name; 400 where there is none.
pub(crate) fn named(name: &str) -> Result<Query, Failure> {
    Query::of(name).ok_or_else(|| {
        let names = Query::names().join(", ");
        Failure::malformed(format!("no such query; there are {names}"))
    })
}

/// Answers a query by its name, where no timers run inside the node. Files of evidence are answered by a
/// node that runs, and by it only. Blocks, but does not wait for the index: the answer is as new as that is.
pub fn answer(
    node: &Node,
    follower: &follower::Status,
    name: &str,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    let around = Around {
        follower: follower.clone(),
        timers: None,
        overheard: Vec::new(),
        cuts: Vec::new(),
        short: None,
    };
    answer_to(node, &around, named(name)?, Asked::now(node), bytes)
}

/// How what is around a node is, while it is asked.
pub(crate) struct Around {
    pub(crate) follower: follower::Status,
    /// Where they run inside.
    pub(crate) timers: Option<timers::Status>,
    /// Streams of somebody else that take what is sent to the node.
    pub(crate) overheard: Vec<Overheard>,
    /// How often the connections were cut.
    pub(crate) cuts: Vec<Cut>,
    /// The most bytes of a message, where that is less than the node needs.
    pub(crate) short: Option<u64>,
}

/// Answers a query that needs the node alone.
pub(crate) fn answer_to(
    node: &Node,
    around: &Around,
    query: Query,
    asked: Asked,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    match query {
        Query::AuditAccess => encode(&access::answer(node, &read(bytes)?)?),
        Query::AuditAsOf => encode(&audit::as_of(node, &read(bytes)?)?),
        Query::AuditDecisions => encode(&audit::decisions(node, &read(bytes)?)?),
        Query::AuditDiff => encode(&audit::diff(node, &read(bytes)?)?),
        Query::AuditDisclosures => encode(&audit::disclose(node, &read(bytes)?)?),
        Query::AuditReplay => encode(&audit::replay(node, &read(bytes)?)?),
        Query::AuditWhatIf => encode(&what_if::of_case(node, &read(bytes)?)?),
        Query::AuditWhatIfCases => encode(&what_if::page(node, &read(bytes)?)?),
        Query::Case => encode(&case_state::answer(node, &read(bytes)?)?),
        Query::Checkpoint => encode(&checkpoint::answer(node, &read(bytes)?)?),
        Query::EvidenceCheck | Query::EvidenceFile | Query::EvidencePart => {
            Err(Failure::unavailable("files of evidence are opened by a running node only"))
        }
        Query::History => history::answer(node, &read(bytes)?),
        Query::List => encode(&list::answer(node, &read(bytes)?)?),
        Query::Family => encode(&register::family(node, &read(bytes)?)?),
        Query::Person => encode(&register::person(node, &read(bytes)?)?),
        Query::Search => encode(&search::answer(node, &read(bytes)?)?),
        Query::Statistics => {
            read::<StatisticsQuery>(bytes)?;
            encode(&statistics::answer(node)?)
        }
        Query::Register => encode(&register::register(node, &read(bytes)?)?),
        Query::RemovalBar => {
            encode(&removal_bar::answer(node, &around.follower, asked, &read(bytes)?)?)
        }
        Query::Node => {
            read::<NodeQuery>(bytes)?;
            encode(&status::answer(node, around)?)
        }
    }
}

/// Refuses what is longer than any query.
pub(crate) fn check_length(bytes: &[u8]) -> Result<(), Failure> {
    if bytes.len() > crate::request::MAX_COMMAND_BYTES {
        return Err(Failure::too_large("a query has at most 65,535 bytes"));
    }
    Ok(())
}

/// Reads a query strictly; nothing at all means an empty object.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    check_length(bytes)?;
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    case::strict::parse(bytes)
        .and_then(|value| case::strict::typed("", value))
        .map_err(|malformed| Failure::malformed(malformed.to_string()))
}

fn encode<T: serde::Serialize>(reply: &T) -> Result<Vec<u8>, Failure> {
    let bytes = serde_json::to_vec(reply).map_err(|error| Failure::because(&error))?;
    if bytes.len() > MOST_REPLY_BYTES {
        return Err(Failure::too_large(
            "the answer is longer than a message may be; ask for less, such as one page of the history",
        ));
    }
    Ok(bytes)
}
