//! How a program that runs until it is told to stop hears of it: SIGTERM, SIGQUIT, Ctrl-C, or the
//! end of its terminal.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output::CliError;

/// SIGHUP's place among the signals that a program ignores.
const HANGUP: u64 = 1;

/// The signals. From when it is made on none of them ends the program by itself.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Else it would end the program at once, and leave the NATS server that it started.
    quit: Signal,
    /// None where whoever started the program wants it to outlive the terminal, as nohup does.
    hangup: Option<Signal>,
    /// Never asked for. A file that may not grow any more would end the program without a word; as it is
    /// caught, the write fails, which is said and handled as any other.
    _too_large: Option<Signal>,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, CliError> {
        let hear = |kind| signal(kind).map_err(CliError::other);
        let outlives = std::fs::read_to_string("/proc/self/status")
            .is_ok_and(|status| ignores_hangup(&status));
        Ok(Self {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
            quit: hear(SignalKind::quit())?,
            hangup: if outlives { None } else { Some(hear(SignalKind::hangup())?) },
            _too_large: hear(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).ok(),
        })
    }

    /// Waits until one comes. One that came since the last time counts.
    pub(crate) async fn told_to_stop(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
            _ = hangup => {}
        }
    }
}

/// What proc(5) says in the line `SigIgn`, a mask in hexadecimal.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & HANGUP != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_to_outlive_its_terminal_is_known() {
        let status = |mask: &str| format!("Name:\ttebessa\nSigBlk:\t0001\nSigIgn:\t{mask}\n");
        assert!(ignores_hangup(&status("0000000000001001")));
        assert!(!ignores_hangup(&status("0000000000001000")));
        assert!(!ignores_hangup(&status("none")));
        assert!(!ignores_hangup(""));
    }
}
