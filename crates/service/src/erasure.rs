//! Erasure: a claimant's key is destroyed when the log says so, and at every start again.
//!
//! The event comes first: only what is durable destroys anything. A key that a restored key store
//! brings back is destroyed before the node serves, because the log still asks for it. And the keys that
//! are neither asked for nor there are counted: a node does not serve beside a store that lost some.

use std::ops::ControlFlow;
use std::path::PathBuf;

use case::{Case, Code, KeyId, Rejection};

use crate::blocking::blocking;
use crate::cases::load;
use crate::keys;
use crate::node::Node;
use crate::reply::{Failure, Reply};
use crate::request::Request;
use crate::summaries::visit_summaries;

/// What stands in the place of words whose key was destroyed.
pub const WITHHELD: &str = "withheld: key destroyed";

/// Why nothing must be served with the key store that is there.
#[derive(Debug, thiserror::Error)]
pub enum KeysUnsettled {
    /// It could not be made sure that all keys are destroyed which the log asks to be. Look at the key
    /// store's disk, or the index, as the message says.
    #[error("it could not be made sure that the keys of erased cases are destroyed: {}", .0.message)]
    Unsure(Failure),
    /// The key store is not the one beside which the log was written, or an older copy of that. Restore it.
    #[error(
        "the log names keys, {keys} in all, that {} does not hold: restore the newer key store, `node.key` and \
         `slots` together; where there is none, `tebessa up --lost-keys` starts without what they sealed",
        .slots.display()
    )]
    Lost {
        /// How many.
        keys: u64,
        /// Where they were looked for.
        slots: PathBuf,
    },
}

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

    /// Destroys every key that the log asks to be destroyed and that is still, or again, in the key store,
    /// and makes sure that the store knows each key that the log names, so that no claim gets a key of a
    /// store that has lost others. Waits until the index has the whole log. Returns how many came back.
    ///
    /// Fails where it cannot be known which keys these are, and where some are lost, unless that is accepted:
    /// then the node goes on without what they sealed. A store that fails so is left as it was.
    pub async fn settle_keys(&self, accept_lost: bool) -> Result<u64, KeysUnsettled> {
        if self.journal().durable_position().0 == 0 {
            return Ok(0);
        }
        self.index_has_all().await;
        let node = self.clone();
        let settled = blocking(move || {
            let named = node.named_keys().map_err(KeysUnsettled::Unsure)?;
            if named.lost > 0 && !accept_lost {
                return Err(KeysUnsettled::Lost { keys: named.lost, slots: node.keys().slots() });
            }
            if named.lost > 0 {
                tracing::warn!(keys = named.lost, "keys are lost: what they sealed cannot be read");
            }
            if named.unasked > 0 {
                tracing::error!(
                    keys = named.unasked,
                    alarm = true,
                    "keys were destroyed that no record asks to be: what they sealed cannot be read; see \
                     `tebessa audit verify`"
                );
            }
            node.destroy_again(named.erased).map_err(KeysUnsettled::Unsure)
        });
        settled.await.map_err(KeysUnsettled::Unsure)?
    }

    fn named_keys(&self) -> Result<NamedKeys, Failure> {
        let mut named = NamedKeys::default();
        let is_lost = |key: &KeyId| !self.keys().knows(*key);
        let is_gone = |key: &KeyId| self.keys().is_destroyed(*key);
        visit_summaries(self.journal(), None, &mut |_, summary| {
            // A store from before the erasure has it, one from before the claim does not: both will do.
            if let Some(erased) = summary.erased {
                named.erased.push(erased);
            } else {
                named.lost += u64::from(summary.key.as_ref().is_some_and(is_lost));
                named.unasked += u64::from(summary.key.as_ref().is_some_and(is_gone));
            }
            ControlFlow::Continue(())
        })?;
        // A register is no case, and has no summary.
        for register in self.registers() {
            let register = load(self.journal(), register, None)?;
            named.lost += u64::from(register.key().as_ref().is_some_and(is_lost));
        }
        Ok(named)
    }

    fn destroy_again(&self, erased: Vec<KeyId>) -> Result<u64, Failure> {
        let mut came_back = 0;
        for key in erased {
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

/// The keys that the log names, as far as a start must look at them.
#[derive(Default)]
struct NamedKeys {
    /// Those of erased cases.
    erased: Vec<KeyId>,
    /// How many others the store neither holds nor has destroyed.
    lost: u64,
    /// How many others were destroyed though no record asks for it.
    unasked: u64,
}
