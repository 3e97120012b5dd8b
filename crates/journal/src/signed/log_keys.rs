//! The keys that sign a log's checkpoints: one file of mode 0600, with room for rotation.
//!
//! A line is a key, the oldest first: `sign PRIVATE+KEY+name+id+secret` while it signs, and
//! `retired name+id+key` afterwards, so that what it signed can be checked for ever. While two
//! keys sign, verifiers have time to take the new one into their policy. A key that somebody else may
//! have is `distrusted name+id+key`: nothing that it signed counts, for nobody knows when.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::disk::{RealDisk, WholeFile, sync_directory};
use crate::error::{Error, disk_error};
use crate::signed::note::{NoteError, SigningKey, VerifierKey};

const NAME: &str = "log.keys";
/// Its name until it is whole.
const ASIDE: &str = "log.keys.new";
/// Bits of the mode that let anyone but the owner in.
const OTHERS: u32 = 0o077;
/// A file longer than this is no list of keys.
const MOST_BYTES: u64 = 64 << 10;
/// More keys than this do not sign at once: each adds a line to every checkpoint.
const MOST_SIGNING: usize = 2;

/// The keys of a log, as they are in their file now.
#[derive(Debug)]
pub struct LogKeys {
    path: PathBuf,
    keys: Vec<LogKey>,
}

#[derive(Debug)]
enum LogKey {
    Signing(SigningKey),
    Retired(VerifierKey),
    Distrusted(VerifierKey),
}

/// A key of the log, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The key that checks.
    pub key: VerifierKey,
    /// Whether it signs new checkpoints, or has been retired.
    pub signs: bool,
}

impl LogKeys {
    /// Reads the keys in a directory; `None` where there are none yet.
    ///
    /// A file that others can read, that belongs to someone else or that is not a list of keys is
    /// refused.
    pub fn read(directory: &Path) -> Result<Option<LogKeys>, Error> {
        let path = directory.join(NAME);
        let text = match read_secret(&path) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(error) => return Err(error),
        };
        let keys: Option<Vec<LogKey>> = text.lines().map(LogKey::parse).collect();
        let keys = keys.ok_or_else(|| refused(&path, "is not a list of keys"))?;
        if keys.iter().any(|key| matches!(key, LogKey::Signing(_))) {
            Ok(Some(LogKeys { path, keys }))
        } else {
            Err(refused(&path, "has no key that signs"))
        }
    }

    /// The same, and where there are none a key of this name is made durably: for a log of which nothing
    /// was signed yet.
    pub fn read_or_create(directory: &Path, name: &str) -> Result<LogKeys, Error> {
        if let Some(keys) = LogKeys::read(directory)? {
            return Ok(keys);
        }
        RealDisk::make_private(directory).map_err(disk_error(directory.display(), "making"))?;
        let _held = hold(directory)?;
        // Whoever held it before may have made one, and signed with it.
        if let Some(keys) = LogKeys::read(directory)? {
            return Ok(keys);
        }
        LogKeys::make(directory, name, &[])
    }

    /// The same for a log whose keys are lost; refused where there are any. What the lost ones signed can be
    /// checked by those of them that are given, which count as retired.
    pub fn begin_anew(
        directory: &Path,
        name: &str,
        lost: &[VerifierKey],
    ) -> Result<LogKeys, Error> {
        if lost.iter().any(|key| key.name() != name) {
            return Err(Error::Request(format!(
                "a lost key is not of {name}, as its name must say"
            )));
        }
        RealDisk::make_private(directory).map_err(disk_error(directory.display(), "making"))?;
        let _held = hold(directory)?;
        if let Some(there) = LogKeys::read(directory)? {
            if !there.keys.iter().any(|key| key.is_of(name)) {
                // Of a log that this one was imported from: they sign nothing here, and stay beside.
                there.put_aside()?;
                return LogKeys::make(directory, name, lost);
            }
            let what = "the log has its keys; only of one whose keys are lost they are made anew";
            return Err(Error::Request(what.to_owned()));
        }
        LogKeys::make(directory, name, lost)
    }

    /// Gives the file another name, so that it is in nobody's way.
    fn put_aside(&self) -> Result<(), Error> {
        let aside = self.path.with_extension("keys.of-another-log");
        if aside.exists() {
            let what = "is there already; move it away first";
            return Err(refused(&aside, what));
        }
        std::fs::rename(&self.path, &aside)
            .and_then(|()| self.path.parent().map_or(Ok(()), sync_directory))
            .map_err(disk_error(self.path.display(), "renaming"))
    }

    /// What a key that is not there means where checkpoints are kept that it signed.
    #[must_use]
    pub fn lost(directory: &Path) -> Error {
        let what = "is missing, but checkpoints that its keys signed are kept: restore it from a copy of \
                    the keys, or begin anew on purpose by `tebessa journal key new`";
        refused(&directory.join(NAME), what)
    }

    /// Makes the file; the directory is held.
    fn make(directory: &Path, name: &str, lost: &[VerifierKey]) -> Result<LogKeys, Error> {
        let path = directory.join(NAME);
        let mut keys: Vec<_> = lost.iter().cloned().map(LogKey::Retired).collect();
        keys.push(LogKey::Signing(generate(&path, name)?));
        let keys = LogKeys { path, keys };
        keys.write()?;
        Ok(keys)
    }

    /// The keys that sign, the oldest first.
    #[must_use]
    pub fn signing(&self) -> Vec<&SigningKey> {
        let mut signing = Vec::new();
        for key in &self.keys {
            if let LogKey::Signing(key) = key {
                signing.push(key);
            }
        }
        signing
    }

    /// All keys but the distrusted ones, the oldest first: the policy of one who trusts this file.
    #[must_use]
    pub fn known(&self) -> Vec<KnownKey> {
        let known = |key: &LogKey| match key {
            LogKey::Signing(key) => Some(KnownKey { key: key.verifier(), signs: true }),
            LogKey::Retired(key) => Some(KnownKey { key: key.clone(), signs: false }),
            LogKey::Distrusted(_) => None,
        };
        self.keys.iter().filter_map(known).collect()
    }

    /// The keys of which nothing counts any more, the oldest first.
    #[must_use]
    pub fn distrusted(&self) -> Vec<VerifierKey> {
        let distrusted = |key: &LogKey| match key {
            LogKey::Distrusted(key) => Some(key.clone()),
            LogKey::Signing(_) | LogKey::Retired(_) => None,
        };
        self.keys.iter().filter_map(distrusted).collect()
    }

    /// Adds a new key, which signs beside the present one from now on.
    pub fn rotate(&mut self) -> Result<VerifierKey, Error> {
        let _held = self.hold_and_read_again()?;
        if self.signing().len() >= MOST_SIGNING {
            let what = "two keys sign already; retire the older one first";
            return Err(Error::Request(what.to_owned()));
        }
        let name = self.signing().last().map(|key| key.verifier().name().to_owned());
        let key = generate(&self.path, &name.unwrap_or_default())?;
        let verifier = key.verifier();
        self.keys.push(LogKey::Signing(key));
        self.write()?;
        Ok(verifier)
    }

    /// Ends the overlap: the older of two keys signs no more, and its secret is forgotten.
    pub fn retire(&mut self) -> Result<VerifierKey, Error> {
        let _held = self.hold_and_read_again()?;
        if self.signing().len() < MOST_SIGNING {
            let what = "only one key signs; add a new one before it is retired";
            return Err(Error::Request(what.to_owned()));
        }
        let mut retired = None;
        for key in &mut self.keys {
            if let LogKey::Signing(signing) = key {
                let verifier = signing.verifier();
                *key = LogKey::Retired(verifier.clone());
                retired = Some(verifier);
                break;
            }
        }
        self.write()?;
        retired.ok_or_else(|| Error::Request("no key signs".to_owned()))
    }

    /// Nothing that a key signed counts any more: somebody else may have it. One that signs must not
    /// be the only one that does.
    pub fn distrust(&mut self, unwanted: &VerifierKey) -> Result<(), Error> {
        let _held = self.hold_and_read_again()?;
        let of = |key: &LogKey| match key {
            LogKey::Signing(key) => (key.verifier(), true),
            LogKey::Retired(key) | LogKey::Distrusted(key) => (key.clone(), false),
        };
        let signing = self.signing().len();
        let found = self.keys.iter_mut().find(|key| of(key).0 == *unwanted);
        let Some(key) = found else {
            return Err(Error::Request("this is no key of the log".to_owned()));
        };
        if of(key).1 && signing < MOST_SIGNING {
            let what = "only this key signs; add a new one before it is distrusted";
            return Err(Error::Request(what.to_owned()));
        }
        *key = LogKey::Distrusted(unwanted.clone());
        self.write()
    }

    /// Keeps others from changing the file, and takes in what they changed.
    fn hold_and_read_again(&mut self) -> Result<File, Error> {
        let directory = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        let held = hold(&directory)?;
        if let Some(now) = LogKeys::read(&directory)? {
            *self = now;
        }
        Ok(held)
    }

    /// Replaces the file, whole or not at all; the directory is held.
    fn write(&self) -> Result<(), Error> {
        let wrong = |source| disk_error(self.path.display(), "writing")(source);
        let mut file = WholeFile::begin_secret(&self.path, ASIDE).map_err(wrong)?;
        let lines: Vec<_> = self.keys.iter().map(LogKey::line).collect();
        lines.iter().try_for_each(|line| file.write_all(line.as_bytes())).map_err(wrong)?;
        file.finish().map_err(wrong)
    }
}

impl LogKey {
    fn parse(line: &str) -> Option<LogKey> {
        match line.split_once(' ')? {
            ("sign", key) => SigningKey::parse(key).ok().map(LogKey::Signing),
            ("retired", key) => VerifierKey::parse(key).ok().map(LogKey::Retired),
            ("distrusted", key) => VerifierKey::parse(key).ok().map(LogKey::Distrusted),
            _ => None,
        }
    }

    /// Whether it is of the log of this name.
    fn is_of(&self, name: &str) -> bool {
        match self {
            LogKey::Signing(key) => key.verifier().name() == name,
            LogKey::Retired(key) | LogKey::Distrusted(key) => key.name() == name,
        }
    }

    fn line(&self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            LogKey::Signing(key) => format!("sign {}\n", key.secret().as_str()),
            LogKey::Retired(key) => format!("retired {key}\n"),
            LogKey::Distrusted(key) => format!("distrusted {key}\n"),
        })
    }
}

/// Waits until nobody else makes or changes the keys in a directory, and keeps others from it for as
/// long as the file is kept: a key that took the place of another would have signed for nobody.
fn hold(directory: &Path) -> Result<File, Error> {
    let wrong = |source| disk_error(directory.display(), "locking")(source);
    let held = File::open(directory).map_err(wrong)?;
    held.lock().map_err(wrong)?;
    Ok(held)
}

fn generate(path: &Path, name: &str) -> Result<SigningKey, Error> {
    SigningKey::generate(name).map_err(|error| match error {
        NoteError::NoRandomness => refused(path, "could not be made: no random numbers"),
        NoteError::Malformed(_) | NoteError::Unknown | NoteError::WrongSignature => {
            refused(path, "could not be made: the key's name is no name")
        }
    })
}

fn refused(path: &Path, what: &'static str) -> Error {
    Error::Keys { file: path.display().to_string(), what }
}

const NO_LIST: &str = "is not a list of keys";

/// Reads a file that only its owner may read.
fn read_secret(path: &Path) -> Result<Option<Zeroizing<String>>, Error> {
    // Not to wait, should it be a pipe.
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, how, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(disk_error(path.display(), "opening")(error.into())),
    };
    // Asked of the open file, so that it cannot be swapped between the question and the reading.
    let metadata = file.metadata().map_err(disk_error(path.display(), "reading"))?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(refused(path, NO_LIST));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(path, "belongs to another user"));
    }
    if metadata.mode() & OTHERS != 0 {
        return Err(refused(path, "can be read by others; its mode must be 0600"));
    }
    let mut text = Zeroizing::new(String::new());
    match file.take(MOST_BYTES).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(refused(path, NO_LIST)),
        Err(error) => Err(disk_error(path.display(), "reading")(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;
    use crate::signed::note;

    #[test]
    fn a_rotation_overlaps_and_what_was_signed_before_stays_believed() {
        let directory = tempfile::tempdir().unwrap();
        assert!(LogKeys::read(directory.path()).unwrap().is_none());
        let mut keys = LogKeys::read_or_create(directory.path(), "tebessa/log/1").unwrap();
        let before = note::sign("a\n", &keys.signing());
        assert!(keys.retire().is_err(), "the only key stays");
        let new = keys.rotate().unwrap();
        assert!(keys.rotate().is_err(), "two keys sign already");
        let both = note::sign("a\n", &keys.signing());
        assert_eq!(both.matches('\u{2014}').count(), 2);
        let old = keys.retire().unwrap();
        let after = note::sign("a\n", &keys.signing());
        let read = LogKeys::read(directory.path()).unwrap().unwrap();
        let known = read.known();
        assert_eq!(known.iter().map(|known| known.signs).collect::<Vec<_>>(), [false, true]);
        let policy: Vec<_> = known.into_iter().map(|known| known.key).collect();
        for note in [&before, &both, &after] {
            assert_eq!(note::verify(note, &policy), Ok("a\n"));
        }
        assert_eq!(note::verify(&after, &[old]), Err(NoteError::Unknown));
        assert_eq!(note::verify(&after, &[new]), Ok("a\n"));
    }

    #[test]
    fn the_keys_of_another_log_stay_beside_those_that_are_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        LogKeys::read_or_create(directory.path(), "tebessa/log/1").unwrap();
        let refused = LogKeys::begin_anew(directory.path(), "tebessa/log/1", &[]).unwrap_err();
        assert!(refused.to_string().contains("the log has its keys"), "{refused}");
        let old = std::fs::read(directory.path().join(NAME)).unwrap();
        let keys = LogKeys::begin_anew(directory.path(), "tebessa/log/2", &[]).unwrap();
        assert!(keys.known().iter().all(|known| known.key.name() == "tebessa/log/2"));
        let aside = directory.path().join("log.keys.of-another-log");
        assert_eq!(std::fs::read(&aside).unwrap(), old);
        // What is there once is not lost to a second.
        LogKeys::begin_anew(directory.path(), "tebessa/log/3", &[]).unwrap_err();
        assert_eq!(std::fs::read(&aside).unwrap(), old);
    }

    #[test]
    fn of_many_who_make_the_first_key_at_once_all_have_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let make = || {
                scope.spawn(|| {
                    let keys = LogKeys::read_or_create(directory.path(), "log").unwrap();
                    keys.known().remove(0).key
                })
            };
            let making: Vec<_> = (0..32).map(|_| make()).collect();
            making.into_iter().map(|made| made.join().unwrap()).collect()
        });
        let kept = LogKeys::read(directory.path()).unwrap().unwrap().known().remove(0).key;
        assert!(made.iter().all(|made| *made == kept));
    }

    #[test]
    fn a_key_that_is_distrusted_counts_for_nothing_and_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let mut keys = LogKeys::read_or_create(directory.path(), "log").unwrap();
        let stolen = keys.known().remove(0).key;
        assert!(keys.distrust(&stolen).is_err(), "the only key stays");
        let new = keys.rotate().unwrap();
        keys.distrust(&stolen).unwrap();
        keys.distrust(&stolen).unwrap();
        let read = LogKeys::read(directory.path()).unwrap().unwrap();
        assert_eq!(read.distrusted(), std::slice::from_ref(&stolen));
        assert_eq!(read.known(), [KnownKey { key: new, signs: true }]);
        assert_eq!(read.signing().len(), 1);
        // One that was retired before is found out about later.
        let old = keys.known().remove(0).key;
        keys.rotate().unwrap();
        keys.retire().unwrap();
        keys.distrust(&old).unwrap();
        assert_eq!(keys.distrusted(), [stolen, old]);
        let stranger = SigningKey::from_seed("log", &[9; 32]).unwrap().verifier();
        assert!(keys.distrust(&stranger).is_err());
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_damaged_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        LogKeys::read_or_create(directory.path(), "tebessa/log/1").unwrap();
        let path = directory.path().join(NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(LogKeys::read(directory.path()), Err(Error::Keys { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for wrong in [String::new(), text.replace("sign", "signs"), text.replace('+', "-")] {
            fs::write(&path, wrong).unwrap();
            assert!(matches!(LogKeys::read(directory.path()), Err(Error::Keys { .. })));
        }
        fs::write(&path, [0xff; 77]).unwrap();
        assert!(matches!(LogKeys::read(directory.path()), Err(Error::Keys { .. })));
        fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(matches!(LogKeys::read(directory.path()), Err(Error::Keys { .. })));
    }
}
