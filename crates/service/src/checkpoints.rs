//! Signed checkpoints of the logs: on a schedule, when the node stops, and when someone asks.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use journal::{Checkpoint, Checkpoints, Journal, KnownKey, LogKeys};
use uuid::Uuid;

use crate::logs::Log;
use crate::node::Node;

/// How often the log is signed when it has new records, unless told otherwise.
pub const EVERY: Duration = Duration::from_mins(1);

/// A signed checkpoint, and the keys of the log.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The signed note: what to give away.
    pub note: String,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The keys of the log, retired ones too. A verifier takes keys from his own policy; these
    /// are for being compared with it.
    pub keys: Vec<KnownKey>,
}

/// Signs a log of a data directory. Everything is read anew each time, so that keys may be
/// rotated beside a running node.
#[derive(Debug)]
pub struct Signer {
    checkpoints: Checkpoints,
    keys: PathBuf,
    origin: String,
    /// Why it failed last.
    failed: Mutex<Option<String>>,
}

impl Signer {
    /// The signer of a log in a data directory, by the log's id.
    #[must_use]
    pub fn new(data: &Path, log: Log, id: Uuid) -> Self {
        let origin = log.origin(id);
        let checkpoints = Checkpoints::new(&log.directory(data), &origin);
        Self { checkpoints, keys: log.keys(data, id), origin, failed: Mutex::default() }
    }

    /// Signs the log as it is now, and keeps the checkpoint; makes the first key of a log of which no
    /// checkpoint is kept. Blocks: with 500,000 cases it hashes for about half a second.
    ///
    /// A log that is smaller than, or does not begin with, what was signed before is not signed, nor is
    /// one whose keys are lost: the error says so, and [`Signer::failed`] until it is signed again.
    pub fn sign(&self, journal: &Journal) -> Result<Signed, journal::Error> {
        let signed = self.sign_now(journal);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = signed.as_ref().err().map(|error| crate::chain(error));
        signed
    }

    /// Why the log could not be signed when that was tried last, if so.
    #[must_use]
    pub fn failed(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sign_now(&self, journal: &Journal) -> Result<Signed, journal::Error> {
        // Asked first: who signs beside makes the key before it keeps a checkpoint.
        let signed_before = self.checkpoints.any()?;
        let keys = match LogKeys::read(&self.keys)? {
            Some(keys) => keys,
            None if signed_before => return Err(LogKeys::lost(&self.keys)),
            None => LogKeys::read_or_create(&self.keys, &self.origin)?,
        };
        // Before a note is kept: one that is signed by another log's keys would be damage.
        if let Some(other) =
            keys.signing().iter().map(|key| key.verifier()).find(|key| key.name() != self.origin)
        {
            return Err(journal::Error::Request(format!(
                "the keys in {} are of {}, and this is {}; begin anew with `tebessa journal key new`",
                self.keys.display(),
                other.name(),
                self.origin
            )));
        }
        let note = self.checkpoints.sign(journal, &keys.signing())?;
        let known = keys.known();
        let policy: Vec<_> = known.iter().map(|known| known.key.clone()).collect();
        let checkpoint = Checkpoint::verify(&note, &self.origin, &policy).map_err(|error| {
            let why = crate::chain(&error);
            journal::Error::Request(format!("the checkpoint that was just signed: {why}"))
        })?;
        Ok(Signed { note, checkpoint, keys: known })
    }
}

/// Signs a log for ever, whenever `every` has passed and it has new records or could not be signed. One that
/// is not there or takes nothing more has none to come, and is no reason to end: without the access log all
/// goes on that opens no words.
pub(crate) async fn on_schedule(node: Node, log: Log, every: Duration) {
    sign_what_comes(node, log, every).await;
    std::future::pending::<()>().await;
}

/// Returns where nothing more can come.
async fn sign_what_comes(node: Node, log: Log, every: Duration) {
    let Ok(mut durable) = node.log(log).map(Journal::durable) else { return };
    let mut signed = None;
    loop {
        tokio::time::sleep(every).await;
        // What failed, for whoever asked, is tried again without a new record.
        while node.unsigned(log).is_none() {
            let new = durable.wait_for(|last| Some(last.0) != signed && last.0 > 0);
            match tokio::time::timeout(every, new).await {
                Ok(Ok(_)) => break,
                Ok(Err(_)) => return,
                Err(_) => {}
            }
        }
        signed = sign(&node, log).await.or(signed);
    }
}

/// Signs a log that has records before the node stops.
pub(crate) async fn sign_last(node: &Node, log: Log) {
    if node.log(log).is_ok_and(|journal| journal.durable_position().0 > 0) {
        sign(node, log).await;
    }
}

/// Signs, and logs why not where it fails: no command waits for it. Gives the size.
async fn sign(node: &Node, log: Log) -> Option<u64> {
    let signing = node.clone();
    let signed = tokio::task::spawn_blocking(move || signing.checkpoint(log)).await;
    match signed {
        Ok(Ok(signed)) => {
            tracing::debug!(?log, size = signed.checkpoint.size, "checkpoint signed");
            Some(signed.checkpoint.size)
        }
        Ok(Err(failure)) => {
            tracing::error!(?log, reason = failure.message, "no checkpoint could be signed");
            None
        }
        Err(error) => {
            tracing::error!(?log, reason = %crate::chain(&error), "no checkpoint could be signed");
            None
        }
    }
}
