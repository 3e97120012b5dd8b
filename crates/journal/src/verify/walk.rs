//! The walk along the groups' headers, which cuts the log into chunks.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use uuid::Uuid;

use crate::disk::DiskFile;
use crate::error::{Error, disk_error, fault};
use crate::segments::files::header_of;
use crate::segments::format::{FIRST_GROUP, GROUP_HEADER_BYTES, GroupHeader, HeaderFault};
use crate::segments::scan::{ScanEnd, Stop, gap_fault};

/// A chunk is sent off when it has this many bytes.
const CHUNK_BYTES: u64 = 1 << 20;

/// A segment to walk along.
pub(super) struct Walked {
    pub(super) name: String,
    pub(super) first: u64,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) length: u64,
}

/// Consecutive groups of one segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    /// Which of the segments.
    pub(super) segment: usize,
    pub(super) offset: u64,
    pub(super) length: u64,
    /// The position of the first record.
    pub(super) first: u64,
}

/// What the walk comes to.
pub(super) enum Step {
    Chunk(Chunk),
    /// The groups of a segment have ended.
    End {
        segment: usize,
        end: ScanEnd,
    },
    Failed(Error),
}

/// Walks along all segments; ends early when nobody listens.
pub(super) fn walk(segments: &[Walked], steps: &SyncSender<(u64, Step)>) {
    let mut number = 0;
    let mut send = |step| {
        let sent = steps.send((number, step)).is_ok();
        number += 1;
        sent
    };
    let mut before = None;
    for (index, segment) in segments.iter().enumerate() {
        let bound = segments.get(index + 1).map(|next| next.first);
        let walked = begins_right(segment, &mut before)
            .and_then(|()| walk_segment(index, segment, bound, &mut send));
        let step = match walked {
            Ok(None) => return,
            Ok(Some(end)) => {
                before = before.map(|(log, _)| (log, end.next));
                Step::End { segment: index, end }
            }
            Err(error) => Step::Failed(error),
        };
        let failed = matches!(step, Step::Failed(_));
        if !send(step) || failed {
            return;
        }
    }
}

/// Whether a segment is of the same log as those before and begins where they end.
fn begins_right(segment: &Walked, before: &mut Option<(Uuid, u64)>) -> Result<(), Error> {
    let header = header_of(&segment.name, segment.file.as_ref(), segment.first)?;
    let (log, expected) = *before.get_or_insert((header.log, 1));
    if log != header.log {
        return Err(fault(&segment.name, 0, segment.first, "the segment is of another log"));
    }
    if segment.first != expected {
        return Err(gap_fault(&segment.name, expected));
    }
    Ok(())
}

/// `None` when nobody listens any more.
fn walk_segment(
    index: usize,
    segment: &Walked,
    bound: Option<u64>,
    send: &mut dyn FnMut(Step) -> bool,
) -> Result<Option<ScanEnd>, Error> {
    let (mut end, mut next) = (FIRST_GROUP, segment.first);
    let begin = |offset, first| Chunk { segment: index, offset, length: 0, first };
    let mut chunk = begin(end, next);
    let stop = loop {
        if bound.is_some_and(|bound| next >= bound) {
            break Stop::Bound;
        }
        let mut head = [0; GROUP_HEADER_BYTES];
        segment.file.read_at(end, &mut head).map_err(disk_error(&segment.name, "reading"))?;
        if head.iter().all(|byte| *byte == 0) {
            break Stop::Empty;
        }
        let damaged =
            |what: &str| Stop::Damaged { offset: end, position: next, what: what.to_owned() };
        let header = match GroupHeader::decode(&head) {
            Ok(header) if header.first == next => header,
            Ok(_) => break damaged("the group does not begin with the next position"),
            Err(HeaderFault::Damaged) => break damaged("the group's header is damaged"),
            Err(HeaderFault::Version(version)) => break Stop::Version(version),
        };
        let length = GROUP_HEADER_BYTES as u64 + u64::from(header.length);
        end += length;
        next += u64::from(header.count);
        chunk.length += length;
        if chunk.length >= CHUNK_BYTES {
            if !send(Step::Chunk(chunk)) {
                return Ok(None);
            }
            chunk = begin(end, next);
        }
    };
    if chunk.length > 0 && !send(Step::Chunk(chunk)) {
        return Ok(None);
    }
    Ok(Some(ScanEnd { end, next, stop }))
}
