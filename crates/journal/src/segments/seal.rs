//! A segment that is full gets its footer.

use std::iter;

use uuid::Uuid;

use crate::disk::zeros::PAGE_BYTES;
use crate::error::{Error, disk_error};
use crate::segments::footer::{self, Footer, TreePart};
use crate::segments::segment::{Contents, Segment};

/// So much of a footer is written at once: what the log writes meanwhile waits behind it.
const STEP_BYTES: usize = 64 << 10;

/// Writes a segment's footer behind its groups, gives back what was preallocated, and makes it so.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the footer is in memory, and the rest less than a page"
)]
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::{Disk, Pace, RealDisk};
    use crate::record::StreamId;
    use crate::segments::directory::{Directory, Entry, Link};

    const LENGTH: u64 = 1 << 20;

    /// A segment's directory with one record in each of so many streams.
    fn directory(records: u32) -> Directory {
        let mut directory = Directory::new(1);
        for number in 0..records {
            let stream = StreamId(Uuid::from_u128(u128::from(number) << 70));
            let link = Link { stream, version: 1, prior: 0 };
            directory.add(Entry { link, offset: 64 + number, time_us: 7 });
        }
        directory
    }

    #[test]
    fn a_footer_of_many_steps_is_whole_wherever_the_groups_end_and_however_long_the_file_is() {
        let temporary = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(temporary.path().to_owned());
        let log = Uuid::from_u128(9);
        // In the middle of a page, at its ends, and where the footer does not fit into the file.
        for (records, end) in
            [(1, 100), (9_000, 5_001), (9_000, 8_191), (9_000, 8_192), (9_000, LENGTH - 1)]
        {
            let file = disk.create_zeros("segment", LENGTH, &mut |_| Pace::Calm).unwrap();
            let groups = vec![b'g'; end as usize];
            file.append_at(0, &groups).unwrap();
            let tree = TreePart { tiles: vec![[1; 32]; 3], peaks: vec![[2; 32]] };
            let wanted = footer::encode(&directory(records), log, end, &tree);
            let contents = Contents::Unsealed(directory(records));
            let segment = Segment::new("segment".to_owned(), 1, Arc::clone(&file), contents);
            seal(&segment, log, end, &tree).unwrap();
            segment.with(|contents| assert!(matches!(contents, Contents::Sealed(_)), "{end}"));
            for file in [file, disk.open("segment", false).unwrap()] {
                let mut stored = vec![0; file.length().unwrap() as usize];
                assert_eq!(file.read_at(0, &mut stored).unwrap(), stored.len());
                assert!(stored == [groups.as_slice(), &wanted].concat(), "{records} at {end}");
            }
            disk.remove("segment").unwrap();
        }
    }
}
