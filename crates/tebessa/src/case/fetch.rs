//! The history of a case, asked of the node page by page.

use case::{CaseId, Version};
use service::access::Viewer;
use service::client::Client;
use service::queries::{HistoryEntry, HistoryQuery, HistoryReply};

use crate::ask::ask;
use crate::output::CliError;

/// The history of a case, page by page.
pub(super) struct Pages<'c> {
    client: &'c Client,
    next: Option<HistoryQuery>,
    /// How many records are still wanted.
    left: Option<u64>,
}

impl<'c> Pages<'c> {
    /// What comes after a version, at most so many records.
    pub(super) fn new(
        client: &'c Client,
        case: CaseId,
        after: Version,
        most: Option<u64>,
        open: bool,
    ) -> Self {
        let next = HistoryQuery { case, after, limit: None, open, viewer: None };
        Self { client, next: Some(next), left: most }
    }

    /// The same, looked at by someone whom the access log is told.
    pub(super) fn seen_by(mut self, viewer: Option<Viewer>) -> Self {
        if let Some(next) = &mut self.next {
            next.viewer = viewer;
        }
        self
    }

    /// The next page; `None` behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<HistoryEntry>>, CliError> {
        let Some(mut query) = self.next.take() else { return Ok(None) };
        query.limit = self.left.map(|left| u32::try_from(left).unwrap_or(u32::MAX));
        let reply: HistoryReply = ask(self.client, "history", &query).await?;
        let came = reply.history.len() as u64;
        self.left = self.left.map(|left| left.saturating_sub(came));
        if let Some(after) = reply.next
            && self.left != Some(0)
        {
            self.next = Some(HistoryQuery { after, ..query });
        }
        Ok(Some(reply.history))
    }
}
