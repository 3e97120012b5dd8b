//! Queries: what the registry answers about cases. They read, and never write.

mod access;
mod audit;
mod case_state;
mod checkpoint;
mod history;
mod list;
mod register;
mod removal_bar;
mod search;
mod statistics;
mod status;
mod what_if;

use std::time::Duration;

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
pub use self::register::{
    FamilyLink, FamilyQuery, FamilyReply, PersonQuery, PersonReply, RegisterQuery, RegisterReply,
};
pub use self::removal_bar::{BarredBy, RemovalBarQuery, RemovalBarReply, RestsOn};
pub use self::search::{SearchQuery, SearchReply};
pub use self::statistics::{StatisticsQuery, StatisticsReply, StatisticsRow, StatisticsTable};
pub use self::status::{AccessState, FollowerState, NodeQuery, NodeReply, TimersState};
pub use self::what_if::{WhatIfPageQuery, WhatIfPageReply, WhatIfQuery, WhatIfReply};
use crate::follower;
use crate::node::Node;
use crate::reply::Failure;
use crate::timers;

/// The most bytes of a reply; below the 1 MiB that a NATS server takes by default.
pub(crate) const MOST_REPLY_BYTES: usize = 900_000;

/// The queries by name, as in `tebessa.query.<name>`, each with a sentence.
pub const QUERIES: &[(&str, &str)] = &[
    ("audit.access", "Who viewed cases, from the access log, page by page."),
    ("audit.as-of", "A case as it was known at a point in time."),
    ("audit.decisions", "The decisions of a case, each on a card."),
    ("audit.diff", "What differs between two points of a case."),
    ("audit.disclosures", "Personal fields of a case with their salts, page by page."),
    ("audit.replay", "What a case's decisions come to when they are derived again."),
    (
        "audit.what-if",
        "What a case's latest assessment would come to under other guidance or findings.",
    ),
    (
        "audit.what-if-cases",
        "What the latest assessments of all cases would come to, page by page.",
    ),
    ("case", "The state of a case, now or at a version."),
    ("checkpoint", "A signed checkpoint of the log as it is now."),
    ("evidence-check", "Whether the kept file of an item of evidence is still what it was."),
    ("evidence-file", "Opens the file of an item of evidence for reading."),
    ("evidence-part", "The bytes of one part of a file that is open."),
    ("family", "The claims that are linked with a case as family, in both directions."),
    ("history", "The records of a case in order."),
    ("list", "Cases by status, profile and age, the oldest first, page by page."),
    ("removal-bar", "Whether the person of a case must not be removed, and why."),
    ("node", "Whether the node is well and how far it is."),
    ("person", "The claims of a person, through all merges that hold."),
    ("register", "The authority's register: persons, guidance, officers."),
    ("search", "Cases by the number of another body, or by their thread."),
    ("statistics", "Outcomes in numbers for the public; small numbers are hidden."),
];

/// How long a query waits for the index: as long as that lets records gather at most.
const INDEX_WAIT: Duration = Duration::from_secs(1);

/// Before a query is answered from the index: lets that catch up with what is durable now, for a
/// moment. So who was told that a command was accepted finds what it did. While the index is built
/// anew, or under the heaviest load, they may not, and the position in the answer says so.
pub(crate) async fn wait_for_index(node: &Node, name: &str) {
    if !matches!(
        name,
        "audit.what-if-cases" | "family" | "list" | "person" | "search" | "statistics"
    ) {
        return;
    }
    let last = *node.journal().durable().borrow();
    let mut applied = node.journal().index_caught_up();
    // Late or ended, the answer is what there is.
    let _ = tokio::time::timeout(INDEX_WAIT, applied.wait_for(|applied| *applied >= last)).await;
}

/// Answers a query by its name.
pub fn answer(
    node: &Node,
    follower: &follower::Status,
    name: &str,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    match name {
        "audit.access" => encode(&access::answer(node, &read(bytes)?)?),
        "audit.as-of" => encode(&audit::as_of(node, &read(bytes)?)?),
        "audit.decisions" => encode(&audit::decisions(node, &read(bytes)?)?),
        "audit.diff" => encode(&audit::diff(node, &read(bytes)?)?),
        "audit.disclosures" => encode(&audit::disclose(node, &read(bytes)?)?),
        "audit.replay" => encode(&audit::replay(node, &read(bytes)?)?),
        "audit.what-if" => encode(&what_if::of_case(node, &read(bytes)?)?),
        "audit.what-if-cases" => encode(&what_if::page(node, &read(bytes)?)?),
        "case" => encode(&case_state::answer(node, &read(bytes)?)?),
        "checkpoint" => encode(&checkpoint::answer(node, &read(bytes)?)?),
        "history" => history::answer(node, &read(bytes)?),
        "list" => encode(&list::answer(node, &read(bytes)?)?),
        "family" => encode(&register::family(node, &read(bytes)?)?),
        "person" => encode(&register::person(node, &read(bytes)?)?),
        "search" => encode(&search::answer(node, &read(bytes)?)?),
        "statistics" => {
            read::<StatisticsQuery>(bytes)?;
            encode(&statistics::answer(node)?)
        }
        "register" => encode(&register::register(node, &read(bytes)?)?),
        "removal-bar" => encode(&removal_bar::answer(node, follower, &read(bytes)?)?),
        "node" => how_it_is(node, follower, None, bytes),
        _ => {
            let names: Vec<_> = QUERIES.iter().map(|(name, _)| *name).collect();
            Err(Failure::malformed(format!("no such query; there are {}", names.join(", "))))
        }
    }
}

/// Answers the query `node` where timers run inside it.
pub(crate) fn how_it_is(
    node: &Node,
    follower: &follower::Status,
    timers: Option<&timers::Status>,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    read::<NodeQuery>(bytes)?;
    encode(&status::answer(node, follower, timers)?)
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
