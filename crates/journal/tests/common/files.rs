//! A log's files as a test looks at them, copies and changes them: FORMAT.md.

use std::fs;
use std::path::{Path, PathBuf};

/// Copies a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The segments of a data directory's log, in their order.
pub fn segments(directory: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(directory.join("log")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "segment"));
    names.sort();
    names
}

/// Changes the bytes of a file.
pub fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Where the groups of a segment begin.
pub fn groups(bytes: &[u8]) -> Vec<usize> {
    let starts = bytes.windows(4).enumerate().filter(|(_, window)| *window == b"\x89TBG");
    starts.map(|(at, _)| at).collect()
}
