//! What happens when a thread of the writer panics.
//!
//! That is a defect, and no answer can be trusted after it: the writer is poisoned, and everybody who
//! waits, or will come, is told. What is on the disk is looked at anew when the journal is opened.

use std::io;
use std::sync::Arc;
use std::thread;

use super::group::Pipe;
use crate::shared::Shared;

/// Held by a thread of the writer as long as it runs.
pub(super) struct Guard {
    shared: Arc<Shared>,
    pipe: Arc<Pipe>,
    thread: &'static str,
}

impl Guard {
    pub(super) fn new(shared: &Arc<Shared>, pipe: &Arc<Pipe>, thread: &'static str) -> Guard {
        Guard { shared: Arc::clone(shared), pipe: Arc::clone(pipe), thread }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let cause = Arc::new(io::Error::other(format!("the thread {} panicked", self.thread)));
        self.shared.set_poison(&cause);
        for mut group in self.pipe.break_off() {
            group.to_tell.fail(&cause);
        }
        if self.thread == "journal-writer" {
            // Nobody takes from the queue any more.
            self.shared.queue.refuse_all(&cause);
        } else {
            self.shared.queue.end_all_flushes();
        }
    }
}

/// The cause where a thread broke off and its own is not known yet.
pub(super) fn broken_off() -> Arc<io::Error> {
    Arc::new(io::Error::other("a thread of the writer panicked"))
}
