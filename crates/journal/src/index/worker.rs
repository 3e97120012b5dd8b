//! The worker that keeps the index: it reads what is durable and applies it in batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use tokio::sync::watch;

use super::Inner;
use super::batch::Batch;
use super::state::State;
use super::store::{Damage, INDEX_FORMAT, Meta, Store, Summary, wait_for_release};
use crate::envelope::Envelope;
use crate::error::{Error, chain};
use crate::index::projection::Projection;
use crate::options::Options;
use crate::record::{LeafHash, Position, Record};
use crate::shared::Shared;

/// The most records of one batch. A small batch costs a busy log more.
const BATCH_RECORDS: u64 = 1 << 19;
/// The same while the index is far behind: a stream with many records is written once for all.
const REBUILD_RECORDS: u64 = 4 << 20;
/// So many records are added to the postings at once: a reader waits for no more, and a batch holds
/// no more of them back.
const FRESH_RECORDS: usize = 1024;
/// How many delays a batch waits at most for the log to become quiet.
const MOST_POLLS: u32 = 50;
/// The same while more than [`POURING`] records wait.
const MOST_POLLS_POURING: u32 = 200;
/// So many records that wait mean that they pour in.
const POURING: u64 = 10_000;
/// So many delays without a record mean that no more pour in: a busy disk pauses for longer than
/// one.
const CALM_POURING: u32 = 8;
/// How often the index is built anew without a rest.
const MOST_REBUILDS: u32 = 3;

pub(super) struct Worker {
    shared: Arc<Shared>,
    inner: Arc<Inner>,
    projection: Arc<dyn Projection>,
    state: State,
    options: Options,
    /// Up to where records are applied; `reached` tells others of it.
    applied: u64,
    reached: watch::Sender<Position>,
    /// Nothing of an earlier run is in the index.
    is_fresh: bool,
    rebuilds: u32,
    /// The log's last position when it was opened: up to there whoever opened it may wait.
    awaited: u64,
    /// The index has had all of that: nobody waits for the journal to open any more.
    was_whole: bool,
}

enum Failure {
    /// The index is damaged; the log is not.
    Index(Damage),
    /// The log itself cannot be read: nothing to build from.
    Log(Error),
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Failure {
        Failure::Index(damage)
    }
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        inner: Arc<Inner>,
        projection: Arc<dyn Projection>,
        state: State,
        options: Options,
        reached: watch::Sender<Position>,
    ) -> Worker {
        let (applied, awaited) = (reached.borrow().0, shared.log.durable());
        Worker {
            shared,
            inner,
            projection,
            state,
            options,
            applied,
            reached,
            is_fresh: false,
            rebuilds: 0,
            awaited,
            was_whole: false,
        }
    }

    /// Follows the log until it is told to stop, then closes the index cleanly.
    pub(super) fn run(mut self) {
        let opened = match self.inner.store() {
            Some(_) => self.state.write_open().map_err(|error| error.to_string()),
            None => self.renew(),
        };
        if let Err(what) = opened {
            return self.give_up(&what);
        }
        loop {
            match self.catch_up() {
                Ok(()) => self.note_whole(),
                Err(Failure::Index(Damage(what))) => {
                    tracing::warn!(what, "the index is damaged and is built anew from the log");
                    if self.begin_again(what) {
                        continue;
                    }
                    return;
                }
                Err(Failure::Log(error)) => return self.give_up(&chain(&error)),
            }
            if self.wait() {
                return self.close();
            }
        }
    }

    fn note_whole(&mut self) {
        if self.applied >= self.awaited {
            self.was_whole = true;
            self.inner.set_failed(None);
        }
    }

    /// Begins a fresh index behind damage; `false` when the worker is to end. What was tried often is
    /// tried again after a rest, for a disk that is full may have room then; but not while somebody
    /// waits for the journal to open.
    fn begin_again(&mut self, mut what: String) -> bool {
        loop {
            self.rebuilds = self.rebuilds.saturating_add(1);
            if self.rebuilds > MOST_REBUILDS {
                self.give_up(&what);
                if !self.was_whole || self.rest() {
                    return false;
                }
            }
            match self.renew() {
                Ok(()) => return true,
                Err(why) => what = why,
            }
        }
    }

    /// Rests; `true` when it is time to stop.
    fn rest(&self) -> bool {
        let stop = self.inner.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let rested =
            self.inner.rung.wait_timeout_while(stop, self.options.index_rest, |stop| !*stop);
        *rested.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for more to do; `true` when it is time to stop and all is applied.
    fn wait(&mut self) -> bool {
        let mut stop = self.inner.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut seen, mut polls, mut calm) = (self.shared.log.durable(), 0, 0);
        loop {
            let behind = self.shared.log.durable() > self.applied;
            if self.inner.broken.load(Ordering::Acquire) || (behind && *stop) {
                return false;
            }
            if *stop {
                return true;
            }
            // Polling keeps the writer from ever having to wake this thread.
            let delay = self.options.index_delay;
            let waited = self.inner.rung.wait_timeout(stop, delay);
            stop = waited.unwrap_or_else(PoisonError::into_inner).0;
            let durable = self.shared.log.durable();
            calm = if durable == seen { calm + 1 } else { 0 };
            seen = durable;
            if durable == self.applied {
                polls = 0;
                continue;
            }
            polls += 1;
            // While records pour in, the writer needs the machine more than the index does, and
            // large batches cost less.
            let waiting = durable - self.applied;
            let (most, enough) = if waiting > POURING {
                (MOST_POLLS_POURING, CALM_POURING)
            } else {
                (MOST_POLLS, 1)
            };
            if calm >= enough || polls >= most || waiting >= BATCH_RECORDS {
                return false;
            }
        }
    }

    /// Begins a fresh, empty index.
    fn renew(&mut self) -> Result<(), String> {
        self.inner.set_store(None);
        self.reached.send_replace(Position(0));
        self.applied = 0;
        self.state.renew().map_err(|error| error.to_string())?;
        let store = Store::open(&self.state.directory(), self.options.index_cache_bytes)
            .map_err(|damage| damage.0)?;
        self.inner.set_store(Some(Arc::new(store)));
        self.is_fresh = true;
        self.inner.broken.store(false, Ordering::Release);
        Ok(())
    }

    fn give_up(&self, what: &str) {
        tracing::error!(what, "the index could not be built; only the log answers");
        let place = self.state.place();
        let why = format!("it could not be built: {what}. Nothing is lost if {place} is removed");
        self.inner.set_failed(Some(why));
        self.inner.set_store(None);
    }

    fn close(&self) {
        let Some(store) = self.inner.store() else { return };
        let closed = store
            .flush()
            .map_err(|damage| damage.0)
            .and_then(|()| self.state.write_clean().map_err(|error| error.to_string()));
        if let Err(what) = closed {
            tracing::warn!(what, "the index could not be closed cleanly");
        }
        // Sled holds its directory until the last handle is gone, and a moment longer.
        drop(store);
        self.inner.set_store(None);
        wait_for_release(&self.state.directory());
    }

    /// Applies one batch, if there is one: who goes on at once is beside the writer for as long as
    /// records pour in.
    fn catch_up(&mut self) -> Result<(), Failure> {
        if self.shared.log.durable() > self.applied || self.inner.broken.load(Ordering::Acquire) {
            let Some(store) = self.inner.store() else {
                return Err(Failure::Index(Damage("a reader met damage".to_owned())));
            };
            self.apply_batch(&store)?;
        }
        Ok(())
    }

    fn apply_batch(&mut self, store: &Store) -> Result<(), Failure> {
        let behind = self.shared.log.durable() - self.applied;
        let mut batch =
            Batch::of(if behind > BATCH_RECORDS { REBUILD_RECORDS } else { BATCH_RECORDS });
        let known = self.shared.postings.last();
        let mut fresh = Vec::with_capacity(FRESH_RECORDS);
        let mut failure = None;
        let mut scratch = None;
        let scanned =
            self.shared.log.follow(self.applied + 1, &mut |segment, position, offset, bytes| {
                let record = fill(&mut scratch, position, bytes)
                    .map_err(|what| segment.fault(offset, position, what))?;
                if position > known {
                    fresh.push((record.stream, record.version.0, position));
                }
                if fresh.len() == FRESH_RECORDS {
                    self.shared.postings.extend(&fresh, position);
                    fresh.clear();
                }
                if let Err(damage) = self.take_in(store, &mut batch, record) {
                    failure = Some(damage);
                    return Ok(false);
                }
                Ok(batch.count(position))
            });
        scanned.map_err(Failure::Log)?;
        if let Some(damage) = failure {
            return Err(Failure::Index(damage));
        }
        let leaf = |position| self.shared.leaf_at(position).map_err(Failure::Log);
        let before = if self.applied == 0 { LeafHash::NONE } else { leaf(self.applied)? };
        let meta = Meta {
            format: INDEX_FORMAT,
            projection: self.projection.version(),
            log: self.shared.log.id,
            applied: batch.last,
            seen: batch.last,
            leaf: leaf(batch.last)?,
        };
        self.shared.postings.extend(&fresh, batch.last);
        store.apply(self.applied, before, &batch.changed(), &meta)?;
        self.applied = batch.last;
        self.reached.send_replace(Position(batch.last));
        Ok(())
    }

    fn take_in(&self, store: &Store, batch: &mut Batch, record: &Record) -> Result<(), Damage> {
        let number = if let Some(number) = batch.get(record.stream) {
            number
        } else {
            let (first, summary) = self.load(store, record)?;
            batch.add(record.stream, first, summary.as_ref())
        };
        let prior = batch.summary(number);
        if prior.is_some_and(|(version, _)| version >= record.version.0) {
            // It was written before the program stopped, the cursor was not.
            return Ok(());
        }
        let project = || self.projection.project(prior.map(|(_, summary)| summary), record);
        let summary = catch_unwind(AssertUnwindSafe(project))
            .map_err(|_| Damage("the projection panicked".to_owned()))?;
        batch.change(number, record.version.0, &summary);
        Ok(())
    }

    /// The position of the first record of a record's stream, and what the index has of it; the record
    /// is not applied yet.
    fn load(&self, store: &Store, record: &Record) -> Result<(u64, Option<Summary>), Damage> {
        let first = match record.version.0 {
            1 => Some(record.position.0),
            _ => self.shared.postings.first(record.stream),
        };
        let first = first.ok_or_else(|| Damage("a stream's first record is unknown".to_owned()))?;
        // A fresh index has nothing to load but what this run has written.
        let summary =
            if self.is_fresh && record.version.0 == 1 { None } else { store.summary(first)? };
        let version = summary.as_ref().map_or(0, |summary| summary.version);
        if version + 1 < record.version.0 {
            return Err(Damage("a summary does not fit the log".to_owned()));
        }
        Ok((first, summary))
    }
}

/// Makes a record of the log's bytes in a place that is used again and again.
fn fill<'s>(
    scratch: &'s mut Option<Record>,
    position: u64,
    bytes: &[u8],
) -> Result<&'s Record, &'static str> {
    let envelope = Envelope::parse(bytes)?;
    let mut room = scratch.take().map_or_else(Vec::new, |record| record.bytes);
    room.clear();
    room.extend_from_slice(bytes);
    Ok(scratch.insert(Record {
        position: Position(position),
        stream: envelope.stream,
        version: envelope.version,
        time: envelope.time,
        bytes: room,
    }))
}
