//! The names of a store on a local disk, made durable: a document is as durable as the directories
//! that lead to it.
//!
//! The library syncs the directory that a document lies in, and the one above only when it made that
//! directory just now. Where this fails once, the next document there would rest on a name that was
//! never synced. So both are synced before every acceptance; one that is unchanged costs little.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Error;
use crate::private;

/// The directory of a store, and how one is synced.
#[derive(Debug, Clone)]
pub(super) struct Names {
    directory: PathBuf,
    /// Another one in tests, where it fails.
    pub(super) sync: fn(&Path) -> io::Result<()>,
}

impl Names {
    /// Makes the directory when missing, for the node's own account only, and its name durable.
    pub(super) fn open(directory: &Path) -> io::Result<Names> {
        private::make(directory)?;
        let above = directory.canonicalize()?;
        match above.parent().map_or(Ok(()), sync) {
            // The directory above one that was given may be closed to us.
            Err(error) if error.kind() != ErrorKind::PermissionDenied => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(Names { directory: directory.to_owned(), sync })
    }

    /// Makes durable that a directory of the store is there, and what is in it.
    pub(super) async fn make_durable(&self, within: &str) -> Result<(), Error> {
        let (sync, above, directory) =
            (self.sync, self.directory.clone(), self.directory.join(within));
        let synced =
            tokio::task::spawn_blocking(move || sync(&directory).and_then(|()| sync(&above)));
        let synced = synced.await.map_err(io::Error::other).flatten();
        synced.map_err(|error| {
            let source =
                object_store::Error::Generic { store: "documents", source: Box::new(error) };
            Error::store("synced")(source)
        })
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
