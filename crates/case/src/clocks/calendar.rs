//! Working days: weekends, and tables of holidays, which repeat every year or are of one.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// How long a search for a working day may take, in days; no table has so many days off in a row.
const LONGEST_SEARCH_DAYS: u16 = 400;

/// A day off that comes back every year, or is of one: a day of the calendar, the first such weekday from
/// it on, a day before or after Easter Sunday, or a weekday of a month.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Holiday {
    name: String,
    /// The only year that has it; every year where nothing is said.
    year: Option<i16>,
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
    /// Whether a Saturday moves it to the Friday before, and a Sunday to the Monday after.
    #[serde(default)]
    nearest: bool,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Day { month: i8, day: i8, days: u8 },
    From { month: i8, day: i8, weekday: Weekday },
    Easter(i8),
    Nth { month: i8, weekday: Weekday, nth: i8 },
}

/// Where a weekend moves a holiday.
#[derive(Debug, Clone, Copy)]
enum Moves {
    Nowhere,
    ToTheNext,
    ToTheNearest,
}

#[derive(Debug, Clone, Copy)]
struct DayOff {
    rule: Rule,
    year: Option<i16>,
    moves: Moves,
}

/// Which days are working days.
#[derive(Debug, Clone, Default)]
pub(super) struct Calendar {
    days: Vec<DayOff>,
}

impl Calendar {
    /// Takes in a holiday, or says why it is none.
    pub(super) fn add(&mut self, holiday: &Holiday) -> Result<(), String> {
        let name = &holiday.name;
        let rule = rule(holiday).ok_or_else(|| {
            format!("the holiday {name} is neither a day, nor one of Easter, nor a weekday")
        })?;
        let moves = match (holiday.substitute, holiday.nearest) {
            (false, false) => Moves::Nowhere,
            (true, false) => Moves::ToTheNext,
            (false, true) => Moves::ToTheNearest,
            (true, true) => {
                return Err(format!("the holiday {name} moves to the next day or to the nearest"));
            }
        };
        self.days.push(DayOff { rule, year: holiday.year, moves });
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

    /// The holidays of a year, with what reaches in from the years beside it.
    fn days_off(&self, year: i16) -> BTreeSet<Date> {
        let mut off = BTreeSet::new();
        for year in year.saturating_sub(1)..=year.saturating_add(1) {
            for one in self.days.iter().filter(|one| one.year.is_none_or(|only| only == year)) {
                let Some((first, days)) = first_day(one.rule, year) else { continue };
                for day in 0..days {
                    if let Ok(day) = first.checked_add(i64::from(day).days()) {
                        observe(day, one.moves, &mut off);
                    }
                }
            }
        }
        off
    }
}

/// Adds a day off, moved where it falls on a weekend: to the next day that is free, or to the nearest one.
fn observe(day: Date, moves: Moves, off: &mut BTreeSet<Date>) {
    let observed = match (moves, day.weekday()) {
        (Moves::ToTheNearest, Weekday::Saturday) => day.yesterday().ok(),
        (Moves::ToTheNearest, Weekday::Sunday) => day.tomorrow().ok(),
        (Moves::Nowhere | Moves::ToTheNearest, _) => Some(day),
        (Moves::ToTheNext, _) => {
            let mut days = std::iter::successors(Some(day), |day| day.tomorrow().ok());
            days.find(|day| !weekend(*day) && !off.contains(day))
        }
    };
    off.extend(observed);
}

fn weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn rule(holiday: &Holiday) -> Option<Rule> {
    let weekday = holiday.weekday.as_deref().map(weekday_named);
    match (holiday.month, holiday.day, holiday.easter, weekday, holiday.nth) {
        (Some(month), Some(day), None, None, None) => {
            Date::new(2024, month, day).ok()?;
            Some(Rule::Day { month, day, days: holiday.days.unwrap_or(1) })
        }
        (Some(month), Some(day), None, Some(weekday), None) => {
            Date::new(2024, month, day).ok()?;
            Some(Rule::From { month, day, weekday: weekday? })
        }
        (None, None, Some(days), None, None) => Some(Rule::Easter(days)),
        (Some(month), None, None, Some(weekday), Some(nth)) => {
            let weekday = weekday?;
            Date::new(2024, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()?;
            Some(Rule::Nth { month, weekday, nth })
        }
        _ => None,
    }
}

fn weekday_named(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        _ => return None,
    })
}

fn first_day(rule: Rule, year: i16) -> Option<(Date, u8)> {
    match rule {
        Rule::Day { month, day, days } => Some((Date::new(year, month, day).ok()?, days)),
        Rule::From { month, day, weekday } => {
            let before = Date::new(year, month, day).ok()?.yesterday().ok()?;
            Some((before.nth_weekday(1, weekday).ok()?, 1))
        }
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

    #[test]
    fn a_weekend_moves_a_holiday_to_the_next_or_to_the_nearest_working_day() {
        let observed = |moves, day| {
            let mut off = BTreeSet::new();
            observe(day, moves, &mut off);
            off.into_iter().next()
        };
        let (saturday, sunday) = (date(2026, 7, 4), date(2027, 7, 4));
        assert_eq!(observed(Moves::ToTheNext, saturday), Some(date(2026, 7, 6)));
        assert_eq!(observed(Moves::ToTheNearest, saturday), Some(date(2026, 7, 3)));
        assert_eq!(observed(Moves::ToTheNearest, sunday), Some(date(2027, 7, 5)));
        assert_eq!(observed(Moves::Nowhere, saturday), Some(saturday));
    }

    #[test]
    fn a_holiday_may_be_a_weekday_from_a_day_on_or_of_one_year_only() {
        let of = |text: &str| {
            let mut calendar = Calendar::default();
            calendar.add(&toml::from_str(text).unwrap()).unwrap();
            calendar
        };
        let first = |calendar: &Calendar, year| {
            calendar.days_off(year).range(date(year, 1, 1)..).next().copied()
        };
        // The Wednesday before 23 November.
        let repentance = of("name = \"a\"\nmonth = 11\nday = 16\nweekday = \"wednesday\"");
        assert_eq!(first(&repentance, 2022), Some(date(2022, 11, 16)));
        assert_eq!(first(&repentance, 2023), Some(date(2023, 11, 22)));
        let once = of("name = \"a\"\nyear = 2026\nmonth = 7\nday = 10");
        assert!(once.is_off(date(2026, 7, 10)) && !once.is_off(date(2028, 7, 10)));
        // New Year's Day 2028 is a Saturday: the Friday before lies in the old year.
        let new_year = of("name = \"a\"\nmonth = 1\nday = 1\nnearest = true");
        assert!(new_year.is_off(date(2027, 12, 31)));
    }
}
