//! Segments that are preallocated and wait to be written to, and how quickly more of them are made.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::disk::{DiskFile, Pace};

/// How many are kept once a segment was filled: so much is taken without a zero being written beside
/// it, which costs the disk as much as the record does.
pub(crate) const AHEAD: usize = 2;
/// The names of their files as long as they are no segments.
pub(crate) const SPARES: [&str; AHEAD] = ["spare", "spare-2"];

/// While another is there, the next is made within this time, if the log is written to meanwhile.
const AT_LEISURE: Duration = Duration::from_secs(8);
/// While none is there, it is made within this part of the time that the last segment lasted: the slower
/// it is written, the less the log waits behind it.
const PART_OF_A_SEGMENT: u32 = 2;
/// And within this time at most.
const LONGEST: Duration = Duration::from_secs(1);
/// And it is always at least so many times as far as the segment in use is filled: a log that was quiet
/// may fill that one much quicker than the last.
const TIMES_AS_FAR: u64 = 2;
/// A log that nothing is appended to for so long is idle.
const IDLE: Duration = Duration::from_millis(20);

/// A file of zeros.
pub(crate) struct Spare {
    /// One of [`SPARES`].
    pub(crate) name: &'static str,
    pub(crate) file: Arc<dyn DiskFile>,
}

type Ready = Result<Spare, Arc<io::Error>>;

#[derive(Default)]
struct Inside {
    /// In the order in which they were made.
    ready: VecDeque<Ready>,
    /// How many were asked for and not taken yet.
    coming: usize,
    /// Somebody waits for a spare, or for the end.
    hurry: bool,
    ended: bool,
    /// Why none will come any more.
    broken: Option<Arc<io::Error>>,
    /// How many groups had been written when the log was last found idle.
    idle_at: Option<u64>,
}

/// What is ready.
#[derive(Default)]
pub(crate) struct Shelf {
    inside: Mutex<Inside>,
    changed: Condvar,
    /// How many groups were written.
    groups: AtomicU64,
    /// How much of the segment in use is written, in bytes.
    filled: AtomicU64,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many more must be made so that there are so many; they count as coming from now on.
    pub(crate) fn ask(&self, ahead: usize) -> usize {
        let mut inside = self.lock();
        let missing = ahead.saturating_sub(inside.coming);
        inside.coming += missing;
        missing
    }

    /// Puts a spare up, or why there is none. One that failed while another is there is dropped, and
    /// `false` returned: it will be asked for again, and the disk may have room then.
    pub(crate) fn put(&self, spare: Ready) -> bool {
        let mut inside = self.lock();
        if let Err(error) = &spare
            && !inside.ready.is_empty()
        {
            tracing::warn!(%error, "no segment could be preallocated; tried again when one is full");
            inside.coming = inside.coming.saturating_sub(1);
            return false;
        }
        inside.ready.push_back(spare);
        // Whoever waited has this one, also before it wakes: only the log's end takes spares.
        inside.hurry = inside.ended;
        drop(inside);
        self.changed.notify_all();
        true
    }

    /// No spare will come any more; whoever waits for one hears why.
    pub(crate) fn break_off(&self, error: io::Error) {
        self.lock().broken = Some(Arc::new(error));
        self.changed.notify_all();
    }

    /// Takes the oldest spare, waiting for it if need be.
    pub(crate) fn take(&self) -> Ready {
        let mut inside = self.lock();
        loop {
            if let Some(ready) = inside.ready.pop_front() {
                inside.hurry = inside.ended;
                inside.coming = inside.coming.saturating_sub(1);
                self.filled.store(0, Ordering::Relaxed);
                return ready;
            }
            if let Some(error) = &inside.broken {
                return Err(Arc::clone(error));
            }
            inside.hurry = true;
            self.changed.notify_all();
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nobody will take a spare any more.
    pub(crate) fn end(&self) {
        let mut inside = self.lock();
        (inside.hurry, inside.ended) = (true, true);
        drop(inside);
        self.changed.notify_all();
    }

    pub(crate) fn ended(&self) -> bool {
        self.lock().ended
    }

    /// Notes that a group was written, up to which byte of the segment in use.
    pub(crate) fn note_group(&self, end: u64) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.filled.store(end, Ordering::Relaxed);
    }

    /// Lets time pass, where there is some, until a spare should be made on of which a part is `done`
    /// since `begun`; the last segment lasted for `last`.
    pub(crate) fn pace(&self, begun: Instant, done: Part, last: Duration) -> Pace {
        let mut inside = self.lock();
        let mut calm = false;
        loop {
            let within = if inside.ready.is_empty() {
                (last / PART_OF_A_SEGMENT).min(LONGEST)
            } else {
                AT_LEISURE
            };
            let early = done.of(within).saturating_sub(begun.elapsed());
            let needed = self.filled.load(Ordering::Relaxed).saturating_mul(TIMES_AS_FAR);
            let behind = inside.ready.is_empty() && done.bytes < needed.min(done.whole);
            if inside.hurry || behind || (early.is_zero() && !calm) {
                return Pace::Hurried;
            }
            if early.is_zero() {
                return Pace::Calm;
            }
            let groups = self.groups.load(Ordering::Relaxed);
            if inside.idle_at == Some(groups) {
                return Pace::Calm;
            }
            let waited = self.changed.wait_timeout(inside, early.min(IDLE));
            let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            (inside, calm) = (again, true);
            let quiet = timeout.timed_out() && self.groups.load(Ordering::Relaxed) == groups;
            if quiet && early >= IDLE {
                inside.idle_at = Some(groups);
            }
        }
    }
}

/// A part of a whole, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) bytes: u64,
    pub(crate) whole: u64,
}

impl Part {
    fn of(self, time: Duration) -> Duration {
        let us = u128::from(self.bytes) * time.as_micros() / u128::from(self.whole.max(1));
        Duration::from_micros(u64::try_from(us).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;
    use crate::disk::{Disk, RealDisk};

    const HALF: Part = Part { bytes: 1, whole: 2 };
    const FOR_EVER: Duration = Duration::from_secs(1 << 20);

    fn nothing() -> Ready {
        Err(Arc::new(io::ErrorKind::Other.into()))
    }

    fn spare(name: &'static str) -> Spare {
        let directory = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(directory.path().to_owned());
        Spare { name, file: disk.create(name).unwrap() }
    }

    #[test]
    fn who_waits_for_a_spare_ends_the_pauses() {
        let shelf = Shelf::default();
        thread::scope(|scope| {
            scope.spawn(|| {
                // Another one is made with all the time there is, until somebody takes the last.
                assert!(shelf.take().is_ok());
                assert!(shelf.take().is_err());
            });
            shelf.put(Ok(spare("one")));
            while shelf.pace(Instant::now(), HALF, FOR_EVER) == Pace::Calm {}
            shelf.put(nothing());
        });
        assert!(!shelf.lock().hurry, "the next one has time again");
    }

    #[test]
    fn spares_are_taken_in_their_order() {
        let shelf = Shelf::default();
        for name in ["one", "two"] {
            shelf.put(Ok(spare(name)));
        }
        let names = [(); 2].map(|()| shelf.take().map(|spare| spare.name).ok());
        assert_eq!(names, [Some("one"), Some("two")]);
    }

    #[test]
    fn one_that_failed_stands_only_where_no_other_is() {
        let shelf = Shelf::default();
        assert_eq!((shelf.ask(2), shelf.ask(2)), (2, 0));
        assert!(shelf.put(Ok(spare("one"))));
        assert!(!shelf.put(nothing()));
        assert_eq!(shelf.ask(2), 1, "it is asked for again");
        assert!(shelf.take().is_ok());
        assert!(shelf.put(nothing()), "who takes the next hears of it");
        assert!(shelf.take().is_err());
    }

    #[test]
    fn the_end_does_not_wait_for_a_pause() {
        let shelf = Shelf::default();
        shelf.end();
        assert!(shelf.ended());
        assert_eq!(shelf.pace(Instant::now(), HALF, FOR_EVER), Pace::Hurried);
    }

    #[test]
    fn who_is_late_is_in_a_hurry_and_an_idle_log_waits_for_nothing() {
        let shelf = Shelf::default();
        assert_eq!(shelf.pace(Instant::now(), HALF, Duration::ZERO), Pace::Hurried);
        shelf.put(nothing());
        assert_eq!(shelf.pace(Instant::now(), HALF, Duration::ZERO), Pace::Calm);
        assert_eq!(shelf.lock().idle_at, Some(0));
    }

    #[test]
    fn a_log_that_fills_its_segment_quicker_than_the_last_has_the_next_in_a_hurry() {
        let shelf = Shelf::default();
        let pace = |bytes| shelf.pace(Instant::now(), Part { bytes, whole: 100 }, FOR_EVER);
        assert_eq!(pace(1), Pace::Calm, "it is idle");
        shelf.note_group(20);
        assert_eq!(pace(39), Pace::Hurried);
        shelf.note_group(20);
        assert_eq!(pace(40), Pace::Calm);
        shelf.note_group(90);
        assert_eq!(pace(99), Pace::Hurried);
        shelf.put(Ok(spare("one")));
        assert_eq!(pace(99), Pace::Calm, "another is there");
        assert!(shelf.take().is_ok());
        assert_eq!(pace(1), Pace::Calm, "the next segment is empty");
    }

    #[test]
    fn while_another_is_there_and_the_log_is_written_to_time_passes() {
        let shelf = Shelf::default();
        shelf.put(nothing());
        let begun = Instant::now();
        // The 256th part of the leisure is longer than a log may be idle.
        let done = Part { bytes: 1, whole: 256 };
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    shelf.note_group(0);
                    thread::yield_now();
                }
            });
            assert_eq!(shelf.pace(begun, done, Duration::ZERO), Pace::Calm);
            ended.store(true, Ordering::Relaxed);
        });
        assert!(begun.elapsed() >= AT_LEISURE / 256);
    }
}
