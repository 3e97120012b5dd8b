//! `tebessa.query.case`: the state of a case, folded from its records.

use case::vocabulary::{DecisionOutcome, Status};
use case::{Case, CaseId, Leaf, Version};

use crate::access::{View, Viewed, Viewer};
use crate::cases::load;
use crate::node::Node;
use crate::reply::Failure;

/// Asks for a case.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CaseQuery {
    /// The case.
    pub case: CaseId,
    /// As at this version; as it is now where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_version: Option<Version>,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// A case: where it stands, and the whole folded state. It holds no words.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct CaseReply {
    /// The case.
    pub case: CaseId,
    /// Where it stands.
    pub status: Status,
    /// The outcome that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DecisionOutcome>,
    /// How many events it has, up to the version asked for.
    pub version: Version,
    /// The leaf hash of the record of that version: with it, what somebody was shown can be
    /// named in `seen`.
    pub leaf: Leaf,
    /// The folded state.
    pub state: Case,
}

/// Answers from the journal, so that the answer holds what is durable and nothing else.
pub(crate) fn answer(node: &Node, query: &CaseQuery) -> Result<CaseReply, Failure> {
    node.no_register(query.case)?;
    // Versions count from 1: up to 0 nothing is read, also of a case that is there.
    let up_to = query.at_version.filter(|at| *at > Version(0));
    let state = load(node.journal(), query.case, up_to)?;
    let Some(head) = state.head() else {
        return Err(Failure::no_case(query.case));
    };
    if let Some(at) = query.at_version
        && up_to.is_none_or(|at| state.version < at)
    {
        return Err(Failure::not_found(format!(
            "the case has versions 1 to {}, not {at}",
            state.version
        )));
    }
    node.access().record_blocking(Viewed::unopened(
        View::Case,
        query.case,
        query.viewer.clone(),
    ))?;
    Ok(CaseReply {
        case: query.case,
        status: state.status(),
        outcome: state.outcome(),
        version: state.version,
        leaf: head.leaf,
        state,
    })
}
