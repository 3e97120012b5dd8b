//! The access log: who viewed which case, for what purpose, and whether words were opened.
//!
//! A journal of its own in the data directory, `access/`, with a stream for each case that was
//! viewed. It holds codes and ids only, and is beside the record of the cases, which no view
//! changes. An entry that releases plaintext is durable before the plaintext leaves; one that
//! releases none goes into the log's next group, and nobody waits for it.
//!
//! In scope: views of one case. Out of scope: lists, searches and numbers, which show no case; and
//! whether a viewer is who he says, which the NATS server's permissions have to see to.
//!
//! *Invariant:* no words and no file leave a node before the entry that says so is fsynced.
//! *Invariant:* a log that cannot be written keeps words closed, and stops nothing else: whether
//! somebody may be removed, for one, must not hang on it.

mod entry;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use journal::{Expected, Journal, NoProjection, Options, Position};

use self::entry::ViewDraft;
pub use self::entry::{AccessEntry, BadEntry, Unstated, View, Viewed, Viewer};
use crate::checkpoints::Signer;
use crate::logs::{Log, earlier_access_logs};
use crate::reply::Failure;

/// Much smaller than the log of the cases: an entry has some 450 bytes.
const SEGMENT_BYTES: u64 = 8 << 20;
/// The index of a log without summaries is hardly used.
const INDEX_CACHE_BYTES: u64 = 4 << 20;

/// The access log's directory within a data directory.
#[must_use]
pub fn access_dir(data: &Path) -> PathBuf {
    data.join("access")
}

/// How the access log is opened, with [`NoProjection`].
#[must_use]
pub fn options() -> Options {
    let mut options = Options::default();
    options.segment_bytes = SEGMENT_BYTES;
    options.index_cache_bytes = INDEX_CACHE_BYTES;
    options
}

/// The access log of a node. Cheap to clone.
#[derive(Clone)]
pub struct AccessLog {
    inner: Arc<Inner>,
}

struct Inner {
    source: String,
    /// The log and who signs it, or why it could not be opened.
    log: Result<(Journal, Signer), String>,
    /// Whether the process's log says already that views are not recorded: once, and not for each.
    told: AtomicBool,
}

impl AccessLog {
    /// Opens the access log of a data directory, or makes it there. Blocks.
    ///
    /// One that cannot be opened is no reason not to keep the record: the process's log says why,
    /// and words stay closed until a start finds it well.
    #[must_use]
    pub fn open(data: &Path, source: &str) -> Self {
        let opened =
            Journal::open(&access_dir(data), options(), Arc::new(NoProjection), &mut |_| {});
        let log = opened.map_err(|error| crate::chain(&error)).map(|(journal, _)| {
            warn_of_earlier(data, &journal);
            let signer = Signer::new(data, Log::Access, journal.id());
            (journal, signer)
        });
        if let Err(reason) = &log {
            tracing::error!(reason, "the access log could not be opened: no words will be opened");
        }
        Self {
            inner: Arc::new(Inner { source: source.to_owned(), log, told: AtomicBool::new(false) }),
        }
    }

    /// Records a view. Where words or a file are to be released it returns when the entry is
    /// durable, and fails when it is not: then they must not be released. Other views never fail.
    pub async fn record(&self, viewed: Viewed) -> Result<(), Failure> {
        let (case, opened) = (viewed.case, viewed.opened);
        let outcome = match &self.inner.log {
            Err(reason) => Err(reason.clone()),
            Ok((journal, _)) => {
                let draft = ViewDraft { source: self.inner.source.clone(), viewed };
                let pending = journal.append(&draft, Expected::Any);
                // What is refused at once is told at once. Of a write that fails later the journal
                // tells, and then of every view after it.
                let answer = if opened { Some(pending.await) } else { pending.now_or_never() };
                answer.map_or(Ok(()), |answer| answer.map(|_| ()).map_err(|e| crate::chain(&e)))
            }
        };
        match outcome {
            Err(reason) if opened => Err(Failure::unavailable(format!(
                "the access log could not be written, so that no words are opened: {reason}"
            ))),
            Err(reason) => {
                if !self.inner.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        %case, reason,
                        "a view was not recorded in the access log; those that follow are not told one by one"
                    );
                }
                Ok(())
            }
            Ok(()) => {
                self.inner.told.store(false, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// The same, on a thread that may block.
    pub fn record_blocking(&self, viewed: Viewed) -> Result<(), Failure> {
        futures::executor::block_on(self.record(viewed))
    }

    /// The log, or why it cannot be read.
    pub(crate) fn journal(&self) -> Result<&Journal, Failure> {
        self.opened().map(|(journal, _)| journal)
    }

    /// Who signs it.
    pub(crate) fn signer(&self) -> Result<&Signer, Failure> {
        self.opened().map(|(_, signer)| signer)
    }

    fn opened(&self) -> Result<&(Journal, Signer), Failure> {
        self.inner.log.as_ref().map_err(|reason| {
            Failure::unavailable(format!("the access log could not be opened: {reason}"))
        })
    }

    /// The last durable position, and why nothing can be written, if so.
    pub(crate) fn state(&self) -> (Position, Option<String>) {
        match &self.inner.log {
            Err(reason) => (Position(0), Some(reason.clone())),
            Ok((journal, _)) => {
                let failed = journal.poisoned().then(|| "a write to it failed".to_owned());
                (journal.durable_position(), failed)
            }
        }
    }

    /// Writes what waits and lets nothing in any more. Blocks.
    pub fn close(&self) -> Result<(), journal::Error> {
        self.journal().map_or(Ok(()), |journal| journal.clone().close())
    }
}

/// A log without views beside the keys of another: a restore without it, or somebody took it away.
fn warn_of_earlier(data: &Path, journal: &Journal) {
    let earlier = earlier_access_logs(data, journal.id()).unwrap_or_default();
    if !earlier.is_empty() && journal.durable_position().0 == 0 {
        tracing::warn!(
            ?earlier,
            "the access log is begun anew: the views of an earlier one, whose keys are here, are not"
        );
    }
}
