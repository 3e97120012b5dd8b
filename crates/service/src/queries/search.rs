//! `tebessa.query.search`: cases by the number of another body, or by the thread that they belong
//! to, from intake to tribunal.

use std::ops::ControlFlow;

use case::token::Reference;
use case::{CorrelationId, Summary};

use crate::node::Node;
use crate::reply::Failure;
use crate::summaries::visit_summaries;

/// The most cases of an answer.
const MOST: usize = 1_000;

/// Asks for cases by exactly one of these.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["reference"] }, { "required": ["correlation"] }]))]
pub struct SearchQuery {
    /// The number under which another body keeps the case, letter by letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The thread to which the case belongs since its first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationId>,
}

/// The cases that were found.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct SearchReply {
    /// The cases, the one that was recorded first before the others.
    pub cases: Vec<Summary>,
    /// Whether there are more than are shown.
    pub more: bool,
    /// The journal's position that the answer takes into account.
    pub position: u64,
}

/// Answers from the index, which follows the journal by moments; see `wait_for_index`.
pub(super) fn answer(node: &Node, query: &SearchQuery) -> Result<SearchReply, Failure> {
    if query.reference.is_some() == query.correlation.is_some() {
        return Err(Failure::malformed("search by reference or by correlation, by one of them"));
    }
    let position = node.journal().index_caught_up().borrow().0;
    let mut reply = SearchReply { cases: Vec::new(), more: false, position };
    visit_summaries(node.journal(), None, &mut |_, summary| {
        if !matches(query, &summary) {
            return ControlFlow::Continue(());
        }
        if reply.cases.len() == MOST {
            reply.more = true;
            return ControlFlow::Break(());
        }
        reply.cases.push(summary);
        ControlFlow::Continue(())
    })?;
    Ok(reply)
}

fn matches(query: &SearchQuery, summary: &Summary) -> bool {
    query.reference.as_ref().is_none_or(|wanted| summary.references.contains(wanted))
        && query.correlation.is_none_or(|wanted| summary.correlation == Some(wanted))
}
