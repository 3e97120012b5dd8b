//! Dates of the world, kept as exactly as they are known and no more.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

/// The form of an instant, for schemas; whether the day is in the calendar only reading tells.
const INSTANT: &str = concat!(
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
);
/// The same of [`WorldDate`].
pub(crate) const WORLD_DATE: &str = concat!(
    "^(unknown|[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])",
    "(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)?)?)$"
);

/// A date of the world with its precision: `unknown`, `2022`, `2022-09`, `2022-09-21` or an
/// RFC 3339 instant. It is written back as it was given; nothing is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorldDate {
    text: String,
    first: Option<Date>,
    last: Option<Date>,
}

/// A text is no date of the forms that [`WorldDate`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a date: unknown, YYYY, YYYY-MM, YYYY-MM-DD or an RFC 3339 time such as 2022-09-21T10:00:00Z"
)]
pub struct BadDate;

impl WorldDate {
    /// Reads a date in one of its five forms.
    pub fn new(text: &str) -> Result<Self, BadDate> {
        let (first, last) = range(text).ok_or(BadDate)?;
        Ok(Self { text: text.to_owned(), first, last })
    }

    /// A whole day.
    #[must_use]
    pub fn day(date: Date) -> Self {
        Self { text: date.to_string(), first: Some(date), last: Some(date) }
    }

    /// The earliest day that this date may mean; `None` if unknown.
    #[must_use]
    pub const fn first_day(&self) -> Option<Date> {
        self.first
    }

    /// The latest day that this date may mean; `None` if unknown.
    #[must_use]
    pub const fn last_day(&self) -> Option<Date> {
        self.last
    }

    /// The day itself, where the date is at least as exact as a day.
    #[must_use]
    pub fn exact_day(&self) -> Option<Date> {
        self.first.filter(|_| self.first == self.last)
    }

    /// The earliest day that this date was anywhere on earth; `None` if unknown. What happened at an
    /// instant happened, for somebody in another zone, on the day before.
    pub(crate) fn earliest_day(&self) -> Option<Date> {
        let Some(at) = self.instant() else { return self.first };
        let farthest_west = at.timestamp().checked_sub(12.hours()).ok()?;
        Some(farthest_west.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    /// The last day that it was anywhere at that moment; the last one that it may mean where it is no
    /// moment.
    pub(crate) fn latest_day(&self) -> Option<Date> {
        let Some(at) = self.instant() else { return self.last };
        let farthest_east = at.timestamp().checked_add(14.hours()).ok()?;
        Some(farthest_east.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    /// When the last day that this date may mean is over everywhere on earth; `None` if unknown.
    pub(crate) fn over_anywhere(&self) -> Option<Instant> {
        let next = self.last?.tomorrow().ok()?;
        let midnight = next.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        midnight.timestamp().checked_add(12.hours()).ok().map(Instant::new)
    }

    /// The instant, where the date is that exact.
    #[must_use]
    pub fn instant(&self) -> Option<Instant> {
        self.text.parse().ok()
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// An instant, written in UTC, so that one instant has one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

/// A text is no RFC 3339 instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 instant with its offset, such as 2024-03-02T00:00:00+01:00")]
pub struct BadInstant;

impl Instant {
    /// An instant as a point of time.
    #[must_use]
    pub const fn new(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }

    /// The point of time.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl std::str::FromStr for Instant {
    type Err = BadInstant;
    fn from_str(text: &str) -> Result<Self, BadInstant> {
        let of_the_form = matches!(text.len(), 20..=35)
            && text.is_ascii()
            && text.as_bytes().get(10) == Some(&b'T');
        let read = of_the_form.then(|| text.parse().ok()).flatten();
        read.map(Self).ok_or(BadInstant)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Named(text) = Named::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Instant {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Instant")
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "an RFC 3339 instant with its offset; written in UTC",
            "pattern": INSTANT
        })
    }
}

fn range(text: &str) -> Option<(Option<Date>, Option<Date>)> {
    if text == "unknown" {
        return Some((None, None));
    }
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !text.is_ascii() {
        return None;
    }
    match text.len() {
        4 if digits(text) => {
            let year = text.parse().ok()?;
            Some((Some(Date::new(year, 1, 1).ok()?), Some(Date::new(year, 12, 31).ok()?)))
        }
        7 => {
            let (year, month) = text.split_once('-')?;
            if year.len() != 4 || !digits(year) || !digits(month) {
                return None;
            }
            let first = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
            Some((Some(first), Some(first.last_of_month())))
        }
        10 => whole_day(text).map(|day| (Some(day), Some(day))),
        20..=35 if text.as_bytes().get(10) == Some(&b'T') => {
            // The day is the one that the writer's own offset shows: a served document carries
            // the local date, and that date starts the clock.
            text.parse::<Timestamp>().ok()?;
            let day = text.get(..10)?.parse::<Date>().ok()?;
            Some((Some(day), Some(day)))
        }
        _ => None,
    }
}

impl fmt::Display for WorldDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for WorldDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for WorldDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Named(text) = Named::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// The text of a date under its name, by which what comes from outside is held to the form of RFC 3339
/// (`strict::forms`). Records are read as they were written.
#[derive(serde::Deserialize)]
#[serde(rename = "Date")]
struct Named<'a>(#[serde(borrow)] Cow<'a, str>);

/// The name of a date where it is read.
pub(crate) const NAME: &str = "Date";

/// Whether a text, if it is a time, has the form of RFC 3339 and no other of ISO 8601: whoever reads a
/// record by its schema takes that one only.
pub(crate) fn has_one_form(text: &str) -> bool {
    if text.len() <= 10 {
        return true;
    }
    let digits = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let Some((time, rest)) = text.split_at_checked(19) else { return false };
    let (fraction, zone) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
    let of_time = time.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let of_zone = zone == "Z"
        || (zone.len() == 6
            && zone.as_bytes().get(3) == Some(&b':')
            && digits(zone.get(1..3))
            && digits(zone.get(4..))
            && zone.get(1..3) < Some("24"));
    of_time && of_zone && (fraction.is_empty() || digits(fraction.strip_prefix('.')))
}

impl schemars::JsonSchema for WorldDate {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("WorldDate")
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "unknown, YYYY, YYYY-MM, YYYY-MM-DD or an RFC 3339 time",
            "pattern": WORLD_DATE
        })
    }
}

/// Reads a day of the form 2024-02-13. A text that says a time too is none: the time would be lost.
#[must_use]
pub fn whole_day(text: &str) -> Option<Date> {
    if text.len() == 10 { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_time_from_outside_has_the_one_form_of_rfc_3339() {
        for fit in [
            "unknown",
            "2024",
            "2024-02",
            "2024-02-29",
            "2024-02-29T10:00:00Z",
            "2024-02-29T10:00:00.123456789+05:30",
            "2024-02-29T10:00:00-12:00",
        ] {
            assert!(has_one_form(fit), "{fit}");
        }
        let times =
            ["+0100", "+01", "+01:00:00", ",5Z", ".Z", "Z[UTC]", "+24:00", "-25:59", "z", ""];
        for zone in times {
            assert!(!has_one_form(&format!("2024-02-29T10:00:00{zone}")), "{zone}");
        }
        for wrong in ["2024-02-29T10:00Z+01:00", "2024-02-29 10:00:00Z", "20240229T100000Z00000"] {
            assert!(!has_one_form(wrong), "{wrong}");
        }
        let told = crate::strict::typed::<WorldDate>("", "2024-02-29T10:00:00+0100".into());
        assert!(told.unwrap_err().to_string().contains("RFC 3339"));
        // What a record says stays readable.
        let old: WorldDate = serde_json::from_str("\"2024-02-29T10:00:00+0100\"").unwrap();
        assert_eq!(old.as_str(), "2024-02-29T10:00:00+0100");
    }

    #[test]
    fn a_date_keeps_its_precision() {
        for text in ["unknown", "2022", "2022-02", "2022-09-21", "2022-09-21T23:30:00+02:00"] {
            assert_eq!(WorldDate::new(text).unwrap().as_str(), text);
        }
        let month = WorldDate::new("2024-02").unwrap();
        assert_eq!(month.first_day(), Some(date(2024, 2, 1)));
        assert_eq!(month.last_day(), Some(date(2024, 2, 29)));
        assert_eq!(month.exact_day(), None);
    }

    #[test]
    fn an_instant_means_the_day_that_its_own_offset_shows() {
        let late = WorldDate::new("2022-09-21T23:30:00-05:00").unwrap();
        assert_eq!(late.exact_day(), Some(date(2022, 9, 21)));
    }

    #[test]
    fn an_instant_is_the_day_before_somewhere_and_a_day_is_itself() {
        let earliest = |text: &str| WorldDate::new(text).unwrap().earliest_day();
        assert_eq!(earliest("2024-02-10T11:59:59Z"), Some(date(2024, 2, 9)));
        assert_eq!(earliest("2024-02-10T12:00:00Z"), Some(date(2024, 2, 10)));
        assert_eq!(earliest("2024-02-10T14:00:00+14:00"), Some(date(2024, 2, 9)));
        assert_eq!(earliest("2024-02-10"), Some(date(2024, 2, 10)));
        assert_eq!(earliest("2024-02"), Some(date(2024, 2, 1)));
        assert_eq!(earliest("unknown"), None);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["", "22", "2022-13", "2022-02-30", "21.09.2022", "2022-9-1", "yesterday", "２０２２"]
        {
            assert_eq!(WorldDate::new(text), Err(BadDate), "{text:?}");
        }
    }
}
