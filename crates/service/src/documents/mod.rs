//! Documents: the files of evidence themselves, kept sealed beside the log.
//!
//! A file comes into the inbox first ([`INBOX`]), then its command names it. The service reads it
//! from there, checks size and digest, seals it under the claimant's key and keeps it; only then
//! is the command decided and accepted. Reading goes the other way, part by part.
//!
//! In scope: the way of a file between NATS and the store, and back. Out of scope: what a document
//! means (`case`), who may read it, and backups of the store.
//!
//! *Invariant:* an accepted command that names an upload has its document in the store, synced.
//! *Invariant:* a document is plaintext in memory only, a few MiB of it at a time; in the store it
//! is sealed, and destroying the claimant's key erases it.
//! *Invariant:* a document that no accepted command names is removed: at once when its command is
//! refused, and at the next start when a crash came between, once the stream agrees with the log.

mod attach;
mod check;
mod entrance;
mod error;
mod inbox;
mod names;
mod read;
mod slips;
mod store;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use case::CaseId;
use tokio::sync::Mutex;

pub(crate) use attach::Attaching;
pub use check::{FileCheckQuery, FileCheckReply, FileFound};
use entrance::Entrance;
pub use error::Error;
pub use inbox::INBOX;
pub(crate) use read::Reading;
pub use read::{FileQuery, FileReply, PartQuery};
use slips::{Slip, Slips};
use store::Store;
pub use store::{BadStorePlace, StorePlace};

use crate::blocking::blocking;
use crate::keys;
use crate::node::Node;

/// The largest document that is kept, in bytes: 1 GiB.
pub const MOST_DOCUMENT_BYTES: u64 = 1 << 30;
/// Documents of one name take turns. So many turns there are for all names: two names that share one wait
/// for each other, which only costs time.
const TURNS: usize = 64;

/// The directory of documents within a data directory.
#[must_use]
pub fn directory(data: &Path) -> PathBuf {
    data.join("documents")
}

/// The documents of a node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Documents {
    store: Store,
    slips: Slips,
    turns: Arc<[Mutex<()>]>,
    entrance: Entrance,
}

impl Documents {
    /// Opens the store and removes what a crash left in it half-way.
    pub(crate) fn open(place: &StorePlace, data: &Path) -> Result<Self, Error> {
        Ok(Self {
            store: Store::open(place, data)?,
            slips: Slips::open(directory(data).join("pending"))?,
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
            entrance: Entrance::new(),
        })
    }

    /// Goes through the documents that a crash left between store and answer: keeps those whose command was
    /// accepted after all, removes the others and says so. To be called only once the stream was found not
    /// to contradict the log: beside an older log every document that is newer would be one that no accepted
    /// command names. Files may be taken in meanwhile.
    pub(crate) async fn settle_all(&self, node: &Node) -> Result<(), Error> {
        for (name, slip) in self.slips.all()? {
            let Some(turn) = self.turn(&name) else { continue };
            let _turn = turn.lock().await;
            match slip {
                // Its command was decided since.
                _ if !self.slips.holds(&name) => {}
                Some(slip) => self.settle_left(node, &name, &slip).await,
                None => self.settle_unread(&name, "a slip cannot be read").await,
            }
        }
        Ok(())
    }

    /// Settles what a crash left, if its slip is that of this document: anybody's document could be named
    /// by a slip that says another case's file, which no command brought.
    async fn settle_left(&self, node: &Node, name: &str, slip: &Slip) {
        let is_there = self.store.holds(name).await;
        let is_its_own = is_named_so(node, slip, name).await;
        match is_its_own.and_then(|own| Ok((own, is_there.map_err(|error| crate::chain(&error))?)))
        {
            Ok((true, is_there)) => {
                if self.settle(node, name, slip).await == Settled::Removed && is_there {
                    tracing::warn!(name, "a document that no accepted command names was removed");
                }
            }
            Ok((false, _)) => self.settle_unread(name, "a slip is not that of its document").await,
            Err(reason) => {
                tracing::warn!(name, reason, "whether a document is used is not known yet");
            }
        }
    }

    /// Keeps or removes one document, by what the log says, and removes its slip. Where that fails
    /// the slip stays, and the next start does it.
    async fn settle(&self, node: &Node, name: &str, slip: &Slip) -> Settled {
        let settled = match named_by_the_case(node, slip).await {
            Ok(true) => Settled::Kept,
            Ok(false) => {
                if let Err(error) = self.store.remove(name).await {
                    tracing::warn!(name, reason = %crate::chain(&error), "an unused document stays");
                    return Settled::NotYet;
                }
                Settled::Removed
            }
            Err(reason) => {
                tracing::warn!(name, reason, "whether a document is used is not known yet");
                return Settled::NotYet;
            }
        };
        self.remove_slip(name).await;
        settled
    }

    /// A slip that cannot be read, or says what cannot be, does not say whose document it is. It goes where
    /// there is none; else both stay, for a case may name it. The same file handed in again brings a slip
    /// that can be read.
    async fn settle_unread(&self, name: &str, why: &str) {
        match self.store.holds(name).await {
            Ok(false) => self.remove_slip(name).await,
            Ok(true) => {
                tracing::warn!(name, "{why}: whether its document is used is not known");
            }
            Err(error) => {
                tracing::warn!(name, reason = %crate::chain(&error), "a slip is not settled yet");
            }
        }
    }

    async fn remove_slip(&self, name: &str) {
        let (slips, of) = (self.slips.clone(), name.to_owned());
        let removed = blocking(move || slips.remove(&of)).await;
        if let Err(failure) = removed.and_then(|removed| Ok(removed?)) {
            tracing::warn!(name, reason = failure.message, "a slip of a document stays");
        }
    }

    fn turn(&self, name: &str) -> Option<&Mutex<()>> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        self.turns.get(usize::try_from(hash % TURNS as u64).unwrap_or_default())
    }
}

/// What became of a document whose slip was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    /// A case names it.
    Kept,
    /// None does.
    Removed,
    /// It is not known, or could not be done; the slip stays.
    NotYet,
}

/// Whether the document that a slip says has this name: only under the key of its case that can be told.
async fn is_named_so(node: &Node, slip: &Slip, name: &str) -> Result<bool, String> {
    let case = node.case(slip.case).await.map_err(|failure| failure.message)?;
    let Some(key) = case.key() else { return Ok(false) };
    match node.keys().document_name(key, slip.case, slip.sha256.as_str()) {
        Ok(own) => Ok(own == name),
        Err(keys::Error::KeyDestroyed { .. } | keys::Error::KeyUnknown { .. }) => Ok(false),
        Err(error) => Err(crate::chain(&error)),
    }
}

/// Whether an item of the case came with a document of this digest.
async fn named_by_the_case(node: &Node, slip: &Slip) -> Result<bool, String> {
    if node.journal().poisoned() {
        // A record that was written and not synced may yet turn out to be there.
        return Err("the log can no longer be written".to_owned());
    }
    let case = node.case(slip.case).await.map_err(|failure| failure.message)?;
    Ok(case.evidence.items.values().any(|i| i.upload.is_some() && i.sha256 == slip.sha256))
}

/// The name of a document in the store.
fn name_of(
    node: &Node,
    key: case::KeyId,
    case: CaseId,
    sha256: &case::token::Sha256Hex,
) -> Result<String, Error> {
    Ok(node.keys().document_name(key, case, sha256.as_str())?)
}
