//! The log as it is read: its segments, and how a position or a stream is found in them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use crate::disk::DiskFile;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::record::{Position, Record, StreamId, Version};
use crate::segments::directory::UNKNOWN_PRIOR;
use crate::segments::format::{FRAME_HEADER_BYTES, GROUP_HEADER_BYTES};
use crate::segments::scan::Window;
use crate::segments::segment::Segment;

/// Sees the segment, the position, the frame's offset and the bytes of a record; `false` ends.
pub(crate) type ScanVisitor<'v> = dyn FnMut(&Segment, u64, u64, &[u8]) -> Result<bool, Error> + 'v;

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
