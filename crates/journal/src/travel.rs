//! The log as it was: at a version, a position or a time of recording, without reading it all.

use jiff::Timestamp;

use crate::error::Error;
use crate::journal::Journal;
use crate::proofs::heads_tree::head_before;
use crate::reader::Reader;
use crate::record::{Position, Record, StreamId, Version};
use crate::segments::log::Log;
use crate::segments::scan::Window;
use crate::segments::segment::{Contents, Segment};

/// A moment in the life of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// When the stream had this version.
    Version(Version),
    /// When the log ended with this position.
    Position(Position),
    /// When this time had come: with all that was recorded until then, the time itself included.
    Time(Timestamp),
}

impl Log {
    /// The last position that was recorded at or before a time; 0 when there is none.
    ///
    /// Looks at the last time of each segment, which footers hold, and then at some twenty records.
    pub(crate) fn position_at(&self, time: Timestamp) -> Result<u64, Error> {
        let durable = self.durable();
        let segments = self.segments();
        let until = time.as_microsecond();
        let before = segments.partition_point(|segment| last_time_us(segment) <= until);
        let Some(segment) = segments.get(before) else { return Ok(durable) };
        let end = segments.get(before + 1).map_or(durable, |next| next.first - 1);
        // Whatever is before `low` was recorded in time, whatever is at `high` or behind was not.
        let (mut low, mut high) = (segment.first, end.min(durable) + 1);
        let mut window = Window::near(segment.file.as_ref());
        while low < high {
            let middle = u64::midpoint(low, high);
            let record = segment.record_at(&mut window, segment.offset(middle)?, middle)?;
            if record.time <= time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok((low - 1).min(durable))
    }

    /// How many records a stream had at a moment, given where its last one stands now.
    fn version_at(&self, stream: StreamId, head: u64, as_of: AsOf) -> Result<Version, Error> {
        let position = match as_of {
            AsOf::Version(version) => return Ok(version),
            AsOf::Position(position) => position.0,
            AsOf::Time(time) => self.position_at(time)?,
        };
        let head = head_before(self, stream, head, position)?;
        Ok(head.map_or(Version(0), |head| head.version))
    }
}

/// The time of a segment's last record; one without records has none that is too late.
fn last_time_us(segment: &Segment) -> i64 {
    segment.with(|contents| match contents {
        Contents::Sealed(footer) => footer.last_time_us,
        Contents::Unsealed(directory) if directory.offsets.is_empty() => i64::MIN,
        Contents::Unsealed(directory) => directory.last_time_us,
    })
}

impl Journal {
    /// The last position that was recorded at or before a time; 0 when there is none.
    pub fn position_at(&self, time: Timestamp) -> Result<Position, Error> {
        self.log().position_at(time).map(Position)
    }

    /// Reads a stream as it was at a moment. A stream that was not there yet has no records.
    pub fn read_stream_at(&self, stream: StreamId, as_of: AsOf) -> Result<Vec<Record>, Error> {
        let Some(head) = self.head_position(stream) else { return Ok(Vec::new()) };
        let version = self.log().version_at(stream, head, as_of)?;
        self.read_stream(stream, Some(version))
    }
}

impl Reader {
    /// The last position that was recorded at or before a time; 0 when there is none.
    pub fn position_at(&self, time: Timestamp) -> Result<Position, Error> {
        self.log().position_at(time).map(Position)
    }

    /// Reads a stream as it was at a moment, by the footers alone. A stream that was not there yet
    /// has no records.
    pub fn read_stream_at(&self, stream: StreamId, as_of: AsOf) -> Result<Vec<Record>, Error> {
        let last = self.log().find_last(stream, self.last().0 + 1)?;
        let Some(last) = last else { return Ok(Vec::new()) };
        let version = self.log().version_at(stream, last, as_of)?;
        self.read_stream(stream, Some(version))
    }
}
