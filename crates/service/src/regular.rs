//! Reading a small file of the node's own, whatever lies in its place by now.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Reads a regular file of at most `most` bytes. Never waits for somebody else, as a pipe would have it.
///
/// What is no regular file or longer fails with [`io::ErrorKind::InvalidData`]: it is not what was written
/// there.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let unfit = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, how, Mode::empty())?);
    // Asked of the open file, so that it cannot be swapped between the question and the reading.
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(unfit("it is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed is enough to see that it is too long.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(unfit(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn only_a_file_that_is_no_longer_than_it_may_be_is_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        let kind = |most| read(&path, most).map_err(|error| error.kind());
        assert_eq!(kind(3), Err(io::ErrorKind::NotFound));
        fs::write(&path, "abc").unwrap();
        assert_eq!(kind(3), Ok(b"abc".to_vec()));
        assert_eq!(kind(2), Err(io::ErrorKind::InvalidData));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(kind(3), Err(io::ErrorKind::InvalidData));
        fs::remove_dir(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(kind(3), Err(io::ErrorKind::InvalidData));
    }
}
