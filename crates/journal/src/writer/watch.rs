//! Others may lay hands on the segment that is written to: remove it, cut it short, or put another
//! file into its place. What is written then is gone with the program, or leaves a hole in the log.
//!
//! What the open file itself says is looked at behind every flush, which costs half a microsecond;
//! which file its name leads to takes longer, so it is looked at once a second, with the first group
//! of a segment, and before a segment is left.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::disk::{Disk, Standing};
use crate::segments::segment::Segment;

/// How long a name is believed to lead where it led.
const BELIEVED: Duration = Duration::from_secs(1);

/// What is known of the segment that is written to.
pub(super) struct Watch {
    disk: Arc<dyn Disk>,
    /// The file is at least so long, in bytes: as it was when it was begun, or up to what was written.
    least: u64,
    /// When its name was looked at.
    looked: Option<Instant>,
}

impl Watch {
    pub(super) fn new(disk: Arc<dyn Disk>, segment: &Segment) -> io::Result<Watch> {
        let mut watch = Watch { disk, least: 0, looked: None };
        watch.begin(segment)?;
        Ok(watch)
    }

    /// Watches another segment from now on.
    pub(super) fn begin(&mut self, segment: &Segment) -> io::Result<()> {
        (self.least, self.looked) = (segment.file.standing()?.map_or(0, |file| file.length), None);
        Ok(())
    }

    /// Looks before a write up to `end` that a file which was cut short would be as long by as before:
    /// afterwards nothing could be seen.
    pub(super) fn before_write(&self, segment: &Segment, end: u64) -> io::Result<()> {
        if end < self.least {
            return Ok(());
        }
        segment.file.standing()?.map_or(Ok(()), |found| self.check_length(segment, found))
    }

    /// Looks behind a write up to `end`, before anybody hears of it.
    pub(super) fn after_write(&mut self, segment: &Segment, end: u64) -> io::Result<()> {
        self.least = self.least.max(end);
        let Some(found) = self.check_file(segment)? else { return Ok(()) };
        if self.looked.is_some_and(|looked| looked.elapsed() < BELIEVED) {
            return Ok(());
        }
        self.check_name(segment, found)?;
        self.looked = Some(Instant::now());
        Ok(())
    }

    /// Looks at a segment that is not written to any more.
    pub(super) fn before_leaving(&self, segment: &Segment) -> io::Result<()> {
        let found = self.check_file(segment)?;
        found.map_or(Ok(()), |found| self.check_name(segment, found))
    }

    /// What the open file says.
    fn check_file(&self, segment: &Segment) -> io::Result<Option<Standing>> {
        let Some(found) = segment.file.standing()? else { return Ok(None) };
        if found.names == 0 {
            return Err(removed(segment));
        }
        self.check_length(segment, found)?;
        Ok(Some(found))
    }

    fn check_length(&self, segment: &Segment, found: Standing) -> io::Result<()> {
        if found.length >= self.least {
            return Ok(());
        }
        let (name, length, least) = (&segment.name, found.length, self.least);
        Err(io::Error::other(format!(
            "{name} was cut short while it was written to: it has {length} bytes of {least}"
        )))
    }

    fn check_name(&self, segment: &Segment, found: Standing) -> io::Result<()> {
        match self.disk.identify(&segment.name) {
            Ok(Some(id)) if id != found.id => Err(io::Error::other(format!(
                "{} was replaced by another file while it was written to",
                segment.name
            ))),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(removed(segment)),
            Err(error) => Err(error),
        }
    }
}

fn removed(segment: &Segment) -> io::Error {
    let what = format!("{} was removed while it was written to", segment.name);
    io::Error::new(io::ErrorKind::NotFound, what)
}
