//! What the built-in clocks give, and what is refused as one.

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
        let (first, later) = (format!("former/{profile}.toml"), format!("former/{profile}-"));
        assert!(*name == first || name.starts_with(&later), "{name} is of {profile}");
        assert!(!now.contains(&hash), "{name} is in force");
    }
}

#[test]
fn whoever_lost_an_appeal_has_time_to_go_further_where_the_law_gives_it() {
    let of = |profile, circumstance| {
        let clocks = Clocks::embedded();
        let last = clocks.compute(profile, DeadlineKind::Onward, circumstance, date(2024, 1, 31));
        last.map(|computed| computed.last)
    };
    let ordinary = |profile| of(profile, Circumstance::Ordinary);
    assert_eq!(ordinary("CA"), Some(date(2024, 2, 15)));
    // 60 days end on Easter Sunday, before Easter Monday.
    assert_eq!(of("CA", Circumstance::Abroad), Some(date(2024, 4, 2)));
    assert_eq!(ordinary("DE"), Some(date(2024, 2, 29)));
    // Two months end on Easter Sunday, and the day that does not count is before Easter Monday.
    assert_eq!(ordinary("FR"), Some(date(2024, 4, 2)));
    assert_eq!(of("FR", Circumstance::Abroad), Some(date(2024, 6, 3)));
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
    let ordinary = Circumstance::Ordinary;
    let clocks = Clocks::embedded();
    let computed = clocks.compute("DE", DeadlineKind::Onward, ordinary, date(2024, 1, 31));
    assert_eq!(computed.unwrap().last, date(2024, 2, 29));
    assert_eq!(last("FR", ordinary, date(2024, 1, 31)), date(2024, 3, 1), "the day after");
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
    let working = |from| of_rung("UK_post2022", 2, false, from);
    // From Wednesday before Easter 2024: Thursday, then eleven from Tuesday on.
    assert_eq!(working(date(2024, 3, 27)), date(2024, 4, 16));
    // Twelve from Tuesday 4 January 2022, which Scotland has off: its 2 January was a Sunday.
    assert_eq!(working(date(2021, 12, 24)), date(2022, 1, 20));
    assert_eq!(last("NZ", Circumstance::Ordinary, date(2024, 12, 20)), date(2025, 1, 27));
}

fn of_rung(profile: &str, rung: u8, again: bool, from: Date) -> Date {
    let limit = Limit::onward(rung, again);
    Clocks::embedded().compute(profile, limit, Circumstance::Ordinary, from).unwrap().last
}

#[test]
fn each_court_has_its_own_time_and_a_later_one_that_of_the_court_before() {
    let of = |rung, again| of_rung("UK_post2022", rung, again, date(2026, 11, 9));
    assert_eq!(of(1, false), date(2026, 11, 23));
    assert_eq!(of(1, true), date(2026, 11, 23));
    assert_eq!(of(2, false), date(2026, 11, 25), "twelve working days");
    assert_eq!(of(2, true), date(2026, 12, 7), "the Court of Appeal is asked within 28 days");
    assert_eq!(of(3, false), date(2026, 12, 7));
    assert_eq!(of(4, true), date(2026, 12, 7));
    let german = |rung, again| of_rung("DE", rung, again, date(2026, 11, 9));
    assert_eq!(german(1, false), german(3, true), "the only clock is that of each court");
}

#[test]
fn nobody_is_given_less_than_the_law_gives() {
    // The rules give no shorter time to whoever is detained.
    for profile in ["UK_pre2022", "UK_post2022"] {
        let detained = last(profile, Circumstance::Detained, date(2026, 11, 20));
        assert_eq!(detained, date(2026, 12, 4), "{profile}");
    }
    // Matariki does not count, and a period of days does not end on it or on a Sunday.
    assert_eq!(last("NZ", Circumstance::Ordinary, date(2025, 6, 16)), date(2025, 7, 1));
    assert_eq!(of_rung("NZ", 1, false, date(2026, 11, 1)), date(2026, 11, 30));
    assert_eq!(of_rung("NZ", 1, false, date(2026, 6, 12)), date(2026, 7, 13));
    // Independence Day 2026, a Saturday, is observed on the Friday before.
    assert_eq!(last("US", Circumstance::Ordinary, date(2026, 6, 3)), date(2026, 7, 6));
    // The day on which a French period would end does not count.
    assert_eq!(last("FR", Circumstance::Ordinary, date(2026, 6, 2)), date(2026, 7, 3));
    assert_eq!(of_rung("FR", 1, false, date(2026, 9, 16)), date(2026, 11, 17));
    // Corpus Christi is a holiday in six of the Laender.
    assert_eq!(last("DE", Circumstance::Ordinary, date(2026, 5, 21)), date(2026, 6, 5));
    // Saint Andrew's Day is a bank holiday in Scotland.
    assert_eq!(last("UK_post2022", Circumstance::Ordinary, date(2026, 11, 16)), date(2026, 12, 1));
}

#[test]
fn a_circumstance_without_a_clock_has_the_ordinary_one() {
    let from = date(2024, 2, 1);
    assert_eq!(last("EU", Circumstance::Detained, from), last("EU", Circumstance::Ordinary, from));
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
    let appeal = format!("{head}zone = \"UTC\"\n{clock}{source}");
    assert_eq!(
        of(&format!("{appeal}working_days = 3\nfranc = true\nrung = 2")),
        [
            "x.toml:5: the clock appeal ordinary counts working days, which end with the last of them",
            "x.toml:5: the clock appeal ordinary has a rung, or is to ask again, which only the time to go \
             further is",
        ]
    );
    let onward = appeal.replace("appeal", "onward");
    let none = "x.toml:5: the clock onward ordinary has a rung from 1 on";
    assert_eq!(of(&format!("{onward}days = 3\nrung = 0")), [none]);
    for (days, what) in [("-5", ""), ("70000", ""), ("\"5\"", "invalid type: string \"5\", ")] {
        let text = format!("{head}zone = \"UTC\"\n{clock}days = {days}\n{source}");
        let said = format!("x.toml:8: {what}expected a whole number from 1 to 65,535");
        assert_eq!(of(&text), [said]);
    }
    let twice = ["a.toml", "b.toml"]
        .map(|name| (name.to_owned(), format!("{head}zone = \"UTC\"\n{clock}days = 3\n{source}")));
    let twice = Clocks::from_files(twice).unwrap_err();
    assert_eq!(twice[0].to_string(), "b.toml: a second file of the profile X");
}
