//! A node: the real binary, started with `tebessa up`, awaited, stopped and killed.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

/// How long a node may take until it is ready, and until it has stopped.
const LIMIT: Duration = Duration::from_mins(1);

/// The line that a node prints when it is ready.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Ready {
    /// Always true.
    pub ready: bool,
    /// The URL of its NATS server.
    pub nats: String,
    /// Its directory.
    pub data: PathBuf,
    /// The authority it keeps records for.
    pub authority: String,
    /// Its process.
    pub pid: u32,
}

/// A running node, or one that was. Stopped when dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    ready: Ready,
    output: Output,
    /// The directory, when it is the node's own.
    own: Option<tempfile::TempDir>,
}

/// Why a node did not become ready.
#[derive(Debug)]
enum NotReady {
    /// It ended by itself.
    Ended,
    /// It runs, and was not ready within the limit.
    StillRuns,
}

/// What a node printed on both of its outputs, so far.
#[derive(Clone, Debug, Default)]
struct Output(Arc<Mutex<String>>);

/// The path of the binary under test: `TEBESSA_BINARY`, or the one that `cargo xtask test` built
/// beside the tests.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TEBESSA_BINARY") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("the path of this test");
    // target/<profile>/deps/<test>
    let path = test.ancestors().nth(2).expect("the target directory").join("tebessa");
    assert!(path.is_file(), "{} is missing: run `cargo xtask test`", path.display());
    path
}

impl Node {
    /// Starts a node in a directory of its own.
    #[must_use]
    pub fn start() -> Self {
        let own = tempfile::tempdir().expect("a temporary directory");
        let data = own.path().join("data");
        let mut node = Self::start_in(&data, &[]);
        node.own = Some(own);
        node
    }

    /// Starts a node in a directory that outlives it, with more arguments for `tebessa up`.
    #[must_use]
    pub fn start_in(data: &Path, arguments: &[&str]) -> Self {
        match Self::try_start_in(data, arguments) {
            Ok(node) => node,
            Err(printed) => panic!("the node did not become ready:\n{printed}"),
        }
    }

    /// Starts a node; when it ends before it is ready, returns what it printed.
    pub fn try_start_in(data: &Path, arguments: &[&str]) -> Result<Self, String> {
        // A limit on files is an error for the node, as a full disk is, and not a signal.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(binary())
            .args(["up", "--json", "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the node's start");
        let output = Output::default();
        let (line, lines) = channel();
        let mut readers = vec![output.collect(child.stderr.take().expect("its stderr"), |_| {})];
        let stdout = child.stdout.take().expect("its stdout");
        readers.push(output.collect(stdout, move |text| {
            // Nobody waits for further lines once the node is ready.
            line.send(text.to_owned()).ok();
        }));
        match ready(&lines) {
            Ok(ready) => Ok(Self { child, ready, output, own: None }),
            Err(why) => {
                if matches!(why, NotReady::StillRuns) {
                    child.kill().ok();
                    end_left_over(data);
                }
                child.wait().expect("its end");
                for reader in readers {
                    reader.join().expect("its output");
                }
                Err(format!("{}({why:?})", output.text()))
            }
        }
    }

    /// What it said when it was ready.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.ready.nats
    }

    /// Its directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.ready.data
    }

    /// What it printed so far, on both of its outputs.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Asks it to stop, as an operator does, and returns how it ended. Panics when it does not
    /// end within a minute.
    pub fn stop(&mut self) -> ExitStatus {
        self.stop_by(Signal::TERM)
    }

    /// The same by another signal.
    pub fn stop_by(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().expect("its end") {
                return status;
            }
            assert!(Instant::now() < deadline, "the node does not stop:\n{}", self.output());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills it without a word. Its NATS server lives on, as after any crash, until a node starts
    /// in the same directory or this value is dropped.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("its end");
    }

    /// Lets its files grow up to so many bytes, or without limit: every write behind that fails.
    /// Its NATS server goes on as it was.
    pub fn bound_files(&self, most_bytes: Option<u64>) {
        bound_files(self.pid(), most_bytes);
    }

    /// The same for the files of the NATS server that it started; of a server that is started behind it
    /// they are as the node's.
    pub fn bound_server_files(&self, most_bytes: Option<u64>) {
        for server in servers(self.data()) {
            bound_files(server, most_bytes);
        }
    }

    fn pid(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process")
    }

    fn signal(&self, signal: Signal) {
        // It may be gone already, which `wait` tells.
        kill_process(self.pid(), signal).ok();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the node printed:\n{}---", self.output());
            self.child.kill().ok();
            self.child.wait().ok();
        } else if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
        end_left_over(&self.ready.data);
    }
}

impl Output {
    fn collect(
        &self,
        from: impl Read + Send + 'static,
        mut on_line: impl FnMut(&str) + Send + 'static,
    ) -> JoinHandle<()> {
        let output = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                on_line(&line);
                let mut text = output.0.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
            }
        })
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Awaits the line that says that the node is ready.
fn ready(lines: &Receiver<String>) -> Result<Ready, NotReady> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                if let Ok(ready) = serde_json::from_str::<Ready>(&line) {
                    return Ok(ready);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Err(NotReady::Ended),
            Err(RecvTimeoutError::Timeout) => return Err(NotReady::StillRuns),
        }
    }
}

fn bound_files(process: Pid, most_bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit { current: most_bytes.or(maximum), maximum };
    prlimit(Some(process), Resource::Fsize, limit).expect("its limit");
}

/// Ends the NATS server of a directory whose node was killed.
fn end_left_over(data: &Path) {
    for server in servers(data) {
        kill_process(server, Signal::KILL).ok();
    }
}

/// The NATS servers that run on a directory: one at most.
fn servers(data: &Path) -> Vec<Pid> {
    let Ok(data) = data.canonicalize() else { return Vec::new() };
    let configuration = data.join("nats/nats.conf");
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let named = processes.filter_map(Result::ok).filter(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|word| word == configuration.as_os_str().as_encoded_bytes())
    });
    named.filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?)).collect()
}
