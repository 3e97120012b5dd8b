//! The log as it is read: its segments, and how a position or a stream is found in them.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use uuid::Uuid;

use crate::disk::DiskFile;
use crate::envelope::Envelope;
use crate::error::{Error, Fault, disk_error};
use crate::proofs::heads_tree::StreamHead;
use crate::record::{Position, Record, StreamId, Version};
use crate::segments::directory::{Directory, Run, UNKNOWN_PRIOR};
use crate::segments::footer::Footer;
use crate::segments::format::{
    FRAME_HEADER_BYTES, Fields, GROUP_HEADER_BYTES, GROUP_MAGIC, frame_checksum,
};
use crate::segments::scan::Window;

/// A program that reads a case or two needs no table in memory; a node does.
const LOOKS_ON_THE_DISK: u32 = 256;

/// Sees the segment, the position, the frame's offset and the bytes of a record; `false` ends.
pub(crate) type ScanVisitor<'v> = dyn FnMut(&Segment, u64, u64, &[u8]) -> Result<bool, Error> + 'v;

/// What is known of a segment's records.
#[derive(Debug)]
pub(crate) enum Contents {
    /// It has a footer, which was checked.
    Sealed(Footer),
    /// It has none yet: the directory is in memory.
    Unsealed(Directory),
}

/// One segment file.
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) first: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) contents: RwLock<Contents>,
    /// How often the footer's table was read on the disk.
    looks: AtomicU32,
    /// The footer's table, once it was asked for often.
    offsets: OnceLock<Vec<u32>>,
}

impl Segment {
    pub(crate) fn new(
        name: String,
        first: u64,
        file: Arc<dyn DiskFile>,
        contents: Contents,
    ) -> Arc<Segment> {
        let contents = RwLock::new(contents);
        let (looks, offsets) = (AtomicU32::new(0), OnceLock::new());
        Arc::new(Segment { name, first, file, contents, looks, offsets })
    }

    pub(crate) fn with<T>(&self, read: impl FnOnce(&Contents) -> T) -> T {
        read(&self.contents.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change<T>(&self, write: impl FnOnce(&mut Contents) -> T) -> T {
        write(&mut self.contents.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where the frame of a position begins.
    pub(crate) fn offset(&self, position: u64) -> Result<u64, Error> {
        self.extent(position).map(|(offset, _)| offset)
    }

    /// Where the frame of a position begins, and about how many bytes it takes, if that is known.
    fn extent(&self, position: u64) -> Result<(u64, Option<usize>), Error> {
        let footer = self.with(|contents| match contents {
            Contents::Sealed(footer) => Err(*footer),
            Contents::Unsealed(directory) => Ok(directory
                .offset(position)
                .map(|offset| (offset, directory.offset(position + 1)))),
        });
        let extent = match footer {
            Ok(extent) => extent,
            Err(footer) => {
                self.sealed_extent(&footer, position).map_err(disk_error(&self.name, "reading"))?
            }
        };
        let (offset, next) =
            extent.ok_or_else(|| self.fault(0, position, "the position is not in the segment"))?;
        // Where a group begins in between, its header is read too.
        Ok((offset, next.and_then(|next| usize::try_from(next.checked_sub(offset)?).ok())))
    }

    /// The same of a segment with a footer, as its table says, and where the next frame begins. The
    /// table is kept in memory once it was asked a number of times: four bytes a record.
    fn sealed_extent(
        &self,
        footer: &Footer,
        position: u64,
    ) -> io::Result<Option<(u64, Option<u64>)>> {
        if let Some(offsets) = self.offsets.get() {
            let index = usize::try_from(position.wrapping_sub(self.first)).unwrap_or(usize::MAX);
            let at = |index| offsets.get(index).copied().map(u64::from);
            return Ok(at(index).map(|offset| (offset, at(index.saturating_add(1)))));
        }
        if self.looks.fetch_add(1, Ordering::Relaxed) == LOOKS_ON_THE_DISK {
            // Only the one look that counts to it comes here, so the table is not there yet.
            drop(self.offsets.set(footer.offsets(self.file.as_ref())?));
        }
        footer.extent(self.file.as_ref(), position)
    }

    /// The records of a stream within this segment: of a sealed one all of them, of another those up
    /// to a position. That is found soonest if it is the stream's.
    pub(crate) fn run(&self, stream: StreamId, up_to: u64) -> Result<Option<Run>, Error> {
        let footer = self.with(|contents| match contents {
            Contents::Sealed(footer) => Err(*footer),
            Contents::Unsealed(directory) => Ok(directory.run(stream, up_to)),
        });
        match footer {
            Ok(run) => Ok(run),
            Err(footer) => {
                footer.find(self.file.as_ref(), stream).map_err(disk_error(&self.name, "reading"))
            }
        }
    }

    /// Visits the heads that the streams with records here had when the log had `size` records;
    /// those whose records here are all behind it are passed over. A stream may be visited several
    /// times, with its head at last.
    pub(crate) fn heads_at(
        &self,
        size: u64,
        visit: &mut dyn FnMut(StreamHead),
    ) -> Result<(), Error> {
        let footer = self.with(|contents| match contents {
            Contents::Sealed(footer) => Some(*footer),
            Contents::Unsealed(directory) => {
                for (link, position) in directory.links.iter().zip(self.first..=size) {
                    let (version, position) = (Version(link.version), Position(position));
                    visit(StreamHead { stream: link.stream, version, position });
                }
                None
            }
        });
        let Some(footer) = footer else { return Ok(()) };
        let body = footer.body(self.file.as_ref());
        let body = body.map_err(disk_error(&self.name, "reading the footer"))?;
        let mut see = |stream: StreamId, run: &Run| {
            if let Some(head) = run.head_at(stream, self.first, size) {
                visit(head);
            }
        };
        body.and_then(|body| footer.runs(&body, &mut see))
            .ok_or_else(|| self.fault(footer.start, footer.first, "the footer is damaged"))
    }

    /// The position of the last record that may be read.
    fn last(&self, durable: u64) -> u64 {
        let last = self.with(|contents| match contents {
            Contents::Sealed(footer) => footer.last(),
            Contents::Unsealed(directory) => directory.next() - 1,
        });
        last.min(durable)
    }

    fn is_group(&self, window: &mut Window<'_>, offset: u64) -> Result<bool, Error> {
        let head = window.get(offset, 4).map_err(disk_error(&self.name, "reading"))?;
        Ok(head == GROUP_MAGIC.as_slice())
    }

    pub(crate) fn fault(&self, offset: u64, position: u64, what: &str) -> Error {
        Error::Corrupt(Fault {
            file: self.name.clone(),
            offset,
            position: Some(Position(position)),
            stream: None,
            what: what.to_owned(),
        })
    }

    /// Reads the record whose frame begins at `offset`, through a window.
    pub(crate) fn record_at(
        &self,
        window: &mut Window<'_>,
        offset: u64,
        position: u64,
    ) -> Result<Record, Error> {
        let bytes = self.frame_at(window, offset, position)?;
        let envelope = Envelope::parse(bytes).map_err(|what| self.fault(offset, position, what))?;
        Ok(Record {
            position: Position(position),
            stream: envelope.stream,
            version: envelope.version,
            time: envelope.time,
            bytes: bytes.to_vec(),
        })
    }

    /// Reads and checks the bytes of the record whose frame begins at `offset`.
    pub(crate) fn frame_at<'w>(
        &self,
        window: &'w mut Window<'_>,
        offset: u64,
        position: u64,
    ) -> Result<&'w [u8], Error> {
        let frame = window.frame(offset).map_err(disk_error(&self.name, "reading"))?;
        let mut fields = Fields(frame);
        let (Some(length), Some(checksum)) = (fields.u32(), fields.u32()) else {
            return Err(self.fault(offset, position, "the file ends within the frame"));
        };
        match fields.take(length as usize) {
            Some(bytes) if frame_checksum(position, bytes) == checksum => Ok(bytes),
            Some(_) => {
                Err(self.fault(offset, position, "the frame's checksum does not match its bytes"))
            }
            None => Err(self.fault(offset, position, "the frame's length is wrong")),
        }
    }
}

/// Where a record stands.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) position: u64,
    pub(crate) version: u64,
    pub(crate) segment: Arc<Segment>,
    pub(crate) offset: u64,
    /// About how many bytes its frame takes, if that is known: so many are read at once.
    pub(crate) length: Option<usize>,
}

/// The segments in order, and up to where they may be read.
pub(crate) struct Log {
    pub(crate) id: Uuid,
    segments: RwLock<Vec<Arc<Segment>>>,
    durable: AtomicU64,
}

impl Log {
    pub(crate) fn new(id: Uuid, segments: Vec<Arc<Segment>>, durable: u64) -> Log {
        Log { id, segments: RwLock::new(segments), durable: AtomicU64::new(durable) }
    }

    /// The last position that may be read.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(crate) fn set_durable(&self, position: u64) {
        self.durable.store(position, Ordering::Release);
    }

    pub(crate) fn push(&self, segment: Arc<Segment>) {
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
    }

    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The segment that a position is in.
    pub(crate) fn segment(&self, position: u64) -> Result<Arc<Segment>, Error> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let behind = segments.partition_point(|segment| segment.first <= position);
        behind
            .checked_sub(1)
            .and_then(|index| segments.get(index))
            .cloned()
            .ok_or_else(|| Error::Request(format!("there is no segment with position {position}")))
    }

    /// Visits the records from a position on, in order, up to the durable one, until told to stop.
    pub(crate) fn scan(&self, from: u64, visit: &mut ScanVisitor<'_>) -> Result<(), Error> {
        self.scan_through(|file| Window::new(file), from, visit)
    }

    /// The same for those who follow the log: what was appended lately may come from memory.
    pub(crate) fn follow(&self, from: u64, visit: &mut ScanVisitor<'_>) -> Result<(), Error> {
        self.scan_through(|file| Window::following(file), from, visit)
    }

    fn scan_through(
        &self,
        window: impl for<'f> Fn(&'f dyn DiskFile) -> Window<'f>,
        from: u64,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<(), Error> {
        let durable = self.durable();
        let mut position = from.max(1);
        while position <= durable {
            let segment = self.segment(position)?;
            let mut offset = segment.offset(position)?;
            let mut window = window(segment.file.as_ref());
            let end = segment.last(durable);
            while position <= end {
                if segment.is_group(&mut window, offset)? {
                    offset += GROUP_HEADER_BYTES as u64;
                }
                let bytes = segment.frame_at(&mut window, offset, position)?;
                let length = bytes.len();
                if !visit(&segment, position, offset, bytes)? {
                    return Ok(());
                }
                offset += (FRAME_HEADER_BYTES + length) as u64;
                position += 1;
            }
        }
        Ok(())
    }

    /// Reads records from a position on, at most `most`, up to the durable one.
    pub(crate) fn read(&self, from: Position, most: usize) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        if most == 0 {
            return Ok(records);
        }
        self.follow(from.0, &mut |segment, position, offset, bytes| {
            let envelope =
                Envelope::parse(bytes).map_err(|what| segment.fault(offset, position, what))?;
            records.push(Record {
                position: Position(position),
                stream: envelope.stream,
                version: envelope.version,
                time: envelope.time,
                bytes: bytes.to_vec(),
            });
            Ok(records.len() < most)
        })?;
        Ok(records)
    }

    /// Where the records of a stream stand, in order: from `head` back to version `from`.
    pub(crate) fn places(
        &self,
        stream: StreamId,
        head: u64,
        from: u64,
    ) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        let mut position = head;
        while position > 0 {
            let segment = self.segment(position)?;
            let run = segment.run(stream, position)?.ok_or_else(|| {
                segment.fault(0, position, "the footer does not know a stream that it has")
            })?;
            let mut version = run.last_version();
            for relative in run.relative.iter().rev() {
                let at = segment.first + u64::from(*relative);
                if at <= head && version >= from {
                    let (offset, length) = segment.extent(at)?;
                    let segment = Arc::clone(&segment);
                    places.push(Place { position: at, version, segment, offset, length });
                }
                version = version.saturating_sub(1);
            }
            position = match run.prior {
                _ if run.first_version <= from => 0,
                UNKNOWN_PRIOR => self.find_last(stream, segment.first)?.unwrap_or(0),
                prior => prior,
            };
        }
        places.reverse();
        Ok(places)
    }

    /// Where the records of a stream stand whose positions are known, from its first on.
    pub(crate) fn places_at(&self, positions: &[u64]) -> Result<Vec<Place>, Error> {
        let mut places = Vec::with_capacity(positions.len());
        for (position, version) in positions.iter().copied().zip(1..) {
            let segment = self.segment(position)?;
            let (offset, length) = segment.extent(position)?;
            places.push(Place { position, version, segment, offset, length });
        }
        Ok(places)
    }

    /// The last record of a stream before a position, searched in the segments from the newest on.
    pub(crate) fn find_last(&self, stream: StreamId, before: u64) -> Result<Option<u64>, Error> {
        for segment in self.segments().iter().rev().filter(|segment| segment.first < before) {
            if let Some(run) = segment.run(stream, before - 1)? {
                let mut inside = run.relative.iter().rev().map(|at| segment.first + u64::from(*at));
                if let Some(position) = inside.find(|position| *position < before) {
                    return Ok(Some(position));
                }
            }
        }
        Ok(None)
    }
}

/// Reads the records of a stream at their places and checks that they are the stream's.
pub(crate) fn read_places(stream: StreamId, places: &[Place]) -> Result<Vec<Record>, Error> {
    let mut records = Vec::with_capacity(places.len());
    let mut index = 0;
    while let Some(place) = places.get(index) {
        let mut window = Window::near(place.segment.file.as_ref());
        while let Some(next) = places.get(index) {
            if !Arc::ptr_eq(&next.segment, &place.segment) {
                break;
            }
            window.expect(next.length);
            let record = next.segment.record_at(&mut window, next.offset, next.position)?;
            if record.stream != stream || record.version != Version(next.version) {
                return Err(next.segment.fault(
                    next.offset,
                    next.position,
                    "the record is not the stream's",
                ));
            }
            records.push(record);
            index += 1;
        }
    }
    Ok(records)
}
