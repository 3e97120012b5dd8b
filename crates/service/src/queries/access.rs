//! `tebessa.query.audit.access`: who viewed cases, from the access log.

use case::CaseId;
use case::token::ActorId;
use jiff::Timestamp;
use journal::{Position, StreamId};

use crate::access::AccessEntry;
use crate::cases::raw_records;
use crate::node::Node;
use crate::reply::Failure;

/// The most entries of a page: some 400 bytes each.
const MOST_ENTRIES: usize = 1_000;
/// How many entries are looked through for one page at the most; a page may then be short.
const MOST_READ: u64 = 100_000;
/// How many are read at once.
const BATCH: usize = 2_048;

/// Asks for views of cases.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AccessQuery {
    /// Only of this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// Only by this viewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<ActorId>,
    /// Only what was recorded at this instant or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// Only where words or a file were released.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opened: bool,
    /// Only what comes after this position of the access log.
    #[serde(default)]
    pub after: u64,
}

impl AccessQuery {
    /// Whether an entry is one that is asked for.
    #[must_use]
    pub fn admits(&self, entry: &AccessEntry) -> bool {
        let by = |id: &ActorId| entry.viewer.as_ref().is_some_and(|viewer| viewer.id == *id);
        entry.position > self.after
            && self.case.is_none_or(|case| entry.case == case)
            && self.viewer.as_ref().is_none_or(by)
            && self.since.is_none_or(|since| entry.time >= since)
            && (entry.opened || !self.opened)
    }
}

/// A page of views.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct AccessReply {
    /// The views in the order of their recording.
    pub entries: Vec<AccessEntry>,
    /// Where to go on with `after`; absent on the last page. A page may be empty and not the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Answers from what is durable in the access log.
pub(super) fn answer(node: &Node, query: &AccessQuery) -> Result<AccessReply, Failure> {
    let journal = node.access().journal()?;
    let failed = |error: journal::Error| Failure::because(&error);
    let mut reply = AccessReply { entries: Vec::new(), next: None };
    if let Some(case) = query.case {
        let records = journal.read_stream(StreamId(case.0), None).map_err(failed)?;
        take(&mut reply, query, &records)?;
        // Whose id was mistyped would read that nobody looked.
        if records.is_empty() && raw_records(node.journal(), case, None)?.is_empty() {
            return Err(Failure::no_case(case));
        }
        return Ok(reply);
    }
    let mut reached = query.after;
    loop {
        let records = journal.read(Position(reached + 1), BATCH).map_err(failed)?;
        let Some(last) = records.last() else { return Ok(reply) };
        reached = last.position.0;
        if !take(&mut reply, query, &records)? {
            return Ok(reply);
        }
        if reached - query.after >= MOST_READ {
            reply.next = Some(reached);
            return Ok(reply);
        }
    }
}

/// Takes what is asked for; false when the page is full.
fn take(
    reply: &mut AccessReply,
    query: &AccessQuery,
    records: &[journal::Record],
) -> Result<bool, Failure> {
    for record in records.iter().filter(|record| record.position.0 > query.after) {
        let entry = AccessEntry::decode(record).map_err(|error| Failure::because(&error))?;
        if query.admits(&entry) {
            if reply.entries.len() == MOST_ENTRIES {
                reply.next = reply.entries.last().map(|entry| entry.position);
                return Ok(false);
            }
            reply.entries.push(entry);
        }
    }
    Ok(true)
}
