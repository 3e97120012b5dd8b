//! The check of one chunk: checksums, record heads and leaf hashes, on any core.

use std::io;

use crate::envelope::{Envelope, EnvelopeReader};
use crate::error::{Error, disk_error};
use crate::record::LeafHash;
use crate::segments::format::FRAME_HEADER_BYTES;
use crate::segments::scan::{ScanEnd, Stop, Window, scan_groups};

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
#[expect(
    clippy::cast_possible_truncation,
    reason = "a frame is no longer than its group says in 32 bits"
)]
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
                    leaf: LeafHash::NONE,
                    offset: frame.offset,
                    bytes: frame.bytes.len() as u32,
                });
                Ok(())
            });
        match scanned {
            Ok(scanned) if scanned.stop == Stop::Bound => {
                let group = seen.get_mut(whole..).unwrap_or_default();
                if let Err(source) = hash(group, &mut window, scanned.end) {
                    failed = Some(disk_error(&segment.name, "reading")(source));
                    break;
                }
                end = scanned;
            }
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

/// Hashes the records of a group that ends at `end`, which the window holds already.
#[expect(clippy::cast_possible_truncation, reason = "within the window")]
fn hash(group: &mut [Seen], window: &mut Window<'_>, end: u64) -> io::Result<()> {
    let Some(from) = group.first().map(|first| first.offset) else { return Ok(()) };
    let bytes = window.get(from, (end - from) as usize)?;
    let record = |seen: &Seen| {
        let at = (seen.offset - from) as usize + FRAME_HEADER_BYTES;
        bytes.get(at..at + seen.bytes as usize).unwrap_or_default()
    };
    let (lanes, rest) = group.as_chunks_mut();
    for lane in lanes {
        let leaves = LeafHash::of_each(lane.each_ref().map(record));
        for (seen, leaf) in lane.iter_mut().zip(leaves) {
            seen.leaf = leaf;
        }
    }
    for seen in rest {
        seen.leaf = LeafHash::of(record(seen));
    }
    Ok(())
}
