//! The server's configuration file, written anew at every start.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::file;
use super::password::{Password, USER};

/// The largest message that the server takes: 1 MiB. A record is at most 65,535 bytes, and
/// answers to queries are paged.
const MAX_PAYLOAD_BYTES: u32 = 1024 * 1024;

/// Where the configuration and the store are, and what the server wants to see.
#[derive(Debug)]
pub(super) struct Configuration {
    path: PathBuf,
    store: String,
    password: Option<Password>,
}

impl Configuration {
    /// Makes the directory, and settles on paths that do not depend on the working directory:
    /// a server that was left behind is known by its configuration's path.
    pub(super) async fn new(directory: &Path, private: bool) -> Result<Self, Error> {
        crate::private::make(directory).map_err(Error::io(directory, "created"))?;
        let directory =
            tokio::fs::canonicalize(directory).await.map_err(Error::io(directory, "found"))?;
        let store = directory
            .to_str()
            .map(quoted)
            .ok_or_else(|| Error::Path { path: directory.clone() })?;
        let password = private.then(|| Password::of(&directory)).transpose()?;
        Ok(Self { path: directory.join("nats.conf"), store, password })
    }

    /// The URL of the server on a port, with what it wants to see.
    pub(super) fn url(&self, port: u16) -> String {
        let who = self.password.as_ref().map(|password| format!("{USER}:{}@", password.text()));
        format!("nats://{}127.0.0.1:{port}", who.unwrap_or_default())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The port that was remembered; none where nothing, or nothing that is a port, was.
    pub(super) fn last_port(&self) -> Option<u16> {
        let path = self.port_file();
        // To open a pipe would wait for who writes to it.
        let is_file = fs::metadata(&path).is_ok_and(|found| found.is_file());
        let text = is_file.then(|| fs::read_to_string(path).ok()).flatten()?;
        text.trim().parse().ok().filter(|port| *port > 0)
    }

    /// Keeps a port for the next start. Where it cannot be kept, that one takes any.
    pub(super) fn remember(&self, port: u16) {
        let path = self.port_file();
        if let Err(error) = file::write(&path, &port.to_string()) {
            tracing::warn!(file = %path.display(), %error, "the NATS port could not be kept");
        }
    }

    fn port_file(&self) -> PathBuf {
        self.path.with_file_name("port")
    }

    /// Writes the file for a port, or for any free one.
    pub(super) fn write(&self, port: Option<u16>) -> Result<(), Error> {
        let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
        let access = self.password.as_ref().map(|password| {
            format!("authorization {{ user: {USER}, password: \"{}\" }}\n", password.text())
        });
        // The store's limit is above any disk here: by default it is a share of what was free at
        // the start, and a server started on a fuller disk would refuse what it already holds.
        let text = format!(
            "# Written by tebessa at every start; changes are lost.\n\
             server_name: tebessa\n\
             listen: \"127.0.0.1:{port}\"\n\
             max_payload: {MAX_PAYLOAD_BYTES}\n\
             jetstream {{ store_dir: {}, max_file_store: 1048576GB, max_memory_store: 64MB }}\n{}",
            self.store,
            access.unwrap_or_default()
        );
        file::write(&self.path, &text).map_err(Error::io(&self.path, "written"))
    }
}

/// A string as the configuration's grammar has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
