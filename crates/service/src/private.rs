//! Directories for the node's own account only, whatever the process leaves open to others: the record
//! says much of people, although their words are sealed, and the keys are beside it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes a directory, and those missing above it. One that is there keeps its mode. Blocks.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// The mode of a directory that others may enter or read; `None` where they may not.
pub(crate) fn open_to_others(directory: &Path) -> io::Result<Option<u32>> {
    let mode = fs::metadata(directory)?.permissions().mode() & 0o7777;
    Ok((mode & 0o077 != 0).then_some(mode))
}
