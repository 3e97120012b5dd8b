//! Which directory holds the index, and whether it was closed cleanly.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{RealDisk, sync_directory, write_whole};

const STATE: &str = "state";

/// The index's own small file, beside its directories.
#[derive(Debug, Clone)]
pub(crate) struct State {
    base: PathBuf,
    /// The directory in use; `None` when there is none.
    pub(crate) generation: Option<u64>,
    /// It was closed cleanly, or the machine has not stopped since: then the system still has
    /// every write, for sled itself does not make its writes durable.
    pub(crate) trusted: bool,
}

impl State {
    /// Reads the file; one that is missing or strange means that there is no index.
    pub(crate) fn read(base: &Path) -> State {
        let none = State { base: base.to_owned(), generation: None, trusted: false };
        let file = base.join(STATE);
        // To open a pipe would wait for who writes to it.
        if !fs::metadata(&file).is_ok_and(|found| found.is_file()) {
            return none;
        }
        let Ok(text) = fs::read_to_string(file) else { return none };
        let mut words = text.split_whitespace();
        let (Some("generation"), Some(Ok(generation)), Some(stopped)) =
            (words.next(), words.next().map(str::parse), words.next())
        else {
            return none;
        };
        let trusted = stopped == "clean" || boot().is_some_and(|boot| boot == stopped);
        State { base: base.to_owned(), generation: Some(generation), trusted }
    }

    /// The directory in use.
    pub(crate) fn directory(&self) -> PathBuf {
        self.base.join(format!("generation-{}", self.generation.unwrap_or(0)))
    }

    /// Where all of it is, as seen from the directory above the journal's: others may hear of that.
    pub(crate) fn place(&self) -> String {
        let names: Vec<_> = self.base.iter().map(|name| name.to_string_lossy()).collect();
        names.get(names.len().saturating_sub(2)..).unwrap_or_default().join("/")
    }

    /// Goes on to a fresh directory and removes the others.
    pub(crate) fn renew(&mut self) -> io::Result<()> {
        RealDisk::make_private(&self.base)?;
        self.generation = Some(self.generation.map_or(1, |generation| generation + 1));
        for entry in fs::read_dir(&self.base)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        self.write_open()
    }

    /// Notes that the index is in use, since which start of the machine.
    pub(crate) fn write_open(&self) -> io::Result<()> {
        self.write(&boot().unwrap_or_else(|| "open".to_owned()))
    }

    /// Notes that the index was closed cleanly, after making its files durable.
    pub(crate) fn write_clean(&self) -> io::Result<()> {
        sync_files(&self.directory())?;
        self.write("clean")
    }

    fn write(&self, stopped: &str) -> io::Result<()> {
        let text = format!("generation {}\n{stopped}\n", self.generation.unwrap_or(0));
        write_whole(&self.base.join(STATE), "state.new", text.as_bytes())
    }
}

fn sync_files(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_files(&entry.path())?;
        } else {
            fs::File::open(entry.path())?.sync_all()?;
        }
    }
    sync_directory(directory)
}

/// Which start of the machine this is; the system makes it anew at every boot.
fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}
