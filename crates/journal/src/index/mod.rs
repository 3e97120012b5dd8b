//! The index: sled, in a worker of its own, fed from the log, disposable.
//!
//! It never stands in the way of an acknowledgement: it reads what is durable, in batches, and
//! whatever happens to it, the log answers instead. Where a stream's records stand is not in it:
//! that is in memory, see `streams`.

mod batch;
pub(crate) mod projection;
pub(crate) mod seen;
mod state;
mod store;
mod worker;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{Error, disk_error};
use crate::index::projection::{Projection, SummaryVisitor};
use crate::options::{IndexRebuild, Options, Progress};
use crate::record::{LeafHash, Position};
use crate::shared::Shared;

use state::State;
use store::{Meta, Store};
use worker::Worker;

/// Where the index is and what it is to hold.
pub(crate) struct Opening {
    pub(crate) directory: PathBuf,
    pub(crate) projection: Arc<dyn Projection>,
}

/// An index that was opened, before the log was.
pub(crate) struct Opened {
    opening: Opening,
    state: State,
    found: Result<(Store, Meta), IndexRebuild>,
}

impl Opening {
    /// Opens what is there, whatever its shape; nothing that it does can fail the journal.
    pub(crate) fn open(self, options: &Options) -> Opened {
        let state = State::read(&self.directory);
        let found = match state.generation {
            None => Err(IndexRebuild::Missing),
            Some(_) => Store::open(&state.directory(), options.index_cache_bytes)
                .and_then(|store| store.meta().map(|meta| (store, meta)))
                .map_err(|_| IndexRebuild::Damaged)
                .and_then(|(store, meta)| match meta {
                    Some(meta) => Ok((store, meta)),
                    None => Err(IndexRebuild::Missing),
                }),
        };
        Opened { opening: self, state, found }
    }
}

impl Opened {
    /// Which log the index has seen, and up to which position.
    pub(crate) fn seen(&self) -> Option<(Uuid, Position)> {
        self.found.as_ref().ok().map(|(_, meta)| (meta.log, Position(meta.seen)))
    }

    /// Starts the worker; waits for it to catch up if the options say so.
    pub(crate) fn start(
        self,
        shared: &Arc<Shared>,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Index, Option<IndexRebuild>), Error> {
        let Opened { opening, state, found } = self;
        let mut rebuilt = None;
        let sound = found.and_then(|(store, meta)| {
            judge(shared, &opening, &state, &meta).map(|()| (store, meta))
        });
        let (store, applied) = match sound {
            Ok((store, meta)) => (Some(store), meta.applied),
            Err(why) => {
                rebuilt = Some(why);
                (None, 0)
            }
        };
        let (reached, reading) = watch::channel(Position(applied));
        let inner = Arc::new(Inner {
            store: RwLock::new(store.map(Arc::new)),
            applied: reading,
            bell: Mutex::new(false),
            rung: Condvar::new(),
            broken: AtomicBool::new(false),
            failed: Mutex::new(None),
        });
        let worker = Worker::new(
            Arc::clone(shared),
            Arc::clone(&inner),
            opening.projection,
            state,
            options.clone(),
            reached,
        );
        let thread = thread::Builder::new()
            .name("journal-index".to_owned())
            .spawn(move || {
                crate::background::yield_to_the_writer();
                worker.run();
            })
            .map_err(disk_error("index", "starting the thread"))?;
        let index = Index { inner, thread: Mutex::new(Some(thread)) };
        if options.wait_for_index {
            index.wait(Position(shared.log.durable()), progress);
        }
        Ok((index, rebuilt))
    }
}

/// Whether an index fits the log and the projection, and can be trusted after the last stop.
fn judge(
    shared: &Shared,
    opening: &Opening,
    state: &State,
    meta: &Meta,
) -> Result<(), IndexRebuild> {
    if meta.log != shared.log.id {
        return Err(IndexRebuild::Foreign);
    }
    if meta.projection != opening.projection.version() || meta.format != store::INDEX_FORMAT {
        return Err(IndexRebuild::OtherVersion);
    }
    if !state.trusted {
        return Err(IndexRebuild::Unclean);
    }
    let leaf = match meta.applied {
        0 => LeafHash::NONE,
        position => shared.leaf_at(position).map_err(|_| IndexRebuild::Foreign)?,
    };
    if leaf == meta.leaf { Ok(()) } else { Err(IndexRebuild::Foreign) }
}

/// What the worker and the readers of the index share.
struct Inner {
    store: RwLock<Option<Arc<Store>>>,
    /// Up to where the worker came; it ends with the worker.
    applied: watch::Receiver<Position>,
    /// Whether the worker is to stop.
    bell: Mutex<bool>,
    rung: Condvar,
    /// A reader met damage: the worker builds the index anew.
    broken: AtomicBool,
    /// Why the index could not be built when that was last tried; only the log answers then.
    failed: Mutex<Option<String>>,
}

impl Inner {
    fn store(&self) -> Option<Arc<Store>> {
        if self.broken.load(Ordering::Acquire) {
            return None;
        }
        self.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_store(&self, store: Option<Arc<Store>>) {
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = store;
    }

    fn set_failed(&self, why: Option<String>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn report_damage(&self, what: &str) {
        tracing::warn!(what, "the index is damaged and will be built anew from the log");
        self.broken.store(true, Ordering::Release);
        self.rung.notify_all();
    }
}

/// The index of a running journal.
pub(crate) struct Index {
    inner: Arc<Inner>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Index {
    fn wait(&self, last: Position, progress: &mut dyn FnMut(Progress)) {
        let mut applied = self.applied();
        loop {
            let done = *applied.borrow_and_update();
            progress(Progress::Index { done, total: last });
            // Over an empty log nothing is to be applied, but the index must be there all the same.
            let caught_up = done >= last && self.inner.store().is_some();
            if caught_up || applied.has_changed().is_err() {
                return;
            }
            let bell = self.inner.bell.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.inner.rung.wait_timeout(bell, std::time::Duration::from_millis(20)));
        }
    }

    pub(crate) fn applied(&self) -> watch::Receiver<Position> {
        self.inner.applied.clone()
    }

    pub(crate) fn summaries(
        &self,
        after: Option<Position>,
        visit: &mut SummaryVisitor<'_>,
    ) -> Result<(), Error> {
        let store = self.usable()?;
        store.summaries(after, visit).map_err(|damage| self.damaged(damage))
    }

    pub(crate) fn logical_dump(&self) -> Result<Vec<u8>, Error> {
        self.usable()?.logical_dump().map_err(|damage| self.damaged(damage))
    }

    fn usable(&self) -> Result<Arc<Store>, Error> {
        self.inner.store().ok_or_else(|| {
            let failed = self.inner.failed.lock().unwrap_or_else(PoisonError::into_inner);
            Error::Index(failed.clone().unwrap_or_else(|| "it is being built anew".to_owned()))
        })
    }

    fn damaged(&self, damage: store::Damage) -> Error {
        self.inner.report_damage(&damage.0);
        Error::Index(damage.0)
    }

    /// Applies what is durable, closes the index cleanly and ends the worker.
    pub(crate) fn stop(&self) {
        *self.inner.bell.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.inner.rung.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's index worker panicked");
        }
    }
}
