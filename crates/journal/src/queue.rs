//! The queue before the writer, and the answer that a caller waits for.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::draft::Draft;
use crate::error::Error;
use crate::record::{Appended, Expected};

/// How long the writer looks for more before it sleeps.
const LINGER: Duration = Duration::from_micros(50);

/// An append on its way. Await it, or [`Pending::wait`] for it on a thread of its own.
///
/// Dropping it does not take the append back.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Appended, Error>>);

impl Pending {
    /// Blocks until the append is durable or refused. Not to be called on an async thread.
    pub fn wait(self) -> Result<Appended, Error> {
        self.0.blocking_recv().unwrap_or(Err(Error::Closed))
    }
}

impl Future for Pending {
    type Output = Result<Appended, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Closed)))
    }
}

/// Where the answer to an append goes.
pub(crate) type Answer = oneshot::Sender<Result<Appended, Error>>;

/// An append that waits for the writer.
pub(crate) struct Waiting {
    pub(crate) draft: Box<dyn Draft>,
    pub(crate) expected: Expected,
    pub(crate) answer: Answer,
}

impl Waiting {
    pub(crate) fn new(draft: Box<dyn Draft>, expected: Expected) -> (Waiting, Pending) {
        let (answer, pending) = oneshot::channel();
        (Waiting { draft, expected, answer }, Pending(pending))
    }
}

/// Gives an answer; a caller that no longer waits is no failure.
pub(crate) fn answer(to: Answer, with: Result<Appended, Error>) {
    drop(to.send(with));
}

#[derive(Default)]
struct Inside {
    waiting: Vec<Waiting>,
    closed: bool,
}

/// The bounded queue of appends.
pub(crate) struct Queue {
    inside: Mutex<Inside>,
    changed: Condvar,
    /// Whether something waits, to be seen without the lock.
    any: AtomicBool,
    most: usize,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Queue {
        Queue {
            inside: Mutex::default(),
            changed: Condvar::new(),
            any: AtomicBool::new(false),
            most,
        }
    }

    /// Puts appends in the queue together, or answers them at once when that is full or closed.
    pub(crate) fn put(&self, appends: impl Iterator<Item = Waiting>) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = inside.waiting.is_empty();
        for waiting in appends {
            if inside.closed {
                answer(waiting.answer, Err(Error::Closed));
            } else if inside.waiting.len() >= self.most {
                answer(waiting.answer, Err(Error::Busy));
            } else {
                inside.waiting.push(waiting);
            }
        }
        let wake = idle && !inside.waiting.is_empty();
        if wake {
            self.any.store(true, Ordering::Release);
        }
        drop(inside);
        if wake {
            self.changed.notify_one();
        }
    }

    /// Swaps all that wait into `taken`, which is empty; blocks until there is something. `false`
    /// when the queue is closed and empty.
    pub(crate) fn take(&self, taken: &mut Vec<Waiting>) -> bool {
        // A caller that was just answered often comes back at once: looking for it a moment longer
        // is cheaper than being put to sleep and woken.
        let begin = Instant::now();
        while begin.elapsed() < LINGER && !self.any.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if !inside.waiting.is_empty() {
                std::mem::swap(&mut inside.waiting, taken);
                self.any.store(false, Ordering::Release);
                return true;
            }
            if inside.closed {
                return false;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets nothing in any more.
    pub(crate) fn close(&self) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }
}
