//! Answers: what a sender gets for a command.

use case::{Answer, CaseId, Code, EventId, Invariant, Rejection, Version};

/// The answer of the rules.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// The command was accepted: its event is fsynced and will not be lost.
    Accepted {
        /// The case.
        case: CaseId,
        /// The event's number in the case.
        version: Version,
        /// The event's place in the journal, and its sequence in the stream.
        position: u64,
        /// The event's id.
        event: EventId,
    },
    /// The rules refuse the command; nothing was written.
    Rejected {
        /// A stable code.
        code: Code,
        /// The invariant that the refusal protects.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invariant: Option<Invariant>,
        /// A sentence.
        message: String,
    },
}

impl Reply {
    /// What was answered when a command of this case was accepted; the same for ever.
    pub(crate) fn accepted(case: CaseId, first: &Answer) -> Self {
        let Answer { version, position, event, .. } = *first;
        Self::Accepted { case, version, position, event }
    }
}

impl From<Rejection> for Reply {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected {
            code: rejection.code,
            invariant: rejection.invariant(),
            message: rejection.message,
        }
    }
}

/// No answer of the rules: what went wrong, as a code of the service API and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// 400 malformed, 404 unknown, 409 conflict after retries, 413 too large, 503 try again or
    /// call the operator.
    pub code: u16,
    /// What went wrong, where, and what to do. Nothing personal.
    pub message: String,
}

impl Failure {
    /// The request is malformed: fix the sender.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self { code: 400, message: message.into() }
    }

    /// What was asked for is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { code: 404, message: message.into() }
    }

    /// Others were faster, several times: try again.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { code: 409, message: message.into() }
    }

    /// There is no case of this id.
    pub(crate) fn no_case(id: CaseId) -> Self {
        Self::not_found(format!("there is no case {id}"))
    }

    /// Longer than what is taken: send less.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self { code: 413, message: message.into() }
    }

    /// The node cannot answer now: try again, or look at the node.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { code: 503, message: message.into() }
    }

    /// The same for an error, with the chain of its causes.
    pub(crate) fn because(error: &dyn std::error::Error) -> Self {
        Self::unavailable(crate::chain(error))
    }
}
