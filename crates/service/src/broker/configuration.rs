//! The server's configuration file, written anew at every start.

use std::path::{Path, PathBuf};

use super::Error;

/// The largest message that the server takes: 1 MiB. A record is at most 65,535 bytes, and
/// answers to queries are paged.
const MAX_PAYLOAD_BYTES: u32 = 1024 * 1024;

/// Where the configuration and the store are.
#[derive(Debug)]
pub(super) struct Configuration {
    path: PathBuf,
    store: String,
}

impl Configuration {
    /// Makes the directory, and settles on paths that do not depend on the working directory:
    /// a server that was left behind is known by its configuration's path.
    pub(super) async fn new(directory: &Path) -> Result<Self, Error> {
        tokio::fs::create_dir_all(directory).await.map_err(Error::io(directory, "created"))?;
        let directory =
            tokio::fs::canonicalize(directory).await.map_err(Error::io(directory, "found"))?;
        let store = directory
            .to_str()
            .map(quoted)
            .ok_or_else(|| Error::Path { path: directory.clone() })?;
        Ok(Self { path: directory.join("nats.conf"), store })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file for a port, or for any free one.
    pub(super) async fn write(&self, port: Option<u16>) -> Result<(), Error> {
        let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
        // The store's limit is above any disk here: by default it is a share of what was free at
        // the start, and a server started on a fuller disk would refuse what it already holds.
        let text = format!(
            "# Written by tebessa at every start; changes are lost.\n\
             server_name: tebessa\n\
             listen: \"127.0.0.1:{port}\"\n\
             max_payload: {MAX_PAYLOAD_BYTES}\n\
             jetstream {{ store_dir: {}, max_file_store: 1048576GB, max_memory_store: 64MB }}\n",
            self.store
        );
        tokio::fs::write(&self.path, text).await.map_err(Error::io(&self.path, "written"))
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
