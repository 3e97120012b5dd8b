//! The bytes on the disk: segment headers, group headers and frames. FORMAT.md describes them.
//!
//! All numbers are little endian. Checksums are CRC32C.

use crc_fast::{CrcAlgorithm, Digest};
use uuid::Uuid;

use crate::disk::zeros::PAGE_BYTES;
use crate::record::MAX_RECORD_BYTES;

/// The version of the format that this program writes; the byte after every magic.
pub(crate) const FORMAT_VERSION: u8 = 1;
/// The length of a segment's header in bytes; the first group follows it.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = 64;
/// The length of a group's header in bytes; the group's frames follow it.
pub(crate) const GROUP_HEADER_BYTES: usize = 32;
/// The length of a frame's header in bytes: length and checksum.
pub(crate) const FRAME_HEADER_BYTES: usize = 8;

const SEGMENT_MAGIC: [u8; 8] = *b"\x89TBSSEG\n";
/// No JSON text holds 0x89 at the start of a character, so a search cannot take content for it.
pub(crate) const GROUP_MAGIC: [u8; 4] = *b"\x89TBG";

/// The name of the segment file that begins with a position.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:020}.segment")
}

/// The position in a segment's file name; other files have none.
pub(crate) fn segment_position(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".segment")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// Reads little-endian numbers off the front of a slice; `None` when it is too short.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of 7 bits a byte, low bits first, at most 10 bytes.
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

/// Appends a number in the form that [`Fields::varint`] reads.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`put_varint`] writes.
pub(crate) fn varint_bytes(value: u64) -> usize {
    (value | 1).ilog2() as usize / 7 + 1
}

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Which log the segment belongs to.
    pub(crate) log: Uuid,
    /// The position of its first record.
    pub(crate) first: u64,
}

/// Why a header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    /// The magic, the checksum or a reserved byte is wrong, or it is too short.
    Damaged,
    /// A version of the format that this program does not know.
    Version(u8),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(&SEGMENT_MAGIC);
        out.extend_from_slice(&[FORMAT_VERSION, 0, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(self.log.as_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.resize(60, 0);
        let checksum = crc32c(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<SegmentHeader, HeaderFault> {
        let (body, checksum) = bytes.split_last_chunk::<4>().ok_or(HeaderFault::Damaged)?;
        if body.len() != 60 || crc32c(body) != u32::from_le_bytes(*checksum) {
            return Err(HeaderFault::Damaged);
        }
        let mut fields = Fields(body);
        if fields.array() != Some(SEGMENT_MAGIC) {
            return Err(HeaderFault::Damaged);
        }
        match fields.u8() {
            Some(FORMAT_VERSION) => {}
            Some(version) => return Err(HeaderFault::Version(version)),
            None => return Err(HeaderFault::Damaged),
        }
        let mut read = || {
            fields.take(7)?;
            let log = Uuid::from_bytes(fields.array()?);
            Some(SegmentHeader { log, first: fields.u64()? })
        };
        read().ok_or(HeaderFault::Damaged)
    }
}

/// What a group's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    /// The position of its first record.
    pub(crate) first: u64,
    /// How many records it has; never 0.
    pub(crate) count: u32,
    /// The length of its frames in bytes.
    pub(crate) length: u32,
    /// The checksum of its frames.
    pub(crate) checksum: u32,
}

impl GroupHeader {
    pub(crate) fn encode(&self) -> [u8; GROUP_HEADER_BYTES] {
        let mut out = Vec::with_capacity(GROUP_HEADER_BYTES);
        out.extend_from_slice(&GROUP_MAGIC);
        out.extend_from_slice(&[FORMAT_VERSION, 0, 0, 0]);
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32c(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        let mut header = [0; GROUP_HEADER_BYTES];
        header.copy_from_slice(&out);
        header
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<GroupHeader, HeaderFault> {
        let (body, checksum) = bytes.split_last_chunk::<4>().ok_or(HeaderFault::Damaged)?;
        if bytes.len() != GROUP_HEADER_BYTES || crc32c(body) != u32::from_le_bytes(*checksum) {
            return Err(HeaderFault::Damaged);
        }
        let mut fields = Fields(body);
        if fields.array() != Some(GROUP_MAGIC) {
            return Err(HeaderFault::Damaged);
        }
        match fields.u8() {
            Some(FORMAT_VERSION) => {}
            Some(version) => return Err(HeaderFault::Version(version)),
            None => return Err(HeaderFault::Damaged),
        }
        let mut read = || {
            fields.take(3)?;
            let (first, count) = (fields.u64()?, fields.u32()?);
            Some(GroupHeader { first, count, length: fields.u32()?, checksum: fields.u32()? })
        };
        read().filter(|header| header.count > 0).ok_or(HeaderFault::Damaged)
    }
}

/// CRC32C, the CRC of iSCSI (RFC 3720, 12.1).
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// The checksum of a frame. It covers the position, so that a frame is valid in its place only.
pub(crate) fn frame_checksum(position: u64, bytes: &[u8]) -> u32 {
    let mut seed = [0; 12];
    let (front, back) = seed.split_at_mut(8);
    front.copy_from_slice(&position.to_le_bytes());
    back.copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&seed);
    digest.update(bytes);
    digest.finalize() as u32
}

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
    pub(crate) fn padded(&self, offset: u64, most: u64) -> &[u8] {
        let end = offset + self.length() as u64;
        let padded = end.next_multiple_of(PAGE_BYTES as u64).min(most).max(end);
        self.bytes.get(..(padded - offset) as usize).unwrap_or_default()
    }

    /// Fills in the header and gives the bytes to write.
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
    fn a_segment_header_reads_back_and_no_flipped_bit_passes() {
        let header = SegmentHeader { log: Uuid::from_u128(7), first: 42 };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&flipped), Err(HeaderFault::Damaged), "bit {bit}");
        }
    }

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

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        // B.4 has the bytes of the CRC in the order that they are sent in.
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        for (bytes, wanted) in [
            (&[0; 32][..], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&ascending, 0x46dd_794e),
            (&descending, 0x113f_db5c),
        ] {
            assert_eq!(crc32c(bytes), wanted);
        }
        // However it is put together, and at every length.
        let bytes: Vec<u8> = (0..700_u32).map(|number| (number * 31 % 251) as u8).collect();
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            let whole = [&7_u64.to_le_bytes()[..], &(length as u32).to_le_bytes(), bytes].concat();
            assert_eq!(frame_checksum(7, bytes), crc32c(&whole), "{length} bytes");
        }
    }

    #[test]
    fn a_frame_is_valid_at_its_own_position_only() {
        assert_ne!(frame_checksum(1, b"same"), frame_checksum(2, b"same"));
    }

    #[test]
    fn varints_read_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_bytes(value));
            assert_eq!(Fields(&out).varint(), Some(value));
        }
        assert_eq!(Fields(&[0xff; 11]).varint(), None);
    }

    #[test]
    fn only_segment_files_have_a_position() {
        assert_eq!(segment_position(&segment_name(12)), Some(12));
        assert_eq!(segment_position("12.segment"), None);
        assert_eq!(segment_position("spare"), None);
    }
}
