//! The queue before the writer.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::append::batch::Batch;
use crate::error::Error;

/// How long a thread of the writer looks for more before it sleeps.
const LINGER: Duration = Duration::from_micros(50);
/// A yield that takes longer gave the processor to somebody who had work for a whole slice.
const SLICE: Duration = Duration::from_millis(1);
/// How many looks are left out after such a yield, at least and at most.
const LEAST_LEFT_OUT: u32 = 4;
const MOST_LEFT_OUT: u32 = 1024;

/// How many groups may be handed over and not durable yet: the disk is at one, and where one more than
/// the next waits for it, it seldom waits for one.
const MOST_FLUSHING: usize = 3;

/// A batch of at most so many records is joined to others that wait: each by itself costs memory that
/// is taken by one thread and let go by another.
const JOINED: usize = 16;
/// Nothing is joined to so many bytes: memory that is full is moved, and all who put something in wait.
const MOST_JOINED_BYTES: usize = 64 << 10;
/// The room of so many batches is kept: some are filled while others are staged. New memory is cold.
const KEPT: usize = 8;

/// Looks for something a moment longer: who was just answered often comes back at once, and that
/// is cheaper than being put to sleep and woken.
///
/// Where others want the processor, it is not: who yields then waits for their whole slice, who
/// sleeps is let in when woken. So after a yield that took long, the next looks are left out, four
/// times as many each time, and half as many after one that did not.
pub(crate) fn linger(until: impl Fn() -> bool) {
    static LEFT_OUT: AtomicU32 = AtomicU32::new(0);
    static NEXT_LEFT_OUT: AtomicU32 = AtomicU32::new(LEAST_LEFT_OUT);
    let left = LEFT_OUT.load(Ordering::Relaxed);
    if left > 0 {
        LEFT_OUT.store(left - 1, Ordering::Relaxed);
        return;
    }
    let begin = Instant::now();
    let mut yielded = begin;
    while yielded - begin < LINGER && !until() {
        std::thread::yield_now();
        let now = Instant::now();
        let next = NEXT_LEFT_OUT.load(Ordering::Relaxed);
        if now - yielded > SLICE {
            LEFT_OUT.store(next, Ordering::Relaxed);
            NEXT_LEFT_OUT.store((next * 4).min(MOST_LEFT_OUT), Ordering::Relaxed);
            return;
        }
        if until() {
            NEXT_LEFT_OUT.store((next / 2).max(LEAST_LEFT_OUT), Ordering::Relaxed);
            return;
        }
        yielded = now;
    }
}

/// What the writer is to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Stage what was taken.
    Stage,
    /// Hand the open group over: the disk waits for it.
    HandOver,
    /// End: the queue is closed and empty.
    End,
}

#[derive(Default)]
struct Inside {
    waiting: VecDeque<Batch>,
    /// How many records there are in them.
    records: usize,
    /// Room of batches that were staged, to be used again.
    used: Vec<Batch>,
    /// Records are about to be put in, see [`Queue::announce`].
    announced: bool,
    closed: bool,
    /// Why, where the writer broke off.
    cause: Option<Arc<io::Error>>,
}

/// The bounded queue of appends.
pub(crate) struct Queue {
    inside: Mutex<Inside>,
    changed: Condvar,
    /// Whether something waits, to be seen without the lock.
    any: AtomicBool,
    /// How many groups were handed over and are not durable yet; only the writer adds to it.
    flushing: AtomicUsize,
    most: usize,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Queue {
        Queue {
            inside: Mutex::default(),
            changed: Condvar::new(),
            any: AtomicBool::new(false),
            flushing: AtomicUsize::new(0),
            most,
        }
    }

    /// Puts records in the queue together; those for which it has no room, or all where it is closed,
    /// are answered at once. Nothing waits in the batch afterwards; a small one keeps its room.
    pub(crate) fn put(&self, batch: &mut Batch) {
        let mut inside = self.lock();
        if inside.closed {
            let cause = inside.cause.clone();
            drop(inside);
            batch.refuse_behind(0, || cause.clone().map_or(Error::Closed, Error::Poisoned));
            return;
        }
        batch.refuse_behind(self.most.saturating_sub(inside.records), || Error::Busy);
        if batch.len() == 0 {
            return;
        }
        let wake = inside.waiting.is_empty();
        inside.records += batch.len();
        let joined = inside.waiting.back_mut().filter(|last| last.bytes.len() < MOST_JOINED_BYTES);
        if batch.len() > JOINED {
            inside.waiting.push_back(std::mem::take(batch));
        } else if let Some(last) = joined {
            last.join(batch);
        } else {
            let mut last = inside.used.pop().unwrap_or_default();
            last.join(batch);
            inside.waiting.push_back(last);
        }
        if wake {
            self.any.store(true, Ordering::Release);
        }
        drop(inside);
        if wake {
            self.changed.notify_one();
        }
    }

    /// Says that records will be put in as soon as they are encoded, so that the writer, if it sleeps,
    /// wakes meanwhile. Where none come it goes to sleep again.
    pub(crate) fn announce(&self) {
        if self.any() {
            return;
        }
        self.lock().announced = true;
        self.changed.notify_one();
    }

    /// An empty batch, with the room of one that was staged if possible.
    pub(crate) fn room(&self) -> Batch {
        self.lock().used.pop().unwrap_or_default()
    }

    /// Takes back the room of a batch that was staged, or was not needed.
    pub(crate) fn give_back(&self, mut batch: Batch) {
        batch.clear();
        if !batch.has_room() {
            return;
        }
        let mut inside = self.lock();
        if inside.used.len() < KEPT {
            inside.used.push(batch);
        }
    }

    /// Blocks until there is something to do: swaps all that wait into `taken`, which is empty, or,
    /// where none wait, says that the disk waits for the group, if one is `open`; one that `looks`
    /// for more does so a moment longer.
    pub(crate) fn next(&self, taken: &mut VecDeque<Batch>, open: bool, looks: bool) -> Next {
        let something = || self.any() || (open && !looks && self.idle());
        linger(something);
        let mut inside = self.lock();
        loop {
            if open && self.idle() && inside.waiting.is_empty() {
                return Next::HandOver;
            }
            if !inside.waiting.is_empty() {
                std::mem::swap(&mut inside.waiting, taken);
                inside.records = 0;
                inside.announced = false;
                self.any.store(false, Ordering::Release);
                return Next::Stage;
            }
            if inside.closed {
                return Next::End;
            }
            if std::mem::take(&mut inside.announced) {
                drop(inside);
                linger(something);
                inside = self.lock();
                continue;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Blocks until one more group can be handed over: while the disk is at one, others may wait for
    /// it, so that it goes on at once.
    pub(crate) fn wait_for_room(&self) {
        self.wait_while(MOST_FLUSHING);
    }

    /// Whether one more group can be handed over, see [`Queue::wait_for_room`].
    pub(crate) fn has_room(&self) -> bool {
        self.flushing.load(Ordering::Acquire) < MOST_FLUSHING
    }

    /// Blocks until the disk waits for a group.
    pub(crate) fn wait_until_idle(&self) {
        self.wait_while(1);
    }

    /// Blocks while so many groups, or more, are handed over and not durable yet.
    fn wait_while(&self, flushing: usize) {
        let until = || self.flushing.load(Ordering::Acquire) < flushing;
        linger(until);
        let mut inside = self.lock();
        while !until() {
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the disk waits for a group. As only the writer hands over, it stays so for it.
    pub(crate) fn idle(&self) -> bool {
        self.flushing.load(Ordering::Acquire) == 0
    }

    /// Says that a group is handed over to the disk.
    pub(crate) fn begin_flush(&self) {
        self.flushing.fetch_add(1, Ordering::AcqRel);
    }

    /// Says that a group which was handed over is durable, or never will be.
    pub(crate) fn end_flush(&self) {
        // None is left where a thread broke off meanwhile, see `end_all_flushes`.
        let less = |flushing: usize| Some(flushing.saturating_sub(1));
        let _ = self.flushing.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.wake_writer();
    }

    /// Says that no further group will be made durable: a thread broke off.
    pub(crate) fn end_all_flushes(&self) {
        self.flushing.store(0, Ordering::Release);
        self.wake_writer();
    }

    fn wake_writer(&self) {
        // Taken, so that the writer is not between its look and its sleep.
        drop(self.lock());
        self.changed.notify_one();
    }

    /// Whether something waits.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Lets nothing in any more, and refuses all that waits and all that comes.
    pub(crate) fn refuse_all(&self, cause: &Arc<io::Error>) {
        let mut inside = self.lock();
        inside.closed = true;
        inside.cause = Some(Arc::clone(cause));
        let waiting = std::mem::take(&mut inside.waiting);
        drop(inside);
        for mut batch in waiting {
            batch.refuse_behind(0, || Error::Poisoned(Arc::clone(cause)));
        }
    }

    /// Lets nothing in any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::append::batch::tests::call;

    /// A call with one record of a stream.
    fn one(stream: u128) -> Batch {
        call(stream..stream + 1).0
    }

    #[test]
    fn calls_of_any_size_stay_in_their_order_and_what_is_too_much_is_refused() {
        let queue = Queue::new(200);
        let (mut from, mut taken) = (0, VecDeque::new());
        for records in [1, 2, 100, 1, 16, 17, 3, 100, 1] {
            let mut batch = call(from..from + records).0;
            queue.put(&mut batch);
            assert_eq!(batch.len(), 0, "what is too much is refused");
            from += records;
        }
        queue.put(&mut Batch::default());
        for _ in 0..2 {
            assert_eq!(queue.next(&mut taken, false, false), Next::Stage);
            let streams = taken.iter().flat_map(Batch::streams).map(|stream| stream.0.as_u128());
            assert!(streams.eq(0..200), "of {from}");
            // The same with room that was used before.
            taken.drain(..).for_each(|batch| queue.give_back(batch));
            (0..200).for_each(|number| queue.put(&mut one(number)));
        }
    }

    #[test]
    fn who_was_told_that_something_comes_waits_for_it_however_long_it_takes() {
        let queue = Queue::new(10);
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut taken = VecDeque::new();
                let next = queue.next(&mut taken, false, false);
                (next, taken.len(), queue.next(&mut taken, false, false))
            });
            queue.announce();
            // The writer takes note of it, looks in vain and sleeps again.
            while queue.lock().announced {
                thread::yield_now();
            }
            assert!(!writer.is_finished());
            queue.put(&mut one(0));
            while queue.any() {
                thread::yield_now();
            }
            queue.announce();
            queue.close();
            assert_eq!(writer.join().unwrap(), (Next::Stage, 1, Next::End));
        });
    }
}
