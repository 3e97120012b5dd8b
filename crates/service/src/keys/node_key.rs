//! The node key: the one secret that wraps every person's key, a file of mode 0600.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::Error;
use super::secret::{KEY_LENGTH, Key, random};
use crate::replace;

/// The file's name beside the slot file.
pub(super) const NAME: &str = "node.key";

/// Why the file of another account is refused.
pub(super) const FOREIGN: &str = "belongs to another user";

/// Bits of the mode that let anyone but the owner in.
const OTHERS: u32 = 0o077;

/// Reads the node key, or makes one when there is none and `may_create` says that nothing depends
/// on an older one.
pub(super) fn load(directory: &Path, may_create: bool) -> Result<Key, Error> {
    let path = directory.join(NAME);
    match read(&path) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            if !may_create {
                return Err(Error::NodeKeyMissing { path });
            }
            create(&path)?;
            read(&path)
        }
        other => other,
    }
}

fn create(path: &Path) -> Result<(), Error> {
    let key = Key::new(random()?);
    let text = Zeroizing::new(hex::encode(key.bytes()));
    replace::create(path, text.as_bytes()).map_err(Error::io(path, "created"))
}

fn read(path: &Path) -> Result<Key, Error> {
    let refuse = |why| Error::NodeKeyRefused { path: PathBuf::from(path), why };
    // Not to wait, should it be a pipe.
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, how, Mode::empty()).map(File::from);
    let file = file.map_err(|error| Error::io(path, "opened")(error.into()))?;
    // Asked of the open file, so that it cannot be swapped between the question and the reading.
    let metadata = file.metadata().map_err(Error::io(path, "read"))?;
    if !metadata.is_file() {
        return Err(refuse("is no file"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refuse(FOREIGN));
    }
    if metadata.mode() & OTHERS != 0 {
        return Err(refuse("can be read by others; its mode must be 0600"));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(2 * KEY_LENGTH + 1));
    // One byte more than allowed is enough to see that it is too long.
    file.take(2 * KEY_LENGTH as u64 + 2).read_to_end(&mut text).map_err(Error::io(path, "read"))?;
    let digits = text.strip_suffix(b"\n").unwrap_or(&text);
    let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
    hex::decode_to_slice(digits, bytes.as_mut_slice())
        .map_err(|_| refuse("does not hold 64 hexadecimal digits"))?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(refuse("holds only zeros"));
    }
    Ok(Key::new(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use rustix::fs::{CWD, FileType};

    fn refusal(text: &[u8], mode: u32) -> &'static str {
        refusal_of(|path| {
            fs::write(path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        })
    }

    fn refusal_of(make: impl FnOnce(&Path)) -> &'static str {
        let directory = tempfile::tempdir().unwrap();
        make(&directory.path().join(NAME));
        match load(directory.path(), true) {
            Err(Error::NodeKeyRefused { why, .. }) => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_bad_node_key_is_refused() {
        let good = "5a".repeat(32);
        assert!(refusal(good.as_bytes(), 0o640).contains("others"));
        assert!(refusal(good.as_bytes(), 0o604).contains("others"));
        assert!(refusal("00".repeat(32).as_bytes(), 0o600).contains("zeros"));
        assert!(refusal("5a".repeat(31).as_bytes(), 0o600).contains("64"));
        assert!(refusal("5a".repeat(33).as_bytes(), 0o600).contains("64"));
        assert!(refusal("zz".repeat(32).as_bytes(), 0o600).contains("64"));
        assert!(refusal(b"", 0o600).contains("64"));
        let pipe = refusal_of(|path| {
            rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        });
        assert!(pipe.contains("no file"));
    }

    #[test]
    fn a_node_key_is_made_once_and_only_for_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("node.key.new"), "left by a crash").unwrap();
        let first = *load(directory.path(), true).unwrap().bytes();
        let again = *load(directory.path(), true).unwrap().bytes();
        assert_eq!(first, again);
        let mode = fs::metadata(directory.path().join(NAME)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!directory.path().join("node.key.new").exists());
    }

    #[test]
    fn no_new_node_key_is_made_where_keys_depend_on_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let failure = load(directory.path(), false);
        assert!(matches!(failure, Err(Error::NodeKeyMissing { .. })), "{failure:?}");
        assert!(!directory.path().join(NAME).exists());
    }
}
