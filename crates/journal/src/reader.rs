//! A reader without a lock: beside a live writer, or without one.

use std::path::Path;

use crate::directory::{Directory, Entry, UNKNOWN_PRIOR};
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::envelope::Envelope;
use crate::error::{Error, disk_error};
use crate::footer::Footer;
use crate::format::segment_position;
use crate::journal::LOG_DIRECTORY;
use crate::log::{Contents, Log, Segment, read_places};
use crate::record::{Position, Record, StreamId, Version};
use crate::recover::{fault, header_of};
use crate::scan::{Window, scan_groups};

/// Reads a log that someone else may be writing. It changes nothing and needs no lock.
///
/// It sees the whole groups that were there when it was opened. A group is written only after the
/// one before it is durable, so all but the very last one is known to be durable.
pub struct Reader {
    log: Log,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Reader")
            .field("log", &self.log.id)
            .field("last", &self.log.durable())
            .finish()
    }
}

impl Reader {
    /// Opens the log in a data directory as it stands now.
    pub fn open(directory: &Path) -> Result<Reader, Error> {
        let disk = RealDisk::new(directory.join(LOG_DIRECTORY));
        Reader::open_on(&disk)
    }

    /// Opens the log on any disk.
    pub fn open_on(disk: &dyn Disk) -> Result<Reader, Error> {
        let names = segment_names(disk)?;
        let mut log: Option<Log> = None;
        for (name, first) in &names {
            let file = disk.open(name, false).map_err(disk_error(name, "opening"))?;
            let header = header_of(name, file.as_ref(), *first)?;
            let log = log.get_or_insert_with(|| Log::new(header.log, Vec::new(), first - 1));
            if header.log != log.id || log.durable() + 1 != *first {
                let what = "the segment before this one is missing, too short or of another log";
                return Err(fault(name, 0, log.durable() + 1, what));
            }
            let footer = Footer::read(file.as_ref()).map_err(disk_error(name, "reading"))?;
            let contents = match footer.filter(|footer| footer.first == *first) {
                Some(footer) => Contents::Sealed(footer),
                None => Contents::Unsealed(read_directory(name, *first, file.as_ref())?),
            };
            let last = match &contents {
                Contents::Sealed(footer) => footer.last(),
                Contents::Unsealed(directory) => directory.next() - 1,
            };
            log.push(Segment::new(name.clone(), *first, file, contents));
            log.set_durable(last);
        }
        let log = log.ok_or_else(|| Error::Request("there is no log here".to_owned()))?;
        Ok(Reader { log })
    }

    /// Which log this is.
    #[must_use]
    pub fn id(&self) -> uuid::Uuid {
        self.log.id
    }

    /// The last position that was there when the log was opened.
    #[must_use]
    pub fn last(&self) -> Position {
        Position(self.log.durable())
    }

    /// Reads records in order from a position on, at most `most`.
    pub fn read(&self, from: Position, most: usize) -> Result<Vec<Record>, Error> {
        self.log.read(from, most)
    }

    /// Reads a stream's records in order, up to a version if one is given, by the footers alone.
    pub fn read_stream(
        &self,
        stream: StreamId,
        up_to: Option<Version>,
    ) -> Result<Vec<Record>, Error> {
        let Some(head) = self.log.find_last(stream, self.log.durable() + 1)? else {
            return Ok(Vec::new());
        };
        let mut places = self.log.places(stream, head, 1)?;
        places.retain(|place| up_to.is_none_or(|version| place.version <= version.0));
        read_places(stream, &places)
    }
}

/// The segment files in order. A roll between listing and opening only adds one behind them.
pub(crate) fn segment_names(disk: &dyn Disk) -> Result<Vec<(String, u64)>, Error> {
    let names = disk.list().map_err(disk_error("log", "listing"))?;
    let mut names: Vec<(String, u64)> = names
        .into_iter()
        .filter_map(|name| segment_position(&name).map(|first| (name, first)))
        .collect();
    names.sort_unstable_by_key(|(_, first)| *first);
    Ok(names)
}

fn read_directory(name: &str, first: u64, file: &dyn DiskFile) -> Result<Directory, Error> {
    let mut directory = Directory::new(first);
    let mut window = Window::new(file);
    scan_groups(&mut window, 0, first, None, &mut |_, frame| {
        let envelope = Envelope::parse(frame.bytes)?;
        let version = envelope.version.0;
        directory.add(Entry {
            stream: envelope.stream,
            version,
            prior: if version == 1 { 0 } else { UNKNOWN_PRIOR },
            offset: frame.offset as u32,
            time_us: envelope.time.as_microsecond(),
        });
        Ok(())
    })
    .map_err(disk_error(name, "reading"))?;
    Ok(directory)
}
