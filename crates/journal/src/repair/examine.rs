//! What is left of a segment: every record whose frame is whole, however its group fared.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::disk::DiskFile;
use crate::error::{Error, disk_error};
use crate::record::MAX_RECORD_BYTES;
use crate::segments::footer::Footer;
use crate::segments::format::{
    FRAME_HEADER_BYTES, Fields, GROUP_HEADER_BYTES, GROUP_MAGIC, GroupHeader, SEGMENT_HEADER_BYTES,
    SegmentHeader, frame_checksum,
};
use crate::segments::scan::{ScanEnd, Stop, Window, look_behind, nothing_behind, scan_groups};

/// A segment file on the disk.
pub(super) struct Piece {
    pub(super) name: String,
    pub(super) first: u64,
    pub(super) file: Arc<dyn DiskFile>,
    /// Where the segment behind it begins; `None` for the last.
    pub(super) bound: Option<u64>,
}

/// The state of a segment.
pub(super) enum State {
    /// Every frame that was durable is whole.
    Sound,
    /// Records may be missing.
    Damaged(Remains),
}

/// What was found in a damaged segment.
#[derive(Default)]
pub(super) struct Remains {
    /// What is wrong first, and where.
    pub(super) what: String,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    /// Where the bytes of the records are whose frames are whole, by position.
    pub(super) found: BTreeMap<u64, (usize, usize)>,
    /// Length and checksum of frames whose records are damaged, by position.
    pub(super) checks: BTreeMap<u64, (u32, u32)>,
    /// The position behind the last record that the segment is known to have had.
    pub(super) next: u64,
}

impl Remains {
    pub(super) fn record(&self, position: u64) -> Option<&[u8]> {
        let (from, to) = self.found.get(&position)?;
        self.bytes.get(*from..*to)
    }
}

/// Looks through a segment; `seen` is the last position that anyone knows to have been durable.
pub(super) fn examine(piece: &Piece, seen: u64) -> Result<State, Error> {
    let read = || disk_error(&piece.name, "reading");
    let mut head = [0; SEGMENT_HEADER_BYTES];
    piece.file.read_at(0, &mut head).map_err(read())?;
    let header = SegmentHeader::decode(&head).is_ok_and(|header| header.first == piece.first);
    let mut window = Window::new(piece.file.as_ref());
    let end = scan_groups(&mut window, 0, piece.first, piece.bound, &mut |_, _| Ok(()));
    let end = end.map_err(read())?;
    if piece.bound.is_some() && end.stop == Stop::Bound {
        nothing_behind(&piece.name, piece.file.as_ref(), &end)?;
    }
    if header && is_whole(piece, &end, seen)? {
        return Ok(State::Sound);
    }
    let (what, offset) = match &end.stop {
        _ if !header => ("the segment's header is damaged".to_owned(), 0),
        Stop::Damaged { offset, what, .. } | Stop::Wrong { offset, what, .. } => {
            (what.clone(), *offset)
        }
        Stop::Version(version) => {
            return Err(Error::UnknownFormat { file: piece.name.clone(), version: *version });
        }
        Stop::Empty | Stop::Bound => ("records are missing here".to_owned(), end.end),
    };
    remains(piece, what, offset).map(State::Damaged)
}

/// Gathers the records of a segment whose frames are whole.
pub(super) fn remains(piece: &Piece, what: String, offset: u64) -> Result<Remains, Error> {
    let read = || disk_error(&piece.name, "reading");
    let length = piece.file.length().map_err(read())?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    piece.file.read_at(0, &mut bytes).map_err(read())?;
    let mut remains = Remains { what, offset, bytes, next: piece.first, ..Remains::default() };
    remains.by_groups(piece);
    remains.by_footer(piece)?;
    Ok(remains)
}

/// Whether the groups end as they do in a segment that has lost nothing.
fn is_whole(piece: &Piece, end: &ScanEnd, seen: u64) -> Result<bool, Error> {
    let read = disk_error(&piece.name, "reading");
    let footer = Footer::read(piece.file.as_ref()).map_err(read)?;
    if footer.is_some_and(|footer| footer.start == end.end && footer.last() + 1 == end.next) {
        // What may be missing behind it, was never in this file.
        return Ok(true);
    }
    if let Some(bound) = piece.bound {
        return Ok(end.next == bound);
    }
    let read = disk_error(&piece.name, "reading");
    let behind = look_behind(piece.file.as_ref(), end.end, end.next).map_err(read)?;
    let wrong = matches!(end.stop, Stop::Wrong { .. } | Stop::Version(_));
    // What nobody has seen and nothing follows is a torn tail, which the next start cuts off.
    Ok(!wrong && behind.later_group.is_none() && end.next > seen)
}

impl Remains {
    /// Follows the groups; where one is damaged, its frames, and then any later group.
    ///
    /// A group at the log's end that is not whole may never have been durable: what it would have had
    /// counts once something follows it.
    fn by_groups(&mut self, piece: &Piece) {
        let mut at = SEGMENT_HEADER_BYTES;
        let mut next = piece.first;
        let mut unsure = piece.first;
        while at + GROUP_HEADER_BYTES <= self.bytes.len() {
            let header = self.bytes.get(at..at + GROUP_HEADER_BYTES).unwrap_or_default();
            let header = GroupHeader::decode(header).ok();
            let within = |header: &GroupHeader| {
                header.first >= next && piece.bound.is_none_or(|bound| header.first < bound)
            };
            let body = at + GROUP_HEADER_BYTES;
            if let Some(header) = header.filter(within) {
                let end = header.first + u64::from(header.count);
                self.frames(body, header.first, end.min(piece.bound.unwrap_or(end)));
                self.next = self.next.max(unsure).max(header.first);
                unsure = end;
                if piece.bound.is_some() || self.has(header.first..end) {
                    self.next = self.next.max(end);
                }
                next = end;
                at = body + header.length as usize;
                continue;
            }
            // The header is damaged: its frames may be whole. Their checksums know their places.
            let behind = self.frames(body, next, piece.bound.unwrap_or(u64::MAX));
            let end = self.found.last_key_value().map_or(piece.first, |(last, _)| last + 1);
            if behind > body {
                self.next = self.next.max(unsure);
            }
            next = next.max(end);
            self.next = self.next.max(end);
            let from = if behind > body { behind } else { at + 1 };
            match find_magic(&self.bytes, from) {
                Some(found) => at = found,
                None => return,
            }
        }
    }

    /// Whether all records of these positions are whole.
    fn has(&self, positions: Range<u64>) -> bool {
        self.found.range(positions.clone()).count() as u64 == positions.end - positions.start
    }

    /// Takes the frames from an offset on, up to a position; returns where the last whole one ends.
    fn frames(&mut self, mut at: usize, first: u64, end: u64) -> usize {
        let mut whole = at;
        for position in first..end {
            let mut fields = Fields(self.bytes.get(at..).unwrap_or_default());
            let (Some(length), Some(checksum)) = (fields.u32(), fields.u32()) else { break };
            if length as usize > MAX_RECORD_BYTES {
                break;
            }
            let from = at + FRAME_HEADER_BYTES;
            let to = from + length as usize;
            let Some(record) = fields.take(length as usize) else { break };
            if frame_checksum(position, record) == checksum {
                self.found.insert(position, (from, to));
                whole = to;
            } else if end < u64::MAX {
                self.checks.insert(position, (length, checksum));
            } else {
                break;
            }
            at = to;
        }
        whole
    }

    /// The footer, if it is whole, knows where every frame begins and how many there are.
    fn by_footer(&mut self, piece: &Piece) -> Result<(), Error> {
        let file = piece.file.as_ref();
        let read = || disk_error(&piece.name, "reading the footer");
        let Some(footer) = Footer::read(file).map_err(read())? else { return Ok(()) };
        let fits = footer.first == piece.first
            && piece.bound.is_none_or(|bound| footer.last() < bound)
            && footer.body(file).map_err(read())?.is_some();
        if !fits {
            return Ok(());
        }
        self.next = self.next.max(footer.last() + 1);
        for position in footer.first..=footer.last() {
            if let Some((at, _)) = footer.extent(file, position).map_err(read())?
                && !self.found.contains_key(&position)
            {
                self.frames(usize::try_from(at).unwrap_or(usize::MAX), position, position + 1);
            }
        }
        Ok(())
    }
}

fn find_magic(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(GROUP_MAGIC.len()).position(|window| window == GROUP_MAGIC).map(|at| from + at)
}
