//! One segment: its file, what is known of its records, and how one of them is found and read.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::disk::DiskFile;
use crate::envelope::Envelope;
use crate::error::{Error, disk_error, fault};
use crate::proofs::heads_tree::StreamHead;
use crate::record::{Position, Record, StreamId, Version};
use crate::segments::directory::{Directory, Run};
use crate::segments::footer::Footer;
use crate::segments::format::{Fields, GROUP_MAGIC, frame_checksum};
use crate::segments::scan::Window;

/// A program that reads a case or two needs no table in memory; a node does.
const LOOKS_ON_THE_DISK: u32 = 256;

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
    pub(super) fn extent(&self, position: u64) -> Result<(u64, Option<usize>), Error> {
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
    pub(super) fn last(&self, durable: u64) -> u64 {
        let last = self.with(|contents| match contents {
            Contents::Sealed(footer) => footer.last(),
            Contents::Unsealed(directory) => directory.next() - 1,
        });
        last.min(durable)
    }

    pub(super) fn is_group(&self, window: &mut Window<'_>, offset: u64) -> Result<bool, Error> {
        let head = window.get(offset, 4).map_err(disk_error(&self.name, "reading"))?;
        Ok(head == GROUP_MAGIC.as_slice())
    }

    pub(crate) fn fault(&self, offset: u64, position: u64, what: &str) -> Error {
        fault(&self.name, offset, position, what)
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
