//! Records from elsewhere into a fresh log: positions, bytes and hashes as they were.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use uuid::Uuid;

use crate::copies::aside::{clear, put_in_place};
use crate::disk::RealDisk;
use crate::disk::lock::Lock;
use crate::error::{Error, disk_error};
use crate::journal::LOG_DIRECTORY;
use crate::options::check_segment_bytes;
use crate::record::{MAX_RECORD_BYTES, Position};
use crate::repair::{Promise, Stop, Walk};
use crate::segments::files::segment_names;
use crate::segments::format::{FIRST_GROUP, SegmentHeader, segment_name};
use crate::segments::group::GroupBuffer;
use crate::signed::checkpoint::Checkpoint;
use crate::signed::checkpoints::keep_in;

/// Where the log is until it is whole, within the data directory.
const UNFINISHED: &str = "importing";
/// The most records and bytes of a group.
const GROUP_RECORDS: u64 = 4096;
const GROUP_BYTES: usize = 1 << 20;

/// Writes records, in the order of their positions, into a data directory that has no log.
///
/// Each must follow the ones before it: version, `prev` and time. There is no log before
/// [`Import::finish`]; what was begun and not finished is removed by the next import.
pub struct Import {
    log: Uuid,
    /// Where it is written until it is whole.
    directory: PathBuf,
    data: PathBuf,
    segment_bytes: u64,
    walk: Walk,
    /// The checkpoints that were promised, by size.
    notes: Vec<(u64, String)>,
    file: Option<(PathBuf, File)>,
    written: u64,
    group: GroupBuffer,
    records: u64,
}

impl std::fmt::Debug for Import {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Import")
            .field("log", &self.log)
            .field("next", &self.next())
            .finish_non_exhaustive()
    }
}

impl Import {
    /// Begins a log in a directory that is held and has none. `log` is which log it is: that of
    /// the origin, for its checkpoints to hold, or a new one.
    pub fn begin(held: &Lock, log: Uuid, segment_bytes: u64) -> Result<Import, Error> {
        check_segment_bytes(segment_bytes)?;
        let data = held.directory().to_owned();
        let place = data.join(LOG_DIRECTORY);
        if place.is_dir() && !segment_names(&RealDisk::new(place.clone()))?.is_empty() {
            let what = format!("{} holds a log already; nothing was changed", place.display());
            return Err(Error::Request(what));
        }
        let directory = data.join(UNFINISHED);
        clear(&directory)?;
        RealDisk::make_private(&directory).map_err(disk_error(directory.display(), "making"))?;
        Ok(Import {
            log,
            directory,
            data,
            segment_bytes,
            walk: Walk::new(Vec::new()),
            notes: Vec::new(),
            file: None,
            written: 0,
            group: GroupBuffer::default(),
            records: 0,
        })
    }

    /// Begins a log that must be what checkpoints of elsewhere signed, each with its name and its note. They
    /// are kept beside it, as [`crate::restore`] keeps them: a node refuses to serve from less. That they are
    /// signed is not looked at here.
    #[must_use]
    pub fn promised(mut self, mut elsewhere: Vec<(String, Checkpoint, String)>) -> Import {
        elsewhere.sort_by_key(|(_, said, _)| said.size);
        self.notes = elsewhere.iter().map(|(_, said, note)| (said.size, note.clone())).collect();
        let promise = |(file, said, _)| Promise { file, said, believed: true };
        self.walk = Walk::new(elsewhere.into_iter().map(promise).collect());
        self
    }

    /// The position that the next record gets.
    #[must_use]
    pub fn next(&self) -> Position {
        Position(self.walk.size() + 1)
    }

    /// Adds the next record by its exact bytes. One that does not follow those before it is an
    /// [`Error::Request`] with the reason, and is not added.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(Error::TooLong { length: bytes.len(), most: MAX_RECORD_BYTES });
        }
        let position = self.walk.size() + 1;
        self.walk.follow("the import", bytes, None).map_err(|stop| match stop {
            // No log is damaged by it, and whoever offers the records knows where this one stands.
            Stop::Error(Error::Corrupt(fault))
            | Stop::Doubt { error: Error::Corrupt(fault), .. } => Error::Request(fault.what),
            Stop::Error(error) | Stop::Doubt { error, .. } => error,
        })?;
        if self.records == 0 {
            self.group.begin(position);
        }
        let pushed = self.group.push(|out| out.extend_from_slice(bytes));
        pushed.map_err(|length| Error::TooLong { length, most: MAX_RECORD_BYTES })?;
        self.records += 1;
        if self.records >= GROUP_RECORDS || self.group.length() >= GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), Error> {
        if self.records == 0 {
            return Ok(());
        }
        let first = self.group.next() - self.records;
        let length = self.group.length() as u64;
        if self.written + length > self.segment_bytes && self.written > FIRST_GROUP {
            self.end_segment()?;
        }
        if self.file.is_none() {
            let path = self.directory.join(segment_name(first));
            let wrong = |source| disk_error(path.display(), "writing")(source);
            let mut file = File::create(&path).map_err(wrong)?;
            let header = SegmentHeader { log: self.log, first }.encode();
            file.write_all(&header).map_err(wrong)?;
            self.written = FIRST_GROUP;
            self.file = Some((path, file));
        }
        if let Some((path, file)) = &mut self.file {
            let bytes = self.group.finish();
            file.write_all(bytes).map_err(disk_error(path.display(), "writing"))?;
        }
        self.written += length;
        self.records = 0;
        Ok(())
    }

    fn end_segment(&mut self) -> Result<(), Error> {
        if let Some((path, file)) = self.file.take() {
            file.sync_all().map_err(disk_error(path.display(), "syncing"))?;
        }
        self.written = 0;
        Ok(())
    }

    /// Makes everything durable, and then a log; gives the last position and the root of the tree. One that
    /// has less than was promised is there, and [`Error::LogLostRecords`].
    pub fn finish(mut self) -> Result<(Position, [u8; 32]), Error> {
        self.write_group()?;
        self.end_segment()?;
        // Before the log: with less than they promise it is never opened.
        for (size, note) in &self.notes {
            keep_in(&self.data, *size, note)?;
        }
        put_in_place(&self.directory, &self.data)?;
        let last = Position(self.walk.size());
        match self.notes.last() {
            Some((size, _)) if *size > last.0 => {
                Err(Error::LogLostRecords { log: last, index: Position(*size) })
            }
            Some(_) | None => Ok((last, self.walk.root())),
        }
    }

    /// Removes what was written.
    pub fn abandon(self) -> Result<(), Error> {
        let directory = self.directory.clone();
        drop(self);
        clear(&directory)
    }
}
