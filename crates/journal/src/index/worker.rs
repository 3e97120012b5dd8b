//! The worker that keeps the index: it reads what is durable and applies it in batches.

use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::Inner;
use super::state::State;
use super::store::{CHUNK, Changes, Damage, INDEX_FORMAT, Meta, Posting, Store};
use crate::directory::StreamMap;
use crate::draft::Projection;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::journal::Shared;
use crate::options::Options;
use crate::record::{LeafHash, Position, Record, StreamId};

/// The most records of one batch, and the most bytes. A small batch costs a busy log more.
const BATCH_RECORDS: usize = 65_536;
const BATCH_BYTES: usize = 16 << 20;
/// How many delays a batch waits at most for the log to become quiet.
const MOST_POLLS: u32 = 50;
/// How often the index is built anew before the worker gives up until the next open.
const MOST_REBUILDS: u32 = 3;

pub(super) struct Worker {
    shared: Arc<Shared>,
    inner: Arc<Inner>,
    projection: Arc<dyn Projection>,
    state: State,
    options: Options,
    applied: u64,
    rebuilds: u32,
}

/// The part of a stream that a batch changes.
struct Touched {
    first: u64,
    /// The number of the chunk that `postings` begins with.
    chunk: u64,
    postings: Vec<Posting>,
    summary: Option<Vec<u8>>,
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
        applied: u64,
    ) -> Worker {
        Worker { shared, inner, projection, state, options, applied, rebuilds: 0 }
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
                Ok(()) => {}
                Err(Failure::Index(Damage(what))) => {
                    tracing::warn!(what, "the index is damaged and is built anew from the log");
                    self.rebuilds += 1;
                    let again = self.rebuilds <= MOST_REBUILDS;
                    let renewed = if again { self.renew() } else { Err(what) };
                    if let Err(what) = renewed {
                        return self.give_up(&what);
                    }
                    continue;
                }
                Err(Failure::Log(error)) => return self.give_up(&error.to_string()),
            }
            if self.wait() {
                return self.close();
            }
        }
    }

    /// Waits for more to do; `true` when it is time to stop and all is applied.
    fn wait(&mut self) -> bool {
        let mut stop = self.inner.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut seen, mut polls) = (self.shared.log.durable(), 0);
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
            let quiet = durable == seen;
            seen = durable;
            if durable == self.applied {
                polls = 0;
                continue;
            }
            polls += 1;
            // While records pour in, the writer needs the machine more than the index does, and
            // large batches cost less.
            if quiet || polls >= MOST_POLLS || durable - self.applied >= BATCH_RECORDS as u64 {
                return false;
            }
        }
    }

    /// Begins a fresh, empty index.
    fn renew(&mut self) -> Result<(), String> {
        self.inner.set_store(None);
        self.inner.applied.send_replace(Position(0));
        self.applied = 0;
        self.state.renew().map_err(|error| error.to_string())?;
        let store = Store::open(&self.state.directory(), self.options.index_cache_bytes)
            .map_err(|damage| damage.0)?;
        self.inner.set_store(Some(Arc::new(store)));
        self.inner.broken.store(false, Ordering::Release);
        Ok(())
    }

    fn give_up(&self, what: &str) {
        tracing::error!(what, "the index cannot be built; only the log answers");
        self.inner.set_store(None);
        self.inner.failed.store(true, Ordering::Release);
        self.inner.rung.notify_all();
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
        // Sled holds its directory until the last handle is gone.
        self.inner.set_store(None);
    }

    fn catch_up(&mut self) -> Result<(), Failure> {
        while self.shared.log.durable() > self.applied || self.inner.broken.load(Ordering::Acquire)
        {
            let Some(store) = self.inner.store() else {
                return Err(Failure::Index(Damage("a reader met damage".to_owned())));
            };
            self.apply_batch(&store)?;
        }
        Ok(())
    }

    fn apply_batch(&mut self, store: &Store) -> Result<(), Failure> {
        let mut touched: StreamMap<Touched> = StreamMap::default();
        let (mut records, mut length) = (0, 0);
        let mut failure = None;
        let mut meta = Meta {
            format: INDEX_FORMAT,
            projection: self.projection.version(),
            log: self.shared.log.id,
            applied: self.applied,
            leaf: LeafHash::NONE,
        };
        let scanned =
            self.shared.log.scan(self.applied + 1, &mut |segment, position, offset, bytes| {
                let envelope =
                    Envelope::parse(bytes).map_err(|what| segment.fault(offset, position, what))?;
                let record = Record {
                    position: Position(position),
                    stream: envelope.stream,
                    version: envelope.version,
                    time: envelope.time,
                    bytes: bytes.to_vec(),
                };
                if let Err(damage) = self.take_in(store, &mut touched, &record, offset) {
                    failure = Some(damage);
                    return Ok(false);
                }
                meta.applied = position;
                records += 1;
                length += bytes.len();
                let more = records < BATCH_RECORDS && length < BATCH_BYTES;
                if !more {
                    meta.leaf = LeafHash::of(bytes);
                }
                Ok(more)
            });
        scanned.map_err(Failure::Log)?;
        if let Some(damage) = failure {
            return Err(Failure::Index(damage));
        }
        if meta.leaf == LeafHash::NONE {
            meta.leaf = self.shared.leaf_at(meta.applied).map_err(Failure::Log)?;
        }
        store.apply(changes(&touched), &meta)?;
        self.applied = meta.applied;
        self.inner.applied.send_replace(Position(meta.applied));
        Ok(())
    }

    fn take_in(
        &self,
        store: &Store,
        touched: &mut StreamMap<Touched>,
        record: &Record,
        offset: u64,
    ) -> Result<(), Damage> {
        let posting = Posting { position: record.position.0, offset };
        let stream = match touched.entry(record.stream) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(load(store, record)?),
        };
        stream.postings.push(posting);
        let project = || self.projection.project(stream.summary.as_deref(), record);
        let summary = catch_unwind(AssertUnwindSafe(project))
            .map_err(|_| Damage("the projection panicked".to_owned()))?;
        stream.summary = Some(summary);
        Ok(())
    }
}

/// What the index has of the stream of a record that is its next.
fn load(store: &Store, record: &Record) -> Result<Touched, Damage> {
    let before = record.version.0.saturating_sub(1);
    if before == 0 {
        let first = record.position.0;
        return Ok(Touched { first, chunk: 0, postings: Vec::new(), summary: None });
    }
    let chunk = before / CHUNK;
    let postings = if before.is_multiple_of(CHUNK) {
        Vec::new()
    } else {
        store.chunk(record.stream, chunk)?
    };
    if postings.len() as u64 != before % CHUNK {
        return Err(Damage("the postings do not fit the log".to_owned()));
    }
    let first = match (chunk, postings.first()) {
        (0, Some(first)) => first.position,
        _ => load_first(store, record.stream)?,
    };
    Ok(Touched { first, chunk, postings, summary: store.summary(first)? })
}

fn load_first(store: &Store, stream: StreamId) -> Result<u64, Damage> {
    let first = store.chunk(stream, 0)?.first().map(|posting| posting.position);
    first.ok_or_else(|| Damage("the postings of a stream are missing".to_owned()))
}

/// The changes of a batch, in the order of their keys, which sled likes best.
fn changes(touched: &StreamMap<Touched>) -> Changes {
    let mut changes = Changes::default();
    let mut streams: Vec<(&StreamId, &Touched)> = touched.iter().collect();
    streams.sort_unstable_by_key(|(stream, _)| **stream);
    for (stream, touched) in &streams {
        for (chunk, postings) in (touched.chunk..).zip(touched.postings.chunks(CHUNK as usize)) {
            changes.chunk(**stream, chunk, postings);
        }
    }
    streams.sort_unstable_by_key(|(_, touched)| touched.first);
    for (stream, touched) in streams {
        if let Some(summary) = &touched.summary {
            changes.summary(touched.first, *stream, summary);
        }
    }
    changes
}
