//! `tebessa.query.audit.*`: what an auditor's tool asks, without a shell on the node.

use std::slice;

use case::card::{Card, cards};
use case::replay::Shelf;
use case::{CaseId, Recorded, Version};
use journal::Record;

use super::MOST_REPLY_BYTES;
use crate::access::{View, Viewed, Viewer};
use crate::audit::dossier::{Disclosure, disclosures};
use crate::audit::{self, Entry};
use crate::cases::raw_records;
use crate::node::Node;
use crate::reply::Failure;

/// Asks for the replay of a case, or for the cards of its decisions.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// The case.
    pub case: CaseId,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// The replay of a case under the node's guidance.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ReplayReply {
    /// The case.
    pub case: CaseId,
    /// Every step that was derived again.
    pub entries: Vec<Entry>,
}

/// The decisions of a case.
#[derive(Debug, Clone, serde::Serialize)]
pub struct CardsReply {
    /// The case.
    pub case: CaseId,
    /// A card for each decision, in order.
    pub cards: Vec<Card>,
}

/// Asks for personal fields with their salts, for a dossier.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DisclosuresQuery {
    /// The case.
    pub case: CaseId,
    /// Which fields: `all`, a path such as `reason`, or one of one event, `12:reason`.
    pub fields: Vec<String>,
    /// Only what comes after this version.
    #[serde(default)]
    pub after: Version,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// A page of disclosures.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisclosuresReply {
    /// The fields in order, those of an event on one page.
    pub disclosures: Vec<Disclosure>,
    /// Where to go on with `after`; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Version>,
}

fn records(node: &Node, case: CaseId) -> Result<(Vec<Record>, Vec<Recorded>), Failure> {
    let raw = raw_records(node.journal(), case, None)?;
    if raw.is_empty() {
        return Err(Failure::not_found(format!("there is no case {case}")));
    }
    let read = raw.iter().map(|record| {
        audit::next(record, Version(record.version.0.saturating_sub(1)))
            .map_err(|error| Failure::unavailable(error.to_string()))
    });
    let read = read.collect::<Result<_, _>>()?;
    Ok((raw, read))
}

pub(super) fn replay(node: &Node, query: &AuditQuery) -> Result<ReplayReply, Failure> {
    let (raw, _) = records(node, query.case)?;
    let entries = audit::replay_case(&raw, Shelf(slice::from_ref(node.library())))
        .map_err(|error| Failure::unavailable(error.to_string()))?;
    seen(node, View::Replay, query)?;
    Ok(ReplayReply { case: query.case, entries })
}

pub(super) fn decisions(node: &Node, query: &AuditQuery) -> Result<CardsReply, Failure> {
    let (_, read) = records(node, query.case)?;
    let cards = cards(&read, Shelf(slice::from_ref(node.library())));
    seen(node, View::Decisions, query)?;
    Ok(CardsReply { case: query.case, cards })
}

pub(super) fn disclose(node: &Node, query: &DisclosuresQuery) -> Result<DisclosuresReply, Failure> {
    let (_, read) = records(node, query.case)?;
    let mut reply = DisclosuresReply { disclosures: Vec::new(), next: None };
    let (mut length, mut reached) = (200, query.after);
    for record in read.iter().filter(|record| record.envelope.version > query.after) {
        let found = disclosures(node.keys(), slice::from_ref(record), &query.fields)
            .map_err(|error| Failure::unavailable(crate::chain(&error)))?;
        // Words take at most six times their length in JSON.
        length += found.iter().map(|one| 200 + one.path.len() + one.words.len() * 6).sum::<usize>();
        if length > MOST_REPLY_BYTES && !reply.disclosures.is_empty() {
            reply.next = Some(reached);
            break;
        }
        reached = record.envelope.version;
        reply.disclosures.extend(found);
    }
    let versions = reply.disclosures.first().zip(reply.disclosures.last());
    node.access().record_blocking(Viewed {
        opened: !reply.disclosures.is_empty(),
        versions: versions.map(|(first, last)| (first.version, last.version)),
        ..Viewed::unopened(View::Disclosures, query.case, query.viewer.clone())
    })?;
    Ok(reply)
}

fn seen(node: &Node, view: View, query: &AuditQuery) -> Result<(), Failure> {
    node.access().record_blocking(Viewed::unopened(view, query.case, query.viewer.clone()))
}
