//! Commands and events of all services, and the envelope in which a command travels.

use crate::appeals;
use crate::catalogue::{CommandEntry, EventEntry};
use crate::decide::Actor;
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Answer, Case};
use crate::{
    AppealId, CaseId, CausationId, CommandId, CorrelationId, Version, WorldDate, assessment,
    deadlines, decisions, evidence, intake, register, registry,
};

/// A command whose personal fields are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// To intake.
    Intake(intake::Command),
    /// To the evidence service.
    Evidence(evidence::Command),
    /// To the assessment service.
    Assessment(assessment::Command),
    /// To the decisions service.
    Decisions(decisions::Command),
    /// To the appeals service.
    Appeals(appeals::Command),
    /// To the registry.
    Registry(registry::Command),
    /// To the deadlines service.
    Deadlines(deadlines::Command),
    /// To the authority's register, which the registry keeps.
    Register(register::Command),
}

/// Something that happened in a case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Event {
    /// At intake.
    Intake(intake::Event),
    /// In the evidence service.
    Evidence(evidence::Event),
    /// In the assessment service.
    Assessment(assessment::Event),
    /// In the decisions service.
    Decisions(decisions::Event),
    /// In the appeals service.
    Appeals(appeals::Event),
    /// In the registry.
    Registry(registry::Event),
    /// In the deadlines service.
    Deadlines(deadlines::Event),
    /// In the authority's register.
    Register(register::Event),
}

impl Event {
    /// The type of the record, such as `tebessa.appeals.filed.v1`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Intake(event) => event.kind(),
            Self::Evidence(event) => event.kind(),
            Self::Assessment(event) => event.kind(),
            Self::Decisions(event) => event.kind(),
            Self::Appeals(event) => event.kind(),
            Self::Registry(event) => event.kind(),
            Self::Deadlines(event) => event.kind(),
            Self::Register(event) => event.kind(),
        }
    }

    /// Reads an event's data; `None` if no version of the software has this type.
    #[must_use]
    pub fn read(kind: &str, data: &str) -> Option<serde_json::Result<Self>> {
        let service = kind.split('.').nth(1)?;
        Some(match service {
            "intake" => intake::Event::read(kind, data)?.map(Self::Intake),
            "evidence" => evidence::Event::read(kind, data)?.map(Self::Evidence),
            "assessment" => assessment::Event::read(kind, data)?.map(Self::Assessment),
            "decisions" => decisions::Event::read(kind, data)?.map(Self::Decisions),
            "appeals" => appeals::Event::read(kind, data)?.map(Self::Appeals),
            "registry" => registry::Event::read(kind, data)?.map(Self::Registry),
            "deadlines" => deadlines::Event::read(kind, data)?.map(Self::Deadlines),
            "register" => register::Event::read(kind, data)?.map(Self::Register),
            _ => return None,
        })
    }

    /// The guidance that the event names.
    #[must_use]
    pub fn guidance(&self) -> Option<&str> {
        if let Self::Assessment(assessment::Event::AssessmentCompleted(completed)) = self {
            return Some(&completed.guidance);
        }
        None
    }

    /// The appeal to which the event belongs.
    #[must_use]
    pub fn appeal(&self) -> Option<AppealId> {
        let Self::Appeals(event) = self else { return None };
        Some(event.appeal())
    }
}

/// The services that own commands, in the order of a claim's life.
pub const SERVICES: &[&str] =
    &["intake", "evidence", "assessment", "decisions", "appeals", "registry", "deadlines"];

/// Every command, service by service.
pub fn commands() -> impl Iterator<Item = &'static CommandEntry> {
    [
        intake::COMMANDS,
        evidence::COMMANDS,
        assessment::COMMANDS,
        decisions::COMMANDS,
        appeals::COMMANDS,
        registry::COMMANDS,
        deadlines::COMMANDS,
        register::COMMANDS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Every event, service by service.
pub fn events() -> impl Iterator<Item = &'static EventEntry> {
    [
        intake::EVENTS,
        evidence::EVENTS,
        assessment::EVENTS,
        decisions::EVENTS,
        appeals::EVENTS,
        registry::EVENTS,
        deadlines::EVENTS,
        register::EVENTS,
    ]
    .into_iter()
    .flatten()
}

/// The command of a service by its name.
#[must_use]
pub fn catalogue_entry(service: &str, name: &str) -> Option<&'static CommandEntry> {
    commands().find(|entry| entry.service == service && entry.name == name)
}

impl CommandEntry {
    /// Whether the command goes to the authority's register and not to a case.
    #[must_use]
    pub fn of_register(&self) -> bool {
        register::COMMANDS
            .iter()
            .any(|entry| entry.name == self.name && entry.service == self.service)
    }
}

/// The envelope of a command, without its data.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The full name, such as `intake.register-claim`. Over NATS it may be left out, because the
    /// subject says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The command's id, chosen by the sender. Sent again with the same body it gets the first
    /// answer, for ever.
    pub id: CommandId,
    /// The case; or the register, for what concerns no single case.
    pub case: CaseId,
    /// The version at which the sender saw the case; a stale one is rejected. Left out, the
    /// command is decided on the case as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<Version>,
    /// Who acts.
    pub actor: Actor,
    /// When it happened in the world, at least to the day, and not in the future.
    pub occurred: WorldDate,
    /// The thread; the case's own where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationId>,
    /// The event or command that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<CausationId>,
}

/// Checks what comes before the rules: whether this command was accepted before (I22), and only
/// then whether the sender saw the latest version.
///
/// Returns the first answer of a repeated command, or `None` for a fresh one.
pub fn admit<'a>(
    case: &'a Case,
    command: CommandId,
    digest: &str,
    expected: Option<Version>,
) -> Result<Option<&'a Answer>, Rejection> {
    if let Some(answer) = case.answers.get(&command) {
        if answer.digest == digest {
            return Ok(Some(answer));
        }
        return refuse(
            Code::CommandReused,
            "this command id was accepted before with another body; a new command has a new id",
        );
    }
    match expected {
        Some(expected) if expected != case.version => refuse(
            Code::StaleVersion,
            format!(
                "the case is at version {}, not {expected}; read it again before deciding",
                case.version
            ),
        ),
        _ => Ok(None),
    }
}
