//! The log as C2SP tlog-tiles: static files that tools of others check.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::disk::{RealDisk, WholeFile, sync_directory};
use crate::error::{Error, disk_error};
use crate::proofs::tree::{TILE_LEAVES, Tree, fold_full};
use crate::reader::Reader;
use crate::record::LeafHash;
use crate::signed::checkpoint::Checkpoint;

/// What an export wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TilesReport {
    /// How many records: the checkpoint's size.
    pub size: u64,
    /// Files that were written now.
    pub written: u64,
    /// Full tiles and bundles that were there already: they never change.
    pub unchanged: u64,
}

/// Writes `tile/L/N`, `tile/entries/N` and `checkpoint` for the log as a checkpoint signs it.
///
/// The checkpoint goes last, so that whoever reads beside finds all that it speaks of. Full tiles
/// that are there are compared and left as they are; one with other bytes was altered, or is of
/// another log, and ends the export. Partial ones that were overtaken stay and do no harm. Nothing is
/// given a checkpoint that it does not have the root of.
pub fn export_tiles(
    reader: &Reader,
    note: &str,
    checkpoint: &Checkpoint,
    out: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<TilesReport, Error> {
    if checkpoint.size > reader.last().0 {
        let (there, size) = (reader.last(), checkpoint.size);
        return Err(Error::Request(format!("the log has {there} records, not {size}")));
    }
    let mut tiles = Tiles {
        out,
        levels: Vec::new(),
        bundle: Vec::new(),
        tree: Tree::new(),
        report: TilesReport { size: checkpoint.size, ..TilesReport::default() },
        unsynced: BTreeSet::new(),
    };
    let published = published(out, checkpoint)?;
    let agrees = |tree: &Tree| match &published {
        Some(before) if before.size == tree.size() && before.root != tree.root() => {
            Err(Error::Request(fork(out, before.size)))
        }
        Some(_) | None => Ok(()),
    };
    agrees(&tiles.tree)?;
    reader.scan(checkpoint.size, &mut |bytes| {
        tiles.push(bytes)?;
        agrees(&tiles.tree)?;
        progress(tiles.tree.size());
        Ok(())
    })?;
    tiles.finish()?;
    if tiles.tree.root() != checkpoint.root {
        return Err(Error::Request("the checkpoint is not one of this log".to_owned()));
    }
    // No checkpoint speaks of a tile whose name a power failure may still take away.
    tiles.sync()?;
    tiles.write("checkpoint", note.as_bytes(), true)?;
    tiles.sync()?;
    Ok(tiles.report)
}

/// The checkpoint that was published there before. It never goes back, and speaks of one log: whoever read
/// it would be shown another.
fn published(out: &Path, checkpoint: &Checkpoint) -> Result<Option<Checkpoint>, Error> {
    let path = out.join("checkpoint");
    let note = match fs::read_to_string(&path) {
        Ok(note) => note,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(disk_error(path.display(), "reading")(error)),
    };
    let body = note.split_once("\n\n").map_or(note.as_str(), |(body, _)| body);
    let before = Checkpoint::parse(&format!("{body}\n")).map_err(|error| {
        let path = path.display();
        Error::Request(format!("{path} is no checkpoint: {error}; take an empty directory"))
    })?;
    let path = path.display();
    if before.origin != checkpoint.origin {
        let what = format!("{path} is of the log {}; take an empty directory", before.origin);
        return Err(Error::Request(what));
    }
    if before.size > checkpoint.size {
        return Err(Error::Request(format!(
            "{path} was published with {} records, and this one has {}: what was published never goes \
             back. Find out what became of the others",
            before.size, checkpoint.size
        )));
    }
    Ok(Some(before))
}

fn fork(out: &Path, size: u64) -> String {
    format!(
        "{} was published with {size} records, and the first {size} here are others: one of the two is not \
         the log that was signed. Nothing was published",
        out.join("checkpoint").display()
    )
}

struct Tiles<'o> {
    out: &'o Path,
    /// Of each level, how many tiles are full, and the hashes of the one that is not.
    levels: Vec<(u64, Vec<[u8; 32]>)>,
    bundle: Vec<u8>,
    tree: Tree,
    report: TilesReport,
    /// The directories with names that are not durable yet.
    unsynced: BTreeSet<PathBuf>,
}

impl Tiles<'_> {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = u16::try_from(bytes.len())
            .map_err(|_| Error::TooLong { length: bytes.len(), most: usize::from(u16::MAX) })?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(bytes);
        let leaf = LeafHash::of(bytes);
        self.tree.push(leaf);
        if self.tree.size().is_multiple_of(TILE_LEAVES) {
            let bundle = std::mem::take(&mut self.bundle);
            let number = self.tree.size() / TILE_LEAVES - 1;
            self.write(&format!("tile/entries/{}", path_of(number)), &bundle, false)?;
        }
        self.push_hash(0, leaf.0)
    }

    fn push_hash(&mut self, level: usize, hash: [u8; 32]) -> Result<(), Error> {
        if self.levels.len() == level {
            self.levels.push((0, Vec::new()));
        }
        let Some((full, hashes)) = self.levels.get_mut(level) else { return Ok(()) };
        hashes.push(hash);
        if (hashes.len() as u64) < TILE_LEAVES {
            return Ok(());
        }
        let number = *full;
        *full += 1;
        let hashes = std::mem::take(hashes);
        self.write(&format!("tile/{level}/{}", path_of(number)), &hashes.concat(), false)?;
        self.push_hash(level + 1, fold_full(&hashes))
    }

    /// Writes the tiles that are not full.
    fn finish(&mut self) -> Result<(), Error> {
        let width = self.tree.size() % TILE_LEAVES;
        if width > 0 {
            let bundle = std::mem::take(&mut self.bundle);
            let number = path_of(self.tree.size() / TILE_LEAVES);
            self.write(&format!("tile/entries/{number}.p/{width}"), &bundle, true)?;
        }
        for (level, (number, hashes)) in std::mem::take(&mut self.levels).iter().enumerate() {
            if !hashes.is_empty() {
                let (number, width) = (path_of(*number), hashes.len());
                self.write(&format!("tile/{level}/{number}.p/{width}"), &hashes.concat(), true)?;
            }
        }
        Ok(())
    }

    /// Makes the names durable of all that was written.
    fn sync(&mut self) -> Result<(), Error> {
        for directory in std::mem::take(&mut self.unsynced) {
            sync_directory(&directory).map_err(disk_error(directory.display(), "syncing"))?;
        }
        Ok(())
    }

    fn write(&mut self, name: &str, bytes: &[u8], always: bool) -> Result<(), Error> {
        let path = self.out.join(name);
        let wrong = |source: io::Error| disk_error(path.display(), "writing")(source);
        if !always && path.exists() {
            let length = fs::metadata(&path).map_err(wrong)?.len();
            if length != bytes.len() as u64 || fs::read(&path).map_err(wrong)? != bytes {
                let what = format!(
                    "{} is not the tile of this log: it was altered, or the directory has the tiles of \
                     another log; nothing was given a checkpoint. Take an empty directory, or remove \
                     the file to have it written again",
                    path.display()
                );
                return Err(Error::Request(what));
            }
            self.report.unchanged += 1;
            return Ok(());
        }
        if let Some(directory) = path.parent() {
            RealDisk::make(directory).map_err(wrong)?;
        }
        let mut file = WholeFile::begin(&path, "new").map_err(wrong)?;
        file.write_all(bytes).map_err(wrong)?;
        file.finish_unsynced().map_err(wrong)?;
        if let Some(directory) = path.parent().filter(|it| !self.unsynced.contains(*it)) {
            self.unsynced.insert(directory.to_owned());
        }
        self.report.written += 1;
        Ok(())
    }
}

/// The path of a tile's number: three digits a directory, all but the last with an x before.
fn path_of(number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiles_number_is_a_path_of_three_digits_each() {
        for (number, path) in [
            (0, "000"),
            (999, "999"),
            (1000, "x001/000"),
            (1_234_067, "x001/x234/067"),
            (1_000_000_000, "x001/x000/x000/000"),
        ] {
            assert_eq!(path_of(number), path);
        }
    }
}
