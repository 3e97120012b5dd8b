//! `tebessa.query.history`: the records of a case, byte for byte, with their words on request.

use std::collections::BTreeMap;

use case::registry::Event as RegistryEvent;
use case::{CaseId, Event, Recorded, Sealed, Version};
use serde_json::Value;
use serde_json::value::RawValue;

use super::MOST_REPLY_BYTES;
use crate::access::{View, Viewed, Viewer};
use crate::cases::raw_records;
use crate::erasure::WITHHELD;
use crate::keys;
use crate::node::Node;
use crate::personal::{self, Opened};
use crate::reply::Failure;

/// What only the record of a rectification holds, so that the others need not be read.
const RECTIFIED: &str = "\"type\":\"tebessa.registry.record-rectified.v1\"";

/// Asks for the records of a case.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// The case.
    pub case: CaseId,
    /// Only what comes after this version.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after: Version,
    /// At most so many records, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// Whether the personal fields are opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(version: &Version) -> bool {
    *version == Version(0)
}

/// One record.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct HistoryEntry {
    /// Its place in the journal.
    pub position: u64,
    /// Its exact bytes: an event, see `schemas/events`.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub record: Box<RawValue>,
    /// The words of its personal fields by path, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<BTreeMap<String, Opened>>,
    /// Which of its fields were rectified later, and by which versions: there stand the old value
    /// and the new one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rectified: Vec<RectifiedBy>,
}

/// A later correction of one field.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct RectifiedBy {
    /// The field's path.
    pub field: String,
    /// The event that holds both values.
    pub version: Version,
}

/// A page of a history.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct HistoryReply {
    /// The case.
    pub case: CaseId,
    /// How many records it has in all.
    pub version: Version,
    /// The records in order.
    pub history: Vec<HistoryEntry>,
    /// Where to go on with `after`; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Version>,
}

/// Answers from the journal. A page ends where the message would grow too long.
pub(crate) fn answer(node: &Node, query: &HistoryQuery) -> Result<Vec<u8>, Failure> {
    // A page of nothing would end where it begins: who follows `next` would do so for ever.
    if query.limit == Some(0) {
        return Err(Failure::malformed("limit: is 0; expected 1 or more"));
    }
    let records = raw_records(node.journal(), query.case, None)?;
    let Some(last) = records.last() else {
        return Err(Failure::no_case(query.case));
    };
    let version = Version(last.version.0);
    let mut reply = HistoryReply { case: query.case, version, history: Vec::new(), next: None };
    let mut length = 200;
    let limit =
        query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut reached = query.after;
    let mut corrections = corrections(&records);
    for record in records.iter().filter(|record| record.version.0 > query.after.0) {
        let mut entry = entry(node, record, query.open)?;
        entry.rectified = corrections.remove(&record.version.0).unwrap_or_default();
        // Opened words may take as much room as the record again.
        length += record.bytes.len() + 64 + opened_length(&entry);
        if reply.history.len() == limit || (length > MOST_REPLY_BYTES && !reply.history.is_empty())
        {
            reply.next = Some(reached);
            break;
        }
        reached = Version(record.version.0);
        reply.history.push(entry);
    }
    let bytes = serde_json::to_vec(&reply).map_err(|error| Failure::because(&error))?;
    // Recorded last and before the answer: so the entry says what is shown, and nothing is shown
    // without it.
    node.access().record_blocking(viewed(query, &reply))?;
    Ok(bytes)
}

fn viewed(query: &HistoryQuery, reply: &HistoryReply) -> Viewed {
    let first = reply.history.first().map(|_| Version(query.after.0 + 1));
    let opened = reply
        .history
        .iter()
        .flat_map(|entry| entry.opened.iter().flatten())
        .any(|(_, opened)| matches!(opened, Opened::Words(_)));
    Viewed {
        opened,
        versions: first.map(|first| (first, Version(first.0 + reply.history.len() as u64 - 1))),
        ..Viewed::unopened(View::History, query.case, query.viewer.clone())
    }
}

/// The later corrections by the version that they rectify.
fn corrections(records: &[journal::Record]) -> BTreeMap<u64, Vec<RectifiedBy>> {
    let mut found: BTreeMap<u64, Vec<RectifiedBy>> = BTreeMap::new();
    let rectifies = |record: &&journal::Record| {
        std::str::from_utf8(&record.bytes).is_ok_and(|text| text.contains(RECTIFIED))
    };
    for record in records.iter().filter(rectifies) {
        let Ok(recorded) = Recorded::decode(&record.bytes, record.position.0) else { continue };
        let Event::Registry(RegistryEvent::RecordRectified(one)) = recorded.event else { continue };
        let by = RectifiedBy { field: one.field.to_string(), version: Version(record.version.0) };
        found.entry(one.target.0).or_default().push(by);
    }
    found
}

fn opened_length(entry: &HistoryEntry) -> usize {
    let length = |(path, opened): (&String, &Opened)| {
        let words = match opened {
            Opened::Words(words) | Opened::Withheld(words) => words,
        };
        // A control character takes six bytes in JSON at the most, others twice their length.
        path.len() + words.len() * 2 + 40
    };
    entry.opened.iter().flatten().map(length).sum()
}

fn entry(node: &Node, record: &journal::Record, open: bool) -> Result<HistoryEntry, Failure> {
    let damaged =
        |reason: String| Failure::unavailable(format!("position {}: {reason}", record.position));
    let text = String::from_utf8(record.bytes.clone())
        .map_err(|_| damaged("the record is not UTF-8".to_owned()))?;
    let raw =
        RawValue::from_string(text).map_err(|_| damaged("the record is not JSON".to_owned()))?;
    let opened = if open { Some(opened(node, record).map_err(damaged)?) } else { None };
    Ok(HistoryEntry { position: record.position.0, record: raw, opened, rectified: Vec::new() })
}

/// The personal fields of a record, opened, by path.
pub(crate) fn opened(
    node: &Node,
    record: &journal::Record,
) -> Result<BTreeMap<String, Opened>, String> {
    let recorded = Recorded::decode(&record.bytes, record.position.0).map_err(|e| e.to_string())?;
    let data = serde_json::to_value(&recorded.event).map_err(|e| e.to_string())?;
    let case = recorded.envelope.case.0;
    let event = recorded.envelope.id.0;
    Ok(personal::open(&data, |sealed, path| open_one(node, sealed, case, event, path)))
}

fn open_one(
    node: &Node,
    sealed: &Sealed,
    case: uuid::Uuid,
    event: uuid::Uuid,
    path: &str,
) -> Opened {
    match node.keys().open_sealed(sealed, case, event, path) {
        Ok(text) => match serde_json::from_str::<Value>(&text) {
            Ok(Value::String(words)) => Opened::Words(words),
            _ => Opened::Withheld("what was sealed is no text".to_owned()),
        },
        Err(keys::Error::KeyDestroyed { .. }) => Opened::Withheld(WITHHELD.to_owned()),
        Err(error) => Opened::Withheld(crate::chain(&error)),
    }
}
