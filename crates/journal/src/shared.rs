//! What the handles, the writer and the index share.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::append::queue::Queue;
use crate::error::{Error, chain};
use crate::proofs::tree::Tree;
use crate::record::{LeafHash, Position};
use crate::segments::log::Log;
use crate::segments::scan::Window;
use crate::streams::heads::Heads;
use crate::streams::postings::Postings;

/// What the handles, the writer and the index share.
pub(crate) struct Shared {
    pub(crate) log: Log,
    pub(crate) heads: Heads,
    pub(crate) postings: Postings,
    pub(crate) queue: Queue,
    pub(crate) durable: watch::Sender<Position>,
    tree: Mutex<Tree>,
    poisoned: AtomicBool,
    cause: Mutex<Option<Arc<io::Error>>>,
}

impl Shared {
    /// What a log is that was opened and that nothing has gone wrong with.
    pub(crate) fn new(
        log: Log,
        heads: Heads,
        postings: Postings,
        queue: Queue,
        tree: Tree,
    ) -> Shared {
        let durable = watch::Sender::new(Position(log.durable()));
        let (tree, poisoned) = (Mutex::new(tree), AtomicBool::new(false));
        Shared { log, heads, postings, queue, durable, tree, poisoned, cause: Mutex::new(None) }
    }

    pub(crate) fn with_tree<T>(&self, work: impl FnOnce(&mut Tree) -> T) -> T {
        work(&mut self.tree.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the writer is poisoned, if it is.
    pub(crate) fn poison(&self) -> Option<Arc<io::Error>> {
        if !self.poisoned.load(Ordering::Acquire) {
            return None;
        }
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Poisons the writer for good; the first cause stays.
    pub(crate) fn set_poison(&self, cause: &Arc<io::Error>) {
        tracing::error!(error = %chain(cause.as_ref()), "the log could not be written; the writer is poisoned");
        self.cause
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| Arc::clone(cause));
        self.poisoned.store(true, Ordering::Release);
    }

    /// Hashes the durable record at a position.
    pub(crate) fn leaf_at(&self, position: u64) -> Result<LeafHash, Error> {
        let segment = self.log.segment(position)?;
        let offset = segment.offset(position)?;
        let mut window = Window::near(segment.file.as_ref());
        segment.frame_at(&mut window, offset, position).map(LeafHash::of)
    }
}
