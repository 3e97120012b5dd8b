//! The end of a log that is opened: sound, torn or damaged. What is torn is cut off and kept.

use std::sync::Arc;

use crate::disk::{Disk, at_most};
use crate::error::{Error, disk_error, fault};
use crate::options::{OpenReport, Options, TornTail};
use crate::proofs::tree::TILE_LEAVES;
use crate::record::Position;
use crate::recover::fresh::make_segment;
use crate::recover::state::State;
use crate::recover::{Recovered, Tail};
use crate::segments::format::FIRST_GROUP;
use crate::segments::scan::{ScanEnd, Stop, look_behind};
use crate::segments::seal::seal;
use crate::segments::segment::Segment;

/// So much of a torn tail is in memory at a time.
const STEP_BYTES: usize = 1 << 20;

impl State {
    /// Decides whether the end is sound, torn or damaged; only then changes anything.
    pub(super) fn judge_and_mend(
        mut self,
        disk: &Arc<dyn Disk>,
        options: &Options,
        index: Position,
        end: Option<ScanEnd>,
    ) -> Result<Recovered, Error> {
        let last = Position(self.log.durable());
        let mut report = OpenReport { last, ..OpenReport::default() };
        let tail_segment = self
            .log
            .segments()
            .pop()
            .ok_or_else(|| Error::Request("the log has no segment".to_owned()))?;
        let torn = match &end {
            Some(end) => judge_tail(disk.as_ref(), &tail_segment, end, index)?,
            None => None,
        };
        if index > last {
            return Err(Error::LogLostRecords { log: last, index });
        }
        report.footers_remade = self.unsealed.len() as u64;
        for (segment, end, part) in self.unsealed.drain(..) {
            seal(&segment, self.log.id, end, &part)?;
        }
        let sync = disk_error(&tail_segment.name, "syncing");
        if let Some(torn) = torn {
            cut(disk.as_ref(), &tail_segment, &torn)?;
            report.torn_tail = Some(torn);
        }
        tail_segment.file.sync().map_err(sync)?;
        disk.sync_directory().map_err(disk_error("log", "syncing"))?;
        let first_tile = (tail_segment.first - 1) / TILE_LEAVES;
        let tail = if let Some(end) = end {
            Tail { segment: tail_segment, end: end.end, first_tile }
        } else {
            let segment = make_segment(disk, options, self.log.id, last.0 + 1)?;
            self.log.push(Arc::clone(&segment));
            let first_tile = self.tree.size() / TILE_LEAVES;
            Tail { segment, end: FIRST_GROUP, first_tile }
        };
        let State { log, heads, postings, tree, last_time_us, .. } = self;
        Ok(Recovered { log, heads, postings, tree, last_time_us, tail, report })
    }
}

fn judge_tail(
    disk: &dyn Disk,
    segment: &Segment,
    end: &ScanEnd,
    index: Position,
) -> Result<Option<TornTail>, Error> {
    if let Stop::Version(version) = end.stop {
        return Err(Error::UnknownFormat { file: segment.name.clone(), version });
    }
    if let Stop::Wrong { offset, position, what } = &end.stop {
        return Err(fault(&segment.name, *offset, *position, what));
    }
    let read = disk_error(&segment.name, "reading");
    let remains = look_behind(segment.file.as_ref(), end.end, end.next).map_err(read)?;
    if remains.last_nonzero == 0 {
        return Ok(None);
    }
    let (offset, position, what) = match &end.stop {
        Stop::Damaged { offset, position, what } | Stop::Wrong { offset, position, what } => {
            (*offset, *position, what.as_str())
        }
        Stop::Empty | Stop::Bound | Stop::Version(_) => (end.end, end.next, "the group is missing"),
    };
    if let Some((_, later)) = remains.later_group {
        let what = format!("{what}, but the group of position {later} behind it is there");
        return Err(fault(&segment.name, offset, position, &what));
    }
    if index.0 >= end.next {
        let what = format!(
            "{what}, but the index or a checkpoint has seen position {index}: it was durable"
        );
        return Err(fault(&segment.name, offset, position, &what));
    }
    Ok(Some(TornTail {
        file: segment.name.clone(),
        offset: end.end,
        bytes: remains.last_nonzero - end.end,
        position: Position(end.next),
        kept_in: name_for(disk, end.next)?,
    }))
}

/// Keeps the bytes of a torn tail in a file of their own, and zeroes them in the segment.
fn cut(disk: &dyn Disk, segment: &Segment, torn: &TornTail) -> Result<(), Error> {
    let wrong = |source| disk_error(&segment.name, "cutting the torn tail of")(source);
    let mut room = vec![0; at_most(torn.bytes, STEP_BYTES)];
    let kept = disk.create(&torn.kept_in).map_err(wrong)?;
    for at in (0..torn.bytes).step_by(STEP_BYTES) {
        let part = room.get_mut(..at_most(torn.bytes - at, STEP_BYTES)).unwrap_or_default();
        segment.file.read_at(torn.offset + at, part).map_err(wrong)?;
        kept.write_at(at, part).map_err(wrong)?;
    }
    kept.sync().map_err(wrong)?;
    disk.sync_directory().map_err(wrong)?;
    room.fill(0);
    for at in (0..torn.bytes).step_by(STEP_BYTES) {
        let part = room.get(..at_most(torn.bytes - at, STEP_BYTES)).unwrap_or_default();
        segment.file.write_at(torn.offset + at, part).map_err(wrong)?;
    }
    Ok(())
}

/// A name that nothing has yet: a crash in the middle of a cut leaves what was kept, and a part of it to
/// be cut again at the same position.
fn name_for(disk: &dyn Disk, next: u64) -> Result<String, Error> {
    let there = disk.list().map_err(disk_error("log", "listing"))?;
    let names = (1..).map(|number| match number {
        1 => format!("{next:020}.torn"),
        _ => format!("{next:020}-{number}.torn"),
    });
    let name = names.take(there.len() + 1).find(|name| !there.contains(name));
    Ok(name.unwrap_or_default())
}
