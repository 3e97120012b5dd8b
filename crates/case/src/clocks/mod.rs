//! Clocks as data: how long each time limit of a profile runs, and where that stands.
//!
//! The files of `schemas/clocks` are built in; others may be brought. A file is named by its hash,
//! which every event that a clock computed carries, so that the computation can be repeated: what a
//! file said before it was changed stays in `schemas/clocks/former` and is found by its hash alone.
//!
//! Time runs from the day after the event that starts it, in the time zone of the authority, and
//! ends with the last day. Where a clock is missing nothing is computed, and the sender states the
//! last day. Where a calendar does not know what is a day off where the court sits, every day off that
//! may be one is in it: nobody gets less.

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
    ("former/DE-2.toml", include_str!("../../../../schemas/clocks/former/DE-2.toml")),
    ("former/FR.toml", include_str!("../../../../schemas/clocks/former/FR.toml")),
    ("former/FR-2.toml", include_str!("../../../../schemas/clocks/former/FR-2.toml")),
    ("former/UK_pre2022.toml", include_str!("../../../../schemas/clocks/former/UK_pre2022.toml")),
    ("former/UK_post2022.toml", include_str!("../../../../schemas/clocks/former/UK_post2022.toml")),
    ("former/CA.toml", include_str!("../../../../schemas/clocks/former/CA.toml")),
    ("former/NZ.toml", include_str!("../../../../schemas/clocks/former/NZ.toml")),
    ("former/NZ-2.toml", include_str!("../../../../schemas/clocks/former/NZ-2.toml")),
    ("former/AU.toml", include_str!("../../../../schemas/clocks/former/AU.toml")),
    ("former/US.toml", include_str!("../../../../schemas/clocks/former/US.toml")),
    ("former/US-2.toml", include_str!("../../../../schemas/clocks/former/US-2.toml")),
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
    /// Whether the day on which it would end does not count, so that the next is the last (*délai franc*).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub franc: bool,
    /// From how many courts that ruled on it holds, where it is the time to go further: the first where
    /// nothing is said, and each later one that has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<u8>,
    /// Whether it is the time to ask once more, after the permission to go further was refused. Where there
    /// is none, that is as long as the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// What is to be known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it stands.
    pub sources: Vec<ClockSource>,
}

/// Which time limit is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What it is for.
    pub kind: DeadlineKind,
    /// How many courts ruled, where it is the time to go further; 1 for every other.
    pub rung: u8,
    /// Whether permission to go further was refused and may be asked for once more.
    pub again: bool,
}

impl Limit {
    /// The time to go further, where so many courts ruled.
    pub(crate) const fn onward(rung: u8, again: bool) -> Self {
        Self { kind: DeadlineKind::Onward, rung, again }
    }
}

impl From<DeadlineKind> for Limit {
    fn from(kind: DeadlineKind) -> Self {
        Self { kind, rung: 1, again: false }
    }
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
        limit: impl Into<Limit>,
        circumstance: Circumstance,
        from: Date,
    ) -> Option<Computed> {
        self.profiles.get(profile)?.compute(limit.into(), circumstance, from)
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
        limit: Limit,
        circumstance: Circumstance,
        from: Date,
    ) -> Option<Computed> {
        let of = |circumstance| {
            let all = self.clocks.iter().filter(|clock| {
                clock.kind == limit.kind
                    && clock.circumstance == circumstance
                    && clock.rung.unwrap_or(1) <= limit.rung
                    && (limit.again || !clock.again)
            });
            all.max_by_key(|clock| (clock.rung.unwrap_or(1), clock.again))
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
        let last = if clock.franc { last.tomorrow().ok()? } else { last };
        if self.rolls { self.calendar.working_day_from(last) } else { Some(last) }
    }

    pub(crate) fn after(&self, last: Date) -> Option<Instant> {
        midnight_after(last, &self.zone)
    }
}

#[cfg(test)]
mod tests;
