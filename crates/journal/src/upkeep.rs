//! The thread that preallocates the next segment and seals the last, off the writer's way.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::disk::{Disk, DiskFile, Pace};
use crate::error::Error;
use crate::footer::TreePart;
use crate::log::Segment;
use crate::recover::{SPARE, seal};

/// A spare is made within this part of the time that the last segment lasted: the slower it is
/// written, the less the log waits behind it.
const PART_OF_A_SEGMENT: u32 = 2;
/// And within this time at most.
const LONGEST: Duration = Duration::from_secs(1);

enum Job {
    /// A spare segment, to be made no faster than `within`, unless somebody waits for it.
    Spare {
        within: Duration,
    },
    Seal {
        segment: Arc<Segment>,
        end: u64,
        tree: TreePart,
    },
}

type Ready = Result<Arc<dyn DiskFile>, Arc<io::Error>>;

#[derive(Default)]
struct Inside {
    spare: Option<Ready>,
    /// Somebody waits for the spare, or for the end.
    hurry: bool,
}

#[derive(Default)]
struct Shelf {
    inside: Mutex<Inside>,
    changed: Condvar,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, spare: Ready) {
        self.lock().spare = Some(spare);
        self.changed.notify_all();
    }

    fn hurry(&self) {
        self.lock().hurry = true;
        self.changed.notify_all();
    }

    /// Takes the spare, waiting for it if need be.
    fn take(&self) -> Ready {
        let mut inside = self.lock();
        loop {
            if let Some(ready) = inside.spare.take() {
                inside.hurry = false;
                return ready;
            }
            inside.hurry = true;
            self.changed.notify_all();
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets a time pass, or less when somebody is in a hurry. There is a hurry too where no time is left.
    fn pause(&self, time: Duration) -> Pace {
        let calm = |inside: &mut Inside| !inside.hurry;
        let waited = self.changed.wait_timeout_while(self.lock(), time, calm);
        let (inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if inside.hurry || time.is_zero() { Pace::Hurried } else { Pace::Calm }
    }
}

/// The writer's hold on the thread.
pub(crate) struct Upkeep {
    /// Gone when the thread is to end.
    jobs: Option<Sender<Job>>,
    shelf: Arc<Shelf>,
    thread: Option<JoinHandle<()>>,
    /// When the segment that is written to was begun.
    begun: Instant,
}

impl Upkeep {
    /// Starts the thread, which begins with a spare segment of `length` bytes. `failed` hears of a
    /// segment that could not be sealed.
    pub(crate) fn start(
        disk: Arc<dyn Disk>,
        log: Uuid,
        length: u64,
        failed: impl Fn(Error) + Send + 'static,
    ) -> io::Result<Upkeep> {
        let (jobs, inbox) = mpsc::channel();
        let shelf = Arc::new(Shelf::default());
        let own = Arc::clone(&shelf);
        let thread = thread::Builder::new().name("journal-upkeep".to_owned()).spawn(move || {
            crate::background::yield_to_the_writer();
            let shelf = Guarded(own);
            run(&inbox, disk.as_ref(), log, length, &shelf.0, &failed);
        })?;
        let upkeep =
            Upkeep { jobs: Some(jobs), shelf, thread: Some(thread), begun: Instant::now() };
        upkeep.ask(Job::Spare { within: Duration::ZERO });
        Ok(upkeep)
    }

    fn ask(&self, job: Job) {
        // The thread ends only after this sender is gone.
        drop(self.jobs.as_ref().map(|jobs| jobs.send(job)));
    }

    /// Takes the spare file, waiting for it if need be.
    pub(crate) fn take_spare(&self) -> Ready {
        self.shelf.take()
    }

    /// Has a full segment sealed and, after the spare was taken and renamed, another one made.
    pub(crate) fn rolled(&mut self, segment: Arc<Segment>, end: u64, tree: TreePart) {
        let lasted = std::mem::replace(&mut self.begun, Instant::now()).elapsed();
        self.ask(Job::Spare { within: (lasted / PART_OF_A_SEGMENT).min(LONGEST) });
        self.ask(Job::Seal { segment, end, tree });
    }
}

impl Drop for Upkeep {
    /// Lets the thread do what it was asked, and waits for its end.
    fn drop(&mut self) {
        self.jobs = None;
        self.shelf.hurry();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's upkeep thread panicked");
        }
    }
}

/// The shelf in the hands of the thread: if that panics, who waits for a spare hears of it.
struct Guarded(Arc<Shelf>);

impl Drop for Guarded {
    fn drop(&mut self) {
        if thread::panicking() {
            let cause = io::Error::other("the thread journal-upkeep panicked");
            self.0.put(Err(Arc::new(cause)));
        }
    }
}

fn run(
    inbox: &Receiver<Job>,
    disk: &dyn Disk,
    log: Uuid,
    length: u64,
    shelf: &Shelf,
    failed: &dyn Fn(Error),
) {
    while let Ok(job) = inbox.recv() {
        match job {
            Job::Spare { within } => {
                let begin = Instant::now();
                let mut pace = |done: u64| {
                    let due_us = (within.as_micros() as u64).saturating_mul(done) / length.max(1);
                    let early = Duration::from_micros(due_us).saturating_sub(begin.elapsed());
                    shelf.pause(early)
                };
                shelf.put(disk.create_zeros(SPARE, length, &mut pace).map_err(Arc::new));
            }
            Job::Seal { segment, end, tree } => {
                if let Err(error) = seal(&segment, log, end, &tree) {
                    failed(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR_EVER: Duration = Duration::from_secs(1 << 20);

    fn nothing() -> Ready {
        Err(Arc::new(io::ErrorKind::Other.into()))
    }

    #[test]
    fn who_waits_for_the_spare_ends_its_pauses() {
        let shelf = Shelf::default();
        thread::scope(|scope| {
            scope.spawn(|| {
                let paces = [(); 2].map(|()| shelf.pause(FOR_EVER));
                assert_eq!(paces, [Pace::Hurried; 2]);
                shelf.put(nothing());
            });
            assert!(shelf.take().is_err());
        });
        assert!(!shelf.lock().hurry, "the next one has time again");
    }

    #[test]
    fn the_end_does_not_wait_for_a_pause() {
        let shelf = Shelf::default();
        shelf.hurry();
        assert_eq!(shelf.pause(FOR_EVER), Pace::Hurried);
    }

    #[test]
    fn who_is_early_is_calm_and_who_is_late_is_not() {
        let shelf = Shelf::default();
        assert_eq!(shelf.pause(Duration::from_nanos(1)), Pace::Calm);
        assert_eq!(shelf.pause(Duration::ZERO), Pace::Hurried);
    }
}
