//! The part of the check that needs the order: chains, times, tree, footers and the end.

use crate::disk::at_most;
use crate::error::{Error, Fault, disk_error, fault};
use crate::options::TornTail;
use crate::proofs::heads_tree::StreamHead;
use crate::proofs::tree::{TILE_LEAVES, Tree};
use crate::record::{LeafHash, Position, StreamId, Version};
use crate::segments::directory::{Directory, Entry, Link, offset_of};
use crate::segments::files::header_of;
use crate::segments::footer::{self, Footer, TreePart};
use crate::segments::scan::{
    ScanEnd, Stop, is_still_broken, look_behind, missing_fault, nothing_behind, stop_fault,
};
use crate::streams::table::StreamMap;

use super::chunk::{Checked, Seen};
use super::promises::Promises;
use super::walk::Walked;
use super::{VerifyProgress, VerifyReport};

/// The last record of a stream so far.
struct Tip {
    version: u64,
    position: u64,
    leaf: LeafHash,
}

/// The tips of so many records' streams are sought at a time.
const SOUGHT_AT_ONCE: usize = 64;

/// What has been checked so far, in order.
pub(super) struct Sequence<'s> {
    segments: &'s [Walked],
    tips: StreamMap<Tip>,
    /// Room for tips that were replaced.
    before: Vec<Option<Tip>>,
    tree: Tree,
    directory: Directory,
    first_tile: u64,
    last_time_us: i64,
    next: u64,
    sealed: u64,
    bytes: u64,
    record_bytes: u64,
    log_bytes: u64,
    /// Room for the footer that stands in a file.
    footer_bytes: Vec<u8>,
    /// A group that is not sound; a fault unless nothing follows it.
    broken: Option<ScanEnd>,
    unfinished: Option<TornTail>,
    unsound_footers: Vec<String>,
    promises: Promises,
}

impl<'s> Sequence<'s> {
    pub(super) fn new(segments: &'s [Walked], promises: Promises) -> Sequence<'s> {
        Sequence {
            segments,
            tips: StreamMap::default(),
            before: Vec::new(),
            tree: Tree::new(),
            directory: Directory::new(1),
            first_tile: 0,
            last_time_us: i64::MIN,
            next: 1,
            sealed: 0,
            bytes: 0,
            record_bytes: 0,
            log_bytes: 0,
            footer_bytes: Vec::new(),
            broken: None,
            unfinished: None,
            unsound_footers: Vec::new(),
            promises,
        }
    }

    pub(super) fn progress(&self) -> VerifyProgress {
        VerifyProgress {
            records: self.next - 1,
            bytes: self.bytes,
            total_bytes: self.segments.iter().map(|segment| segment.length).sum(),
        }
    }

    fn segment(&self, index: usize) -> Result<&'s Walked, Error> {
        let missing = || Error::Request("the walk named a segment that is not there".to_owned());
        self.segments.get(index).ok_or_else(missing)
    }

    /// Takes in the next chunk of the log.
    pub(super) fn take_in(&mut self, checked: Checked) -> Result<(), Error> {
        if let Some(error) = checked.failed {
            return Err(error);
        }
        let segment = self.segment(checked.chunk.segment)?;
        if let Some(end) = &self.broken {
            // There are groups behind it.
            return Err(stop_fault(&segment.name, end));
        }
        let mut seen = checked.seen.as_slice();
        while !seen.is_empty() {
            // A promise speaks of the heads as they are at its position, and not behind it.
            let promised = self.promises.next().and_then(|size| size.checked_sub(self.next - 1));
            let count = promised.map_or(SOUGHT_AT_ONCE, |count| at_most(count, SOUGHT_AT_ONCE));
            let (some, rest) = seen.split_at(count.clamp(1, seen.len()));
            self.follow(segment, some)?;
            seen = rest;
        }
        self.bytes += checked.chunk.length;
        if checked.end.stop != Stop::Bound {
            self.broken = Some(checked.end);
        }
        Ok(())
    }

    /// Takes in the next records. All tips are replaced first: where they are far away in memory, the
    /// processor fetches many of them at once, if nothing else is done in between.
    fn follow(&mut self, segment: &Walked, some: &[Seen]) -> Result<(), Error> {
        let mut before = std::mem::take(&mut self.before);
        before.extend(some.iter().zip(self.next..).map(|(seen, position)| {
            let version = seen.envelope.version.0;
            self.tips.insert(seen.envelope.stream, Tip { version, position, leaf: seen.leaf })
        }));
        for (seen, tip) in some.iter().zip(before.drain(..)) {
            self.follow_one(segment, seen, tip.as_ref())?;
        }
        self.before = before;
        if self.promises.next() == Some(self.next - 1) {
            self.keep_promises()?;
        }
        Ok(())
    }

    /// Checks a record; `before` is the last of its stream before it.
    fn follow_one(
        &mut self,
        segment: &Walked,
        seen: &Seen,
        before: Option<&Tip>,
    ) -> Result<(), Error> {
        let position = self.next;
        let envelope = &seen.envelope;
        let wrong = |what: &str| {
            Error::Corrupt(Fault {
                file: segment.name.clone(),
                offset: seen.offset,
                position: Some(Position(position)),
                stream: Some(envelope.stream),
                what: what.to_owned(),
            })
        };
        let time_us = envelope.time.as_microsecond();
        if time_us < self.last_time_us {
            return Err(wrong("the record's time is before that of the record before it"));
        }
        self.last_time_us = time_us;
        let (version, leaf) =
            before.map_or((0, LeafHash::NONE), |before| (before.version, before.leaf));
        if envelope.version.0 != version + 1 {
            return Err(wrong("the record's caseversion does not follow its stream"));
        }
        if envelope.prev != leaf {
            return Err(wrong(
                "the record's prev is not the leaf hash of the stream's record before",
            ));
        }
        let prior = before.map_or(0, |before| before.position);
        self.directory.add(Entry {
            link: Link { stream: envelope.stream, version: envelope.version.0, prior },
            offset: offset_of(seen.offset).map_err(wrong)?,
            time_us,
        });
        self.tree.push(seen.leaf);
        self.record_bytes += u64::from(seen.bytes);
        self.next += 1;
        Ok(())
    }

    /// Compares the checkpoints of the present size, which is 0 in the beginning.
    pub(super) fn keep_promises(&mut self) -> Result<(), Error> {
        let heads = || {
            let head = |(stream, tip): (&StreamId, &Tip)| StreamHead {
                stream: *stream,
                version: Version(tip.version),
                position: Position(tip.position),
            };
            self.tips.iter().map(head).collect()
        };
        self.promises.compare(&self.tree, self.tips.len() as u64, &heads)
    }

    /// Judges the end of a segment's groups, and its footer if it has one.
    pub(super) fn end_segment(&mut self, index: usize, walked: &ScanEnd) -> Result<(), Error> {
        let segment = self.segment(index)?;
        let last = index + 1 == self.segments.len();
        let end = self.broken.take().unwrap_or_else(|| walked.clone());
        self.log_bytes += end.end;
        let footer = Footer::read(segment.file.as_ref())
            .map_err(disk_error(&segment.name, "reading the footer"))?;
        match (footer, last) {
            (Some(footer), _) if footer.start == end.end => self.check_footer(segment, &footer)?,
            (Some(_), _)
                if is_still_broken(segment.file.as_ref(), &end)
                    .map_err(disk_error(&segment.name, "reading"))? =>
            {
                return Err(stop_fault(&segment.name, &end));
            }
            // A writer went on and sealed it after the walk: what the walk saw is sound.
            (Some(_), true) => {}
            (None, true) => self.judge_tail(segment, &end)?,
            (None, false) if end.stop == Stop::Bound => self.judge_missing_footer(segment, &end)?,
            (Some(_) | None, false) => {
                let next = self.segments.get(index + 1).map_or(end.next, |next| next.first);
                return Err(missing_fault(&segment.name, &end, next));
            }
        }
        self.directory.begin(self.next);
        self.first_tile = self.tree.size() / TILE_LEAVES;
        Ok(())
    }

    /// A segment before the last may have no footer yet, and zeros where it will be. Anything else
    /// there is a footer that is damaged, or was not finished.
    fn judge_missing_footer(&mut self, segment: &Walked, end: &ScanEnd) -> Result<(), Error> {
        nothing_behind(&segment.name, segment.file.as_ref(), end)?;
        let read = || disk_error(&segment.name, "reading");
        let remains = look_behind(segment.file.as_ref(), end.end, end.next).map_err(read())?;
        // Looked at again: a writer may have sealed it meanwhile.
        if remains.last_nonzero > 0
            && Footer::read(segment.file.as_ref()).map_err(read())?.is_none()
        {
            self.unsound_footers.push(segment.name.clone());
        }
        Ok(())
    }

    fn check_footer(&mut self, segment: &Walked, footer: &Footer) -> Result<(), Error> {
        let read = || disk_error(&segment.name, "reading");
        let part =
            TreePart { tiles: self.tree.tiles_from(self.first_tile), peaks: self.tree.peaks() };
        // By the header's log: the footer's own word for it is compared too.
        let log = header_of(&segment.name, segment.file.as_ref(), segment.first)?.log;
        let wanted = footer::encode(&self.directory, log, footer.start, &part);
        let there = &mut self.footer_bytes;
        there.resize(wanted.len(), 0);
        let length = segment.file.read_at(footer.start, there).map_err(read())?;
        let whole = segment.file.length().map_err(read())?;
        if length != wanted.len() || whole != footer.start + length as u64 || *there != wanted {
            let what = "the footer is not that of the segment's records";
            return Err(fault(&segment.name, footer.start, footer.first, what));
        }
        self.sealed += 1;
        self.log_bytes += wanted.len() as u64;
        Ok(())
    }

    /// An unsound last group is a fault only if there is a later one: then it had been durable.
    fn judge_tail(&mut self, segment: &Walked, end: &ScanEnd) -> Result<(), Error> {
        if matches!(end.stop, Stop::Wrong { .. } | Stop::Version(_)) {
            return Err(stop_fault(&segment.name, end));
        }
        let remains = look_behind(segment.file.as_ref(), end.end, end.next)
            .map_err(disk_error(&segment.name, "reading"))?;
        if remains.last_nonzero == 0 {
            return Ok(());
        }
        let is_broken = is_still_broken(segment.file.as_ref(), end);
        if !is_broken.map_err(disk_error(&segment.name, "reading"))? {
            // Written meanwhile: it is no part of what is verified.
            return Ok(());
        }
        if remains.later_group.is_some() {
            return Err(stop_fault(&segment.name, end));
        }
        self.unfinished = Some(TornTail {
            file: segment.name.clone(),
            offset: end.end,
            bytes: remains.last_nonzero - end.end,
            position: Position(end.next),
            kept_in: String::new(),
        });
        Ok(())
    }

    pub(super) fn finish(self) -> Result<VerifyReport, Error> {
        let first = self.segment(0)?;
        let header = header_of(&first.name, first.file.as_ref(), first.first)?;
        Ok(VerifyReport {
            log: header.log,
            records: self.next - 1,
            streams: self.tips.len() as u64,
            segments: self.segments.len() as u64,
            sealed: self.sealed,
            root: self.tree.root(),
            record_bytes: self.record_bytes,
            log_bytes: self.log_bytes,
            unfinished: self.unfinished,
            unsound_footers: self.unsound_footers,
            checkpoints: self.promises.kept,
            signed_up_to: self.promises.signed_up_to,
            heads: self.promises.heads,
        })
    }
}
