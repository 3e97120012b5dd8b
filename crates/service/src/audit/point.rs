//! A case at a point of both axes of time, and what differs between two.

use std::fmt;
use std::str::FromStr;

use case::picture::{Difference, Picture, difference, picture};
use case::replay::Shelf;
use case::{CaseId, Instant, Version};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use journal::{Position, Record};

use super::{AuditError, next, of_a_case};

/// What the record knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// All that is recorded now.
    Now,
    /// The case's first so many events.
    Version(u64),
    /// All up to a position of the log.
    Position(u64),
    /// All that was recorded until then, the time itself included.
    Time(Timestamp),
}

impl Known {
    /// The moment that it names, none behind now; `None` where it is that of a record.
    fn moment(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Now => Some(now),
            Self::Time(time) => Some(time.min(now)),
            Self::Version(_) | Self::Position(_) => None,
        }
    }
}

/// A point on both axes: what was known, and by when it had to have happened.
///
/// Written `now`, `version:3`, `position:120`, `known:2024-05-01` or
/// `known:2024-05-01T12:00:00Z`, and behind it `,happened:2024-01-01` where that is asked for. A
/// day means its end in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// What was known.
    pub known: Known,
    /// The day by which things had to have happened in the world.
    pub happened_by: Option<Date>,
}

/// A text is no point in time of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected now, version:3, position:120, known:2024-05-01 or known:2024-05-01T12:00:00Z, and behind it perhaps ,happened:2024-01-01"
)]
pub struct BadPoint;

/// Reads a time, or a day, which means its end in UTC.
#[must_use]
pub fn time_or_day(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let end = case::whole_day(text)?.to_datetime(Time::MAX);
    end.to_zoned(TimeZone::UTC).ok().map(|end| end.timestamp())
}

impl FromStr for Point {
    type Err = BadPoint;

    fn from_str(text: &str) -> Result<Self, BadPoint> {
        let (known, happened) = match text.split_once(",happened:") {
            Some((known, day)) => (known, Some(case::whole_day(day).ok_or(BadPoint)?)),
            None => (text, None),
        };
        let known = match known.split_once(':') {
            None if known == "now" => Known::Now,
            Some(("version", number)) => Known::Version(number.parse().map_err(|_| BadPoint)?),
            Some(("position", number)) => Known::Position(number.parse().map_err(|_| BadPoint)?),
            Some(("known", time)) => Known::Time(time_or_day(time).ok_or(BadPoint)?),
            _ => return Err(BadPoint),
        };
        Ok(Self { known, happened_by: happened })
    }
}

impl Point {
    /// Refuses a position that the log does not have: what is there now is not what was asked for.
    pub fn within(self, last: Position) -> Result<(), AuditError> {
        match self.known {
            Known::Position(position) if position > last.0 => {
                Err(AuditError::BeyondLog { position, last: last.0 })
            }
            Known::Position(_) | Known::Now | Known::Version(_) | Known::Time(_) => Ok(()),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known {
            Known::Now => write!(out, "now")?,
            Known::Version(version) => write!(out, "version:{version}")?,
            Known::Position(position) => write!(out, "position:{position}")?,
            Known::Time(time) => write!(out, "known:{time}")?,
        }
        self.happened_by.map_or(Ok(()), |day| write!(out, ",happened:{day}"))
    }
}

/// The case as it was known at a point, from all its records.
pub fn picture_at(
    case: CaseId,
    records: &[Record],
    point: Point,
    known: Shelf<'_>,
) -> Result<Picture, AuditError> {
    if records.is_empty() {
        return Err(AuditError::UnknownCase(case));
    }
    of_a_case(records)?;
    let count = records.partition_point(|record| match point.known {
        Known::Now => true,
        Known::Version(version) => record.version.0 <= version,
        Known::Position(position) => record.position.0 <= position,
        Known::Time(time) => record.time <= time,
    });
    if let Known::Version(version) = point.known
        && version > records.len() as u64
    {
        let last = records.len() as u64;
        return Err(AuditError::Beyond { case, version: Version(version), last: Version(last) });
    }
    let mut read = Vec::with_capacity(count);
    for record in records.iter().take(count) {
        read.push(next(record, Version(read.len() as u64))?);
    }
    let later = (records.len() - count) as u64;
    let at = point.known.moment(Timestamp::now()).map(Instant::new);
    picture(&read, later, point.happened_by, at, known).ok_or(AuditError::NotYet { case, point })
}

/// What differs between two points of a case, from all its records.
pub fn difference_between(
    case: CaseId,
    records: &[Record],
    points: [Point; 2],
    known: Shelf<'_>,
) -> Result<Difference, AuditError> {
    let [from, to] = points.map(|point| picture_at(case, records, point, known));
    Ok(difference(from?, to?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_written_as_it_is_read() {
        for text in [
            "now",
            "version:3",
            "position:120",
            "known:2024-05-01T12:00:00Z",
            "version:3,happened:2024-01-01",
            "now,happened:2024-01-01",
        ] {
            assert_eq!(text.parse::<Point>().unwrap().to_string(), text);
        }
        let day: Point = "known:2024-05-01".parse().unwrap();
        assert_eq!(day.to_string(), "known:2024-05-01T23:59:59.999999999Z");
    }

    #[test]
    fn a_position_behind_the_end_of_the_log_is_no_point_of_it() {
        let at = |text: &str| text.parse::<Point>().unwrap().within(Position(120));
        assert!(at("position:120").is_ok() && at("now").is_ok() && at("version:121").is_ok());
        let said = at("position:121").unwrap_err().to_string();
        assert_eq!(said, "the log ends at position 120; there is no position 121");
    }

    #[test]
    fn what_is_no_point_is_refused() {
        for text in [
            "",
            "3",
            "version",
            "version:",
            "version:-1",
            "version:x",
            "position:1.5",
            "known:",
            "known:2024-13-01",
            "known:yesterday",
            "now:1",
            "happened:2024-01-01",
            "now,happened:",
            "now,happened:2024-02-30",
            "now,",
            "now ,happened:2024-01-01",
        ] {
            assert_eq!(text.parse::<Point>(), Err(BadPoint), "{text}");
        }
    }
}
