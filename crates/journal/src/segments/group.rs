//! The groups that one flush makes durable: made here frame by frame, and taken apart again.

use crate::disk::zeros::PAGE_BYTES;
use crate::record::MAX_RECORD_BYTES;
use crate::segments::format::{
    FRAME_HEADER_BYTES, Fields, GROUP_HEADER_BYTES, GroupHeader, crc32c, frame_checksum,
};

/// A group in the making: header and frames in one buffer, written at once.
#[derive(Debug, Default)]
pub(crate) struct GroupBuffer {
    bytes: Vec<u8>,
    first: u64,
    count: u32,
    /// Zeros at the end, once it is closed.
    padding: usize,
}

impl GroupBuffer {
    /// Begins a group at a position, keeping the buffer's room.
    pub(crate) fn begin(&mut self, first: u64) {
        self.bytes.clear();
        self.bytes.resize(GROUP_HEADER_BYTES, 0);
        self.first = first;
        self.count = 0;
        self.padding = 0;
    }

    /// Adds the next record, which `fill` writes; returns where its frame begins within the group,
    /// and its bytes. One that is too long is not added; then its length is returned.
    #[expect(clippy::cast_possible_truncation, reason = "a longer record was refused")]
    pub(crate) fn push(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(usize, &[u8]), usize> {
        let at = self.bytes.len();
        self.bytes.resize(at + FRAME_HEADER_BYTES, 0);
        fill(&mut self.bytes);
        let length = self.bytes.len() - at - FRAME_HEADER_BYTES;
        if length > MAX_RECORD_BYTES {
            self.bytes.truncate(at);
            return Err(length);
        }
        let position = self.first + u64::from(self.count);
        self.count += 1;
        let (header, record) = self
            .bytes
            .get_mut(at..)
            .and_then(<[u8]>::split_first_chunk_mut::<FRAME_HEADER_BYTES>)
            .ok_or(length)?;
        let (length_bytes, checksum) = header.split_at_mut(4);
        length_bytes.copy_from_slice(&(length as u32).to_le_bytes());
        checksum.copy_from_slice(&frame_checksum(position, record).to_le_bytes());
        Ok((at, record))
    }

    /// The position of the first record.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The position of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// The length with its header in bytes.
    pub(crate) fn length(&self) -> usize {
        self.bytes.len() - self.padding
    }

    /// The bytes of the record whose frame begins at `at` within the group.
    pub(crate) fn record(&self, at: usize) -> Option<&[u8]> {
        let mut fields = Fields(self.bytes.get(at..)?);
        let length = fields.u32()?;
        fields.u32()?;
        fields.take(length as usize)
    }

    /// The same as [`GroupBuffer::finish`], with room behind it for [`GroupBuffer::padded`].
    pub(crate) fn close(&mut self) {
        self.finish();
        self.bytes.resize(self.bytes.len() + PAGE_BYTES, 0);
        self.padding = PAGE_BYTES;
    }

    /// The bytes of a closed group with zeros behind them up to a page's end in the file, but no
    /// further than to `most`: `offset` is where the group goes.
    #[expect(clippy::cast_possible_truncation, reason = "no more than the bytes that are there")]
    pub(crate) fn padded(&self, offset: u64, most: u64) -> &[u8] {
        let end = offset + self.length() as u64;
        let padded = end.next_multiple_of(PAGE_BYTES as u64).min(most).max(end);
        self.bytes.get(..(padded - offset) as usize).unwrap_or_default()
    }

    /// Fills in the header and gives the bytes to write.
    #[expect(clippy::cast_possible_truncation, reason = "the options limit the bytes of a group")]
    pub(crate) fn finish(&mut self) -> &[u8] {
        if let Some((header, frames)) = self.bytes.split_first_chunk_mut::<GROUP_HEADER_BYTES>() {
            *header = GroupHeader {
                first: self.first,
                count: self.count,
                length: frames.len() as u32,
                checksum: crc32c(frames),
            }
            .encode();
        }
        &self.bytes
    }
}

/// One record's frame within a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// The record's position.
    pub(crate) position: u64,
    /// Where the frame begins in the file.
    pub(crate) offset: u64,
    /// The record's bytes.
    pub(crate) bytes: &'a [u8],
}

/// Takes the frames of a group apart and checks each; an error names the place and the reason.
pub(crate) fn frames<'a>(
    header: &GroupHeader,
    mut offset: u64,
    frames: &'a [u8],
    visit: &mut dyn FnMut(Frame<'a>) -> Result<(), (u64, u64, String)>,
) -> Result<(), (u64, u64, String)> {
    let mut fields = Fields(frames);
    for position in header.first..header.first + u64::from(header.count) {
        let fault = |what: &str| (offset, position, what.to_owned());
        let length = fields.u32().ok_or_else(|| fault("the group ends within a frame"))?;
        let checksum = fields.u32().ok_or_else(|| fault("the group ends within a frame"))?;
        let bytes = fields
            .take(length as usize)
            .ok_or_else(|| fault("the frame is longer than its group"))?;
        if frame_checksum(position, bytes) != checksum {
            return Err(fault("the frame's checksum does not match its bytes"));
        }
        visit(Frame { position, offset, bytes })?;
        offset += (FRAME_HEADER_BYTES + bytes.len()) as u64;
    }
    if fields.0.is_empty() {
        Ok(())
    } else {
        Err((offset, header.first, "the group has bytes behind its last frame".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_reads_back_frame_by_frame() {
        let mut group = GroupBuffer::default();
        group.begin(5);
        group.push(|out| out.extend_from_slice(b"one")).unwrap();
        group.push(|_| ()).unwrap();
        let bytes = group.finish().to_vec();
        let (head, body) = bytes.split_at(GROUP_HEADER_BYTES);
        let header = GroupHeader::decode(head).unwrap();
        assert_eq!((header.first, header.count, header.length), (5, 2, 19));
        let mut seen = Vec::new();
        frames(&header, 100, body, &mut |frame| {
            seen.push((frame.position, frame.offset, frame.bytes.to_vec()));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, vec![(5, 100, b"one".to_vec()), (6, 111, Vec::new())]);
    }
}
