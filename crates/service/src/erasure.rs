//! Erasure: a claimant's key is destroyed when the log says so, and at every start again.
//!
//! The event comes first: only what is durable destroys anything. A key that a restored key store
//! brings back is destroyed before the node serves, because the log still asks for it.

use std::ops::ControlFlow;

use case::{Case, Code, KeyId, Rejection};

use crate::blocking::blocking;
use crate::keys;
use crate::node::Node;
use crate::reply::{Failure, Reply};
use crate::request::Request;
use crate::summaries::visit_summaries;

/// What stands in the place of words whose key was destroyed.
pub const WITHHELD: &str = "withheld: key destroyed";

/// The answer on a case that was erased: its first answer to a command that was accepted before,
/// whose digest can no longer be compared, and a refusal to any other.
pub(crate) fn answer(case: &Case, request: &Request) -> Option<Result<Reply, Rejection>> {
    let erased = case.registry.erased.as_ref()?;
    if let (Some(id), Some(first)) = (case.id, case.answers.get(&request.head.id)) {
        return Some(Ok(Reply::accepted(id, first)));
    }
    Some(Err(Rejection::new(
        Code::Erased,
        format!("the case was erased at version {}; nothing more happens in it", erased.version),
    )))
}

impl Node {
    /// Destroys a key that a durable event asks for. Where the disk refuses, the key is out of use
    /// in this run all the same, and the next start tries again.
    pub(crate) async fn destroy_key(&self, key: KeyId) {
        let node = self.clone();
        let destroyed = blocking(move || node.keys().destroy(key)).await;
        let reason = match destroyed {
            Ok(Ok(())) => return,
            Ok(Err(error)) => crate::chain(&error),
            Err(failure) => failure.message,
        };
        tracing::error!(%key, %reason, "a key could not be destroyed; the next start tries again");
    }

    /// Destroys every key that the log asks to be destroyed and that is still, or again, in the
    /// key store. Waits until the index has the whole log. Returns how many came back. Fails where it cannot
    /// be known which keys these are.
    pub async fn forget_erased(&self) -> Result<u64, Failure> {
        let last = *self.journal().durable().borrow();
        if last.0 == 0 {
            return Ok(0);
        }
        // Where the index could not be built, its summaries say so below.
        let _ = self.journal().index_caught_up().wait_for(|applied| *applied >= last).await;
        let node = self.clone();
        blocking(move || node.destroy_again()).await?
    }

    fn destroy_again(&self) -> Result<u64, Failure> {
        let mut asked = Vec::new();
        visit_summaries(self.journal(), None, &mut |_, summary| {
            asked.extend(summary.erased);
            ControlFlow::Continue(())
        })?;
        let mut came_back = 0;
        for key in asked {
            if !self.keys().holds(key) {
                continue;
            }
            match self.keys().destroy(key) {
                Ok(()) => came_back += 1,
                Err(keys::Error::KeyUnknown { .. }) => {}
                Err(error) => return Err(Failure::because(&error)),
            }
        }
        Ok(came_back)
    }
}
