//! `tebessa.query.checkpoint`: signs the log as it is now.

use crate::checkpoints::Signed;
use crate::logs::Log;
use crate::node::Node;
use crate::reply::Failure;

/// Asks for a signed checkpoint of a log as it is now.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CheckpointQuery {
    /// Of the access log, in place of the log of the cases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub access: bool,
}

/// A signed checkpoint.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct CheckpointReply {
    /// The log's origin.
    pub origin: String,
    /// How many records it covers.
    pub size: u64,
    /// How many cases they are in, or are about.
    pub streams: u64,
    /// The signed note (C2SP tlog-checkpoint), whose text is what counts.
    pub note: String,
    /// The keys that sign, in the form `name+id+key`. To be compared with keys that came another
    /// way: who believes a key because the node sent it believes the node.
    pub keys: Vec<String>,
}

impl From<Signed> for CheckpointReply {
    fn from(signed: Signed) -> Self {
        let signing = signed.keys.iter().filter(|known| known.signs);
        Self {
            size: signed.checkpoint.size,
            streams: signed.checkpoint.heads.map_or(0, |heads| heads.streams),
            keys: signing.map(|known| known.key.to_string()).collect(),
            origin: signed.checkpoint.origin,
            note: signed.note,
        }
    }
}

pub(crate) fn answer(node: &Node, query: &CheckpointQuery) -> Result<CheckpointReply, Failure> {
    let log = if query.access { Log::Access } else { Log::Cases };
    node.checkpoint(log).map(CheckpointReply::from)
}
