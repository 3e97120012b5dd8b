//! Values of arguments that several commands take, refused in words of ours: those of a library
//! name its types and limits.

use jiff::civil::Date;
use uuid::Uuid;

/// A day of the calendar.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    case::whole_day(text).ok_or_else(|| "expected a day such as 2024-02-13".to_owned())
}

/// A number that counts from 1: a version, a position, a limit.
pub(crate) fn from_one(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a whole number from 1 on".to_owned())
}

/// A number of days.
pub(crate) fn days(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a whole number of days from 0 on".to_owned())
}

/// The id of a log.
pub(crate) fn log_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "expected the id of a log, a UUID, as in its origin".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_without_the_words_of_a_library() {
        let refused = [
            day("2020-02-30").unwrap_err(),
            day("yesterday").unwrap_err(),
            day("2020-02-29T12:00:00").unwrap_err(),
            from_one("0").unwrap_err(),
            from_one("-3").unwrap_err(),
            from_one("18446744073709551616").unwrap_err(),
            days("x").unwrap_err(),
            days("-1").unwrap_err(),
            log_id("foo").unwrap_err(),
        ];
        for said in refused {
            assert!(said.starts_with("expected "), "{said}");
            assert!(!said.contains("18446744073709551615"), "{said}");
        }
        assert_eq!(day("2024-02-29"), Ok(jiff::civil::date(2024, 2, 29)));
        assert_eq!(from_one("1"), Ok(1));
        assert_eq!(days("0"), Ok(0));
        assert_eq!(log_id(&Uuid::nil().to_string()), Ok(Uuid::nil()));
    }
}
