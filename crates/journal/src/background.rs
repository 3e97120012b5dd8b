//! Threads beside the writer let it go first.

use std::thread;

/// The least share of a core that is still enough to keep up between bursts.
const NICE: i32 = 10;

/// Gives the calling thread a lower priority than the threads that callers wait for, for good. On a
/// machine with idle cores this changes nothing. Where it is refused, it is as it was.
pub(crate) fn yield_to_the_writer() {
    // On Linux, "the calling process" is the calling thread: setpriority(2).
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

/// Lets a thread go on that waits for this core. To be called by the threads beside the writer between
/// small pieces of work: the system takes a core from whoever computes only after milliseconds, whatever
/// its priority.
pub(crate) fn let_others_go_on() {
    thread::yield_now();
}
