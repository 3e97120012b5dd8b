//! What a private server wants to see, kept beside its store: who connected once gets in after a restart
//! of the node too.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::Error;
use super::file::write;

/// The user of a private server.
pub(super) const USER: &str = "tebessa";
/// Digits of 32 random bytes.
const LENGTH: usize = 64;

/// A password. `Debug` does not show it.
#[derive(PartialEq, Eq)]
pub(super) struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    /// The one that is kept below a directory; where there is none that only its owner can read, it is
    /// made anew.
    pub(super) fn of(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("password");
        if let Some(kept) = read(&path).map_err(Error::io(&path, "read"))? {
            return Ok(Self(kept));
        }
        let mut bytes = [0; LENGTH / 2];
        getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
        let fresh = hex::encode(bytes);
        write(&path, &fresh).map_err(Error::io(&path, "written"))?;
        Ok(Self(fresh))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// None where there is no file, or one that cannot be believed: cut short, or for others to read.
fn read(path: &Path) -> io::Result<Option<String>> {
    // Not to wait, should it be a pipe.
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, how, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let found = file.metadata()?;
    if !found.is_file() || found.permissions().mode() & 0o077 != 0 {
        return Ok(None);
    }
    let mut text = String::new();
    // What is no UTF-8 is no password.
    let whole = file.take(LENGTH as u64 + 1).read_to_string(&mut text).is_ok();
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok((whole && digits && text.len() == LENGTH).then_some(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_password_stays_until_it_cannot_be_believed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let first = Password::of(directory.path()).unwrap();
        assert_eq!(first.text().len(), LENGTH);
        assert_eq!(format!("{first:?}"), "Password");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Password::of(directory.path()).unwrap(), first);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(Password::of(directory.path()).unwrap(), first);
        let first = first.text();
        for unfit in ["", "secret", &first[1..], &format!("{first}0"), &"z".repeat(LENGTH)] {
            write(&path, unfit).unwrap();
            let other = Password::of(directory.path()).unwrap();
            assert!(other.text() != unfit && other.text().len() == LENGTH, "{unfit:?}");
        }
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let made = Password::of(directory.path()).unwrap();
        assert_eq!(Password::of(directory.path()).unwrap(), made);
    }
}
