//! A copy of the log that is consistent while a node writes, and its way back.
//!
//! A backup is a directory with `log`, `checkpoints` and `lock` as a data directory has them, so that
//! whatever reads one reads the other. Keys are not in it: who has the backup has the sealed words,
//! and a key that was destroyed must not come back with it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use uuid::Uuid;

use crate::copies::aside::{clear, put_in_place};
use crate::disk::lock::Lock;
use crate::disk::{Disk, RealDisk, WholeFile, at_most, sync_directory};
use crate::error::{Error, Fault, disk_error};
use crate::journal::LOG_DIRECTORY;
use crate::reader::Reader;
use crate::record::Position;
use crate::segments::files::{header_of, segment_names};
use crate::segments::footer::{Footer, TRAILER_BYTES};
use crate::segments::format::segment_position;
use crate::segments::scan::{Stop, Window, scan_groups, stop_fault};
use crate::signed::checkpoint::Checkpoint;
use crate::signed::checkpoints::{CHECKPOINT_DIRECTORY, Promised, keep_in};
use crate::verify::{Seen, VerifyProgress, VerifyReport, verify, verify_against};

/// Where a restore puts the log until it is whole, within the data directory.
const RESTORING: &str = "restoring";
/// A segment until it was found right, within the directory of the copy.
const COPYING: &str = "copying";

/// What a backup or a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyReport {
    /// Which log it is.
    pub log: Uuid,
    /// The last position that was copied.
    pub last: Position,
    /// The root of the tree over all records, made again from the copy.
    pub root: [u8; 32],
    /// Segment files that were copied now.
    pub copied: u64,
    /// Sealed segments that were there already, and unchanged.
    pub unchanged: u64,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Checkpoints that went along and hold for the copy.
    pub checkpoints: u64,
}

/// Copies the log of a data directory, whether a writer is at work there or not.
///
/// What is there already is brought up to date: sealed segments are not copied again. What is copied
/// is looked through before it takes the place of an older copy, and in the end the copy is verified
/// whole. A log that has less than its backup, or than was signed, is an [`Error::LogLostRecords`], a
/// directory that a writer or another backup has is an [`Error::Held`], and one with another log, with
/// one that has other records, or with the very log that is to be copied, is refused: whoever had the
/// file open would go on writing into one without a name. All leave what is there as it was.
pub fn backup(
    data: &Path,
    out: &Path,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<CopyReport, Error> {
    let promised = Promised::whole(data).map_err(|error| in_copy(data, error))?;
    let reader = Reader::open_as_it_is(data)?;
    let (id, last) = (reader.id(), reader.last());
    has_what_was_signed(&promised, last)?;
    // Before anything is copied: what contradicts the log here would do so in its copy for ever.
    promised.compare(&reader.prover()?).map_err(|error| in_copy(data, error))?;
    RealDisk::make_private(out).map_err(disk_error(out.display(), "making"))?;
    if is_same(&data.join(LOG_DIRECTORY), &out.join(LOG_DIRECTORY)) {
        let what = format!("{} is the log itself, and no place for its backup", out.display());
        return Err(Error::Request(what));
    }
    let _held = Lock::take(out)?;
    if let Some(before) = existing(out).map_err(|error| in_copy(out, error))? {
        if before.id() != id {
            let what = format!("{} holds the backup of another log", out.display());
            return Err(Error::Request(what));
        }
        if before.last() > last {
            return Err(Error::LogLostRecords { log: last, index: before.last() });
        }
        if let Some(position) = first_other(&before, &reader)? {
            let what = format!(
                "the log and its backup in {} have different records from position {position} on: one \
                 of them was changed; the backup was left as it is",
                out.display()
            );
            return Err(Error::Request(what));
        }
    }
    // Damage that is found in the end is the copy's: what is copied now was looked through.
    copy(data, out, last, &promised, out, progress)
}

/// A log that has less than a checkpoint signed has lost its end.
fn has_what_was_signed(promised: &Promised, last: Position) -> Result<(), Error> {
    if promised.up_to > last {
        return Err(Error::LogLostRecords { log: last, index: promised.up_to });
    }
    Ok(())
}

/// The first position at which a longer log has another record than its beginning.
fn first_other(beginning: &Reader, longer: &Reader) -> Result<Option<u64>, Error> {
    let (one, other) = (beginning.prover()?, longer.prover()?);
    let same = |size| Ok::<_, Error>(size == 0 || one.root_at(size)? == other.root_at(size)?);
    let (mut alike, mut differ) = (0, beginning.last().0);
    if same(differ)? {
        return Ok(None);
    }
    while differ - alike > 1 {
        let middle = alike + (differ - alike) / 2;
        if same(middle)? { alike = middle } else { differ = middle }
    }
    Ok(Some(differ))
}

/// The error with the whole path of a file that is within a log's directory.
fn in_copy(copy: &Path, error: Error) -> Error {
    let Error::Corrupt(fault) = error else { return error };
    let file = match (segment_position(&fault.file), fault.file.split_once('/')) {
        (Some(_), _) => copy.join(LOG_DIRECTORY).join(&fault.file),
        (None, Some((CHECKPOINT_DIRECTORY, _))) => copy.join(&fault.file),
        // Of elsewhere, with the name that it was given.
        (None, _) => return Error::Corrupt(fault),
    };
    Error::Corrupt(Fault { file: file.display().to_string(), ..fault })
}

/// Puts a backup, or another node's log, into a data directory that has none and is held.
///
/// `elsewhere` are checkpoints that someone else kept, each with its name. They and those of the
/// backup are kept beside the log, so that a node refuses to serve from it until it has all that was
/// signed. A copy that is behind one of them is there, and [`Error::LogLostRecords`]: a newer backup
/// or a repair brings the rest. One that contradicts them, or is damaged, is not put there. What a
/// crash leaves is no log, and the next restore begins anew.
pub fn restore(
    from: &Path,
    held: &Lock,
    elsewhere: &[(String, Checkpoint, String)],
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<CopyReport, Error> {
    let data = held.directory();
    if existing(data)?.is_some() {
        let what = format!("{} holds a log already; nothing was changed", data.display());
        return Err(Error::Request(what));
    }
    let promised = Promised::whole(from).map_err(|error| in_copy(from, error))?;
    let last = Reader::open_as_it_is(from)?.last();
    let aside = data.join(RESTORING);
    clear(&aside)?;
    // Byte for byte what is there.
    let copied = copy(from, &aside, last, &promised, from, progress);
    let restored = copied.and_then(|report| {
        let checkpoints = elsewhere.iter().map(|(name, said, _)| (name.clone(), said.clone()));
        let seen = Seen { checkpoints: checkpoints.collect(), ..Seen::default() };
        verify_against(&aside, seen, progress).map_err(|error| in_copy(from, error))?;
        has_what_was_signed(&promised, last)?;
        Ok(report)
    });
    if !matches!(restored, Ok(_) | Err(Error::LogLostRecords { .. })) {
        clear(&aside)?;
        return restored;
    }
    // Before the log: with less than they promise it is never opened.
    for (stored, said) in &promised.checkpoints {
        keep_in(data, said.size, &stored.note)?;
    }
    for (_, checkpoint, note) in elsewhere {
        keep_in(data, checkpoint.size, note)?;
    }
    put_in_place(&aside.join(LOG_DIRECTORY), data)?;
    clear(&aside)?;
    restored
}

/// Whether two names are of one directory, by whatever way.
fn is_same(one: &Path, other: &Path) -> bool {
    let of = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    of(one).is_some_and(|one| of(other) == Some(one))
}

/// The log in a directory, if there is one.
fn existing(directory: &Path) -> Result<Option<Reader>, Error> {
    let log = directory.join(LOG_DIRECTORY);
    if !log.is_dir() || segment_names(&RealDisk::new(log))?.is_empty() {
        return Ok(None);
    }
    Reader::open_as_it_is(directory).map(Some)
}

/// Copies and verifies; damage that is found in the end is told by the files of `shown`.
fn copy(
    from: &Path,
    to: &Path,
    last: Position,
    promised: &Promised,
    shown: &Path,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<CopyReport, Error> {
    let log = to.join(LOG_DIRECTORY);
    RealDisk::make_private(&log).map_err(disk_error(log.display(), "making"))?;
    let source = RealDisk::new(from.join(LOG_DIRECTORY));
    let names = segment_names(&source)?;
    let (mut copied, mut unchanged, mut bytes) = (0, 0, 0);
    for (index, (name, first)) in names.iter().enumerate() {
        // A segment that was begun after the end was read.
        if *first > last.0 && index > 0 {
            continue;
        }
        let bound = names.get(index + 1).map_or(last.0 + 1, |(_, next)| (*next).min(last.0 + 1));
        match copy_segment(&source, &log, name, *first, bound)? {
            0 => unchanged += 1,
            length => {
                copied += 1;
                bytes += length;
            }
        }
    }
    sync_directory(&log).map_err(disk_error(log.display(), "syncing"))?;
    for (stored, said) in promised.checkpoints.iter().filter(|(_, said)| said.size <= last.0) {
        keep_in(to, said.size, &stored.note)?;
    }
    let verified = verify(to, progress).map_err(|error| in_copy(shown, error))?;
    let VerifyReport { log, records, root, checkpoints, .. } = verified;
    let last = Position(records);
    Ok(CopyReport { log, last, root, copied, unchanged, bytes, checkpoints })
}

/// Copies a segment up to a position; 0 when the copy is there already.
fn copy_segment(
    source: &RealDisk,
    log: &Path,
    name: &str,
    first: u64,
    bound: u64,
) -> Result<u64, Error> {
    let wrong = |source| disk_error(name, "copying")(source);
    let file = source.open(name, false).map_err(wrong)?;
    let footer = Footer::read(file.as_ref()).map_err(wrong)?;
    let sealed = footer.filter(|footer| footer.first == first && footer.last() + 1 == bound);
    let length = if let Some(footer) = sealed {
        footer.start + footer.body_bytes() + TRAILER_BYTES as u64
    } else {
        let mut window = Window::new(file.as_ref());
        scan_groups(&mut window, 0, first, Some(bound), &mut |_, _| Ok(())).map_err(wrong)?.end
    };
    let to = log.join(name);
    if sealed.is_some() && is_copy(&to, sealed).map_err(wrong)? {
        return Ok(0);
    }
    let mut out = WholeFile::begin(&to, COPYING).map_err(wrong)?;
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    while at < length {
        let part = at_most(length - at, buffer.len());
        let part = buffer.get_mut(..part).unwrap_or_default();
        let read = file.read_at(at, part).map_err(wrong)?;
        if read == 0 {
            return Err(wrong(io::ErrorKind::UnexpectedEof.into()));
        }
        out.write_all(part.get(..read).unwrap_or_default()).map_err(wrong)?;
        at += read as u64;
    }
    if let Err(error) = look_through(log, name, first, bound) {
        out.abandon().map_err(wrong)?;
        return Err(error);
    }
    // The directory is synced behind the last segment.
    out.finish_unsynced().map_err(wrong)?;
    Ok(length)
}

/// Whether a copied segment is the one of its name, and has every group whole up to a position: an older
/// copy may be the only one that is right.
fn look_through(log: &Path, name: &str, first: u64, bound: u64) -> Result<(), Error> {
    let wrong = |source| disk_error(name, "reading the copy of")(source);
    let file = RealDisk::new(log.to_owned()).open(COPYING, false).map_err(wrong)?;
    header_of(name, file.as_ref(), first)?;
    let mut window = Window::new(file.as_ref());
    let end = scan_groups(&mut window, 0, first, Some(bound), &mut |_, _| Ok(())).map_err(wrong)?;
    if end.stop == Stop::Bound { Ok(()) } else { Err(stop_fault(name, &end)) }
}

/// Whether a file ends with the same footer; that its records are whole, the verification finds.
fn is_copy(path: &Path, sealed: Option<Footer>) -> io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(false);
    };
    let file = RealDisk::new(directory.to_owned()).open(&name.to_string_lossy(), false)?;
    Ok(Footer::read(file.as_ref())? == sealed)
}
