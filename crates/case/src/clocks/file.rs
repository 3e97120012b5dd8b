//! A file of clocks, read and checked: every fault with its line.

use std::collections::BTreeSet;
use std::fmt;

use guidance::{Fault, Faults};
use jiff::tz::TimeZoneDatabase;
use serde::Deserializer;
use serde::de::Visitor;
use toml::Spanned;

use super::calendar::{Calendar, Holiday};
use super::{Clock, ProfileClocks};
use crate::token::{ClocksId, ProfileName};
use crate::vocabulary::DeadlineKind;

/// What the length of a time limit is.
const LENGTH: &str = "a whole number from 1 to 65,535";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    profile: Spanned<ProfileName>,
    zone: Spanned<String>,
    rolls: bool,
    holidays: Vec<Spanned<Holiday>>,
    clock: Vec<Spanned<Clock>>,
}

/// Reads a file: the profile that it is for, and its clocks.
pub(super) fn read(file: &str, text: &str) -> Result<(String, ProfileClocks), Vec<Fault>> {
    let mut faults = Faults::new(file, text);
    let written: Written = match toml::from_str(text) {
        Ok(written) => written,
        Err(error) => {
            faults.parser(&error);
            return Err(faults.into_vec());
        }
    };
    check_clocks(&written.clock, &mut faults);
    let mut calendar = Calendar::default();
    for holiday in &written.holidays {
        if let Err(reason) = calendar.add(holiday.get_ref()) {
            faults.at(&holiday.span(), reason);
        }
    }
    let zone = TimeZoneDatabase::bundled().get(written.zone.get_ref());
    if zone.is_err() {
        let reason = format!("the time zone {} is unknown", written.zone.get_ref());
        faults.at(&written.zone.span(), reason);
    }
    match zone {
        Ok(zone) if faults.is_empty() => Ok((
            written.profile.into_inner().as_str().to_owned(),
            ProfileClocks {
                hash: ClocksId::of_file(text.as_bytes()),
                clocks: written.clock.into_iter().map(Spanned::into_inner).collect(),
                zone,
                rolls: written.rolls,
                calendar,
            },
        )),
        _ => Err(faults.into_vec()),
    }
}

/// Reads a length. Its own error would name a type of this program.
pub(super) fn length<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    struct Length;

    impl Visitor<'_> for Length {
        type Value = u16;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str(LENGTH)
        }

        fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<u16, E> {
            u16::try_from(number).map_err(|_| E::custom(format_args!("expected {LENGTH}")))
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<u16, E> {
            u16::try_from(number).map_err(|_| E::custom(format_args!("expected {LENGTH}")))
        }
    }

    from.deserialize_u16(Length).map(Some)
}

fn check_clocks(clocks: &[Spanned<Clock>], faults: &mut Faults<'_>) {
    let mut seen = BTreeSet::new();
    for written in clocks {
        let clock = written.get_ref();
        let mut refuse = |reason: &str| {
            let (kind, circumstance) = (clock.kind, clock.circumstance);
            faults.at(&written.span(), format!("the clock {kind} {circumstance} {reason}"));
        };
        let lengths = [clock.days, clock.working_days, clock.months];
        if lengths.iter().flatten().count() != 1 || lengths.iter().flatten().any(|n| *n == 0) {
            refuse("has exactly one of days, working_days and months, from 1 on");
        }
        if clock.sources.is_empty() {
            refuse("has no source");
        }
        if clock.franc && clock.working_days.is_some() {
            refuse("counts working days, which end with the last of them");
        }
        if clock.kind != DeadlineKind::Onward && (clock.again || clock.rung.is_some()) {
            refuse("has a rung, or is to ask again, which only the time to go further is");
        }
        if clock.rung == Some(0) {
            refuse("has a rung from 1 on");
        }
        let (rung, again) = (clock.rung.unwrap_or(1), clock.again);
        if !seen.insert((clock.kind, clock.circumstance, rung, again)) {
            refuse("is there twice");
        }
    }
}
