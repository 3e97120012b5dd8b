//! `tebessa.query.node`: whether the node is well and how far it is.

use super::Around;
use crate::logs::Log;
use crate::nats::Cut;
use crate::node::Node;
use crate::overheard::Overheard;
use crate::reply::Failure;
use crate::{clock, follower, timers};

/// Asks how the node is.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct NodeQuery {}

/// How the stream stands to the journal.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FollowerState {
    /// The stream has what the journal has.
    Following {
        /// The last position in the stream.
        position: u64,
    },
    /// The stream is being filled.
    CatchingUp {
        /// The last position in the stream.
        position: u64,
    },
    /// NATS or the stream is away; it goes on when they are back.
    Away,
    /// The stream and the journal contradict each other; an operator must look.
    Halted {
        /// Why.
        reason: String,
    },
}

/// How the node is.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct NodeReply {
    /// The software's version.
    pub version: String,
    /// The last durable position of the journal.
    pub position: u64,
    /// The position up to which the index has followed.
    pub index_position: u64,
    /// How the stream stands.
    pub stream: FollowerState,
    /// How the access log stands.
    #[serde(default)]
    pub access: AccessState,
    /// By how many seconds the machine's clock is behind the last record, if by more than a minute: new
    /// records have that record's time until the clock is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_behind_s: Option<i64>,
    /// How the timers of the deadlines are, where they run inside the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timers: Option<TimersState>,
    /// Which logs could not be signed, and why; absent where none is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsigned: Option<UnsignedLogs>,
    /// Streams of somebody else that take commands, queries or answers: they may answer in the node's place,
    /// and keep names and words in plaintext. Absent where none is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overheard: Vec<Overheard>,
    /// Why the key store can give no key, if so: no claim is taken then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_key: Option<String>,
    /// How often the node's connections to NATS were cut; absent where none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
    /// The most bytes that the NATS server takes in a message, if that is less than the node needs: no command
    /// is taken then, and longer answers are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_messages: Option<u64>,
}

/// The logs that could not be signed when it was tried last. It is tried again on schedule, and
/// whenever somebody asks for a checkpoint.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct UnsignedLogs {
    /// Why not the log of the cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<String>,
    /// Why not the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

/// How the timers of the deadlines are.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TimersState {
    /// The stream is being read; nothing fires before its end.
    Reading,
    /// What falls due fires.
    Waiting {
        /// How many deadlines run.
        running: u64,
    },
    /// They cannot read on in the stream, or not keep how far they are, and nothing fires. It is tried again.
    Failing {
        /// What hinders them.
        reason: String,
    },
}

/// How the access log stands.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct AccessState {
    /// Its last durable position.
    pub position: u64,
    /// Why it cannot be written, if so. Then no words are opened, and views go unrecorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

pub(crate) fn answer(node: &Node, around: &Around) -> Result<NodeReply, Failure> {
    if node.journal().poisoned() {
        return Err(Failure::unavailable(
            "a write to the log failed; the node must be stopped and the disk looked at",
        ));
    }
    Ok(NodeReply {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        position: node.journal().durable_position().0,
        index_position: node.journal().index_position().0,
        stream: state(&around.follower),
        access: access(node),
        // A log that cannot be read is told of by those who read it.
        clock_behind_s: clock::behind(node.journal()).ok().flatten().map(|lag| lag.as_secs()),
        timers: around.timers.as_ref().map(timers_state),
        unsigned: unsigned(node),
        overheard: around.overheard.clone(),
        no_key: node.keys().failure(),
        cuts: around.cuts.clone(),
        short_messages: around.short,
    })
}

fn unsigned(node: &Node) -> Option<UnsignedLogs> {
    let (cases, access) = (node.unsigned(Log::Cases), node.unsigned(Log::Access));
    (cases.is_some() || access.is_some()).then_some(UnsignedLogs { cases, access })
}

fn timers_state(status: &timers::Status) -> TimersState {
    match status {
        timers::Status::Reading => TimersState::Reading,
        timers::Status::Waiting { running } => TimersState::Waiting { running: *running as u64 },
        timers::Status::Failing { reason } => TimersState::Failing { reason: reason.clone() },
    }
}

fn access(node: &Node) -> AccessState {
    let (position, failed) = node.access().state();
    AccessState { position: position.0, failed }
}

fn state(status: &follower::Status) -> FollowerState {
    match status {
        follower::Status::Following { position } => {
            FollowerState::Following { position: *position }
        }
        follower::Status::CatchingUp { position } => {
            FollowerState::CatchingUp { position: *position }
        }
        follower::Status::Away => FollowerState::Away,
        follower::Status::Halted { reason } => FollowerState::Halted { reason: reason.clone() },
    }
}
