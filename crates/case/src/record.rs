//! The record: one event as one line of JSON, a `CloudEvent` in structured form.
//!
//! Its exact bytes are hashed, stored and sent; nothing re-serialises them. The field order is
//! fixed. See the frozen fixture in `tests/fixtures/records`.

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::decide::Actor;
use crate::token::{ActorId, Basis, TraceParent};
use crate::vocabulary::Role;
use crate::{
    CaseId, CausationId, CommandId, CorrelationId, Event, EventId, Leaf, Version, WorldDate,
};

/// What a record says about its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The event's id.
    pub id: EventId,
    /// `tebessa/` and the authority.
    pub source: String,
    /// The case.
    pub case: CaseId,
    /// When it was recorded; stamped by the one writer, never running backwards in the log.
    pub time: Timestamp,
    /// The event's number in the case.
    pub version: Version,
    /// Leaf hash of the case's record before, in hexadecimal; 64 zeros for the first.
    pub prev: String,
    /// The command that was accepted.
    pub command: CommandId,
    /// The thread.
    pub correlation: CorrelationId,
    /// What caused the command.
    pub causation: Option<CausationId>,
    /// HMAC-SHA256 of the command under the case's key, in hexadecimal.
    pub digest: String,
    /// Who acted.
    pub by: Actor,
    /// When it happened in the world.
    pub occurred: WorldDate,
    /// The guidance that the event names.
    pub guidance: Option<String>,
    /// The trace context.
    pub traceparent: Option<TraceParent>,
}

/// A record that was read, with its place in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its position in the journal: 1, 2, 3 …
    pub position: u64,
    /// The leaf hash of its exact bytes; the `prev` of the case's next record.
    pub leaf: Leaf,
    /// What it says about its event.
    pub envelope: Envelope,
    /// The event.
    pub event: Event,
}

/// Why bytes are not a record that can be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not of the record's form. Damage, or a newer version's: stop.
    #[error("the record is not of the form that this version reads: {0}")]
    Form(String),
    /// The type is unknown. A newer version wrote it: upgrade.
    #[error("the record's type {0} is unknown to this version")]
    UnknownType(String),
}

/// What the one writer stamps on a record.
#[derive(Debug, Clone, Copy)]
pub struct RecordStamp<'a> {
    /// The event's number in the case.
    pub version: Version,
    /// Leaf hash of the record before, in hexadecimal.
    pub prev: &'a str,
    /// When it is recorded.
    pub time: Timestamp,
}

/// An event that waits for its stamp: everything that is known before the writer takes it.
#[derive(Debug, Clone)]
pub struct Unstamped {
    /// The event's id.
    pub id: EventId,
    /// `tebessa/` and the authority.
    pub source: String,
    /// The case.
    pub case: CaseId,
    /// The command that was accepted.
    pub command: CommandId,
    /// The thread.
    pub correlation: CorrelationId,
    /// What caused the command.
    pub causation: Option<CausationId>,
    /// HMAC-SHA256 of the command under the case's key, in hexadecimal.
    pub digest: String,
    /// Who acted.
    pub by: Actor,
    /// When it happened in the world.
    pub occurred: WorldDate,
    /// The trace context.
    pub traceparent: Option<TraceParent>,
    /// The event.
    pub event: Event,
}

#[derive(serde::Serialize)]
struct Written<'a> {
    specversion: &'static str,
    id: EventId,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: CaseId,
    time: Option<String>,
    datacontenttype: &'static str,
    caseversion: Option<Version>,
    prev: Option<&'a str>,
    command: CommandId,
    correlation: CorrelationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation: Option<CausationId>,
    digest: &'a str,
    actor: &'a ActorId,
    role: Role,
    basis: &'a Basis,
    occurred: &'a WorldDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    guidance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a TraceParent>,
    data: &'a Event,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'a> {
    specversion: &'a str,
    id: EventId,
    source: String,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: CaseId,
    time: Timestamp,
    datacontenttype: &'a str,
    caseversion: Version,
    prev: String,
    command: CommandId,
    correlation: CorrelationId,
    causation: Option<CausationId>,
    digest: String,
    actor: ActorId,
    role: Role,
    basis: Basis,
    occurred: WorldDate,
    guidance: Option<String>,
    traceparent: Option<TraceParent>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The text form of a recorded time: RFC 3339 in UTC with microseconds, so that texts sort.
#[must_use]
pub fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

impl Unstamped {
    /// The record's JSON object. Without a stamp `time`, `caseversion` and `prev` are null, for the
    /// journal to put its values there.
    #[must_use]
    pub fn written<'a>(&'a self, stamp: Option<&RecordStamp<'a>>) -> impl serde::Serialize + 'a {
        Written {
            specversion: "1.0",
            id: self.id,
            source: &self.source,
            kind: self.event.kind(),
            subject: self.case,
            time: stamp.map(|stamp| time_text(stamp.time)),
            datacontenttype: "application/json",
            caseversion: stamp.map(|stamp| stamp.version),
            prev: stamp.map(|stamp| stamp.prev),
            command: self.command,
            correlation: self.correlation,
            causation: self.causation,
            digest: &self.digest,
            actor: &self.by.id,
            role: self.by.role,
            basis: &self.by.basis,
            occurred: &self.occurred,
            guidance: self.event.guidance(),
            traceparent: self.traceparent.as_ref(),
            data: &self.event,
        }
    }
}

impl Unstamped {
    /// The record as it reads once it has its stamp, its position and its leaf.
    #[must_use]
    pub fn recorded(self, stamp: &RecordStamp<'_>, position: u64, leaf: Leaf) -> Recorded {
        let guidance = self.event.guidance().map(str::to_owned);
        let envelope = Envelope {
            id: self.id,
            source: self.source,
            case: self.case,
            time: stamp.time,
            version: stamp.version,
            prev: stamp.prev.to_owned(),
            command: self.command,
            correlation: self.correlation,
            causation: self.causation,
            digest: self.digest,
            by: self.by,
            occurred: self.occurred,
            guidance,
            traceparent: self.traceparent,
        };
        Recorded { position, leaf, envelope, event: self.event }
    }
}

impl Recorded {
    /// Reads a record. Unknown and duplicate fields are refused. The errors repeat no content.
    pub fn decode(bytes: &[u8], position: u64) -> Result<Self, RecordError> {
        let form = |error: serde_json::Error| {
            RecordError::Form(crate::strict::expectation(&error.to_string()))
        };
        let read: Read<'_> = serde_json::from_slice(bytes).map_err(form)?;
        if read.specversion != "1.0" || read.datacontenttype != "application/json" {
            return Err(RecordError::Form("it is no CloudEvent 1.0 of JSON".to_owned()));
        }
        let event = Event::read(read.kind, read.data.get())
            .ok_or_else(|| RecordError::UnknownType(shown_kind(read.kind)))?
            .map_err(form)?;
        let envelope = Envelope {
            id: read.id,
            source: read.source,
            case: read.subject,
            time: read.time,
            version: read.caseversion,
            prev: read.prev,
            command: read.command,
            correlation: read.correlation,
            causation: read.causation,
            digest: read.digest,
            by: Actor { id: read.actor, role: read.role, basis: read.basis },
            occurred: read.occurred,
            guidance: read.guidance,
            traceparent: read.traceparent,
        };
        Ok(Self { position, leaf: Leaf::of(bytes), envelope, event })
    }
}

fn shown_kind(kind: &str) -> String {
    kind.chars().filter(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).take(80).collect()
}
