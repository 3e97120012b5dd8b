//! One run of the server program, from its start to its end.

use std::collections::VecDeque;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Split};
use tokio::net::TcpListener;
use tokio::process::{ChildStderr, Command};

use super::Error;
use super::configuration::Configuration;

/// How long a large store may take to be read at the start.
const START_LIMIT: Duration = Duration::from_mins(5);
/// How long an orderly end may take before the server is killed. Nothing is lost by that: what
/// the server holds is a mirror.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How many of its last lines are kept to explain its death.
const LAST_LINES: usize = 5;

/// What the server prints, in this order, when it is up.
const LISTENING: &str = "Listening for client connections on ";
const READY: &str = "Server is ready";

/// A server that accepts connections. Killed when dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: tokio::process::Child,
    pid: u32,
    port: u16,
    last_lines: LastLines,
}

/// How a server ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: String,
    pub(super) last_words: String,
}

impl Server {
    /// Starts the program and waits until it is ready, by its own word.
    pub(super) async fn start(
        program: &Path,
        configuration: &Configuration,
        port: Option<u16>,
    ) -> Result<Self, Error> {
        if let Some(port) = port {
            // Asked here, because the server's own words for it are not made to be read.
            TcpListener::bind(("127.0.0.1", port)).await.map_err(|_| Error::PortTaken { port })?;
        }
        configuration.write(port)?;
        let mut child = Command::new(program)
            .arg("--config")
            .arg(configuration.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C at the terminal is for the node, which still needs the
            // server while it drains.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io(program, "started"))?;
        let last_lines = LastLines::default();
        let mut lines = child.stderr.take().map(|stderr| BufReader::new(stderr).split(b'\n'));
        let ready = tokio::time::timeout(START_LIMIT, ready(lines.as_mut(), &last_lines)).await;
        let port = match ready {
            Ok(Some(port)) => port,
            Ok(None) => {
                // It closed its end, so it is ending; should it not, it is of no use either.
                let ended = tokio::time::timeout(STOP_LIMIT, child.wait()).await;
                let status = ended.map_or_else(
                    |_| "it still runs".to_owned(),
                    |status| describe(status.as_ref()),
                );
                return Err(Error::EndedAtStart { status, last_words: last_lines.text() });
            }
            Err(_) => return Err(Error::NotReady { last_words: last_lines.text() }),
        };
        let pid = child.id().unwrap_or_default();
        if let Some(lines) = lines {
            // Ends by itself when the server closes its end.
            tokio::spawn(follow(lines, last_lines.clone()));
        }
        Ok(Self { child, pid, port, last_lines })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Returns when the server ended by itself.
    pub(super) async fn ended(&mut self) -> Ended {
        let status = describe(self.child.wait().await.as_ref());
        Ended { status, last_words: self.last_lines.text() }
    }

    /// Ends the server in order, or by force when it does not go.
    pub(super) async fn stop(mut self) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        // An error means that it is gone already, which `wait` will say too.
        let asked = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        if asked && tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.is_ok() {
            return;
        }
        if let Err(error) = self.child.kill().await {
            tracing::error!(%error, pid = self.pid, "the nats-server could not be killed");
        }
    }
}

/// Reads until the server says that it is ready and on which port; none when it ended before.
async fn ready(
    lines: Option<&mut Split<BufReader<ChildStderr>>>,
    last_lines: &LastLines,
) -> Option<u16> {
    let lines = lines?;
    let mut port = None;
    while let Some(line) = next(lines).await {
        if let Some((_, address)) = line.split_once(LISTENING) {
            port = address.trim().rsplit(':').next()?.parse().ok();
        }
        if line.contains(READY) {
            return port;
        }
        last_lines.push(&line);
    }
    None
}

/// Reads on for as long as the server lives: it must not block on a full pipe, and its warnings
/// belong into the node's log.
async fn follow(mut lines: Split<BufReader<ChildStderr>>, last_lines: LastLines) {
    while let Some(line) = next(&mut lines).await {
        let line = without_payload(&line);
        if ["[WRN]", "[ERR]", "[FTL]"].iter().any(|mark| line.contains(mark)) {
            tracing::warn!(target: "nats_server", "{line}");
        }
        last_lines.push(line);
    }
}

/// The next line, whatever bytes are in it; none when the server closed its end.
async fn next(lines: &mut Split<BufReader<ChildStderr>>) -> Option<String> {
    let line = lines.next_segment().await.ok()??;
    Some(String::from_utf8_lossy(&line).into_owned())
}

/// When the server cannot read what a client sent, it prints the beginning of it; a client that
/// counts its payload wrong would so put a person's name into the log.
fn without_payload(line: &str) -> &str {
    line.split_once("proto=").map_or(line, |(before, _)| before)
}

fn describe(status: Result<&ExitStatus, &std::io::Error>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The last lines that the server printed.
#[derive(Clone, Debug, Default)]
struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        if lines.is_empty() { "it printed nothing".to_owned() } else { lines.join(" | ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sent_is_cut_from_the_servers_lines() {
        let line = "[1] [ERR] 127.0.0.1:4 - cid:5 - Client parser ERROR, state=0, i=0: proto='\"Maximilian\"...'";
        assert!(!without_payload(line).contains("Maximilian"));
        assert!(without_payload(line).contains("parser ERROR"));
    }
}
