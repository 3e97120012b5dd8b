//! `tebessa.query.search`: cases by the number of another body, or by the thread that they belong
//! to, from intake to tribunal.

use std::ops::ControlFlow;

use case::token::Reference;
use case::{CorrelationId, Summary};

use super::MOST_REPLY_BYTES;
use crate::node::Node;
use crate::reply::Failure;
use crate::summaries::visit_summaries;

/// The most cases of an answer, where they are not longer than a message.
const MOST: usize = 1_000;
/// What stands around the cases, in bytes, rounded up.
const AROUND: usize = 1_000;

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
    let position = node.journal().index_position().0;
    let mut found = Found::default();
    visit_summaries(node.journal(), None, &mut |_, summary| {
        if matches(query, &summary) { found.take(summary) } else { ControlFlow::Continue(()) }
    })?;
    Ok(SearchReply { cases: found.cases, more: found.more, position })
}

/// What was found, as far as an answer holds it.
#[derive(Default)]
struct Found {
    cases: Vec<Summary>,
    bytes: usize,
    more: bool,
}

impl Found {
    /// Takes in a case, or ends where it does not fit any more.
    fn take(&mut self, summary: Summary) -> ControlFlow<()> {
        // What cannot be written is told when the whole answer is.
        self.bytes += serde_json::to_vec(&summary).map_or(0, |bytes| bytes.len() + 1);
        let too_long = !self.cases.is_empty() && self.bytes > MOST_REPLY_BYTES - AROUND;
        if self.cases.len() == MOST || too_long {
            self.more = true;
            return ControlFlow::Break(());
        }
        self.cases.push(summary);
        ControlFlow::Continue(())
    }
}

fn matches(query: &SearchQuery, summary: &Summary) -> bool {
    query.reference.as_ref().is_none_or(|wanted| summary.references.contains(wanted))
        && query.correlation.is_none_or(|wanted| summary.correlation == Some(wanted))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A case with so many numbers of other bodies, of 64 characters each.
    fn numbered(count: usize) -> Summary {
        let references: Vec<_> = (0..count).map(|number| format!("{number:064}")).collect();
        let id = "00000000-0000-4000-8000-000000000001";
        let summary = json!({
            "case": id, "status": "registered", "profile": "EU", "registered": "2024-01-01",
            "version": 1, "updated": "2024-01-01T00:00:00Z", "references": references,
        });
        serde_json::from_value(summary).unwrap()
    }

    fn answer_of(cases: impl Iterator<Item = Summary>) -> SearchReply {
        let mut found = Found::default();
        let _ = cases.map(|summary| found.take(summary)).find(ControlFlow::is_break);
        SearchReply { cases: found.cases, more: found.more, position: 1 }
    }

    #[test]
    fn an_answer_ends_where_a_message_does_and_says_that_there_are_more() {
        let reply = answer_of(std::iter::repeat_n(numbered(20), 1_000));
        assert!(reply.more && (500..1_000).contains(&reply.cases.len()), "{}", reply.cases.len());
        assert!(super::super::encode(&reply).is_ok());
        let reply = answer_of(std::iter::repeat_n(numbered(0), 1_001));
        assert!(reply.more && reply.cases.len() == MOST);
        let reply = answer_of(std::iter::repeat_n(numbered(0), 1_000));
        assert!(!reply.more && reply.cases.len() == MOST);
    }
}
