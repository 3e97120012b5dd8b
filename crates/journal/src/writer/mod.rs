//! The one writer: it stamps, makes a group durable, and only then tells.
//!
//! Three threads, so that the disk does not wait for the processor: this one stamps the next group
//! while [`disk`] writes and syncs the one before and [`tell`] answers for the one before that. A
//! group stays open, and grows, until the disk is free for it; one that is full waits for the disk
//! closed, so that the disk goes on at once. Records are hashed while the disk writes them, see
//! [`frames`]. A small group that finds the disk idle is made durable by this thread: a thread that is
//! woken on an idle processor may take longer to begin than the disk takes to sync.
//!
//! A small group looks a moment for those who came together before, see [`gather`].
//!
//! A thread that panics takes the writer down with it, see [`guard`]; nobody waits for ever.

mod coming;
mod disk;
mod frames;
mod gather;
mod group;
mod guard;
mod tell;
mod watch;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use self::coming::{Coming, ComingHead};
use self::disk::Committer;
use self::frames::Frames;
use self::gather::Gather;
use self::group::{Group, Pipe, Staged, ToTell};
use self::guard::Guard;
use self::watch::Watch;
use crate::append::answers::Answers;
use crate::append::batch::{Batch, Waiting};
use crate::append::queue::Next;
use crate::append::template::{Stamp, TIME_BYTES, time_text};
use crate::disk::Disk;
use crate::error::Error;
use crate::options::Options;
use crate::record::{Expected, LeafHash, MAX_RECORD_BYTES, Version};
use crate::recover::Tail;
use crate::shared::Shared;
use crate::streams::heads::HeadEntry;
use crate::upkeep::Upkeep;

/// A group of at most so many records is made durable by the thread that stamped it.
const SMALL: usize = 64;

/// To stamp at most so many records takes about as long as to wake the disk's thread.
const SOON: usize = 256;

/// The thread that stamps; what it holds, nobody else touches.
struct Writer {
    shared: Arc<Shared>,
    pipe: Arc<Pipe>,
    committer: Arc<Mutex<Committer>>,
    options: Options,
    time: jiff::Timestamp,
    time_text: [u8; TIME_BYTES],
    /// The number of the group that is open, its frames, and who is to be told.
    number: u64,
    frames: Frames,
    to_tell: ToTell,
    coming: Coming,
    gather: Gather,
    /// Room for heads.
    heads: Vec<Option<HeadEntry>>,
}

/// Starts the writer's threads; the one that is returned ends last.
pub(crate) fn start(
    shared: &Arc<Shared>,
    disk: Arc<dyn Disk>,
    options: Options,
    upkeep: Upkeep,
    tail: Tail,
    last_time_us: i64,
) -> io::Result<JoinHandle<()>> {
    let pipe = Arc::new(Pipe::default());
    let (telling, durable) = mpsc::channel();
    let watch = Watch::new(Arc::clone(&disk), &tail.segment)?;
    let committer = Arc::new(Mutex::new(Committer {
        shared: Arc::clone(shared),
        pipe: Arc::clone(&pipe),
        disk,
        watch,
        segment_bytes: options.segment_bytes,
        upkeep,
        tail,
        full: None,
    }));
    let guard = |thread| Guard::new(shared, &pipe, thread);
    let teller = {
        let (shared, pipe, guard) = (Arc::clone(shared), Arc::clone(&pipe), guard("journal-tell"));
        let builder = thread::Builder::new().name("journal-tell".to_owned());
        builder.spawn(move || {
            let _guard = guard;
            tell::run(&shared, &pipe, &durable);
        })?
    };
    let disk_thread = {
        let (committer, pipe, guard) =
            (Arc::clone(&committer), Arc::clone(&pipe), guard("journal-disk"));
        let builder = thread::Builder::new().name("journal-disk".to_owned());
        builder.spawn(move || {
            let _guard = guard;
            disk::run(&committer, &pipe, &telling);
        })?
    };
    let time = jiff::Timestamp::from_microsecond(last_time_us).unwrap_or(jiff::Timestamp::MIN);
    let mut frames = Frames::default();
    frames.begin(shared.log.durable() + 1);
    let writer = Writer {
        shared: Arc::clone(shared),
        pipe: Arc::clone(&pipe),
        committer,
        options,
        time,
        time_text: time_text(time),
        number: 1,
        frames,
        to_tell: ToTell::default(),
        coming: Coming::default(),
        gather: Gather::default(),
        heads: Vec::new(),
    };
    let guard = guard("journal-writer");
    thread::Builder::new().name("journal-writer".to_owned()).spawn(move || {
        let _guard = guard;
        writer.run();
        for thread in [disk_thread, teller] {
            // The guard of a thread that panicked has said so.
            drop(thread.join());
        }
    })
}

impl Writer {
    /// Stamps until the queue is closed and empty.
    fn run(mut self) {
        let mut waiting = VecDeque::new();
        loop {
            self.stage(&mut waiting);
            self.pipe.more.store(!self.to_tell.is_empty(), Ordering::Release);
            self.hash_while_nothing_waits();
            let next = if self.is_full() {
                // Nothing is gained by keeping it until the disk is idle.
                self.shared.queue.wait_for_room();
                Next::HandOver
            } else {
                let open = !self.to_tell.is_empty();
                let looks = open && self.gather.looks(self.frames.count(), Instant::now());
                // What it has would be hashed before it is written anyway, see `close`.
                while looks && !self.shared.queue.any() && self.frames.hash_lanes() {}
                self.shared.queue.next(&mut waiting, open, looks)
            };
            match next {
                Next::Stage => {}
                Next::HandOver if waiting.is_empty() && self.commit_here() => {}
                Next::HandOver => self.hand_over(!waiting.is_empty()),
                Next::End => break,
            }
        }
        if !self.to_tell.is_empty() {
            self.shared.queue.wait_until_idle();
            self.hand_over(false);
        }
        self.pipe.end();
    }

    /// Hashes what is on its way while there is nothing better to do: the disk writes it, and who
    /// tells would have to do it then.
    fn hash_while_nothing_waits(&self) {
        let queue = &self.shared.queue;
        let open = !self.to_tell.is_empty();
        let busy = || {
            if self.is_full() { queue.has_room() } else { queue.any() || (open && queue.idle()) }
        };
        while !busy() {
            if self.pipe.waits_to_be_taken() {
                // The disk's thread was woken for it, and may have been put behind this one.
                thread::yield_now();
            }
            if !self.coming.hash_some() {
                break;
            }
        }
    }

    /// Makes the open group durable on this thread, and tells of it, where that is quicker: it is
    /// small, the disk is idle, and all before it was told.
    fn commit_here(&mut self) -> bool {
        if self.frames.count() > SMALL || !self.shared.queue.idle() {
            return false;
        }
        let committer = Arc::clone(&self.committer);
        let Ok(mut committer) = committer.try_lock() else { return false };
        // Looked at only now: who made the group before durable says under this lock that it is still
        // to be told. Told in another order, the tree and the places would be others.
        if self.pipe.untold() > 0 {
            return false;
        }
        let group = self.close();
        let Group { number, frames, to_tell } = committer.commit_and_tell(group);
        drop(committer);
        self.pipe.note_told(number);
        self.coming.forget(number);
        self.coming.keep(frames);
        self.to_tell = to_tell;
        true
    }

    fn hand_over(&mut self, more: bool) {
        let group = self.close();
        self.coming.hand_over(group.number, Arc::clone(&group.frames));
        self.shared.queue.begin_flush();
        self.pipe.more.store(more, Ordering::Release);
        self.to_tell = match self.pipe.hand_over(group) {
            Ok(empty) => empty,
            Err(Group { mut to_tell, .. }) => {
                to_tell.fail(&self.shared.poison().unwrap_or_else(guard::broken_off));
                self.shared.queue.end_flush();
                to_tell
            }
        };
        self.coming.forget(self.pipe.told());
    }

    /// Closes the open group and begins the next.
    fn close(&mut self) -> Group {
        self.frames.close();
        self.gather.closed(self.frames.count());
        let next = self.frames.next();
        let frames = Arc::new(std::mem::replace(&mut self.frames, self.coming.room()));
        if frames.count() <= SMALL {
            // Whoever makes a small group durable tells of it too: while it hashes, the disk waits.
            frames.hash_all();
        }
        let number = self.number;
        self.number += 1;
        self.frames.begin(next);
        Group { number, frames, to_tell: std::mem::take(&mut self.to_tell) }
    }

    /// Fills the open group from what waits, up to the limits.
    fn stage(&mut self, waiting: &mut VecDeque<Batch>) {
        if waiting.is_empty() {
            return;
        }
        self.tick();
        let records = self.frames.count() + waiting.iter().map(Batch::len).sum::<usize>();
        if (SMALL + 1..=SOON).contains(&records) && self.shared.queue.idle() {
            self.pipe.announce();
        }
        let mut heads = std::mem::take(&mut self.heads);
        while !self.is_full() && !waiting.is_empty() {
            let room = self.options.group_records.saturating_sub(self.frames.count());
            let streams = waiting.iter().flat_map(Batch::streams).take(room);
            self.shared.heads.get_each(streams, &mut heads);
            self.stage_some(waiting, heads.drain(..));
        }
        self.heads = heads;
    }

    /// Fills the open group with the first that wait, whose streams' heads as they were told are given;
    /// ends where it is full. What is told meanwhile is in `coming`, and that is asked first.
    fn stage_some(
        &mut self,
        waiting: &mut VecDeque<Batch>,
        told: impl Iterator<Item = Option<HeadEntry>>,
    ) {
        for told in told {
            if self.is_full() {
                return;
            }
            let Some(batch) = waiting.front_mut() else { return };
            self.stage_first(batch, told);
            if batch.len() == 0
                && let Some(batch) = waiting.pop_front()
            {
                self.shared.queue.give_back(batch);
            }
        }
    }

    /// Takes the first record of a batch, whose stream's head as it was told is given.
    fn stage_first(&mut self, batch: &mut Batch, told: Option<HeadEntry>) {
        if let Some(cause) = self.shared.poison() {
            batch.refuse_behind(0, || Error::Poisoned(Arc::clone(&cause)));
            return;
        }
        let Some(waiting) = batch.first() else { return };
        let place = waiting.place;
        let staged = self.stage_one(waiting, &batch.bytes, told);
        let mut nobody = Answers::One(None);
        let answers = batch.answers().unwrap_or(&mut nobody);
        match staged {
            Ok(()) => self.to_tell.answer_to(answers),
            Err(error) => self.to_tell.refuse(place, error, answers),
        }
        batch.take_first();
    }

    /// Whether the limits of a group are reached.
    fn is_full(&self) -> bool {
        let records = self.frames.count();
        records >= self.options.group_records
            || (records > 0 && self.frames.length() >= self.options.group_bytes)
    }

    /// Stamps one record, which stands in `bytes`, into the group; `told` is its stream's head as it was
    /// told. Who is to be told of it is still to be said.
    fn stage_one(
        &mut self,
        waiting: &Waiting,
        bytes: &[u8],
        told: Option<HeadEntry>,
    ) -> Result<(), Error> {
        let Waiting { record, expected, place, .. } = waiting;
        let stream = record.stream;
        let coming = self.coming.get(stream);
        let head = match coming {
            Some(ComingHead { version, position, .. }) => {
                Some(HeadEntry { version, position, leaf: None })
            }
            None => told,
        };
        let version = Version(head.map_or(0, |head| head.version));
        if let Expected::Exactly(expected) = *expected
            && expected != version
        {
            return Err(Error::Conflict { stream, expected, actual: version });
        }
        let prev = match (coming, head) {
            (_, None) => LeafHash::NONE,
            (Some(coming), _) => self.coming_leaf(&coming)?,
            (None, Some(HeadEntry { leaf: Some(leaf), .. })) => leaf,
            (None, Some(HeadEntry { position, .. })) => self.shared.leaf_at(position)?,
        };
        let position = self.frames.next();
        let version = version.next();
        let stamp = Stamp { version, prev, time: &self.time_text };
        self.frames
            .push(|out| record.stamp(bytes, &stamp, out))
            .map_err(|length| Error::TooLong { length, most: MAX_RECORD_BYTES })?;
        self.coming.set(stream, ComingHead { version: version.0, position, group: self.number });
        // Pushed from here: what is returned goes through memory, and is waited for there.
        let prior = head.map_or(0, |head| head.position);
        self.to_tell.stage(Staged { stream, version, time: self.time, prior, place: *place });
        Ok(())
    }

    /// The leaf hash of a record that is on its way.
    fn coming_leaf(&self, head: &ComingHead) -> Result<LeafHash, Error> {
        let leaf = if head.group == self.number {
            let index = head.position.checked_sub(self.frames.first());
            index.and_then(|index| self.frames.leaf(usize::try_from(index).ok()?))
        } else {
            self.coming.leaf(head)
        };
        leaf.ok_or_else(|| {
            let what = format!("position {} is on its way and not to be found", head.position);
            let cause = Arc::new(io::Error::other(what));
            self.shared.set_poison(&cause);
            Error::Poisoned(self.shared.poison().unwrap_or(cause))
        })
    }

    /// Reads the clock in whole microseconds, but never before the last record's time.
    fn tick(&mut self) {
        let us = (self.options.clock)().as_microsecond();
        if us > self.time.as_microsecond()
            && let Ok(time) = jiff::Timestamp::from_microsecond(us)
        {
            self.time = time;
            self.time_text = time_text(time);
        }
    }
}
