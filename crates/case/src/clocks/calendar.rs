//! Working days: weekends, and tables of holidays that repeat every year.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// How long a search for a working day may take, in days; no table has so many days off in a row.
const LONGEST_SEARCH_DAYS: u16 = 400;

/// A day off that comes back every year: a day of the calendar, a day before or after Easter
/// Sunday, or a weekday of a month.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Holiday {
    name: String,
    month: Option<i8>,
    day: Option<i8>,
    /// How many days off follow one another from that day on; one where nothing is said.
    days: Option<u8>,
    /// Days after Easter Sunday.
    easter: Option<i8>,
    weekday: Option<String>,
    /// Which of the month's weekdays: 1 the first, -1 the last.
    nth: Option<i8>,
    /// Whether a weekend moves it to the next working day.
    #[serde(default)]
    substitute: bool,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Day { month: i8, day: i8, days: u8 },
    Easter(i8),
    Nth { month: i8, weekday: Weekday, nth: i8 },
}

/// Which days are working days.
#[derive(Debug, Clone, Default)]
pub(super) struct Calendar {
    rules: Vec<(Rule, bool)>,
}

impl Calendar {
    /// Takes in a holiday, or says why it is none.
    pub(super) fn add(&mut self, holiday: &Holiday) -> Result<(), String> {
        let rule = rule(holiday).ok_or_else(|| {
            let name = &holiday.name;
            format!("the holiday {name} is neither a day, nor one of Easter, nor a weekday")
        })?;
        self.rules.push((rule, holiday.substitute));
        Ok(())
    }

    /// The first working day from a day on.
    pub(super) fn working_day_from(&self, from: Date) -> Option<Date> {
        let mut day = from;
        for _ in 0..LONGEST_SEARCH_DAYS {
            if !self.is_off(day) {
                return Some(day);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The last of so many working days after a day.
    pub(super) fn working_days_after(&self, from: Date, days: u16) -> Option<Date> {
        let mut day = from;
        for _ in 0..days {
            day = self.working_day_from(day.tomorrow().ok()?)?;
        }
        Some(day)
    }

    fn is_off(&self, day: Date) -> bool {
        weekend(day) || self.days_off(day.year()).contains(&day)
    }

    /// The holidays of a year, with what reaches in from the year before.
    fn days_off(&self, year: i16) -> BTreeSet<Date> {
        let mut off = BTreeSet::new();
        for year in [year.saturating_sub(1), year] {
            for (rule, substitute) in &self.rules {
                let Some((first, days)) = first_day(*rule, year) else { continue };
                for day in 0..days {
                    if let Ok(day) = first.checked_add(i64::from(day).days()) {
                        observe(day, *substitute, &mut off);
                    }
                }
            }
        }
        off
    }
}

/// Adds a day off; where it falls on a weekend and has a substitute, the next day that is free.
fn observe(day: Date, substitute: bool, off: &mut BTreeSet<Date>) {
    let mut observed = day;
    while substitute && (weekend(observed) || off.contains(&observed)) {
        let Ok(next) = observed.tomorrow() else { return };
        observed = next;
    }
    off.insert(observed);
}

fn weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn rule(holiday: &Holiday) -> Option<Rule> {
    match (holiday.month, holiday.day, holiday.easter, holiday.weekday.as_deref(), holiday.nth) {
        (Some(month), Some(day), None, None, None) => {
            Date::new(2024, month, day).ok()?;
            Some(Rule::Day { month, day, days: holiday.days.unwrap_or(1) })
        }
        (None, None, Some(days), None, None) => Some(Rule::Easter(days)),
        (Some(month), None, None, Some(name), Some(nth)) => {
            let weekday = match name {
                "monday" => Weekday::Monday,
                "tuesday" => Weekday::Tuesday,
                "wednesday" => Weekday::Wednesday,
                "thursday" => Weekday::Thursday,
                "friday" => Weekday::Friday,
                _ => return None,
            };
            Date::new(2024, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()?;
            Some(Rule::Nth { month, weekday, nth })
        }
        _ => None,
    }
}

fn first_day(rule: Rule, year: i16) -> Option<(Date, u8)> {
    match rule {
        Rule::Day { month, day, days } => Some((Date::new(year, month, day).ok()?, days)),
        Rule::Easter(after) => Some((easter(year)?.checked_add(i64::from(after).days()).ok()?, 1)),
        Rule::Nth { month, weekday, nth } => {
            let first = Date::new(year, month, 1).ok()?;
            Some((first.nth_weekday_of_month(nth, weekday).ok()?, 1))
        }
    }
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
#[expect(clippy::many_single_char_names, reason = "the letters of the published algorithm")]
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn easter_is_where_the_church_puts_it() {
        for day in [date(1991, 3, 31), date(2000, 4, 23), date(2008, 3, 23), date(2024, 3, 31)] {
            assert_eq!(easter(day.year()), Some(day));
        }
        assert_eq!(easter(2038), Some(date(2038, 4, 25)), "the latest that it can be");
    }
}
