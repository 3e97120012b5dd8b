//! A segment that is full gets its footer.

use std::iter;

use uuid::Uuid;

use crate::error::{Error, disk_error};
use crate::footer::{self, Footer, TreePart};
use crate::log::{Contents, Segment};
use crate::zeros::PAGE_BYTES;

/// So much of a footer is written at once: what the log writes meanwhile waits behind it.
const STEP_BYTES: usize = 64 << 10;

/// Writes a segment's footer behind its groups, gives back what was preallocated, and makes it so.
pub(crate) fn seal(segment: &Segment, log: Uuid, end: u64, tree: &TreePart) -> Result<(), Error> {
    let wrong = |source| disk_error(&segment.name, "sealing")(source);
    let bytes = segment.with(|contents| match contents {
        Contents::Sealed(_) => None,
        Contents::Unsealed(directory) => Some(footer::encode(directory, log, end, tree)),
    });
    let Some(mut bytes) = bytes else { return Ok(()) };
    let length = end + bytes.len() as u64;
    // Whole pages go past the system's cache; what is behind the footer is zeros, and cut off.
    bytes.resize((length.next_multiple_of(PAGE_BYTES as u64) - end) as usize, 0);
    let lead = PAGE_BYTES - end as usize % PAGE_BYTES;
    let (first, rest) = bytes.split_at(lead.min(bytes.len()));
    let mut at = end;
    for step in iter::once(first).chain(rest.chunks(STEP_BYTES)) {
        segment.file.append_at(at, step).map_err(wrong)?;
        at += step.len() as u64;
    }
    segment.file.set_length(length).map_err(wrong)?;
    segment.file.sync().map_err(wrong)?;
    if let Some(footer) = Footer::read(segment.file.as_ref()).map_err(wrong)? {
        segment.change(|contents| *contents = Contents::Sealed(footer));
    }
    Ok(())
}
