//! The one writer: it stamps, encodes, writes a group, makes it durable, and only then tells.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::directory::{Entry, StreamMap};
use crate::disk::Disk;
use crate::draft::EncodeError;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::footer::TreePart;
use crate::format::{GroupBuffer, SEGMENT_HEADER_BYTES};
use crate::heads::HeadEntry;
use crate::journal::Shared;
use crate::log::Contents;
use crate::options::Options;
use crate::queue::{Answer, Waiting, answer};
use crate::record::{
    Appended, Expected, LeafHash, MAX_RECORD_BYTES, Position, Slot, StreamId, Version,
};
use crate::recover::{Tail, name_spare};
use crate::tree::TILE_LEAVES;
use crate::upkeep::Upkeep;

/// A record of the group in the making.
struct Staged {
    stream: StreamId,
    appended: Appended,
    /// The position of the stream's record before.
    prior: u64,
    /// Where its frame begins within the group.
    at: usize,
    answer: Answer,
}

/// The writer's own state; nobody else touches it.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    options: Options,
    upkeep: Upkeep,
    tail: Tail,
    last_time_us: i64,
    group: GroupBuffer,
    scratch: Vec<u8>,
    staged: Vec<Staged>,
    /// Heads as they will be when the group is durable.
    coming: StreamMap<HeadEntry>,
    /// Refusals that rest on records of this group: told when those are durable.
    refused: Vec<(Answer, Error)>,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        options: Options,
        upkeep: Upkeep,
        tail: Tail,
        last_time_us: i64,
    ) -> Writer {
        Writer {
            shared,
            disk,
            options,
            upkeep,
            tail,
            last_time_us,
            group: GroupBuffer::default(),
            scratch: Vec::new(),
            staged: Vec::new(),
            coming: StreamMap::default(),
            refused: Vec::new(),
        }
    }

    /// Writes until the queue is closed and empty, or a write fails.
    pub(crate) fn run(mut self) {
        let mut taken = Vec::new();
        let mut waiting = VecDeque::new();
        while self.shared.queue.take(&mut taken) {
            waiting.extend(taken.drain(..));
            while !waiting.is_empty() {
                if let Some(cause) = self.shared.poison() {
                    for one in waiting.drain(..) {
                        answer(one.answer, Err(Error::Poisoned(Arc::clone(&cause))));
                    }
                    break;
                }
                self.stage(&mut waiting);
                self.commit();
            }
        }
        self.upkeep.stop();
    }

    /// Fills a group from what waits, up to the limits.
    fn stage(&mut self, waiting: &mut VecDeque<Waiting>) {
        self.group.begin(self.shared.log.durable() + 1);
        while self.staged.len() < self.options.group_records
            && self.group.length() < self.options.group_bytes
        {
            let Some(one) = waiting.pop_front() else { return };
            let stream = one.draft.stream();
            match self.stamp(stream, &one) {
                Ok((appended, prior)) => {
                    let at = self.group.push(&self.scratch);
                    self.last_time_us = appended.time.as_microsecond();
                    let head = HeadEntry {
                        version: appended.version.0,
                        position: appended.position.0,
                        leaf: Some(appended.leaf),
                    };
                    self.coming.insert(stream, head);
                    let answer = one.answer;
                    self.staged.push(Staged { stream, appended, prior, at, answer });
                }
                Err(error) => self.refused.push((one.answer, error)),
            }
        }
    }

    /// Stamps one record and encodes it into the scratch; also gives the position of the record
    /// before it in its stream.
    fn stamp(&mut self, stream: StreamId, one: &Waiting) -> Result<(Appended, u64), Error> {
        let head = self.coming.get(&stream).copied().or_else(|| self.shared.heads.get(stream));
        let version = Version(head.map_or(0, |head| head.version));
        if let Expected::Exactly(expected) = one.expected
            && expected != version
        {
            return Err(Error::Conflict { stream, expected, actual: version });
        }
        let prev = match head {
            None => LeafHash::NONE,
            Some(HeadEntry { leaf: Some(leaf), .. }) => leaf,
            Some(HeadEntry { position, .. }) => self.shared.leaf_at(position)?,
        };
        let slot = Slot {
            position: Position(self.group.next()),
            version: version.next(),
            prev,
            time: self.now(),
        };
        self.scratch.clear();
        let refuse = |source| Error::Encode { stream, source };
        let scratch = &mut self.scratch;
        catch_unwind(AssertUnwindSafe(|| one.draft.encode(&slot, scratch)))
            .unwrap_or_else(|_| Err(EncodeError("encoding panicked".to_owned())))
            .map_err(refuse)?;
        if self.scratch.len() > MAX_RECORD_BYTES {
            return Err(Error::TooLong { length: self.scratch.len(), most: MAX_RECORD_BYTES });
        }
        Envelope::parse(&self.scratch)
            .and_then(|envelope| envelope.matches(stream, &slot))
            .map_err(|what| refuse(EncodeError(what.to_owned())))?;
        let leaf = LeafHash::of(&self.scratch);
        let Slot { position, version, time, .. } = slot;
        let appended = Appended { position, version, leaf, time };
        Ok((appended, head.map_or(0, |head| head.position)))
    }

    /// The clock in whole microseconds, but never before the last record's time.
    fn now(&self) -> jiff::Timestamp {
        let now = (self.options.clock)();
        let us = now.as_microsecond().max(self.last_time_us);
        jiff::Timestamp::from_microsecond(us).unwrap_or(now)
    }

    /// Makes the group durable and tells everyone, or poisons the writer.
    fn commit(&mut self) {
        if !self.group.is_empty() {
            match self.write() {
                Ok(offset) => self.publish(offset),
                Err(cause) => self.fail(&cause),
            }
        }
        self.coming.clear();
        for (to, error) in self.refused.drain(..) {
            answer(to, Err(error));
        }
    }

    /// Writes the group; returns where it begins.
    fn write(&mut self) -> Result<u64, Arc<io::Error>> {
        let length = self.group.length() as u64;
        let fits = self.tail.end + length <= self.options.segment_bytes;
        if !fits && self.tail.end > SEGMENT_HEADER_BYTES {
            self.roll()?;
        }
        let offset = self.tail.end;
        self.tail.segment.file.write_at(offset, self.group.finish())?;
        self.tail.segment.file.sync()?;
        self.tail.end += length;
        Ok(offset)
    }

    /// Goes on in a new segment. What is in the old one is durable already.
    fn roll(&mut self) -> Result<(), Arc<io::Error>> {
        let spare = self.upkeep.take_spare()?;
        let first = self.group.next() - self.staged.len() as u64;
        let segment = name_spare(self.disk.as_ref(), &spare, self.shared.log.id, first)?;
        self.shared.log.push(Arc::clone(&segment));
        let (part, tile) = self.shared.with_tree(|tree| {
            let part =
                TreePart { tiles: tree.tiles_from(self.tail.first_tile), peaks: tree.peaks() };
            (part, tree.size() / TILE_LEAVES)
        });
        let new = Tail { segment, end: SEGMENT_HEADER_BYTES, first_tile: tile };
        let old = std::mem::replace(&mut self.tail, new);
        self.upkeep.rolled(old.segment, old.end, part);
        Ok(())
    }

    /// The group is durable: readers may see it, and callers are answered.
    fn publish(&mut self, offset: u64) {
        self.tail.segment.change(|contents| {
            if let Contents::Unsealed(directory) = contents {
                for staged in &self.staged {
                    directory.add(Entry {
                        stream: staged.stream,
                        version: staged.appended.version.0,
                        prior: staged.prior,
                        offset: (offset + staged.at as u64) as u32,
                        time_us: staged.appended.time.as_microsecond(),
                    });
                }
            }
        });
        self.shared.with_tree(|tree| {
            self.staged.iter().for_each(|staged| tree.push(staged.appended.leaf));
        });
        self.shared.heads.set(self.coming.drain());
        let last = Position(self.group.next() - 1);
        self.shared.log.set_durable(last.0);
        self.shared.durable.send_replace(last);
        // The last first: who waits for many in order is then woken once, and not for each.
        for staged in self.staged.drain(..).rev() {
            answer(staged.answer, Ok(staged.appended));
        }
    }

    fn fail(&mut self, cause: &Arc<io::Error>) {
        self.shared.set_poison(cause);
        for staged in self.staged.drain(..) {
            answer(staged.answer, Err(Error::Poisoned(Arc::clone(cause))));
        }
        for (to, _) in self.refused.drain(..) {
            answer(to, Err(Error::Poisoned(Arc::clone(cause))));
        }
    }
}
