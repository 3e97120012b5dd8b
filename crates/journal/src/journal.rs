//! The journal: the handle that appends, reads and follows.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::watch;
use uuid::Uuid;

use crate::append::answers::{Answers, Pending, PendingAll};
use crate::append::batch::Batch;
use crate::append::draft::Draft;
use crate::append::queue::Queue;
use crate::disk::lock::Lock;
use crate::disk::{Disk, RealDisk};
use crate::error::{Error, disk_error};
use crate::index::projection::{Projection, SummaryVisitor};
use crate::index::{Index, Opening};
use crate::options::{OpenReport, Options, Progress};
use crate::proofs::heads_tree::{StreamHead, head_before};
use crate::proofs::prover::Prover;
use crate::record::{Expected, Head, Position, Record, StreamId, Version};
use crate::recover::recover;
use crate::segments::log::{Log, read_places};
use crate::shared::Shared;
use crate::signed::checkpoints::Promised;
use crate::streams::heads::Heads;
use crate::streams::postings::Postings;
use crate::upkeep::Upkeep;
use crate::writer;

/// The directory of the log's segments within the data directory.
pub(crate) const LOG_DIRECTORY: &str = "log";

/// How many records of one call go to the writer together: it is at these while the next are
/// encoded.
const PART: usize = 256;
/// To encode more than so many takes about as long as to wake the writer.
const ANNOUNCED: usize = 16;

thread_local! {
    /// Room for the record of one append: it is copied out of it, so that no memory is taken and let go
    /// for each.
    static ROOM: Cell<Batch> = Cell::default();
}

/// Ends the threads when the last handle is gone.
struct Threads {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
    index: Option<Index>,
    /// Released last: while the threads run, the directory is held.
    _lock: Option<Lock>,
}

impl Threads {
    fn stop(&self) {
        self.shared.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the journal's writer panicked");
        }
        if let Some(index) = &self.index {
            index.stop();
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The embedded event store. A handle is cheap to clone; all clones share one writer.
///
/// What is read, here or by a [`crate::Reader`], is durable: nothing else is visible.
#[derive(Clone)]
pub struct Journal {
    pub(crate) shared: Arc<Shared>,
    threads: Arc<Threads>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Journal")
            .field("log", &self.shared.log.id)
            .field("durable", &self.shared.log.durable())
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal in a directory, or makes it there, and holds the directory.
    ///
    /// Cuts a torn tail and says so in the report; refuses to open, and changes nothing, when
    /// something durable is damaged or missing. An index that is missing, damaged or foreign is
    /// built anew. Blocks; `progress` is called on this thread.
    pub fn open(
        directory: &Path,
        options: Options,
        projection: Arc<dyn Projection>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Journal, OpenReport), Error> {
        let log = directory.join(LOG_DIRECTORY);
        RealDisk::make_private(&log).map_err(disk_error(log.display(), "making"))?;
        let lock = Lock::take(directory)?;
        let disk = Arc::new(RealDisk::new(log));
        let opening = Opening { directory: directory.join("index"), projection };
        let promised = Promised::read(directory)?;
        Journal::open_parts(disk, Some(lock), options, Some(opening), &promised, progress)
    }

    /// Opens the journal on any disk, without an index and without a lock: for simulations.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<(Journal, OpenReport), Error> {
        Journal::open_parts(disk, None, options, None, &Promised::default(), &mut |_| {})
    }

    /// The same with an index in a real directory: for simulations of both.
    pub fn open_on_with_index(
        disk: Arc<dyn Disk>,
        index: &Path,
        options: Options,
        projection: Arc<dyn Projection>,
    ) -> Result<(Journal, OpenReport), Error> {
        let opening = Opening { directory: index.to_owned(), projection };
        let promised = Promised::default();
        Journal::open_parts(disk, None, options, Some(opening), &promised, &mut |_| {})
    }

    fn open_parts(
        disk: Arc<dyn Disk>,
        lock: Option<Lock>,
        options: Options,
        opening: Option<Opening>,
        promised: &Promised,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Journal, OpenReport), Error> {
        options.check()?;
        let mut opened = opening.map(|opening| opening.open(&options));
        let seen = opened.as_ref().and_then(crate::index::Opened::seen);
        let recovered = recover(&disk, &options, seen, promised, progress)?;
        let mut report = recovered.report;
        let shared = Arc::new(Shared::new(
            recovered.log,
            Heads::new(recovered.heads),
            Postings::new(recovered.postings),
            Queue::new(options.queue_records),
            recovered.tree,
        ));
        let index = match opened.take() {
            Some(opened) => {
                let (index, rebuilt) = opened.start(&shared, &options, progress)?;
                report.index_rebuilt = rebuilt;
                Some(index)
            }
            None => None,
        };
        let failing = Arc::clone(&shared);
        let upkeep =
            Upkeep::start(Arc::clone(&disk), shared.log.id, options.segment_bytes, move |error| {
                failing.set_poison(&Arc::new(io::Error::other(error)));
            })
            .map_err(disk_error("upkeep", "starting the thread"))?;
        let writer =
            writer::start(&shared, disk, options, upkeep, recovered.tail, recovered.last_time_us)
                .map_err(disk_error("writer", "starting its threads"))?;
        let threads = Threads {
            shared: Arc::clone(&shared),
            writer: Mutex::new(Some(writer)),
            index,
            _lock: lock,
        };
        Ok((Journal { shared, threads: Arc::new(threads) }, report))
    }

    /// Appends one record behind its stream, if the stream is at the expected version.
    ///
    /// Never blocks. The answer comes when the record is durable, or when it is refused.
    #[must_use = "an append that nobody waits for may fail unseen"]
    pub fn append(&self, draft: &impl Draft, expected: Expected) -> Pending {
        let (answers, pending) = Answers::one();
        let mut batch = ROOM.try_with(Cell::take).unwrap_or_default();
        batch.begin(1, answers);
        batch.add(draft, expected, 0);
        self.shared.queue.put(&mut batch);
        batch.clear();
        // A thread that is about to end has no room any more.
        let _ = ROOM.try_with(|room| room.set(batch));
        pending
    }

    /// Appends several records that were decided together. Each is accepted or refused on its own;
    /// as far as the limits of a group allow, one flush makes up to 256 of them durable.
    #[must_use = "an append that nobody waits for may fail unseen"]
    pub fn append_all(
        &self,
        drafts: impl IntoIterator<Item = (impl Draft, Expected)>,
    ) -> PendingAll {
        let drafts: Vec<_> = drafts.into_iter().collect();
        if drafts.len() > ANNOUNCED {
            self.shared.queue.announce();
        }
        let (mut answers, pending) = Answers::several(drafts.len());
        for (first, part) in (0..).step_by(PART).zip(drafts.chunks(PART)) {
            // Encoded first: meanwhile the queue is not to be held.
            let mut batch = self.shared.queue.room();
            batch.begin(part.len(), answers.share());
            for (place, (draft, expected)) in (first..).zip(part) {
                batch.add(draft, *expected, place);
            }
            self.shared.queue.put(&mut batch);
            self.shared.queue.give_back(batch);
        }
        pending
    }

    /// The last durable position. Nothing is held: who borrows twice from what is waited on waits for the
    /// writer, which waits for him.
    #[must_use]
    pub fn durable_position(&self) -> Position {
        *self.shared.durable.borrow()
    }

    /// The last durable position, to wait on: the follower's bell.
    #[must_use]
    pub fn durable(&self) -> watch::Receiver<Position> {
        self.shared.durable.subscribe()
    }

    /// The last durable record of a stream, from memory; its leaf may have to be hashed from the
    /// log the first time.
    pub fn head(&self, stream: StreamId) -> Result<Option<Head>, Error> {
        let Some(entry) = self.shared.heads.get(stream) else { return Ok(None) };
        let leaf = match entry.leaf {
            Some(leaf) => leaf,
            None => self.shared.leaf_at(entry.position)?,
        };
        Ok(Some(Head { version: Version(entry.version), position: Position(entry.position), leaf }))
    }

    /// How many streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.shared.heads.count()
    }

    /// Which log this is: made once, in every segment's header.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.shared.log.id
    }

    /// Reads records in order from a position on, at most `most`, up to the durable position.
    ///
    /// For those who follow the log: records that were appended lately may come from memory, so an
    /// alteration of them on the disk does not show here. [`Journal::read_stream`], proofs and
    /// [`crate::verify()`] read the disk.
    pub fn read(&self, from: Position, most: usize) -> Result<Vec<Record>, Error> {
        self.shared.log.read(from, most)
    }

    /// Reads a stream's records in order, up to a version if one is given. A stream that is not
    /// there has none.
    pub fn read_stream(
        &self,
        stream: StreamId,
        up_to: Option<Version>,
    ) -> Result<Vec<Record>, Error> {
        let Some(head) = self.shared.heads.get(stream) else { return Ok(Vec::new()) };
        let last = up_to.map_or(head.version, |version| version.0.min(head.version));
        let positions = self.shared.postings.of(stream, last);
        let mut places = self.shared.log.places_at(&positions)?;
        let known = places.len() as u64;
        if known < last {
            let newer = self.shared.log.places(stream, head.position, known + 1)?;
            places.extend(newer.into_iter().filter(|place| place.version <= last));
        }
        read_places(stream, &places)
    }

    /// Visits the summaries of the projection in the order of the streams' first records, behind
    /// the stream whose first record is at `after`.
    ///
    /// They are as new as [`Journal::index_caught_up`] says. An error while the index is built
    /// anew; then nothing or a part was visited.
    pub fn summaries(
        &self,
        after: Option<Position>,
        visit: &mut SummaryVisitor<'_>,
    ) -> Result<(), Error> {
        match &self.threads.index {
            Some(index) => index.summaries(after, visit),
            None => Err(Error::Index("this journal was opened without one".to_owned())),
        }
    }

    /// The position that the index has applied. Nothing is held, as by [`Journal::durable_position`].
    #[must_use]
    pub fn index_position(&self) -> Position {
        *self.index_caught_up().borrow()
    }

    /// The position that the index has applied, to wait on. It goes back to 0 when the index is
    /// built anew, and ends when that is given up before the index has once had the whole log:
    /// [`Journal::summaries`] says why. Later it is tried again for as long as the journal is open.
    #[must_use]
    pub fn index_caught_up(&self) -> watch::Receiver<Position> {
        match &self.threads.index {
            Some(index) => index.applied(),
            None => watch::Sender::new(Position(0)).subscribe(),
        }
    }

    /// The content of the index as bytes: equal to that of a fresh build over the same log.
    pub fn logical_dump(&self) -> Result<Vec<u8>, Error> {
        match &self.threads.index {
            Some(index) => index.logical_dump(),
            None => Err(Error::Index("this journal was opened without one".to_owned())),
        }
    }

    /// The Merkle tree's size and root over all durable records.
    #[must_use]
    pub fn root(&self) -> (u64, [u8; 32]) {
        self.shared.with_tree(|tree| (tree.size(), tree.root()))
    }

    pub(crate) fn log(&self) -> &Log {
        &self.shared.log
    }

    /// Where a stream's last durable record stands.
    pub(crate) fn head_position(&self, stream: StreamId) -> Option<u64> {
        self.shared.heads.get(stream).map(|head| head.position)
    }

    /// The log and the tree as they are now, to make proofs from.
    pub(crate) fn prover(&self) -> Prover<'_> {
        Prover { log: &self.shared.log, tree: self.shared.with_tree(|tree| tree.clone()) }
    }

    /// The heads of all streams when the log had `size` records.
    pub(crate) fn heads_at(&self, size: u64) -> Result<Vec<StreamHead>, Error> {
        let durable = self.shared.log.durable();
        if size > durable {
            return Err(Error::Request(format!("the log has {durable} records, not {size}")));
        }
        // Whatever the writer adds meanwhile is behind `size`, and is taken back one by one.
        let mut heads = self.shared.heads.all();
        let mut newer = Vec::new();
        heads.retain(|head| {
            let kept = head.position.0 <= size;
            if !kept {
                newer.push(*head);
            }
            kept
        });
        for head in newer {
            heads.extend(head_before(&self.shared.log, head.stream, head.position.0, size)?);
        }
        Ok(heads)
    }

    /// Whether a write has failed. Reads go on; appends are refused until it is opened again.
    #[must_use]
    pub fn poisoned(&self) -> bool {
        self.shared.poison().is_some()
    }

    /// Lets nothing in any more, writes what waits, and closes the index cleanly. Other handles
    /// may still read; their appends are refused.
    pub fn close(self) -> Result<(), Error> {
        self.threads.stop();
        match self.shared.poison() {
            Some(cause) => Err(Error::Poisoned(cause)),
            None => Ok(()),
        }
    }
}
