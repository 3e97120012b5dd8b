//! The thread that preallocates the next segment and seals the last, off the writer's way.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use uuid::Uuid;

use crate::disk::{Disk, DiskFile};
use crate::error::Error;
use crate::footer::TreePart;
use crate::log::Segment;
use crate::recover::{SPARE, seal};

enum Job {
    Spare,
    Seal { segment: Arc<Segment>, end: u64, tree: TreePart },
}

type Ready = Result<Arc<dyn DiskFile>, Arc<io::Error>>;

struct Shelf {
    spare: Mutex<Option<Ready>>,
    changed: Condvar,
}

/// The writer's hold on the thread.
pub(crate) struct Upkeep {
    /// Gone when the thread is to end.
    jobs: Option<Sender<Job>>,
    shelf: Arc<Shelf>,
    thread: Option<JoinHandle<()>>,
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
        let shelf = Arc::new(Shelf { spare: Mutex::new(None), changed: Condvar::new() });
        let own = Arc::clone(&shelf);
        let thread = thread::Builder::new().name("journal-upkeep".to_owned()).spawn(move || {
            crate::background::yield_to_the_writer();
            let shelf = Guarded(own);
            run(&inbox, disk.as_ref(), log, length, &shelf.0, &failed);
        })?;
        let upkeep = Upkeep { jobs: Some(jobs), shelf, thread: Some(thread) };
        upkeep.ask(Job::Spare);
        Ok(upkeep)
    }

    fn ask(&self, job: Job) {
        // The thread ends only after this sender is gone.
        drop(self.jobs.as_ref().map(|jobs| jobs.send(job)));
    }

    /// Takes the spare file, waiting for it if need be.
    pub(crate) fn take_spare(&self) -> Ready {
        let mut spare = self.shelf.spare.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(ready) = spare.take() {
                return ready;
            }
            spare = self.shelf.changed.wait(spare).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has a full segment sealed and, after the spare was taken and renamed, another one made.
    pub(crate) fn rolled(&self, segment: Arc<Segment>, end: u64, tree: TreePart) {
        self.ask(Job::Spare);
        self.ask(Job::Seal { segment, end, tree });
    }
}

impl Drop for Upkeep {
    /// Lets the thread do what it was asked, and waits for its end.
    fn drop(&mut self) {
        self.jobs = None;
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
            let mut spare = self.0.spare.lock().unwrap_or_else(PoisonError::into_inner);
            *spare = Some(Err(Arc::new(cause)));
            drop(spare);
            self.0.changed.notify_all();
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
            Job::Spare => {
                let made = disk.create_zeros(SPARE, length).map_err(Arc::new);
                *shelf.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
                shelf.changed.notify_all();
            }
            Job::Seal { segment, end, tree } => {
                if let Err(error) = seal(&segment, log, end, &tree) {
                    failed(error);
                }
            }
        }
    }
}
