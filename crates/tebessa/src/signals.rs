//! How a program that runs until it is told to stop hears of it: SIGTERM, or Ctrl-C.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output::CliError;

/// Both signals. From when it is made on neither ends the program by itself.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, CliError> {
        let hear = |kind| signal(kind).map_err(CliError::other);
        Ok(Self {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
        })
    }

    /// Waits until one comes. One that came since the last time counts.
    pub(crate) async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
