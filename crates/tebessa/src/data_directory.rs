//! A data directory as commands find it: its logs, their keys, and a checkpoint by the node that runs
//! there or, where none does, by the command itself.

use std::path::Path;
use std::sync::Arc;

use journal::{Checkpoints, Journal, LogKeys, NoProjection, Options, Projection, Reader};
use service::checkpoints::Signer;
use service::logs::Log;
use service::node::keys_dir;
use service::queries::{CheckpointQuery, CheckpointReply};

use crate::address::Address;
use crate::ask::ask;
use crate::output::{CliError, OpenProgress};

/// Which log a command is about.
pub(crate) const fn log(access: bool) -> Log {
    if access { Log::Access } else { Log::Cases }
}

/// Signs a log as it is now: by the node that is there, else by opening the directory.
pub(crate) async fn checkpoint(address: &Address, log: Log) -> Result<CheckpointReply, CliError> {
    if address.has_node() {
        let query = CheckpointQuery { access: log == Log::Access };
        return ask(&address.connect().await?, "checkpoint", &query).await;
    }
    let data = address.data.clone();
    tokio::task::spawn_blocking(move || sign(&data, log)).await.map_err(CliError::other)?
}

fn sign(data: &Path, log: Log) -> Result<CheckpointReply, CliError> {
    let journal = open(data, log)?;
    let signed = Signer::new(data, log, journal.id()).sign(&journal).map_err(CliError::other)?;
    journal.close().map_err(CliError::other)?;
    Ok(CheckpointReply::from(signed))
}

/// Opens a log of a stopped node as the node would.
pub(crate) fn open(data: &Path, log: Log) -> Result<Journal, CliError> {
    let directory = record(data, log)?;
    let (options, projection): (_, Arc<dyn Projection>) = match log {
        Log::Cases => (Options::default(), Arc::new(service::Summaries)),
        Log::Access => (service::access::options(), Arc::new(NoProjection)),
    };
    let mut progress = OpenProgress::new();
    let opened = Journal::open(&directory, options, projection, &mut |step| progress.show(step));
    progress.finish();
    opened.map(|(journal, _)| journal).map_err(CliError::other)
}

/// A log's directory, if there is a log in it.
pub(crate) fn record(data: &Path, log: Log) -> Result<std::path::PathBuf, CliError> {
    let directory = log.directory(data);
    if holds_log(&directory)? {
        return Ok(directory);
    }
    let data = data.display();
    Err(CliError::message(match log {
        Log::Cases => format!("{data} holds no record; --data names the data directory of a node"),
        Log::Access => format!("{data} has no access log yet"),
    }))
}

/// The directory with the log in any directory that has one: a node's data, its journal, a backup.
pub(crate) fn log_of(directory: &Path, log: Log) -> Result<std::path::PathBuf, CliError> {
    let node = log.directory(directory);
    let found = (holds_log(&node)?, holds_log(directory)?);
    let shown = directory.display();
    match found {
        // Such as a backup in which a node of an older version was started: it has nothing.
        (true, true) => {
            let node = node.display();
            let what = format!(
                "{shown} has two logs, its own and that in {node}: move away what is not meant"
            );
            return Err(CliError::message(what));
        }
        (true, false) => return Ok(node),
        (false, true) => return Ok(directory.to_owned()),
        (false, false) => {}
    }
    let directory = shown;
    let what = format!("{directory} is neither a node's data directory nor a backup");
    Err(CliError::message(what))
}

/// Whether there is a log in a directory. One that cannot be looked at, as another account's, is an
/// error: who is told that it holds no record looks for it elsewhere.
pub(crate) fn holds_log(directory: &Path) -> Result<bool, CliError> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let log = directory.join("log");
    match log.metadata() {
        Ok(found) => Ok(found.is_dir()),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(false),
        Err(error) => {
            Err(CliError::caused(format!("{} could not be looked at", log.display()), error))
        }
    }
}

/// Makes a directory for the node's own account only.
pub(crate) fn make_private(directory: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        CliError::caused(format!("{} could not be made", directory.display()), error)
    })
}

/// The directory of a log's keys.
pub(crate) fn keys_of(data: &Path, log: Log) -> Result<std::path::PathBuf, CliError> {
    if log == Log::Cases {
        return Ok(keys_dir(data));
    }
    let id = Reader::id_in(&record(data, log)?).map_err(CliError::other)?;
    Ok(log.keys(data, id))
}

/// A log's keys, which must be there.
pub(crate) fn keys(data: &Path, log: Log) -> Result<LogKeys, CliError> {
    let directory = keys_of(data, log)?;
    let found = LogKeys::read(&directory).map_err(CliError::other)?;
    if found.is_none()
        && Checkpoints::new(&log.directory(data), "").any().map_err(CliError::other)?
    {
        return Err(CliError::other(LogKeys::lost(&directory)));
    }
    found.ok_or_else(|| {
        let data = data.display();
        let (name, option) = match log {
            Log::Cases => ("log", ""),
            Log::Access => ("access log", " --access"),
        };
        CliError::message(format!(
            "{data} has no key for its {name} yet: the first checkpoint makes one, see \
             `tebessa journal checkpoint{option} --data {data}`"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_be_looked_at_is_not_said_to_be_missing() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        // Of no permission the same way, but that does not hold the superuser back.
        std::os::unix::fs::symlink(&data, &data).unwrap();
        for refused in
            [record(&data, Log::Cases), record(&data, Log::Access), log_of(&data, Log::Cases)]
        {
            let said = service::chain(&refused.unwrap_err());
            assert!(said.contains("could not be looked at: "), "{said}");
            assert!(said.contains(data.to_str().unwrap()), "{said}");
        }
        std::fs::remove_file(&data).unwrap();
        for empty in [data.as_path(), place.path()] {
            let said = record(empty, Log::Cases).unwrap_err().to_string();
            assert!(said.contains("holds no record"), "{said}");
        }
    }
}
