//! The footer of a sealed segment: offsets, streams and the tree's frontier.
//!
//! All of it follows from the segment's records, so a damaged footer is made anew and loses
//! nothing.

use std::io;

use uuid::Uuid;

use crate::background::let_others_go_on;
use crate::disk::{DiskFile, at_most};
use crate::record::StreamId;
use crate::segments::by_stream::ByStream;
use crate::segments::directory::{Directory, Link, Run};
use crate::segments::format::{FORMAT_VERSION, Fields, crc32c, put_varint};

const FOOTER_MAGIC: [u8; 8] = *b"\x89TBSFOO\n";
/// The length of the trailer, with which a sealed file ends.
pub(crate) const TRAILER_BYTES: usize = 96;
const ENTRY_BYTES: usize = 20;
/// How many directory entries one look reads.
const LOOK_ENTRIES: usize = 256;

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

/// After so many streams others may go on.
const PAUSED_STREAMS: usize = 256;

/// Encodes the footer that seals a segment whose groups end at `start`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what a footer has of a record is shorter than the record, and a segment has at most 4 GiB"
)]
pub(crate) fn encode(directory: &Directory, log: Uuid, start: u64, tree: &TreePart) -> Vec<u8> {
    let by_stream = ByStream::of(directory);
    let mut out = Vec::with_capacity(directory.offsets.len() * 24 + TRAILER_BYTES);
    for offset in &directory.offsets {
        out.extend_from_slice(&offset.to_le_bytes());
    }
    let mut blob = Vec::with_capacity(directory.offsets.len() * 8);
    let mut streams = 0;
    let mut run = Vec::new();
    for (number, relative) in by_stream.firsts.iter().enumerate() {
        if number.is_multiple_of(PAUSED_STREAMS) {
            let_others_go_on();
        }
        let Some(first) = directory.links.get(*relative as usize) else { continue };
        out.extend_from_slice(first.stream.0.as_bytes());
        out.extend_from_slice(&(blob.len() as u32).to_le_bytes());
        run.clear();
        run.extend(by_stream.run(*relative));
        encode_run(first, &run, &mut blob);
        streams += 1;
    }
    out.extend_from_slice(&blob);
    for hash in tree.tiles.iter().chain(&tree.peaks) {
        out.extend_from_slice(hash);
    }
    let footer = Footer {
        log,
        first: directory.first,
        count: directory.offsets.len() as u64,
        last_time_us: directory.last_time_us,
        start,
        streams,
        run_bytes: blob.len() as u32,
        tiles: tree.tiles.len() as u32,
        peaks: tree.peaks.len() as u32,
        checksum: crc32c(&out),
    };
    out.extend_from_slice(&footer.encode());
    out
}

fn encode_run(first: &Link, run: &[u32], out: &mut Vec<u8>) {
    put_varint(out, first.prior);
    put_varint(out, first.version);
    put_varint(out, run.len() as u64);
    let mut before = 0;
    for relative in run {
        put_varint(out, u64::from(relative - before));
        before = *relative;
    }
}

fn decode_run(fields: &mut Fields<'_>) -> Option<Run> {
    let mut run = Run::default();
    decode_run_into(&mut run, fields).map(|()| run)
}

/// The same into a run whose room is used again.
fn decode_run_into(run: &mut Run, fields: &mut Fields<'_>) -> Option<()> {
    run.prior = fields.varint()?;
    run.first_version = fields.varint()?;
    let count = fields.varint()?;
    run.relative.clear();
    run.relative.reserve(usize::try_from(count.min(1 << 16)).ok()?);
    let mut at = 0_u32;
    for _ in 0..count {
        at = at.checked_add(u32::try_from(fields.varint()?).ok()?)?;
        run.relative.push(at);
    }
    Some(())
}

/// The streams of a footer's body that were not visited yet, in the order of their ids.
pub(crate) struct Streams<'b> {
    entries: &'b [u8],
    runs: &'b [u8],
}

impl Streams<'_> {
    /// Skips the streams whose ids are `unwanted`: all before one that is not.
    pub(crate) fn skip(&mut self, unwanted: impl Fn(StreamId) -> bool) {
        let (entries, _) = self.entries.as_chunks::<ENTRY_BYTES>();
        let skipped = entries.partition_point(|entry| {
            let id = entry.first_chunk().copied().unwrap_or_default();
            unwanted(StreamId(Uuid::from_bytes(id)))
        });
        self.entries = self.entries.get(skipped * ENTRY_BYTES..).unwrap_or_default();
    }

    /// Visits streams with all their positions as long as their ids are `wanted`; `None` when the
    /// body does not parse.
    pub(crate) fn visit(
        &mut self,
        wanted: impl Fn(StreamId) -> bool,
        visit: &mut dyn FnMut(StreamId, &Run),
    ) -> Option<()> {
        let mut run = Run::default();
        while let Some((entry, rest)) = self.entries.split_at_checked(ENTRY_BYTES) {
            let mut fields = Fields(entry);
            let stream = StreamId(Uuid::from_bytes(fields.array()?));
            if !wanted(stream) {
                break;
            }
            decode_run_into(&mut run, &mut Fields(self.runs.get(fields.u32()? as usize..)?))?;
            visit(stream, &run);
            self.entries = rest;
        }
        Some(())
    }
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

    /// Visits the streams of a body with all their positions, in the order of their ids; `None`
    /// when it does not parse.
    pub(crate) fn runs(&self, body: &[u8], visit: &mut dyn FnMut(StreamId, &Run)) -> Option<()> {
        self.streams(body)?.visit(|_| true, visit)
    }

    /// The streams of a body, to be visited part by part; `None` when it does not parse.
    pub(crate) fn streams<'b>(&self, body: &'b [u8]) -> Option<Streams<'b>> {
        let (entries, runs) = self.parts(body)?;
        Some(Streams { entries, runs })
    }

    /// The part of the tree in a body.
    pub(crate) fn tree(&self, body: &[u8]) -> Option<TreePart> {
        let at = usize::try_from(self.runs_at() - self.start).ok()? + self.run_bytes as usize;
        let mut fields = Fields(body.get(at..)?);
        let mut hashes =
            |count: u32| (0..count).map(|_| fields.array()).collect::<Option<Vec<_>>>();
        Some(TreePart { tiles: hashes(self.tiles)?, peaks: hashes(self.peaks)? })
    }

    fn parts<'b>(&self, body: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
        let entries = usize::try_from(self.count * 4).ok()?;
        let runs = usize::try_from(self.runs_at() - self.start).ok()?;
        Some((body.get(entries..runs)?, body.get(runs..runs + self.run_bytes as usize)?))
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

    /// The records of a stream in this segment. Stream ids are random, so the first look lands
    /// near the entry; the looks after it halve what is left.
    pub(crate) fn find(&self, file: &dyn DiskFile, stream: StreamId) -> io::Result<Option<Run>> {
        let (mut low, mut high) = (0_u64, u64::from(self.streams));
        let share = (stream.0.as_u128() >> 64) * u128::from(self.streams);
        let mut guess = (share >> 64) as u64;
        let (mut looks, most) = (vec![0; LOOK_ENTRIES * ENTRY_BYTES], LOOK_ENTRIES as u64);
        while low < high {
            let from = guess.saturating_sub(most / 2).clamp(low, high - 1);
            let count = (high - from).min(most);
            let room = at_most(count, LOOK_ENTRIES) * ENTRY_BYTES;
            let Some(entries) = looks.get_mut(..room) else { break };
            file.read_at(self.entries_at() + from * ENTRY_BYTES as u64, entries)?;
            match search(entries, stream) {
                Found::At(run) => return self.run(file, run),
                Found::Before => high = from,
                Found::Behind => low = from + count,
                Found::Absent => break,
            }
            guess = low + (high - low) / 2;
        }
        Ok(None)
    }

    fn run(&self, file: &dyn DiskFile, at: u32) -> io::Result<Option<Run>> {
        let left = self.run_bytes.saturating_sub(at) as usize;
        let mut length = left.min(512);
        loop {
            let mut bytes = vec![0; length];
            file.read_at(self.runs_at() + u64::from(at), &mut bytes)?;
            let run = decode_run(&mut Fields(&bytes));
            if run.is_some() || length == left {
                return Ok(run);
            }
            length = (length * 8).min(left);
        }
    }
}

enum Found {
    At(u32),
    Before,
    Behind,
    Absent,
}

fn search(entries: &[u8], stream: StreamId) -> Found {
    let key = |entry: &[u8]| entry.first_chunk::<16>().copied().unwrap_or_default();
    let wanted = *stream.0.as_bytes();
    let (mut low, mut high) = (0, entries.len() / ENTRY_BYTES);
    let total = high;
    while low < high {
        let middle = usize::midpoint(low, high);
        let entry = entries.get(middle * ENTRY_BYTES..).unwrap_or_default();
        match key(entry).cmp(&wanted) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let at = entry.get(16..20).and_then(|bytes| Fields(bytes).u32());
                return at.map_or(Found::Absent, Found::At);
            }
        }
    }
    match low {
        0 => Found::Before,
        low if low == total => Found::Behind,
        _ => Found::Absent,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::segments::directory::{Entry, UNKNOWN_PRIOR};

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
