//! Groups are made durable one after the other, by the thread that is for it or, where that is
//! quicker, by the one that stamped them.
//!
//! *Invariant:* a group is written only after the group before it is durable.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SendError, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use super::frames::Frames;
use super::group::{Durable, Group, Pipe};
use super::guard::broken_off;
use super::tell::tell;
use super::watch::Watch;
use crate::disk::Disk;
use crate::proofs::tree::TILE_LEAVES;
use crate::recover::{Tail, name_spare};
use crate::segments::footer::TreePart;
use crate::segments::format::FIRST_GROUP;
use crate::segments::segment::Segment;
use crate::shared::Shared;
use crate::upkeep::Upkeep;

/// The log's end; who holds it is the only one who writes.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) pipe: Arc<Pipe>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) watch: Watch,
    pub(super) segment_bytes: u64,
    pub(super) upkeep: Upkeep,
    pub(super) tail: Tail,
    /// The segment that was full when the last group was written: it is sealed once that is told. To
    /// seal one takes a core for milliseconds, and the disk.
    pub(super) full: Option<Full>,
}

/// A segment that nothing is written to any more: where its groups end, and its part of the tree.
pub(super) struct Full {
    segment: Arc<Segment>,
    end: u64,
    tree: TreePart,
}

/// Makes groups durable until none will come.
pub(super) fn run(committer: &Mutex<Committer>, pipe: &Pipe, telling: &Sender<Durable>) {
    while let Some(group) = pipe.take() {
        // Whoever panicked with the log's end in hand has poisoned the writer: see `durable`.
        let mut committer = committer.lock().unwrap_or_else(PoisonError::into_inner);
        match committer.durable(group) {
            Ok(durable) if committer.has_nothing_else(&durable) => {
                // Before the writer is woken, which takes a while: nothing is there for it to do.
                pipe.count_told(tell(&committer.shared, durable));
                committer.shared.queue.end_flush();
            }
            Ok(durable) => {
                committer.shared.queue.end_flush();
                committer.pass_on(durable, telling);
            }
            Err(group) => {
                committer.shared.queue.end_flush();
                pipe.count_told(group);
            }
        }
        committer.have_full_sealed();
    }
}

fn is_small(durable: &Durable) -> bool {
    durable.group.frames.count() <= super::SMALL
}

impl Committer {
    /// Makes a group durable and tells of it, on the thread that stamped it; all before it must have
    /// been told. Gives back the group's room.
    pub(super) fn commit_and_tell(&mut self, group: Group) -> Group {
        let told = match self.durable(group) {
            Ok(durable) => tell(&self.shared, durable),
            Err(group) => group,
        };
        self.have_full_sealed();
        told
    }

    /// Writes and syncs a group. Where that fails, the writer is poisoned, everybody in the group
    /// hears of it, and its room is given back.
    fn durable(&mut self, mut group: Group) -> Result<Durable, Group> {
        let written = match self.shared.poison() {
            Some(cause) => Err(cause),
            None => self.write(&group.frames),
        };
        match written {
            Ok(offset) => Ok(Durable { group, segment: Arc::clone(&self.tail.segment), offset }),
            Err(cause) => {
                self.shared.set_poison(&cause);
                // What was durable before is told as such before anybody hears of the fault.
                self.pipe.wait_until_told();
                group.to_tell.fail(&cause);
                Err(group)
            }
        }
    }

    /// Whether to tell of a large group is all that is to be done, here and for the writer.
    fn has_nothing_else(&self, durable: &Durable) -> bool {
        let more = self.pipe.waits() || self.pipe.more.load(Ordering::Acquire);
        !is_small(durable) && !more && self.pipe.untold() == 0
    }

    /// Tells of the group here, which saves waking a thread, where it is small.
    fn pass_on(&self, durable: Durable, telling: &Sender<Durable>) {
        if self.pipe.untold() == 0 && is_small(&durable) {
            self.pipe.count_told(tell(&self.shared, durable));
            return;
        }
        self.pipe.count_untold();
        if let Err(SendError(Durable { mut group, .. })) = telling.send(durable) {
            // The thread that tells broke off in the middle, so nothing behind it can be told.
            group.to_tell.fail(&self.shared.poison().unwrap_or_else(broken_off));
            self.pipe.count_late(group);
        }
    }

    /// Writes the group; returns where it begins.
    fn write(&mut self, frames: &Frames) -> Result<u64, Arc<io::Error>> {
        if frames.count() == 0 {
            return Ok(self.tail.end);
        }
        let length = frames.length() as u64;
        let fits = self.tail.end + length <= self.segment_bytes;
        if !fits && self.tail.end > FIRST_GROUP {
            self.roll(frames.first())?;
        }
        let offset = self.tail.end;
        // To the end of a page: past the system's cache only whole ones are written, and through it the
        // system would read the rest of one that it does not have. Behind the log's end are zeros anyway.
        let bytes = frames.padded(offset, self.segment_bytes);
        let end = offset + bytes.len() as u64;
        self.watch.before_write(&self.tail.segment, end)?;
        self.tail.segment.file.append_at(offset, bytes)?;
        self.watch.after_write(&self.tail.segment, end)?;
        self.tail.end += length;
        self.upkeep.note_group(self.tail.end);
        Ok(offset)
    }

    /// Goes on in a new segment. What is in the old one is durable already.
    fn roll(&mut self, first: u64) -> Result<(), Arc<io::Error>> {
        self.watch.before_leaving(&self.tail.segment)?;
        let spare = self.upkeep.take_spare()?;
        let segment = name_spare(self.disk.as_ref(), &spare, self.shared.log.id, first)?;
        // The old segment's footer rests on its directory and on the tree behind it.
        self.pipe.wait_until_told();
        if self.pipe.broken() {
            return Err(self.shared.poison().unwrap_or_else(broken_off));
        }
        self.watch.begin(&segment)?;
        self.shared.log.push(Arc::clone(&segment));
        let (part, tile) = self.shared.with_tree(|tree| {
            let part =
                TreePart { tiles: tree.tiles_from(self.tail.first_tile), peaks: tree.peaks() };
            (part, tree.size() / TILE_LEAVES)
        });
        let new = Tail { segment, end: FIRST_GROUP, first_tile: tile };
        let old = std::mem::replace(&mut self.tail, new);
        self.full = Some(Full { segment: old.segment, end: old.end, tree: part });
        Ok(())
    }

    fn have_full_sealed(&mut self) {
        if let Some(Full { segment, end, tree }) = self.full.take() {
            self.upkeep.rolled(segment, end, tree);
        }
    }
}
