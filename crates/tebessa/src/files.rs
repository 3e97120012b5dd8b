//! Files that a command is told to read or to write.
//!
//! What is written may hold words about a person, so that only its owner may read it; and it has its
//! name only when it is whole. What is read has a length that is looked at before.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use service::access::access_dir;
use service::documents;
use service::node::{journal_dir, keys_dir};
use tempfile::NamedTempFile;

use crate::address::NODE_FILE;
use crate::output::CliError;

/// Bytes of the longest key, checkpoint, source or other small text that is read.
pub(crate) const SMALL: u64 = 1 << 20;

/// Bytes of the longest proof, dossier or report that is read.
pub(crate) const LARGE: u64 = 256 << 20;

/// The whole file, unless it is longer than it may be.
pub(crate) fn read(file: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    let failed = |error| CliError::caused(format!("{} could not be read", file.display()), error);
    whole(File::open(file).map_err(failed)?, most).map_err(failed)
}

/// As [`read`]; `-` is standard input.
pub(crate) fn read_input(file: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    if file != Path::new("-") {
        return read(file, most);
    }
    whole(io::stdin().lock(), most)
        .map_err(|error| CliError::caused("standard input could not be read", error))
}

/// As [`read_input`], of a text.
pub(crate) fn read_text(file: &Path, most: u64) -> Result<String, CliError> {
    String::from_utf8(read_input(file, most)?)
        .map_err(|_| CliError::message(format!("{} is no text in UTF-8", file.display())))
}

fn whole(input: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!(
            "it is longer than the {most} bytes that such a file may have"
        )));
    }
    Ok(bytes)
}

/// A file that is being written. It has its name only when it is kept: until then, and where it is
/// not, what had the name before is as it was.
pub(crate) struct OutFile {
    path: PathBuf,
    target: Target,
}

enum Target {
    /// It takes the place of what is there.
    Instead(NamedTempFile),
    /// Its name must be free.
    New(NamedTempFile),
    /// A pipe or a device, which nothing may take the place of.
    Stream(File),
}

impl OutFile {
    /// Begins a file that takes the place of one of its name. Not among what the node of this data
    /// directory keeps.
    pub(crate) fn begin(path: &Path, data: &Path) -> Result<Self, CliError> {
        check_outside(path, data)?;
        let failed = failed(path);
        let found = path.metadata().ok();
        if found.as_ref().is_some_and(Metadata::is_dir) {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if found.is_some_and(|found| !found.is_file()) {
            let stream = OpenOptions::new().write(true).open(path).map_err(failed)?;
            return Ok(Self { path: path.to_owned(), target: Target::Stream(stream) });
        }
        // Of a link the file that it names, as if that were written to.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let target = Target::Instead(beside(&path).map_err(failed)?);
        Ok(Self { path, target })
    }

    /// As [`OutFile::begin`]; a name that is taken is refused, here and by [`OutFile::keep`].
    pub(crate) fn begin_new(path: &Path, data: &Path) -> Result<Self, CliError> {
        check_outside(path, data)?;
        if path.symlink_metadata().is_ok() {
            return Err(failed(path)(io::ErrorKind::AlreadyExists.into()));
        }
        let target = Target::New(beside(path).map_err(failed(path))?);
        Ok(Self { path: path.to_owned(), target })
    }

    /// Gives the file its name, when its bytes are on the disk.
    pub(crate) fn keep(self) -> Result<(), CliError> {
        let kept = match self.target {
            Target::Stream(_) => return Ok(()),
            Target::Instead(file) => file.as_file().sync_all().and_then(|()| {
                let kept = file.persist(&self.path);
                kept.map_err(|error| error.error)
            }),
            Target::New(file) => file.as_file().sync_all().and_then(|()| {
                let kept = file.persist_noclobber(&self.path);
                kept.map_err(|error| error.error)
            }),
        };
        kept.map(drop).map_err(failed(&self.path))
    }

    /// Writes all of it, and gives it its name.
    pub(crate) fn write_whole(mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.write_all(bytes).map_err(failed(&self.path))?;
        self.keep()
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Instead(file) | Target::New(file) => file.write(bytes),
            Target::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Instead(file) | Target::New(file) => file.flush(),
            Target::Stream(stream) => stream.flush(),
        }
    }
}

/// Writes a whole file in the place of what is there.
pub(crate) fn write(path: &Path, bytes: &[u8], data: &Path) -> Result<(), CliError> {
    OutFile::begin(path, data)?.write_whole(bytes)
}

/// Refuses a place among what a node keeps for good and nobody can make again, and the file by which
/// clients find it: what is written there could take the place of the record itself.
pub(crate) fn check_outside(place: &Path, data: &Path) -> Result<(), CliError> {
    let at = resolved(place);
    let address = data.join(NODE_FILE);
    let mut kept =
        [journal_dir(data), access_dir(data), keys_dir(data), documents::directory(data), address]
            .into_iter();
    let Some(kept) = kept.find(|kept| at.starts_with(resolved(kept))) else { return Ok(()) };
    let verb = if at == resolved(&kept) { "is" } else { "lies in" };
    let (place, kept) = (place.display(), kept.display());
    let what = format!("{place} {verb} {kept}, which the node keeps; choose another place");
    Err(CliError::message(what))
}

/// Refuses a directory for the log, or for what is made of it, that is, holds or lies in this data
/// directory or another node's: a log beside the node's own, and no restore could tell which is meant.
pub(crate) fn check_apart(place: &Path, data: &Path, instead: &str) -> Result<(), CliError> {
    check_outside(place, data)?;
    let (at, own) = (resolved(place), resolved(data));
    let above = || at.ancestors().find(|above| is_a_nodes(above)).map(Path::to_owned);
    let found = if at.starts_with(&own) || own.starts_with(&at) {
        own
    } else if at.join("journal").symlink_metadata().is_ok() {
        at.clone()
    } else if let Some(above) = above() {
        above
    } else {
        return Ok(());
    };
    let verb = match (at == found, at.starts_with(&found)) {
        (true, _) => "is",
        (false, true) => "lies in",
        (false, false) => "holds",
    };
    let (place, found) = (place.display(), found.display());
    let what = format!("{place} {verb} the data directory of a node, {found}; give {instead}");
    Err(CliError::message(what))
}

/// Whether a node runs in a directory or has run there, as a backup's never did: of that anything may
/// be kept beside others.
fn is_a_nodes(directory: &Path) -> bool {
    let marks = [directory.join(NODE_FILE), journal_dir(directory).join("index")];
    marks.iter().any(|mark| mark.symlink_metadata().is_ok())
}

/// Refuses a new data directory that is or lies in a directory with a log, such as a backup: a log
/// within a log, and no later restore could tell which is meant.
pub(crate) fn check_new_data(data: &Path) -> Result<(), CliError> {
    let at = resolved(data);
    let holder = at.ancestors().find(|above| {
        let below = at != **above;
        has_log(above) || (below && is_a_nodes(above))
    });
    let Some(holder) = holder else { return Ok(()) };
    let verb = if at == holder { "is" } else { "lies in" };
    let (data, holder) = (data.display(), holder.display());
    let what = format!(
        "{data} {verb} {holder}, which keeps a log already; give a new directory outside of it"
    );
    Err(CliError::message(what))
}

/// Whether segments lie here, as in a backup or a node's journal. Other programs have a `log` too.
fn has_log(directory: &Path) -> bool {
    let Ok(mut entries) = directory.join("log").read_dir() else { return false };
    entries.any(|entry| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "segment"))
    })
}

/// The place behind all links, as far as it is there yet.
fn resolved(place: &Path) -> PathBuf {
    let absolute = std::path::absolute(place).unwrap_or_else(|_| place.to_owned());
    let mut real = PathBuf::new();
    for part in absolute.components() {
        if part == Component::ParentDir {
            // Also of a place that is not there yet, and is made on the way.
            real.pop();
            continue;
        }
        real.push(part);
        if let Ok(there) = real.canonicalize() {
            real = there;
        }
    }
    real
}

/// A file without the name yet, on the same file system, that only its owner may read.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    // Its own error names a file that nobody asked for.
    directory.metadata()?;
    // A command that is killed leaves it behind: it is to be seen, for it may hold words.
    tempfile::Builder::new().prefix("tebessa-").suffix(".unfinished").tempfile_in(directory)
}

/// What is said when a file cannot be written.
pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> CliError + Copy {
    move |error| {
        let path = path.display();
        if error.kind() == io::ErrorKind::AlreadyExists {
            return CliError::message(format!("{path} is there already and is not overwritten"));
        }
        CliError::caused(format!("{path} could not be written"), error)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_only_its_owner_reads_it() {
        let place = tempfile::tempdir().unwrap();
        let (out, data) = (place.path().join("card.html"), place.path().join("data"));
        fs::write(&out, "before").unwrap();
        fs::set_permissions(&out, fs::Permissions::from_mode(0o644)).unwrap();
        let mut file = OutFile::begin(&out, &data).unwrap();
        file.write_all(b"words").unwrap();
        assert_eq!(fs::read(&out).unwrap(), b"before");
        drop(file);
        assert_eq!(fs::read(&out).unwrap(), b"before");
        write(&out, b"words", &data).unwrap();
        assert_eq!((fs::read(&out).unwrap().as_slice(), mode(&out)), (b"words".as_slice(), 0o600));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_link_stays_and_a_pipe_is_written_to() {
        let place = tempfile::tempdir().unwrap();
        let (link, file) = (place.path().join("link"), place.path().join("file"));
        fs::write(&file, "before").unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"words", place.path()).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"words");
        write(Path::new("/dev/null"), b"words", place.path()).unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }

    #[test]
    fn a_name_that_is_taken_is_refused_also_when_it_was_taken_meanwhile() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("summons");
        let mut file = OutFile::begin_new(&out, place.path()).unwrap();
        file.write_all(b"words").unwrap();
        fs::write(&out, "another's").unwrap();
        let refused = file.keep().unwrap_err().to_string();
        assert!(refused.contains("is there already"), "{refused}");
        assert!(OutFile::begin_new(&out, place.path()).is_err());
        assert_eq!(fs::read(&out).unwrap(), b"another's");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn nothing_is_written_among_what_a_node_keeps() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        for kept in ["journal/log", "access", "keys", "documents"] {
            fs::create_dir_all(data.join(kept)).unwrap();
            let out = data.join(kept).join("out");
            assert!(OutFile::begin(&out, &data).is_err(), "{kept}");
            assert!(OutFile::begin_new(&out, &data).is_err(), "{kept}");
        }
        write(&data.join("elsewhere"), b"words", &data).unwrap();
    }

    #[test]
    fn the_file_that_says_where_the_node_is_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let (data, link) = (place.path().join("data"), place.path().join("link"));
        fs::create_dir(&data).unwrap();
        symlink(data.join("node.json"), &link).unwrap();
        assert!(OutFile::begin(&data.join("node.json"), &data).is_err(), "not there yet");
        fs::write(data.join("node.json"), "where").unwrap();
        for out in [data.join("node.json"), place.path().join("data/../data/node.json"), link] {
            let refused = OutFile::begin(&out, &data).err().unwrap().to_string();
            assert!(refused.contains("the node keeps"), "{refused}");
        }
        write(&place.path().join("node.json"), b"words", &data).unwrap();
        assert_eq!(fs::read(data.join("node.json")).unwrap(), b"where");
    }

    #[test]
    fn a_copy_lies_apart_from_every_nodes_directory() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for (node, mark) in
            [("data", "journal/log"), ("other", "journal/index"), ("bare", "journal")]
        {
            fs::create_dir_all(path(node).join(mark)).unwrap();
        }
        fs::create_dir(path("running")).unwrap();
        fs::write(path("running/node.json"), "where").unwrap();
        symlink(path("data"), path("link")).unwrap();
        symlink(path("other/journal"), path("inner")).unwrap();
        let data = path("data");
        let refused = |out: &str, said: &str| {
            let refused = check_apart(&path(out), &data, "a new one").unwrap_err().to_string();
            assert!(refused.contains(said) && refused.contains("; give a new one"), "{refused}");
        };
        refused("data", " is the data directory");
        refused("data/new", " lies in the data directory");
        refused(".", " holds the data directory");
        refused("link", " is the data directory");
        refused("link/new/er", " lies in the data directory");
        refused("new/../data", " is the data directory");
        refused("other", " is the data directory");
        refused("inner", " lies in the data directory");
        refused("bare", " is the data directory");
        refused("running", " is the data directory");
        refused("running/copy", " lies in the data directory");
        for out in ["new", "new/er", "beside/journal"] {
            check_apart(&path(out), &data, "a new one").unwrap();
        }
        // A backup at the place that a data directory would have it is brought up to date there.
        fs::create_dir_all(path("beside/journal/log")).unwrap();
        check_apart(&path("beside/journal"), &data, "a new one").unwrap();
    }

    #[test]
    fn no_data_directory_is_made_where_a_log_is() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("backup/log")).unwrap();
        fs::create_dir_all(path("node/journal/index")).unwrap();
        // A directory of this name is not a log yet: /var has one too.
        check_new_data(&path("backup/new")).unwrap();
        fs::write(path("backup/log/00000000000000000001.segment"), "").unwrap();
        symlink(path("backup"), path("link")).unwrap();
        for inside in ["backup", "backup/new", "link", "link/new", "new/../backup", "node/new"] {
            let refused = check_new_data(&path(inside)).unwrap_err().to_string();
            assert!(refused.contains("keeps a log already; give a new"), "{inside}: {refused}");
        }
        // That a data directory itself has its log already is said where it is restored.
        check_new_data(&path("node")).unwrap();
        check_new_data(&path("new/er")).unwrap();
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("proof");
        fs::write(&file, [b'a'; 10]).unwrap();
        assert_eq!(read_text(&file, 10).unwrap(), "a".repeat(10));
        assert!(read(&file, 9).unwrap_err().to_string().contains("could not be read"));
        let endless = read(Path::new("/dev/zero"), 1_000).unwrap_err();
        assert!(service::chain(&endless).contains("longer than the 1000 bytes"));
    }
}
