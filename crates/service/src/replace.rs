//! Small files that are replaced as a whole: written aside, synced, and renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What the name of a file ends in that is written aside. A crash may leave one; it is no part of
/// anything, and the next time writes it anew.
pub(crate) const ASIDE: &str = ".new";

/// Puts a file that only its owner can read into the place of what has its name. Blocks for two syncs.
///
/// When this returns, content and name outlive a crash. Whatever happens before, the name has what it
/// had, or all of the new. After an error it is not known which of the two a crash would leave. Two at
/// a time for one name get into each other's way: whoever calls sees to it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = write_aside(path, bytes)?;
    fs::rename(&aside, path)?;
    sync_directory_of(path)
}

/// The same where the name must not be taken: then that file stays as it is, and this fails with
/// [`io::ErrorKind::AlreadyExists`].
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = write_aside(path, bytes)?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    linked?;
    sync_directory_of(path)
}

fn write_aside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(ASIDE);
    let aside = PathBuf::from(name);
    // One that a crash left keeps its mode when it is written over.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(aside)
}

/// A name is as durable as the directory that holds it.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_for_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.json");
        let aside = home.path().join("a.json.new");
        fs::write(&aside, "left by a crash, and longer than what comes").unwrap();
        fs::set_permissions(&aside, fs::Permissions::from_mode(0o644)).unwrap();
        for content in ["first", "2nd"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            assert!(!aside.exists());
        }
    }

    #[test]
    fn a_name_keeps_its_content_where_the_new_one_cannot_be_written_or_it_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        replace(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        // A directory in the place of what is written aside: the write fails, whoever the tests run as.
        fs::create_dir(home.path().join("a.new")).unwrap();
        assert!(replace(&path, b"second").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }
}
