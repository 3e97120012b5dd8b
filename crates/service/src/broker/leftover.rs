//! Ends a server that a killed node left behind, so that two never share a store.

use std::io;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::Error;

/// How long an orderly end may take before the server is killed.
const TERM_LIMIT: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// How long the system may take to end a killed process.
const KILL_LIMIT: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Ends every process whose command line names this configuration. No list of processes is kept
/// beside the store: such a list can be lost, and the system's own cannot.
pub(super) async fn end(configuration: &Path) -> Result<(), Error> {
    for pid in running_with(configuration)? {
        // The descriptor is taken before the second look: from then on it is this process and no
        // later one that got its number.
        let Ok(process) = pidfd_open(pid, PidfdFlags::NONBLOCK) else { continue };
        if !names(pid, configuration) {
            continue;
        }
        let pid = pid.as_raw_nonzero().get();
        tracing::warn!(pid, "ending the nats-server that an earlier run left behind");
        tokio::task::spawn_blocking(move || end_one(&process))
            .await
            .unwrap_or_else(|panic| Err(io::Error::other(panic)))
            .map_err(|source| Error::LeftOver { pid, source })?;
    }
    Ok(())
}

/// Blocks the thread until the process has ended.
fn end_one(process: &OwnedFd) -> io::Result<()> {
    for (signal, limit) in [(Signal::TERM, TERM_LIMIT), (Signal::KILL, KILL_LIMIT)] {
        match pidfd_send_signal(process, signal) {
            Ok(()) => {}
            Err(Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        // Readable as soon as the process has ended.
        let mut ended = [PollFd::new(process, PollFlags::IN)];
        if poll(&mut ended, Some(&limit))? > 0 {
            return Ok(());
        }
    }
    Err(io::Error::from(io::ErrorKind::TimedOut))
}

fn running_with(configuration: &Path) -> Result<Vec<Pid>, Error> {
    let processes = Path::new("/proc");
    let listed = std::fs::read_dir(processes).map_err(Error::io(processes, "listed"))?;
    let numbers = listed.filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        Pid::from_raw(pid)
    });
    Ok(numbers.filter(|pid| names(*pid, configuration)).collect())
}

/// Whether the process was started as a server with this configuration.
fn names(pid: Pid, configuration: &Path) -> bool {
    let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
    // A process that went away meanwhile names nothing.
    let line = std::fs::read(path).unwrap_or_default();
    let mut words = line.split(|byte| *byte == 0).skip(1);
    words.next() == Some(b"--config")
        && words.next() == Some(configuration.as_os_str().as_encoded_bytes())
}
