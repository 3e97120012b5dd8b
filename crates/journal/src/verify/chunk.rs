//! The check of one chunk: checksums, record heads and leaf hashes, on any core.

use crate::envelope::{Envelope, EnvelopeReader};
use crate::error::{Error, disk_error};
use crate::record::LeafHash;
use crate::scan::{ScanEnd, Stop, Window, scan_groups};

use super::walk::{Chunk, Walked};

/// One record, as the sequence needs it.
pub(super) struct Seen {
    pub(super) envelope: Envelope,
    pub(super) leaf: LeafHash,
    pub(super) offset: u64,
    pub(super) bytes: u32,
}

/// A chunk that was looked through.
pub(super) struct Checked {
    pub(super) chunk: Chunk,
    pub(super) seen: Vec<Seen>,
    /// Where the sound groups end.
    pub(super) end: ScanEnd,
    pub(super) failed: Option<Error>,
}

/// Looks through a chunk until its end or the first group that is not sound; `room` is for its bytes.
pub(super) fn check(segments: &[Walked], chunk: &Chunk, room: &mut Vec<u8>) -> Checked {
    let mut seen: Vec<Seen> = Vec::with_capacity(2048);
    let mut end = ScanEnd { end: chunk.offset, next: chunk.first, stop: Stop::Empty };
    let Some(segment) = segments.get(chunk.segment) else {
        return Checked { chunk: *chunk, seen, end, failed: None };
    };
    let mut window = Window::sized(segment.file.as_ref(), chunk.length, std::mem::take(room));
    let to = chunk.offset + chunk.length;
    let mut failed = None;
    let mut reader = EnvelopeReader::default();
    while end.end < to {
        let whole = seen.len();
        // One group at a time: the walk said where the chunk ends, not how many records it has.
        let scanned =
            scan_groups(&mut window, end.end, end.next, Some(end.next + 1), &mut |_, frame| {
                let envelope = reader.parse(frame.bytes)?;
                seen.push(Seen {
                    envelope,
                    leaf: LeafHash::of(frame.bytes),
                    offset: frame.offset,
                    bytes: frame.bytes.len() as u32,
                });
                Ok(())
            });
        match scanned {
            Ok(scanned) if scanned.stop == Stop::Bound => end = scanned,
            Ok(scanned) => {
                seen.truncate(whole);
                end = scanned;
                break;
            }
            Err(source) => {
                failed = Some(disk_error(&segment.name, "reading")(source));
                break;
            }
        }
    }
    *room = window.into_room();
    Checked { chunk: *chunk, seen, end, failed }
}
