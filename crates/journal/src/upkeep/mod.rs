//! The thread that preallocates the next segments and seals the last, off the writer's way.

pub(crate) mod shelf;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::disk::Disk;
use crate::error::Error;
use crate::segments::footer::TreePart;
use crate::segments::seal::seal;
use crate::segments::segment::Segment;
use crate::upkeep::shelf::{AHEAD, Part, SPARES, Shelf, Spare};

enum Job {
    /// Another spare segment; how long the last segment lasted.
    Spare {
        last: Duration,
    },
    Seal {
        segment: Arc<Segment>,
        end: u64,
        tree: TreePart,
    },
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
        let (jobs, thread) = (Some(jobs), Some(thread));
        let upkeep = Upkeep { jobs, shelf, thread, begun: Instant::now() };
        upkeep.ask_for_spares(1, Duration::ZERO);
        Ok(upkeep)
    }

    fn ask(&self, job: Job) {
        // The thread ends only after this sender is gone.
        drop(self.jobs.as_ref().map(|jobs| jobs.send(job)));
    }

    /// Has spares made until so many are there.
    fn ask_for_spares(&self, ahead: usize, last: Duration) {
        for _ in 0..self.shelf.ask(ahead) {
            self.ask(Job::Spare { last });
        }
    }

    /// Takes a spare file, waiting for it if need be. One that could not be made is tried once more: it
    /// may have been tried long ago, and the disk have room now.
    pub(crate) fn take_spare(&self) -> Result<Spare, Arc<io::Error>> {
        self.shelf.take().or_else(|_| {
            self.ask_for_spares(1, Duration::ZERO);
            self.shelf.take()
        })
    }

    /// Notes that a group was written, up to which byte of its segment: spares have time as long as the
    /// log is written to, but not more than it leaves them.
    pub(crate) fn note_group(&self, end: u64) {
        self.shelf.note_group(end);
    }

    /// Has a full segment sealed and, after the spare was taken and renamed, more made.
    pub(crate) fn rolled(&mut self, segment: Arc<Segment>, end: u64, tree: TreePart) {
        let last = std::mem::replace(&mut self.begun, Instant::now()).elapsed();
        self.ask(Job::Seal { segment, end, tree });
        // A log that fills a segment is likely to fill more.
        self.ask_for_spares(AHEAD, last);
    }
}

impl Drop for Upkeep {
    /// Lets the thread do what it was asked, without spares that it has not begun, and waits for its
    /// end.
    fn drop(&mut self) {
        self.jobs = None;
        self.shelf.end();
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
            self.0.break_off(io::Error::other("the thread journal-upkeep panicked"));
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
    // One more is asked for only after the one that had its name is a segment.
    let mut put = 0;
    while let Ok(job) = inbox.recv() {
        match job {
            Job::Spare { .. } if shelf.ended() => {}
            Job::Spare { last } => {
                let Some(name) = SPARES.get(put % AHEAD).copied() else { return };
                let begun = Instant::now();
                let mut pace = |done| shelf.pace(begun, Part { bytes: done, whole: length }, last);
                let made = disk.create_zeros(name, length, &mut pace);
                if shelf.put(made.map(|file| Spare { name, file }).map_err(Arc::new)) {
                    put += 1;
                } else if let Err(error) = disk.remove(name) {
                    tracing::debug!(%error, "what was preallocated in vain is still there");
                }
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
    use crate::disk::RealDisk;

    fn full() -> Arc<io::Error> {
        Arc::new(io::ErrorKind::StorageFull.into())
    }

    #[test]
    fn a_spare_that_could_not_be_made_is_tried_once_more_when_it_is_needed() {
        let place = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(place.path().to_owned());
        let (jobs, inbox) = mpsc::channel();
        let shelf = Arc::new(Shelf::default());
        let begun = Instant::now();
        let upkeep = Upkeep { jobs: Some(jobs), shelf: Arc::clone(&shelf), thread: None, begun };
        let make = |made: Result<Spare, Arc<io::Error>>| {
            assert!(matches!(inbox.recv(), Ok(Job::Spare { .. })));
            shelf.put(made);
        };
        let spare = || disk.create("spare").map(|file| Spare { name: "spare", file });

        // The disk was full, and has room.
        upkeep.ask_for_spares(1, Duration::ZERO);
        make(Err(full()));
        thread::scope(|scope| {
            let taken = scope.spawn(|| upkeep.take_spare().is_ok());
            make(spare().map_err(Arc::new));
            assert!(taken.join().unwrap());
        });
        // It is full still.
        upkeep.ask_for_spares(1, Duration::ZERO);
        make(Err(full()));
        thread::scope(|scope| {
            let taken = scope.spawn(|| upkeep.take_spare().err().map(|error| error.kind()));
            make(Err(full()));
            assert_eq!(taken.join().unwrap(), Some(io::ErrorKind::StorageFull));
        });
        // There is nobody left to make one.
        shelf.break_off(io::Error::other("gone"));
        assert!(upkeep.take_spare().is_err());
    }
}
