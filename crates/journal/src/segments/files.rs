//! The files of segments: which are there, and whether each is the one that its name says.

use crate::disk::{Disk, DiskFile};
use crate::error::{Error, disk_error, fault};
use crate::segments::format::{HeaderFault, SEGMENT_HEADER_BYTES, SegmentHeader, segment_position};

/// The segment files in order. A roll between listing and opening only adds one behind them.
pub(crate) fn segment_names(disk: &dyn Disk) -> Result<Vec<(String, u64)>, Error> {
    let names = disk.list().map_err(disk_error("log", "listing"))?;
    let mut names: Vec<(String, u64)> = names
        .into_iter()
        .filter_map(|name| segment_position(&name).map(|first| (name, first)))
        .collect();
    names.sort_unstable_by_key(|(_, first)| *first);
    Ok(names)
}

/// What a segment's file may have at most: a frame's place in it has 32 bits.
const MOST_BYTES: u64 = u32::MAX as u64;

/// Refuses a file that is longer than any segment, before somebody makes room for its bytes.
pub(crate) fn check_length(name: &str, file: &dyn DiskFile, first: u64) -> Result<(), Error> {
    if file.length().map_err(disk_error(name, "reading"))? <= MOST_BYTES {
        return Ok(());
    }
    let what =
        "the file is longer than a segment can be: what stands there was not written by a node";
    Err(fault(name, MOST_BYTES, first, what))
}

/// Reads a segment's header and checks that it is the one that its name says.
pub(crate) fn header_of(
    name: &str,
    file: &dyn DiskFile,
    first: u64,
) -> Result<SegmentHeader, Error> {
    check_length(name, file, first)?;
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    file.read_at(0, &mut bytes).map_err(disk_error(name, "reading"))?;
    match SegmentHeader::decode(&bytes) {
        Ok(header) if header.first == first => Ok(header),
        Ok(_) => Err(fault(name, 0, first, "the segment's header has another first position")),
        Err(HeaderFault::Damaged) => Err(fault(name, 0, first, "the segment's header is damaged")),
        Err(HeaderFault::Version(version)) => {
            Err(Error::UnknownFormat { file: name.to_owned(), version })
        }
    }
}
