//! The thread that makes groups durable, one after the other.
//!
//! *Invariant:* a group is written only after the group before it is durable.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use super::group::{Durable, Group, Pipe};
use super::tell::tell;
use crate::disk::Disk;
use crate::footer::TreePart;
use crate::format::SEGMENT_HEADER_BYTES;
use crate::journal::Shared;
use crate::recover::{Tail, name_spare};
use crate::tree::TILE_LEAVES;
use crate::upkeep::Upkeep;

/// The thread's own state; nobody else touches the log's end.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) pipe: Arc<Pipe>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) segment_bytes: u64,
    pub(super) upkeep: Upkeep,
    pub(super) tail: Tail,
}

impl Committer {
    /// Makes groups durable until none will come.
    pub(super) fn run(mut self, telling: Sender<Durable>) {
        while let Some(mut group) = self.pipe.take() {
            let written = match self.shared.poison() {
                Some(cause) => Err(cause),
                None => self.write(&mut group),
            };
            self.shared.queue.set_idle(true);
            match written {
                Ok(offset) => {
                    let segment = Arc::clone(&self.tail.segment);
                    self.pass_on(Durable { group, segment, offset }, &telling);
                }
                Err(cause) => {
                    self.shared.set_poison(&cause);
                    // What was durable before is told as such before anybody hears of the fault.
                    self.pipe.wait_until_told();
                    group.fail(&cause);
                    self.pipe.count_told(group);
                }
            }
        }
        drop(telling);
        self.upkeep.stop();
    }

    /// Tells of the group here where nothing else is to be done, which saves waking a thread.
    fn pass_on(&self, durable: Durable, telling: &Sender<Durable>) {
        if self.pipe.untold() == 0 && !self.pipe.more.load(Ordering::Acquire) {
            self.pipe.count_told(tell(&self.shared, durable));
            return;
        }
        self.pipe.count_untold();
        if let Err(lost) = telling.send(durable) {
            // The thread that tells is gone: tell here.
            self.pipe.count_late(tell(&self.shared, lost.0));
        }
    }

    /// Writes the group; returns where it begins.
    fn write(&mut self, group: &mut Group) -> Result<u64, Arc<io::Error>> {
        if group.staged.is_empty() {
            return Ok(self.tail.end);
        }
        let length = group.buffer.length() as u64;
        let fits = self.tail.end + length <= self.segment_bytes;
        if !fits && self.tail.end > SEGMENT_HEADER_BYTES {
            self.roll(group.buffer.first())?;
        }
        let offset = self.tail.end;
        self.tail.segment.file.write_at(offset, group.buffer.finish())?;
        self.tail.segment.file.sync()?;
        self.tail.end += length;
        Ok(offset)
    }

    /// Goes on in a new segment. What is in the old one is durable already.
    fn roll(&mut self, first: u64) -> Result<(), Arc<io::Error>> {
        let spare = self.upkeep.take_spare()?;
        let segment = name_spare(self.disk.as_ref(), &spare, self.shared.log.id, first)?;
        // The old segment's footer rests on its directory and on the tree behind it.
        self.pipe.wait_until_told();
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
}
