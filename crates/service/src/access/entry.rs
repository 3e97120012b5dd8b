//! One view of a case: who looked at what and for what purpose, as a record of the access log.

use case::token::{ActorId, Purpose};
use case::vocabulary::Role;
use case::{CaseId, EvidenceId, Version};
use jiff::Timestamp;
use journal::{Draft, Record, StreamId};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// The type of every record of the access log.
const KIND: &str = "tebessa.access.record-viewed.v1";

/// Who looks, as the sender of a query says. The node believes it, as it believes the actor of a
/// command.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Viewer {
    /// An opaque id of the authority's own, never a name.
    pub id: ActorId,
    /// The capacity.
    pub role: Role,
    /// What for: a code of the authority's own, such as `casework`, `audit` or `subject-access`.
    pub purpose: Purpose,
    /// Which of these nobody stated: they are what the program that asked takes then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unstated: Vec<Unstated>,
}

/// What a viewer need not say.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Unstated {
    /// The capacity.
    Role,
    /// The purpose.
    Purpose,
}

impl Viewer {
    /// Who, in which capacity and what for, as far as that was stated.
    #[must_use]
    pub fn in_words(&self) -> String {
        let stated = |what: Unstated| !self.unstated.contains(&what);
        let role = if stated(Unstated::Role) { self.role.as_str() } else { "role not stated" };
        let purpose =
            if stated(Unstated::Purpose) { self.purpose.as_str() } else { "purpose not stated" };
        format!("{}, {role}, {purpose}", self.id)
    }
}

/// What of a case is looked at.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// The folded state, which holds no words.
    Case,
    /// The records in order.
    History,
    /// A file of evidence.
    EvidenceFile,
    /// The claims that are linked as family.
    Family,
    /// Whether the person must not be removed.
    RemovalBar,
    /// The decisions on cards.
    Decisions,
    /// The decisions derived again.
    Replay,
    /// The case as it was known at a point, or what differs between two.
    AsOf,
    /// Personal fields with their salts, for a dossier.
    Disclosures,
}

impl View {
    /// The view as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::History => "history",
            Self::EvidenceFile => "evidence-file",
            Self::Family => "family",
            Self::RemovalBar => "removal-bar",
            Self::Decisions => "decisions",
            Self::Replay => "replay",
            Self::AsOf => "as-of",
            Self::Disclosures => "disclosures",
        }
    }
}

/// A view, before it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewed {
    /// The case.
    pub case: CaseId,
    /// What of it.
    pub view: View,
    /// Who looks; `None` where the query did not say.
    pub viewer: Option<Viewer>,
    /// Whether words or a file are released, and not only what stands legible in the record.
    pub opened: bool,
    /// The first and the last version that are shown, where it is a range.
    pub versions: Option<(Version, Version)>,
    /// The item whose file it is.
    pub evidence: Option<EvidenceId>,
}

impl Viewed {
    /// A view that opens nothing.
    pub(crate) const fn unopened(view: View, case: CaseId, viewer: Option<Viewer>) -> Self {
        Self { case, view, viewer, opened: false, versions: None, evidence: None }
    }
}

/// The `data` of a record.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    view: View,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    viewer: Option<Viewer>,
    opened: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    versions: Option<(Version, Version)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceId>,
}

/// A view on its way into the log. The journal puts its values into what is empty.
pub(super) struct ViewDraft {
    pub(super) source: String,
    pub(super) viewed: Viewed,
}

#[derive(serde::Serialize)]
struct Written<'a> {
    specversion: &'static str,
    id: Uuid,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: (),
    time: (),
    datacontenttype: &'static str,
    caseversion: (),
    prev: (),
    data: Data,
}

impl Draft for ViewDraft {
    fn stream(&self) -> StreamId {
        StreamId(self.viewed.case.0)
    }
}

impl Serialize for ViewDraft {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let viewed = self.viewed.clone();
        let record = Written {
            specversion: "1.0",
            id: Uuid::now_v7(),
            source: &self.source,
            kind: KIND,
            subject: (),
            time: (),
            datacontenttype: "application/json",
            caseversion: (),
            prev: (),
            data: Data {
                view: viewed.view,
                viewer: viewed.viewer,
                opened: viewed.opened,
                versions: viewed.versions,
                evidence: viewed.evidence,
            },
        };
        record.serialize(to)
    }
}

/// A view as the access log has it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct AccessEntry {
    /// Its place in the access log: 1, 2, 3 …
    pub position: u64,
    /// When it was recorded, by the node's clock.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The case.
    pub case: CaseId,
    /// What of it.
    pub view: View,
    /// Who looked; absent where the query did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
    /// Whether words or a file were released.
    pub opened: bool,
    /// The first and the last version that were shown, where it is a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<(Version, Version)>,
    /// The item whose file it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceId>,
}

/// A record of the access log that is none this version reads: damage, or a newer version's.
#[derive(Debug, thiserror::Error)]
#[error("position {position} of the access log: {reason}")]
pub struct BadEntry {
    /// Its place.
    pub position: u64,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(serde::Deserialize)]
struct Read {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

impl AccessEntry {
    /// Reads a record of the access log.
    pub fn decode(record: &Record) -> Result<Self, BadEntry> {
        let bad = |reason: String| BadEntry { position: record.position.0, reason };
        let read: Read =
            serde_json::from_slice(&record.bytes).map_err(|error| bad(error.to_string()))?;
        if read.kind != KIND {
            return Err(bad("its type is unknown to this version".to_owned()));
        }
        Ok(Self {
            position: record.position.0,
            time: record.time,
            case: CaseId(record.stream.0),
            view: read.data.view,
            viewer: read.data.viewer,
            opened: read.data.opened,
            versions: read.data.versions,
            evidence: read.data.evidence,
        })
    }
}
