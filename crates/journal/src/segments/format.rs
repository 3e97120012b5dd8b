//! The bytes on the disk: segment headers, group headers and frames. FORMAT.md describes them.
//!
//! All numbers are little endian. Checksums are CRC32C.

use crc_fast::{CrcAlgorithm, Digest};
use uuid::Uuid;

/// The version of the format that this program writes; the byte after every magic.
pub(crate) const FORMAT_VERSION: u8 = 1;
/// The length of a segment's header in bytes.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;
/// Where a segment's first group begins: behind the header.
pub(crate) const FIRST_GROUP: u64 = SEGMENT_HEADER_BYTES as u64;
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
#[expect(clippy::cast_possible_truncation, reason = "less than 2^7 is left")]
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
        let mut out = Vec::with_capacity(SEGMENT_HEADER_BYTES);
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
        let fits =
            |header: &GroupHeader| header.first.checked_add(u64::from(header.count)).is_some();
        read().filter(|header| header.count > 0 && fits(header)).ok_or(HeaderFault::Damaged)
    }
}

/// CRC32C, the CRC of iSCSI (RFC 3720, 12.1).
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// The checksum of a frame. It covers the position, so that a frame is valid in its place only.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a longer record was refused, and this CRC has 32 bits"
)]
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
    fn a_group_that_no_log_is_long_enough_for_is_refused() {
        let header = GroupHeader { first: u64::MAX - 3, count: 3, length: 0, checksum: 0 };
        assert_eq!(GroupHeader::decode(&header.encode()), Ok(header));
        let header = GroupHeader { count: 4, ..header };
        assert_eq!(GroupHeader::decode(&header.encode()), Err(HeaderFault::Damaged));
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
