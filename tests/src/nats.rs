//! A NATS server with `JetStream` for tests that need no node: started, stopped, killed, started
//! again on the same port and store.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A server of its own, with a store of its own. Killed when dropped.
#[derive(Debug)]
pub struct NatsServer {
    directory: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl NatsServer {
    /// Starts a server and waits until it takes connections.
    #[must_use]
    pub fn start() -> Self {
        let mut server = Self::absent();
        server.start_again();
        server
    }

    /// The same with settings of its own, as its configuration file has them.
    #[must_use]
    pub fn start_with(settings: &str) -> Self {
        let mut server = Self::absent();
        std::fs::write(server.configuration(), settings).expect("the settings are written");
        server.start_again();
        server
    }

    fn configuration(&self) -> PathBuf {
        self.directory.path().join("nats.conf")
    }

    /// A server that is not there yet, but has a port.
    #[must_use]
    pub fn absent() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        Self { directory, port, child: None }
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Publishes a message with a block of headers that no client library would send, and returns when the
    /// server has taken it.
    pub fn publish_raw(&self, subject: &str, headers: &str, payload: &[u8]) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("the same connection"));
        let total = headers.len() + payload.len();
        let mut sent = b"CONNECT {\"headers\":true,\"verbose\":false}\r\n".to_vec();
        sent.extend(format!("HPUB {subject} {} {total}\r\n{headers}", headers.len()).bytes());
        sent.extend(payload);
        sent.extend(b"\r\nPING\r\n");
        (&stream).write_all(&sent).expect("the message");
        let mut line = String::new();
        while line.trim_end() != "PONG" {
            line.clear();
            assert!(reader.read_line(&mut line).expect("an answer") > 0, "the server closed");
            assert!(!line.starts_with("-ERR"), "{line}");
        }
    }

    /// The files of a stream's messages, first to last.
    #[must_use]
    pub fn message_files(&self, stream: &str) -> Vec<PathBuf> {
        let directory =
            self.directory.path().join("jetstream/$G/streams").join(stream).join("msgs");
        let mut files: Vec<PathBuf> = std::fs::read_dir(&directory)
            .expect("the stream's directory")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "blk"))
            .collect();
        files.sort_by_key(|path| {
            path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()).unwrap_or_default()
        });
        files
    }

    /// Starts it on its port and store.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "the server runs already");
        let program =
            std::env::var_os("TEBESSA_NATS_SERVER").unwrap_or_else(|| "nats-server".into());
        let mut command = Command::new(&program);
        if self.configuration().exists() {
            command.arg("--config").arg(self.configuration());
        }
        let mut child = command
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream"])
            .arg("--store_dir")
            .arg(self.directory.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} cannot be started ({error}): run `cargo xtask test`", program.display())
            });
        let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        let mut lines = stderr.lines();
        let mut printed = Vec::new();
        loop {
            match lines.next() {
                Some(Ok(line)) if line.contains("Server is ready") => break,
                Some(Ok(line)) => printed.push(line),
                Some(Err(_)) | None => panic!("the nats-server did not start: {printed:#?}"),
            }
        }
        // Read on, so that it never writes into a full or closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    /// Stops it in order: its index of the store is written.
    pub fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    /// Kills it: its index of the store is not written.
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else { return };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("its process");
        kill_process(pid, signal).expect("a signal to it");
        child.wait().expect("its end");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be gone already.
            child.kill().ok();
            child.wait().ok();
        }
    }
}
