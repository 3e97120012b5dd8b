//! A log that is made aside and gets its name once it is whole: a crash leaves none, or all of it.

use std::fs;
use std::io;
use std::path::Path;

use crate::disk::sync_directory;
use crate::error::{Error, disk_error};
use crate::journal::LOG_DIRECTORY;

/// Removes a directory that is there only until something is whole, if it is there.
pub(crate) fn clear(aside: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(disk_error(aside.display(), "removing")(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes a directory with segments, all of them durable, the log of a data directory that has none.
pub(crate) fn put_in_place(segments: &Path, data: &Path) -> Result<(), Error> {
    sync_directory(segments).map_err(disk_error(segments.display(), "syncing"))?;
    let log = data.join(LOG_DIRECTORY);
    // An empty directory gives way; one with anything in it does not.
    let renamed = fs::rename(segments, &log);
    renamed.map_err(disk_error(log.display(), "putting the log in the place of"))?;
    sync_directory(data).map_err(disk_error(data.display(), "syncing"))
}
