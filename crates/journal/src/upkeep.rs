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
use crate::recover::{make_spare, seal};

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
    jobs: Sender<Job>,
    shelf: Arc<Shelf>,
    thread: JoinHandle<()>,
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
        let thread = thread::Builder::new()
            .name("journal-upkeep".to_owned())
            .spawn(move || run(&inbox, disk.as_ref(), log, length, &own, &failed))?;
        let upkeep = Upkeep { jobs, shelf, thread };
        upkeep.ask(Job::Spare);
        Ok(upkeep)
    }

    fn ask(&self, job: Job) {
        // The thread ends only after this sender is gone.
        drop(self.jobs.send(job));
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

    /// Lets the thread do what it was asked, and waits for its end.
    pub(crate) fn stop(self) {
        drop(self.jobs);
        if self.thread.join().is_err() {
            tracing::error!("the journal's upkeep thread panicked");
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
                let made = make_spare(disk, length).map_err(Arc::new);
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
