//! Clocks as data: how long each time limit of a profile runs, and where that stands.
//!
//! The files of `schemas/clocks` are built in; others may be brought. A file is named by its hash,
//! which every event that a clock computed carries, so that the computation can be repeated: what a
//! file said before it was changed stays in `schemas/clocks/former` and is found by its hash alone.
//!
//! Time runs from the day after the event that starts it, in the time zone of the authority, and
//! ends with the last day. Where a clock is missing nothing is computed, and the sender states the
//! last day.

mod calendar;
mod file;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use guidance::Fault;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::calendar::Calendar;
use crate::Instant;
use crate::token::ClocksId;
use crate::vocabulary::{Circumstance, DeadlineKind};

/// Name and text of each file of `schemas/clocks`.
const FILES: &[(&str, &str)] = &[
    ("UNHCR.toml", include_str!("../../../../schemas/clocks/UNHCR.toml")),
    ("EU.toml", include_str!("../../../../schemas/clocks/EU.toml")),
    ("DE.toml", include_str!("../../../../schemas/clocks/DE.toml")),
    ("FR.toml", include_str!("../../../../schemas/clocks/FR.toml")),
    ("UK_pre2022.toml", include_str!("../../../../schemas/clocks/UK_pre2022.toml")),
    ("UK_post2022.toml", include_str!("../../../../schemas/clocks/UK_post2022.toml")),
    ("CA.toml", include_str!("../../../../schemas/clocks/CA.toml")),
    ("NZ.toml", include_str!("../../../../schemas/clocks/NZ.toml")),
    ("AU.toml", include_str!("../../../../schemas/clocks/AU.toml")),
    ("US.toml", include_str!("../../../../schemas/clocks/US.toml")),
    ("ECHR.toml", include_str!("../../../../schemas/clocks/ECHR.toml")),
];

/// Name and text of each file of `schemas/clocks/former`: by these nothing is computed any more.
const FORMER: &[(&str, &str)] = &[
    ("former/DE.toml", include_str!("../../../../schemas/clocks/former/DE.toml")),
    ("former/FR.toml", include_str!("../../../../schemas/clocks/former/FR.toml")),
    ("former/CA.toml", include_str!("../../../../schemas/clocks/former/CA.toml")),
    ("former/NZ.toml", include_str!("../../../../schemas/clocks/former/NZ.toml")),
    ("former/AU.toml", include_str!("../../../../schemas/clocks/former/AU.toml")),
    ("former/US.toml", include_str!("../../../../schemas/clocks/former/US.toml")),
];

/// Where a time limit stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClockSource {
    /// The text.
    pub cite: String,
    /// The place in it.
    pub pinpoint: String,
    /// Whether it was read, or is from memory and not verified.
    pub checked: Checked,
}

/// Whether a source was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Checked {
    /// Read.
    Read,
    /// From memory: not verified.
    Memory,
}

/// A time limit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// What it is for.
    pub kind: DeadlineKind,
    /// Under which circumstance it holds.
    pub circumstance: Circumstance,
    /// So many days of the calendar.
    #[serde(default, deserialize_with = "file::length", skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// So many working days.
    #[serde(default, deserialize_with = "file::length", skip_serializing_if = "Option::is_none")]
    pub working_days: Option<u16>,
    /// So many months; where the last month has no such day, its last one.
    #[serde(default, deserialize_with = "file::length", skip_serializing_if = "Option::is_none")]
    pub months: Option<u16>,
    /// What is to be known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it stands.
    pub sources: Vec<ClockSource>,
}

/// The clocks of a profile.
#[derive(Debug, Clone)]
pub struct ProfileClocks {
    /// SHA-256 of the file.
    pub hash: ClocksId,
    /// The time limits.
    pub clocks: Vec<Clock>,
    zone: TimeZone,
    rolls: bool,
    calendar: Calendar,
}

/// What a clock computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The last day of the time limit.
    pub last: Date,
    /// The first instant at which it is over.
    pub over: Instant,
    /// The file.
    pub clocks: ClocksId,
}

/// The clocks of all profiles.
#[derive(Debug, Clone, Default)]
pub struct Clocks {
    profiles: BTreeMap<String, ProfileClocks>,
    former: Vec<(String, ProfileClocks)>,
}

static EMBEDDED: LazyLock<Clocks> = LazyLock::new(|| {
    let files = FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let former = FORMER.iter().filter_map(|(name, text)| file::read(name, text).ok());
    // A test reads the built-in files; without them every last day is stated by the sender.
    Clocks { former: former.collect(), ..Clocks::from_files(files).unwrap_or_default() }
});

impl Clocks {
    /// The clocks that are built into this program.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads files that the caller brings, as name and text. All or nothing: every fault of every
    /// file is told.
    pub fn from_files(
        files: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<Fault>> {
        let (mut profiles, mut faults) = (BTreeMap::new(), Vec::new());
        for (file, text) in files {
            match file::read(&file, &text) {
                Ok((profile, _)) if profiles.contains_key(&profile) => {
                    let reason = format!("a second file of the profile {profile}");
                    faults.push(Fault { file, line: None, reason });
                }
                Ok((profile, clocks)) => {
                    profiles.insert(profile, clocks);
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(Self { profiles, former: Vec::new() }) } else { Err(faults) }
    }

    /// The clocks of each profile by its name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &ProfileClocks)> {
        self.profiles.iter().map(|(profile, clocks)| (profile.as_str(), clocks))
    }

    /// Computes the last day of a time limit that runs from a day; `None` where the profile has no
    /// such clock. A circumstance without a clock of its own has the ordinary one.
    #[must_use]
    pub fn compute(
        &self,
        profile: &str,
        kind: DeadlineKind,
        circumstance: Circumstance,
        from: Date,
    ) -> Option<Computed> {
        self.profiles.get(profile)?.compute(kind, circumstance, from)
    }

    /// The clocks of a file that is named by its hash, as it stands in records, and their profile; also
    /// of one by which the program computed before.
    #[must_use]
    pub fn by_hash(&self, hash: &str) -> Option<(&str, &ProfileClocks)> {
        let former = self.former.iter().map(|(profile, clocks)| (profile.as_str(), clocks));
        self.all().chain(former).find(|(_, clocks)| clocks.hash.as_str() == hash)
    }

    /// The first instant after a day, where the profile's authority sits; in UTC where the profile
    /// has no clocks.
    #[must_use]
    pub fn after(&self, profile: &str, last: Date) -> Option<Instant> {
        match self.profiles.get(profile) {
            Some(clocks) => clocks.after(last),
            None => midnight_after(last, &TimeZone::UTC),
        }
    }
}

fn midnight_after(last: Date, zone: &TimeZone) -> Option<Instant> {
    let next = last.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
    Some(Instant::new(next.timestamp()))
}

impl ProfileClocks {
    /// The time zone of the authority, by its IANA name.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Whether a period that would end on a day off ends on the next working day.
    #[must_use]
    pub const fn rolls(&self) -> bool {
        self.rolls
    }

    /// See [`Clocks::compute`].
    pub(crate) fn compute(
        &self,
        kind: DeadlineKind,
        circumstance: Circumstance,
        from: Date,
    ) -> Option<Computed> {
        let of = |circumstance| {
            let mut all = self.clocks.iter();
            all.find(|clock| clock.kind == kind && clock.circumstance == circumstance)
        };
        let clock = of(circumstance).or_else(|| of(Circumstance::Ordinary))?;
        let last = self.last_day(clock, from)?;
        Some(Computed { last, over: self.after(last)?, clocks: self.hash.clone() })
    }

    fn last_day(&self, clock: &Clock, from: Date) -> Option<Date> {
        let last = match (clock.days, clock.working_days, clock.months) {
            (Some(days), None, None) => from.checked_add(i64::from(days).days()).ok()?,
            (None, Some(days), None) => return self.calendar.working_days_after(from, days),
            (None, None, Some(months)) => from.checked_add(i64::from(months).months()).ok()?,
            _ => return None,
        };
        if self.rolls { self.calendar.working_day_from(last) } else { Some(last) }
    }

    pub(crate) fn after(&self, last: Date) -> Option<Instant> {
        midnight_after(last, &self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn last(profile: &str, circumstance: Circumstance, from: Date) -> Date {
        let clocks = Clocks::embedded();
        clocks.compute(profile, DeadlineKind::Appeal, circumstance, from).unwrap().last
    }

    #[test]
    fn the_built_in_clocks_are_sound_and_each_names_its_source() {
        let files = FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let clocks = Clocks::from_files(files).unwrap();
        let profiles: Vec<_> = clocks.all().map(|(profile, _)| profile).collect();
        let library = guidance::Library::embedded().unwrap();
        for guidance in library.all() {
            assert!(profiles.contains(&guidance.profile()), "{}", guidance.profile());
        }
    }

    #[test]
    fn every_former_file_is_found_by_its_hash_and_computes_nothing() {
        let clocks = Clocks::embedded();
        let now: Vec<_> = clocks.all().map(|(_, clocks)| clocks.hash.clone()).collect();
        for (name, text) in FORMER {
            let hash = ClocksId::of_file(text.as_bytes());
            let (profile, _) = clocks.by_hash(hash.as_str()).unwrap();
            assert_eq!(format!("former/{profile}.toml"), *name);
            assert!(!now.contains(&hash), "{name} is in force");
        }
    }

    #[test]
    fn whoever_lost_an_appeal_has_time_to_go_further_where_the_law_gives_it() {
        let of = |profile, circumstance| {
            let clocks = Clocks::embedded();
            let last =
                clocks.compute(profile, DeadlineKind::Onward, circumstance, date(2024, 1, 31));
            last.map(|computed| computed.last)
        };
        let ordinary = |profile| of(profile, Circumstance::Ordinary);
        assert_eq!(ordinary("CA"), Some(date(2024, 2, 15)));
        // 60 days end on Easter Sunday, before Easter Monday.
        assert_eq!(of("CA", Circumstance::Abroad), Some(date(2024, 4, 2)));
        assert_eq!(ordinary("DE"), Some(date(2024, 2, 29)));
        // Two months end on Easter Sunday.
        assert_eq!(ordinary("FR"), Some(date(2024, 4, 2)));
        assert_eq!(of("FR", Circumstance::Abroad), Some(date(2024, 5, 31)));
        assert_eq!(ordinary("NZ"), Some(date(2024, 2, 28)));
        assert_eq!(ordinary("AU"), Some(date(2024, 3, 6)));
        assert_eq!(ordinary("US"), Some(date(2024, 3, 1)));
        assert_eq!(ordinary("UK_post2022"), Some(date(2024, 2, 14)));
        // The Union asks for one appeal, the handbook of UNHCR for one, the Convention for a remedy.
        for none in ["EU", "UNHCR", "ECHR"] {
            assert_eq!(ordinary(none), None, "{none}");
        }
    }

    #[test]
    fn a_month_ends_with_the_month_where_it_has_no_such_day() {
        assert_eq!(last("FR", Circumstance::Ordinary, date(2024, 1, 31)), date(2024, 2, 29));
    }

    #[test]
    fn a_period_that_ends_on_a_day_off_ends_on_the_next_working_day() {
        assert_eq!(last("DE", Circumstance::Ordinary, date(2024, 4, 2)), date(2024, 4, 16));
        // 14 days after 15 March 2024 is Good Friday: Saturday, Sunday, Easter Monday follow.
        assert_eq!(last("DE", Circumstance::Ordinary, date(2024, 3, 15)), date(2024, 4, 2));
        assert_eq!(last("UNHCR", Circumstance::Ordinary, date(2024, 2, 1)), date(2024, 3, 2));
    }

    #[test]
    fn working_days_skip_weekends_and_holidays() {
        // From Wednesday before Easter 2024: Thursday, then Tuesday to Friday.
        assert_eq!(
            last("UK_post2022", Circumstance::Detained, date(2024, 3, 27)),
            date(2024, 4, 5)
        );
        // Christmas 2021 was a Saturday and has its substitute on Monday, Boxing Day on Tuesday.
        assert_eq!(
            last("UK_post2022", Circumstance::Detained, date(2021, 12, 24)),
            date(2022, 1, 5)
        );
        assert_eq!(last("NZ", Circumstance::Ordinary, date(2024, 12, 20)), date(2025, 1, 27));
    }

    #[test]
    fn a_circumstance_without_a_clock_has_the_ordinary_one() {
        let from = date(2024, 2, 1);
        assert_eq!(
            last("EU", Circumstance::Detained, from),
            last("EU", Circumstance::Ordinary, from)
        );
    }

    #[test]
    fn the_last_day_is_over_at_midnight_where_the_authority_sits() {
        let over = |profile, day| Clocks::embedded().after(profile, day).unwrap().to_string();
        assert_eq!(over("DE", date(2024, 7, 1)), "2024-07-01T22:00:00Z");
        assert_eq!(over("DE", date(2024, 1, 1)), "2024-01-01T23:00:00Z");
        assert_eq!(over("NZ", date(2024, 7, 1)), "2024-07-01T12:00:00Z");
        assert_eq!(over("elsewhere", date(2024, 7, 1)), "2024-07-02T00:00:00Z");
    }

    #[test]
    fn a_faulty_file_is_refused_with_lines_and_reasons() {
        let of = |text: &str| {
            let files = [("x.toml".to_owned(), text.to_owned())];
            Clocks::from_files(files).unwrap_err().iter().map(Fault::to_string).collect::<Vec<_>>()
        };
        let head = "profile = \"X\"\nrolls = false\nholidays = []\n";
        let clock = "[[clock]]\nkind = \"appeal\"\ncircumstance = \"ordinary\"\n";
        let source = "sources = [{ cite = \"A\", pinpoint = \"1\", checked = \"read\" }]\n";
        assert_eq!(
            of(&format!("{head}zone = \"Mars/Base\"\nclock = []")),
            ["x.toml:4: the time zone Mars/Base is unknown"]
        );
        let unknown = of(&format!("{head}zone = \"UTC\"\nclock = []\nmore = 1"));
        assert!(unknown[0].starts_with("x.toml:6: ") && unknown[0].contains("more"), "{unknown:?}");
        assert_eq!(
            of(&format!("{head}zone = \"UTC\"\n{clock}sources = []\n{clock}days = 3\n{source}")),
            [
                "x.toml:5: the clock appeal ordinary has exactly one of days, working_days and \
                 months, from 1 on",
                "x.toml:5: the clock appeal ordinary has no source",
                "x.toml:9: the clock appeal ordinary is there twice",
            ]
        );
        for (days, what) in [("-5", ""), ("70000", ""), ("\"5\"", "invalid type: string \"5\", ")] {
            let text = format!("{head}zone = \"UTC\"\n{clock}days = {days}\n{source}");
            let said = format!("x.toml:8: {what}expected a whole number from 1 to 65,535");
            assert_eq!(of(&text), [said]);
        }
        let twice = ["a.toml", "b.toml"].map(|name| {
            (name.to_owned(), format!("{head}zone = \"UTC\"\n{clock}days = 3\n{source}"))
        });
        let twice = Clocks::from_files(twice).unwrap_err();
        assert_eq!(twice[0].to_string(), "b.toml: a second file of the profile X");
    }
}
