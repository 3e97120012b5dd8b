//! The footer of a sealed segment: offsets, streams and the tree's frontier.
//!
//! All of it follows from the segment's records, so a damaged footer is made anew and loses
//! nothing.

mod encode;
mod runs;

use std::io;

use uuid::Uuid;

use crate::disk::DiskFile;
use crate::segments::format::{FORMAT_VERSION, Fields, crc32c};

pub(crate) use encode::encode;

const FOOTER_MAGIC: [u8; 8] = *b"\x89TBSFOO\n";
/// The length of the trailer, with which a sealed file ends.
pub(crate) const TRAILER_BYTES: usize = 96;
/// The length of what a footer has of a stream besides its run.
const ENTRY_BYTES: usize = 20;

/// The fixed end of a footer, which says where its parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) log: Uuid,
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) last_time_us: i64,
    /// Where the footer begins: the end of the segment's groups.
    pub(crate) start: u64,
    pub(crate) streams: u32,
    pub(crate) run_bytes: u32,
    pub(crate) tiles: u32,
    pub(crate) peaks: u32,
    pub(crate) checksum: u32,
}

/// The part of the tree that a footer carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TreePart {
    /// The roots of the 256-leaf tiles that became full within the segment.
    pub(crate) tiles: Vec<[u8; 32]>,
    /// The frontier behind the segment: the roots of the full subtrees, the largest first.
    pub(crate) peaks: Vec<[u8; 32]>,
}

impl Footer {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TRAILER_BYTES);
        out.extend_from_slice(self.log.as_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.last_time_us.to_le_bytes());
        out.extend_from_slice(&self.start.to_le_bytes());
        for number in [self.streams, self.run_bytes, self.tiles, self.peaks, self.checksum] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&[FORMAT_VERSION, 0, 0, 0]);
        out.extend_from_slice(&FOOTER_MAGIC);
        let checksum = crc32c(&out);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Footer> {
        let (body, checksum) = bytes.split_last_chunk::<8>()?;
        let mut wanted = [0; 8];
        wanted.split_at_mut(4).1.copy_from_slice(&crc32c(body).to_le_bytes());
        if *checksum != wanted {
            return None;
        }
        let mut fields = Fields(body);
        let footer = Footer {
            log: Uuid::from_bytes(fields.array()?),
            first: fields.u64()?,
            count: fields.u64()?,
            last_time_us: i64::from_le_bytes(fields.array()?),
            start: fields.u64()?,
            streams: fields.u32()?,
            run_bytes: fields.u32()?,
            tiles: fields.u32()?,
            peaks: fields.u32()?,
            checksum: fields.u32()?,
        };
        fields.take(8)?;
        let version = fields.u8()?;
        fields.take(3)?;
        (version == FORMAT_VERSION && fields.array() == Some(FOOTER_MAGIC)).then_some(footer)
    }

    /// Reads a file's trailer; `None` when it has none or its numbers do not fit the file.
    pub(crate) fn read(file: &dyn DiskFile) -> io::Result<Option<Footer>> {
        let length = file.length()?;
        let Some(at) = length.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        let mut bytes = [0; TRAILER_BYTES];
        if file.read_at(at, &mut bytes)? != TRAILER_BYTES {
            return Ok(None);
        }
        Ok(Footer::decode(&bytes).filter(|footer| footer.ends_at(at)))
    }

    /// Whether all that it says of itself ends at an offset: then none of its sums is too large.
    fn ends_at(&self, at: u64) -> bool {
        let offsets = self.count.checked_mul(4);
        let body = offsets.and_then(|offsets| offsets.checked_add(self.bytes_behind_offsets()));
        body.and_then(|body| self.start.checked_add(body)) == Some(at)
            && self.count > 0
            && self.first.checked_add(self.count).is_some()
    }

    pub(crate) fn body_bytes(&self) -> u64 {
        self.count * 4 + self.bytes_behind_offsets()
    }

    fn bytes_behind_offsets(&self) -> u64 {
        u64::from(self.streams) * ENTRY_BYTES as u64
            + u64::from(self.run_bytes)
            + (u64::from(self.tiles) + u64::from(self.peaks)) * 32
    }

    /// The position of the segment's last record.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.count - 1
    }

    fn entries_at(&self) -> u64 {
        self.start + self.count * 4
    }

    fn runs_at(&self) -> u64 {
        self.entries_at() + u64::from(self.streams) * ENTRY_BYTES as u64
    }

    /// Reads the whole body, if its checksum is right.
    pub(crate) fn body(&self, file: &dyn DiskFile) -> io::Result<Option<Vec<u8>>> {
        let Ok(length) = usize::try_from(self.body_bytes()) else { return Ok(None) };
        let mut body = vec![0; length];
        let read = file.read_at(self.start, &mut body)?;
        Ok((read == length && crc32c(&body) == self.checksum).then_some(body))
    }

    /// The part of the tree in a body.
    pub(crate) fn tree(&self, body: &[u8]) -> Option<TreePart> {
        let at = usize::try_from(self.runs_at() - self.start).ok()? + self.run_bytes as usize;
        let mut fields = Fields(body.get(at..)?);
        let mut hashes =
            |count: u32| (0..count).map(|_| fields.array()).collect::<Option<Vec<_>>>();
        Some(TreePart { tiles: hashes(self.tiles)?, peaks: hashes(self.peaks)? })
    }

    /// Where the frame of a position begins, and where the next one does, if there is one here.
    pub(crate) fn extent(
        &self,
        file: &dyn DiskFile,
        position: u64,
    ) -> io::Result<Option<(u64, Option<u64>)>> {
        let Some(index) = position.checked_sub(self.first).filter(|index| *index < self.count)
        else {
            return Ok(None);
        };
        let mut bytes = [0; 8];
        let read = file.read_at(self.start + index * 4, &mut bytes)?;
        let mut fields = Fields(bytes.get(..read).unwrap_or_default());
        let Some(offset) = fields.u32().map(u64::from) else { return Ok(None) };
        // Behind the last entry stands something else.
        let next = fields.u32().map(u64::from).filter(|_| index + 1 < self.count);
        Ok(Some((offset, next)))
    }

    /// Where the frames of all positions begin.
    pub(crate) fn offsets(&self, file: &dyn DiskFile) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; usize::try_from(self.count * 4).unwrap_or_default()];
        let read = file.read_at(self.start, &mut bytes)?;
        let (entries, _) = bytes.get(..read).unwrap_or_default().as_chunks();
        Ok(entries.iter().map(|entry| u32::from_le_bytes(*entry)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::record::StreamId;
    use crate::segments::directory::{Directory, Entry, Link, Run, UNKNOWN_PRIOR};

    #[test]
    fn streams_whose_ids_begin_alike_have_runs_of_their_own() {
        // Three that differ in their last bits only, mixed, and one of another beginning between.
        let ids = [3_u128, 1, 2, 3, 1, 1 << 100, 3, 2, 1];
        let mut directory = Directory::new(11);
        // The last record of each before: one in another segment, none, one that was not looked up.
        let mut before = HashMap::from([(3, 9), (1, 0), (2, UNKNOWN_PRIOR), (1 << 100, 10)]);
        for (id, position) in ids.into_iter().zip(11..) {
            let stream = StreamId(Uuid::from_u128(id));
            let prior = before.insert(id, position).unwrap();
            let link = Link { stream, version: position, prior };
            directory.add(Entry { link, offset: 0, time_us: 0 });
        }
        let bytes = encode(&directory, Uuid::nil(), 0, &TreePart::default());
        let footer = Footer::decode(&bytes[bytes.len() - TRAILER_BYTES..]).unwrap();
        let mut runs = Vec::new();
        let mut see = |stream: StreamId, run: &Run| {
            runs.push((stream.0.as_u128(), run.prior, run.first_version, run.relative.clone()));
        };
        footer.runs(&bytes[..bytes.len() - TRAILER_BYTES], &mut see).unwrap();
        let wanted = [
            (1, 0, 12, vec![1, 4, 8]),
            (2, UNKNOWN_PRIOR, 13, vec![2, 7]),
            (3, 9, 11, vec![0, 3, 6]),
            (1 << 100, 10, 16, vec![5]),
        ];
        assert_eq!(runs, wanted);
    }

    #[test]
    fn a_trailer_whose_sums_are_too_large_is_none() {
        let footer = Footer {
            log: Uuid::nil(),
            first: 1,
            count: 2,
            last_time_us: 0,
            start: 100,
            streams: 1,
            run_bytes: 3,
            tiles: 0,
            peaks: 0,
            checksum: 0,
        };
        let end = 100 + 2 * 4 + 20 + 3;
        assert!(footer.ends_at(end));
        assert!(!Footer { first: u64::MAX - 1, ..footer }.ends_at(end));
        // So many offsets come to the same again in 64 bits.
        assert!(!Footer { count: 2 + (1 << 62), ..footer }.ends_at(end));
        assert!(!Footer { start: u64::MAX, ..footer }.ends_at(end));
    }
}
