//! The one writer: it stamps, makes a group durable, and only then tells.
//!
//! Three threads, so that the disk does not wait for the processor: this one stamps and hashes the
//! next group while [`disk`] writes and syncs the one before and [`tell`] answers for the one
//! before that. A group stays open, and grows, until the disk is free for it; one that is full waits
//! for the disk closed, so that the disk goes on at once. A small group that finds the disk idle is
//! made durable by this thread: a thread that is woken on an idle processor may take longer to begin
//! than the disk takes to sync.
//!
//! A thread that panics takes the writer down with it, see [`guard`]; nobody waits for ever.

mod coming;
mod disk;
mod group;
mod guard;
mod tell;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use self::coming::Coming;
use self::disk::Committer;
use self::group::{Group, Pipe, Staged};
use self::guard::Guard;
use crate::disk::Disk;
use crate::error::Error;
use crate::heads::HeadEntry;
use crate::journal::Shared;
use crate::options::Options;
use crate::queue::{Next, Waiting};
use crate::record::{Appended, Expected, LeafHash, MAX_RECORD_BYTES, Position, Version};
use crate::recover::Tail;
use crate::template::{Stamp, TIME_BYTES, Template, time_text};
use crate::upkeep::Upkeep;

/// A group of at most so many records is made durable by the thread that stamped it.
const SMALL: usize = 64;
/// The same of one that was begun when nothing was on its way, so that probably nothing follows.
const SMALL_ALONE: usize = 192;

/// The thread that stamps; what it holds, nobody else touches.
struct Writer {
    shared: Arc<Shared>,
    pipe: Arc<Pipe>,
    committer: Arc<Mutex<Committer>>,
    options: Options,
    time: jiff::Timestamp,
    time_text: [u8; TIME_BYTES],
    /// The group that is open.
    group: Group,
    /// Nothing was on its way when the open group was begun.
    alone: bool,
    coming: Coming,
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
    let committer = Arc::new(Mutex::new(Committer {
        shared: Arc::clone(shared),
        pipe: Arc::clone(&pipe),
        disk,
        segment_bytes: options.segment_bytes,
        upkeep,
        tail,
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
    let mut group = Group::default();
    group.begin(1, shared.log.durable() + 1);
    let writer = Writer {
        shared: Arc::clone(shared),
        pipe: Arc::clone(&pipe),
        committer,
        options,
        time,
        time_text: time_text(time),
        group,
        alone: false,
        coming: Coming::default(),
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
            self.pipe.more.store(!self.group.is_empty(), Ordering::Release);
            let next = if self.is_full() {
                // Nothing is gained by keeping it until the disk is idle.
                self.shared.queue.wait_for_room();
                Next::HandOver
            } else {
                self.shared.queue.next(&mut waiting, !self.group.is_empty())
            };
            match next {
                Next::Stage => {}
                Next::HandOver if waiting.is_empty() && self.commit_here() => {}
                Next::HandOver => self.hand_over(!waiting.is_empty()),
                Next::End => break,
            }
        }
        if !self.group.is_empty() {
            self.shared.queue.wait_until_idle();
            self.hand_over(false);
        }
        self.pipe.end();
    }

    /// Makes the open group durable on this thread, and tells of it, where that is quicker: it is
    /// small, the disk is idle, and all before it was told.
    fn commit_here(&mut self) -> bool {
        let queue = &self.shared.queue;
        let small = if self.alone { SMALL_ALONE } else { SMALL };
        if self.group.staged.len() > small || !queue.idle() {
            return false;
        }
        let Ok(mut committer) = self.committer.try_lock() else { return false };
        // Looked at only now: who made the group before durable says under this lock that it is still
        // to be told. Told in another order, the tree and the places would be others.
        if self.pipe.untold() > 0 {
            return false;
        }
        let (number, next) = (self.group.number, self.group.buffer.next());
        self.group = committer.commit_and_tell(std::mem::take(&mut self.group));
        drop(committer);
        self.pipe.note_told(number);
        self.begin(number, next);
        true
    }

    fn hand_over(&mut self, more: bool) {
        let (number, next) = (self.group.number, self.group.buffer.next());
        self.shared.queue.begin_flush();
        self.pipe.more.store(more, Ordering::Release);
        self.group = match self.pipe.hand_over(std::mem::take(&mut self.group)) {
            Ok(empty) => empty,
            Err(mut group) => {
                group.fail(&self.shared.poison().unwrap_or_else(guard::broken_off));
                self.shared.queue.end_flush();
                group
            }
        };
        self.begin(number, next);
    }

    /// Begins the group behind `number`, with the position `next`.
    fn begin(&mut self, number: u64, next: u64) {
        self.group.begin(number + 1, next);
        self.coming.forget(self.pipe.told());
    }

    /// Fills the open group from what waits, up to the limits.
    fn stage(&mut self, waiting: &mut VecDeque<Waiting>) {
        if waiting.is_empty() {
            return;
        }
        self.tick();
        if self.group.is_empty() {
            self.alone = self.shared.queue.idle() && self.pipe.untold() == 0;
        }
        while !self.is_full() {
            let Some(Waiting { record, expected, answer: to }) = waiting.pop_front() else {
                return;
            };
            if let Some(cause) = self.shared.poison() {
                to.give(Err(Error::Poisoned(cause)));
                continue;
            }
            match self.stamp(&record, expected) {
                Ok((appended, prior, at)) => {
                    let stream = record.stream;
                    self.group.staged.push(Staged { stream, appended, prior, at, answer: to });
                }
                Err(error) => self.group.refused.push((to, error)),
            }
        }
    }

    /// Whether the limits of a group are reached.
    fn is_full(&self) -> bool {
        let records = self.group.staged.len();
        records >= self.options.group_records
            || (records > 0 && self.group.buffer.length() >= self.options.group_bytes)
    }

    /// Stamps one record into the group; also gives the position of the record before it in its
    /// stream, and where its frame begins.
    fn stamp(
        &mut self,
        record: &Template,
        expected: Expected,
    ) -> Result<(Appended, u64, usize), Error> {
        let stream = record.stream;
        let head = self.coming.get(stream).or_else(|| self.shared.heads.get(stream));
        let version = Version(head.map_or(0, |head| head.version));
        if let Expected::Exactly(expected) = expected
            && expected != version
        {
            return Err(Error::Conflict { stream, expected, actual: version });
        }
        let prev = match head {
            None => LeafHash::NONE,
            Some(HeadEntry { leaf: Some(leaf), .. }) => leaf,
            Some(HeadEntry { position, .. }) => self.shared.leaf_at(position)?,
        };
        let position = self.group.buffer.next();
        let version = version.next();
        let stamp = Stamp { version, prev, time: &self.time_text };
        let (at, bytes) = self
            .group
            .buffer
            .push(|out| record.stamp(&stamp, out))
            .map_err(|length| Error::TooLong { length, most: MAX_RECORD_BYTES })?;
        let leaf = LeafHash::of(bytes);
        let coming = HeadEntry { version: version.0, position, leaf: Some(leaf) };
        self.coming.set(stream, coming, self.group.number);
        let appended = Appended { position: Position(position), version, leaf, time: self.time };
        Ok((appended, head.map_or(0, |head| head.position), at))
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
