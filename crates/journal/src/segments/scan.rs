//! Reading a segment's groups in order, and telling a torn tail from corruption.

use std::io;

use crate::disk::DiskFile;
use crate::error::{Error, disk_error, fault};
use crate::record::MAX_RECORD_BYTES;
use crate::segments::format::{
    FIRST_GROUP, FRAME_HEADER_BYTES, GROUP_HEADER_BYTES, GROUP_MAGIC, GroupHeader, HeaderFault,
    crc32c, segment_name,
};
use crate::segments::group::{Frame, frames};

const WINDOW_BYTES: usize = 1 << 20;
/// Who follows the log begins with this much, and doubles it as long as more is there: mostly it is a
/// few records behind, and a whole window costs more to fill than they do to read.
const FOLLOWING_BYTES: usize = 16 << 10;
/// Reads of single frames begin with this much: most records are shorter.
const NEAR_BYTES: usize = 2 << 10;
/// A longer frame is read in two parts, so that a wrong length cannot ask for much memory.
const MAX_EXPECTED_BYTES: usize = 64 << 10;

/// A file seen through a buffer, for reading it mostly forward.
pub(crate) struct Window<'f> {
    file: &'f dyn DiskFile,
    start: u64,
    buffer: Vec<u8>,
    /// How much of the buffer was read.
    filled: usize,
    /// The least that one call reads.
    ahead: usize,
    /// Whether what was appended lately may come from memory.
    recent: bool,
}

impl<'f> Window<'f> {
    /// For reading on and on.
    pub(crate) fn new(file: &'f dyn DiskFile) -> Window<'f> {
        Window { file, start: 0, buffer: Vec::new(), filled: 0, ahead: WINDOW_BYTES, recent: false }
    }

    /// For following the log.
    pub(crate) fn following(file: &'f dyn DiskFile) -> Window<'f> {
        Window { ahead: FOLLOWING_BYTES, recent: true, ..Window::new(file) }
    }

    /// For a part of a known length; `room` is used, and can be had back with [`Window::into_room`].
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a chunk is a MiB and one group, whose length has 32 bits"
    )]
    pub(crate) fn sized(file: &'f dyn DiskFile, length: u64, room: Vec<u8>) -> Window<'f> {
        Window { file, start: 0, buffer: room, filled: 0, ahead: length as usize, recent: false }
    }

    /// The room, to be used again.
    pub(crate) fn into_room(self) -> Vec<u8> {
        self.buffer
    }

    /// For single frames that stand here and there.
    pub(crate) fn near(file: &'f dyn DiskFile) -> Window<'f> {
        Window { file, start: 0, buffer: Vec::new(), filled: 0, ahead: NEAR_BYTES, recent: false }
    }

    /// The next read takes so many bytes, if that is known; at most [`MAX_EXPECTED_BYTES`].
    pub(crate) fn expect(&mut self, length: Option<usize>) {
        self.ahead = length.unwrap_or(NEAR_BYTES).min(MAX_EXPECTED_BYTES);
    }

    /// The bytes at an offset: as many as asked for, or fewer at the end of the file.
    #[expect(clippy::cast_possible_truncation, reason = "within the buffer")]
    pub(crate) fn get(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = self.start + self.filled as u64;
        if offset < self.start || offset + length as u64 > end {
            self.fill(offset, length)?;
        }
        let from = (offset - self.start) as usize;
        let to = (from + length).min(self.filled);
        Ok(self.buffer.get(from..to).unwrap_or_default())
    }

    /// The whole frame at an offset and perhaps more, or less at the end of the file.
    pub(crate) fn frame(&mut self, offset: u64) -> io::Result<&[u8]> {
        let head = self.get(offset, FRAME_HEADER_BYTES)?;
        let length = head.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
        self.get(offset, FRAME_HEADER_BYTES + length.min(MAX_RECORD_BYTES))
    }

    fn fill(&mut self, offset: u64, length: usize) -> io::Result<()> {
        let wanted = length.max(self.ahead);
        if self.buffer.len() < wanted {
            self.buffer = vec![0; wanted];
        }
        let room = self.buffer.get_mut(..wanted).unwrap_or_default();
        self.filled = if self.recent {
            self.ahead = (wanted * 2).min(WINDOW_BYTES);
            self.file.read_recent_at(offset, room)?
        } else {
            self.file.read_at(offset, room)?
        };
        self.start = offset;
        Ok(())
    }
}

/// Where and why a scan of groups ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScanEnd {
    /// The end of the last whole group: where the next one begins.
    pub(crate) end: u64,
    /// The position of the next record.
    pub(crate) next: u64,
    /// What stands where the next group would begin.
    pub(crate) stop: Stop,
}

/// What stands behind the last whole group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The scan was told to end here.
    Bound,
    /// The file ends, or there are zeros where the header would be.
    Empty,
    /// Something that is no whole group.
    Damaged { offset: u64, position: u64, what: String },
    /// A whole group whose checksum is right, but not its content: never a torn write.
    Wrong { offset: u64, position: u64, what: String },
    /// A group of a format that this program does not know.
    Version(u8),
}

/// Visits the whole groups from an offset on, in order, until `bound` (a position) or the end.
///
/// A group is visited only after its checksum was found right; `visit` sees each frame.
pub(crate) fn scan_groups(
    window: &mut Window<'_>,
    from: u64,
    first: u64,
    bound: Option<u64>,
    visit: &mut dyn FnMut(&GroupHeader, Frame<'_>) -> Result<(), String>,
) -> io::Result<ScanEnd> {
    let (mut end, mut next) = (from.max(FIRST_GROUP), first);
    loop {
        if bound.is_some_and(|bound| next >= bound) {
            return Ok(ScanEnd { end, next, stop: Stop::Bound });
        }
        let head = window.get(end, GROUP_HEADER_BYTES)?;
        if head.iter().all(|byte| *byte == 0) {
            return Ok(ScanEnd { end, next, stop: Stop::Empty });
        }
        let damaged = |offset, position, what: &str| {
            let stop = Stop::Damaged { offset, position, what: what.to_owned() };
            Ok(ScanEnd { end, next, stop })
        };
        let header = match GroupHeader::decode(head) {
            Ok(header) => header,
            Err(HeaderFault::Damaged) => {
                return damaged(end, next, "the group's header is damaged");
            }
            Err(HeaderFault::Version(version)) => {
                return Ok(ScanEnd { end, next, stop: Stop::Version(version) });
            }
        };
        if header.first != next {
            return damaged(end, next, "the group does not begin with the next position");
        }
        let body_at = end + GROUP_HEADER_BYTES as u64;
        let body = window.get(body_at, header.length as usize)?;
        if body.len() != header.length as usize {
            return damaged(end, next, "the file ends within the group");
        }
        let right = crc32c(body) == header.checksum;
        let outcome = frames(&header, body_at, body, &mut |frame| {
            if right {
                visit(&header, frame).map_err(|what| (frame.offset, frame.position, what))
            } else {
                Ok(())
            }
        });
        match outcome {
            Err((offset, position, what)) if right => {
                return Ok(ScanEnd { end, next, stop: Stop::Wrong { offset, position, what } });
            }
            Err((offset, position, what)) => return damaged(offset, position, &what),
            Ok(()) if !right => return damaged(end, next, "the group's checksum does not match"),
            Ok(()) => {}
        }
        end = body_at + u64::from(header.length);
        next += u64::from(header.count);
    }
}

/// Whether the group where a scan ended is still not whole. Beside a live writer it may have become so,
/// and another been written, since it was looked at; a damaged one stays damaged.
pub(crate) fn is_still_broken(file: &dyn DiskFile, end: &ScanEnd) -> io::Result<bool> {
    let mut window = Window::near(file);
    let again =
        scan_groups(&mut window, end.end, end.next, Some(end.next + 1), &mut |_, _| Ok(()))?;
    Ok(again.stop != Stop::Bound)
}

/// What stands in a file from an offset to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Remains {
    /// The end of the last byte that is not zero; 0 if all are.
    pub(crate) last_nonzero: u64,
    /// Where a whole header of a later group stands. A group is written only after the one before
    /// it is durable, so this proves that the damaged one had been durable.
    pub(crate) later_group: Option<(u64, u64)>,
}

/// Looks over what is behind the last whole group, whose next position is `next`.
pub(crate) fn look_behind(file: &dyn DiskFile, from: u64, next: u64) -> io::Result<Remains> {
    let mut remains = Remains::default();
    let mut window = Window::new(file);
    let mut at = from;
    loop {
        // Overlap by a header, so that one that spans two windows is seen.
        let chunk = window.get(at, WINDOW_BYTES)?;
        if let Some(end) = end_of_content(chunk) {
            remains.last_nonzero = at + end as u64;
            if remains.later_group.is_none() {
                remains.later_group = find_header(chunk, at, next);
            }
        }
        if chunk.len() < WINDOW_BYTES {
            return Ok(remains);
        }
        at += (WINDOW_BYTES - GROUP_HEADER_BYTES) as u64;
    }
}

/// The end of the last byte that is not zero. Whole blocks are looked over first: nearly always there
/// is nothing but zeros, and a look at each byte takes several times as long.
fn end_of_content(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 256;
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let within = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).map(|last| last + 1);
    if let Some(end) = within(rest) {
        return Some(bytes.len() - rest.len() + end);
    }
    let content = |block: &[u8; BLOCK]| block.iter().fold(0, |all, byte| all | byte) != 0;
    let last = blocks.iter().rposition(content)?;
    Some(last * BLOCK + within(blocks.get(last)?)?)
}

fn find_header(chunk: &[u8], at: u64, next: u64) -> Option<(u64, u64)> {
    chunk.windows(GROUP_HEADER_BYTES).enumerate().find_map(|(index, head)| {
        if !head.starts_with(&GROUP_MAGIC) {
            return None;
        }
        let header = GroupHeader::decode(head).ok()?;
        (header.first > next).then_some((at + index as u64, header.first))
    })
}

/// What is wrong where the groups of a segment end too early.
pub(crate) fn stop_fault(name: &str, end: &ScanEnd) -> Error {
    match &end.stop {
        Stop::Version(version) => Error::UnknownFormat { file: name.to_owned(), version: *version },
        Stop::Damaged { offset, position, what } | Stop::Wrong { offset, position, what } => {
            fault(name, *offset, *position, what)
        }
        Stop::Empty | Stop::Bound => fault(name, end.end, end.next, "records are missing here"),
    }
}

/// What is wrong where the groups of a segment end before the next file begins.
pub(crate) fn missing_fault(name: &str, end: &ScanEnd, next: u64) -> Error {
    match &end.stop {
        Stop::Empty | Stop::Bound => {
            let what = format!(
                "the file ends with position {}, and {} begins with {next}: records are missing between \
                 them, or one of the two is of another time or place",
                end.next - 1,
                segment_name(next)
            );
            fault(name, end.end, end.next, &what)
        }
        Stop::Damaged { .. } | Stop::Wrong { .. } | Stop::Version(_) => stop_fault(name, end),
    }
}

/// What is wrong with a segment that does not begin with the next position.
pub(crate) fn gap_fault(name: &str, next: u64) -> Error {
    let what = "the segment before this one is missing or too short, or this file is of another time or place";
    fault(name, 0, next, what)
}

/// Refuses records behind the end of a segment that the next file has too: one of the two is not what the
/// log went on with, and a footer in their place would cut them off.
pub(crate) fn nothing_behind(name: &str, file: &dyn DiskFile, end: &ScanEnd) -> Result<(), Error> {
    let remains = look_behind(file, end.end, end.next - 1).map_err(disk_error(name, "reading"))?;
    let Some((offset, position)) = remains.later_group else { return Ok(()) };
    let what = format!(
        "the file goes on here, and {} begins with position {} too: one of the two is of another time or \
         place; move that one away",
        segment_name(end.next),
        end.next
    );
    Err(fault(name, offset, position, &what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_content_is_behind_its_last_byte_wherever_that_is() {
        for length in [0, 1, 255, 256, 257, 1_000] {
            let mut bytes = vec![0; length];
            assert_eq!(end_of_content(&bytes), None, "{length} zeros");
            for last in 0..length {
                bytes[last] = 1;
                assert_eq!(end_of_content(&bytes), Some(last + 1), "of {length}");
                bytes[last / 2] = 1;
                assert_eq!(end_of_content(&bytes), Some(last + 1), "of {length}, with one before");
                bytes.fill(0);
            }
        }
    }
}
