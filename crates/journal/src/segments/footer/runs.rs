//! The records of each stream in a footer, as runs of positions, and how those of one are found.

use std::io;

use uuid::Uuid;

use super::{ENTRY_BYTES, Footer};
use crate::disk::{DiskFile, at_most};
use crate::record::StreamId;
use crate::segments::directory::{Link, Run};
use crate::segments::format::{Fields, put_varint};

/// How many streams one look reads.
const LOOK_ENTRIES: usize = 256;

pub(super) fn encode_run(first: &Link, run: &[u32], out: &mut Vec<u8>) {
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

    fn parts<'b>(&self, body: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
        let entries = usize::try_from(self.count * 4).ok()?;
        let runs = usize::try_from(self.runs_at() - self.start).ok()?;
        Some((body.get(entries..runs)?, body.get(runs..runs + self.run_bytes as usize)?))
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
