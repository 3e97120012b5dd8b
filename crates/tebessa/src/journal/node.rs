//! Whom a command asks: the node that runs on a data directory, or the directory itself.

use std::path::Path;
use std::sync::Arc;

use journal::{Journal, LogKeys, Options};
use service::checkpoints::Signer;
use service::client::Client;
use service::node::{journal_dir, keys_dir};
use service::queries::CheckpointReply;

use crate::address::{Address, NodeFile};
use crate::output::{CliError, OpenProgress};

/// Signs the log as it is now: by the node that is there, else by opening the directory.
pub(crate) async fn checkpoint(address: &Address) -> Result<CheckpointReply, CliError> {
    if address.nats.is_some() || NodeFile::read(&address.data).is_ok_and(|file| !file.gone()) {
        let client = address.connect().await?;
        return ask(&client).await;
    }
    let data = address.data.clone();
    tokio::task::spawn_blocking(move || sign(&data)).await.map_err(CliError::other)?
}

async fn ask(client: &Client) -> Result<CheckpointReply, CliError> {
    let reply = client.query("checkpoint", Vec::new()).await.map_err(CliError::other)?;
    serde_json::from_slice(&reply).map_err(CliError::other)
}

fn sign(data: &Path) -> Result<CheckpointReply, CliError> {
    let journal = open(data)?;
    let signed = Signer::new(data, journal.id()).sign(&journal).map_err(CliError::other)?;
    journal.close().map_err(CliError::other)?;
    Ok(CheckpointReply::from(signed))
}

/// Opens the journal of a stopped node as the node would.
pub(super) fn open(data: &Path) -> Result<Journal, CliError> {
    let directory = record(data)?;
    let mut progress = OpenProgress::new();
    let opened =
        Journal::open(&directory, Options::default(), Arc::new(service::Summaries), &mut |step| {
            progress.show(step);
        });
    progress.finish();
    opened.map(|(journal, _)| journal).map_err(CliError::other)
}

/// The journal's directory, if there is a log in it.
pub(crate) fn record(data: &Path) -> Result<std::path::PathBuf, CliError> {
    let directory = journal_dir(data);
    if directory.join("log").is_dir() {
        Ok(directory)
    } else {
        Err(CliError::message(format!(
            "{} holds no record; --data names the data directory of a node",
            data.display()
        )))
    }
}

/// The directory with the log in any directory that has one: a node's data, its journal, a backup.
pub(super) fn log_of(directory: &Path) -> Result<std::path::PathBuf, CliError> {
    let candidates = [journal_dir(directory), directory.to_owned()];
    candidates.into_iter().find(|candidate| candidate.join("log").is_dir()).ok_or_else(|| {
        let directory = directory.display();
        CliError::message(format!("{directory} is neither a node's data directory nor a backup"))
    })
}

/// Makes a directory for the node's own account only.
pub(super) fn make_private(directory: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        CliError::caused(format!("{} could not be made", directory.display()), error)
    })
}

/// The log's keys, which must be there.
pub(crate) fn keys(data: &Path) -> Result<LogKeys, CliError> {
    let found = LogKeys::read(&keys_dir(data)).map_err(CliError::other)?;
    found.ok_or_else(|| {
        let data = data.display();
        CliError::message(format!(
            "{data} has no key for its log yet: the first checkpoint makes one, see \
             `tebessa journal checkpoint --data {data}`"
        ))
    })
}
