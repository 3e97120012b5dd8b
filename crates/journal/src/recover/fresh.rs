//! The segment that is written on next, and the first of a new log.

use std::io;
use std::sync::Arc;

use uuid::Uuid;

use crate::disk::{Disk, Pace};
use crate::error::{Error, disk_error};
use crate::options::{OpenReport, Options};
use crate::proofs::tree::Tree;
use crate::record::Position;
use crate::recover::{Recovered, Tail};
use crate::segments::directory::Directory;
use crate::segments::format::{FIRST_GROUP, SegmentHeader, segment_name};
use crate::segments::log::Log;
use crate::segments::segment::{Contents, Segment};
use crate::streams::postings::Lists;
use crate::streams::table::StreamTable;
use crate::upkeep::shelf::{SPARES, Spare};

/// Turns a spare file into the segment that begins at `first`, durably.
pub(crate) fn name_spare(
    disk: &dyn Disk,
    Spare { name: spare, file }: &Spare,
    log: Uuid,
    first: u64,
) -> io::Result<Arc<Segment>> {
    file.write_at(0, &SegmentHeader { log, first }.encode())?;
    file.sync()?;
    let name = segment_name(first);
    disk.rename(spare, &name)?;
    disk.sync_directory()?;
    let contents = Contents::Unsealed(Directory::new(first));
    Ok(Segment::new(name, first, Arc::clone(file), contents))
}

/// Makes the segment that begins at `first`, and waits for its zeros.
pub(super) fn make_segment(
    disk: &Arc<dyn Disk>,
    options: &Options,
    log: Uuid,
    first: u64,
) -> Result<Arc<Segment>, Error> {
    let [name, ..] = SPARES;
    let file = disk
        .create_zeros(name, options.segment_bytes, &mut |_| Pace::Hurried)
        .map_err(disk_error(name, "preallocating"))?;
    let spare = Spare { name, file };
    name_spare(disk.as_ref(), &spare, log, first).map_err(disk_error(name, "naming"))
}

/// Begins a new log in an empty directory.
pub(super) fn begin(
    disk: &Arc<dyn Disk>,
    options: &Options,
    index: Position,
) -> Result<Recovered, Error> {
    if index > Position(0) {
        return Err(Error::LogLostRecords { log: Position(0), index });
    }
    let id = Uuid::new_v4();
    let segment = make_segment(disk, options, id, 1)?;
    Ok(Recovered {
        log: Log::new(id, vec![Arc::clone(&segment)], 0),
        heads: StreamTable::default(),
        postings: Lists::default(),
        tree: Tree::new(),
        last_time_us: i64::MIN,
        tail: Tail { segment, end: FIRST_GROUP, first_tile: 0 },
        report: OpenReport::default(),
    })
}
