//! `tebessa.query.audit.*`: what an auditor's tool asks, without a shell on the node.

use std::slice;

use case::card::{Card, cards};
use case::picture::{Difference, Picture};
use case::replay::Shelf;
use case::{CaseId, Recorded, Version};
use journal::Record;

use super::MOST_REPLY_BYTES;
use crate::access::{View, Viewed, Viewer};
use crate::audit::dossier::{Disclosure, disclosures};
use crate::audit::{self, AuditError, BadPoint, Entry, Point};
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
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ReplayReply {
    /// The case.
    pub case: CaseId,
    /// Every step that was derived again.
    pub entries: Vec<Entry>,
}

/// The decisions of a case.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct CardsReply {
    /// The case.
    pub case: CaseId,
    /// A card for each decision, in order.
    pub cards: Vec<Card>,
}

/// Asks for a case as it was known at a point in time.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AsOfQuery {
    /// The case.
    pub case: CaseId,
    /// The point: `now`, `version:3`, `position:120` or `known:2024-05-01`, and behind it perhaps
    /// `,happened:2024-01-01`.
    pub at: String,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// Asks what differs between two points of a case.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DiffQuery {
    /// The case.
    pub case: CaseId,
    /// The first point, written as in `audit.as-of`.
    pub from: String,
    /// The second.
    pub to: String,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
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

pub(super) fn records(node: &Node, case: CaseId) -> Result<(Vec<Record>, Vec<Recorded>), Failure> {
    node.no_register(case)?;
    let raw = raw_records(node.journal(), case, None)?;
    if raw.is_empty() {
        return Err(Failure::no_case(case));
    }
    let read = raw.iter().map(|record| {
        audit::next(record, Version(record.version.0.saturating_sub(1)))
            .map_err(|error| Failure::because(&error))
    });
    let read = read.collect::<Result<_, _>>()?;
    Ok((raw, read))
}

pub(super) fn replay(node: &Node, query: &AuditQuery) -> Result<ReplayReply, Failure> {
    let (raw, _) = records(node, query.case)?;
    let entries = audit::replay_case(&raw, Shelf(slice::from_ref(node.library())))
        .map_err(|error| Failure::because(&error))?;
    seen(node, View::Replay, query.case, query.viewer.as_ref())?;
    Ok(ReplayReply { case: query.case, entries })
}

pub(super) fn decisions(node: &Node, query: &AuditQuery) -> Result<CardsReply, Failure> {
    let (_, read) = records(node, query.case)?;
    let cards = cards(&read, Shelf(slice::from_ref(node.library())));
    seen(node, View::Decisions, query.case, query.viewer.as_ref())?;
    Ok(CardsReply { case: query.case, cards })
}

pub(super) fn disclose(node: &Node, query: &DisclosuresQuery) -> Result<DisclosuresReply, Failure> {
    let (_, read) = records(node, query.case)?;
    let mut reply = DisclosuresReply { disclosures: Vec::new(), next: None };
    let (mut length, mut reached) = (200, query.after);
    for record in read.iter().filter(|record| record.envelope.version > query.after) {
        let found = disclosures(node.keys(), slice::from_ref(record), &query.fields)
            .map_err(|error| Failure::because(&error))?;
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

fn point(text: &str) -> Result<Point, Failure> {
    text.parse().map_err(|error: BadPoint| Failure::malformed(error.to_string()))
}

fn refused(error: &AuditError) -> Failure {
    match error {
        AuditError::UnknownCase(_)
        | AuditError::IsRegister(_)
        | AuditError::Beyond { .. }
        | AuditError::BeyondLog { .. }
        | AuditError::NotYet { .. } => Failure::not_found(error.to_string()),
        AuditError::Journal(_) | AuditError::Record { .. } => Failure::because(error),
    }
}

pub(super) fn as_of(node: &Node, query: &AsOfQuery) -> Result<Picture, Failure> {
    let point = point(&query.at)?;
    let raw = raw_records(node.journal(), query.case, None)?;
    let shelf = Shelf(slice::from_ref(node.library()));
    let last = node.journal().durable_position();
    point.within(last).map_err(|error| refused(&error))?;
    let picture =
        audit::picture_at(query.case, &raw, point, shelf).map_err(|error| refused(&error))?;
    seen(node, View::AsOf, query.case, query.viewer.as_ref())?;
    Ok(picture)
}

pub(super) fn diff(node: &Node, query: &DiffQuery) -> Result<Difference, Failure> {
    let points = [point(&query.from)?, point(&query.to)?];
    let raw = raw_records(node.journal(), query.case, None)?;
    let shelf = Shelf(slice::from_ref(node.library()));
    let last = node.journal().durable_position();
    points.iter().try_for_each(|point| point.within(last)).map_err(|error| refused(&error))?;
    let difference = audit::difference_between(query.case, &raw, points, shelf)
        .map_err(|error| refused(&error))?;
    seen(node, View::AsOf, query.case, query.viewer.as_ref())?;
    Ok(difference)
}

pub(super) fn seen(
    node: &Node,
    view: View,
    case: CaseId,
    viewer: Option<&Viewer>,
) -> Result<(), Failure> {
    node.access().record_blocking(Viewed::unopened(view, case, viewer.cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_what_the_system_said_of_the_disk() {
        let error = journal::Error::Disk {
            file: "000001.log".to_owned(),
            doing: "reading",
            source: std::io::Error::other("the system's word").into(),
        };
        let failure = refused(&AuditError::from(error));
        assert_eq!(failure.code, 503);
        assert!(failure.message.contains("the system's word"), "{}", failure.message);
    }
}
