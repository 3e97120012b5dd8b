//! Bad profiles and sets of files are refused; good ones are found by profile, date and hash.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test, in functions beside the tests too"
)]

mod common;

use common::{CRITERIA, EU, faults, library, line, pinned};
use guidance::{Facts, GuidanceHash, Library, NotInForce, Outcome, Question, Sought, Value};

/// One line per rule: what is replaced in a profile, by what, where the fault is, and its reason.
const PROFILE_FAULTS: &[(&str, &str, &str, &str)] = &[
    ("profile = \"EU\"", "profile = \"E U\"", "profile = \"E U\"", "letters, digits and `_`"),
    ("criteria = \"sha256:", "criteria = \"sha512:", "criteria = \"sha512:", "a guidance hash is"),
    ("valid_from = 2004-10-20", "valid_from = 2004-10-20T00:00:00", "valid_from", "is no date"),
    ("valid_from = 2004-10-20", "valid_from = \"2004-10-20\"", "valid_from", "expected"),
    (
        "valid_from = 2004-10-20",
        "valid_from = 2004-10-20\nvalid_to = 2004-10-19",
        "valid_to",
        "valid_to 2004-10-19 is before valid_from 2004-10-20",
    ),
    ("[standards.past_facts]", "[standards.facts]", "profile = \"EU\"", "for `past_facts`"),
    (
        "[standards.past_facts]",
        "[standards.facts]",
        "[standards.facts]",
        "unknown standard `facts`",
    ),
    (
        "value = \"balance\"",
        "value = \"51 percent\"",
        "value = \"51 percent\"",
        "is no standard of proof",
    ),
    (
        "[parameters.nexus_presumed]",
        "[parameters.nexus]",
        "profile = \"EU\"",
        "does not set the parameter `nexus_presumed`",
    ),
    (
        "[parameters.nexus_presumed]",
        "[parameters.nexus]",
        "[parameters.nexus]",
        "unknown parameter `nexus`",
    ),
    ("value = \"leaf\"", "value = \"twig\"", "value = \"twig\"", "is one of leaf, punishment"),
    ("criterion = \"C2.4\"", "criterion = \"C9\"", "criterion = \"C9\"", "unknown criterion `C9`"),
    (
        "kind = \"profile\"",
        "kind = \"law\"",
        "kind = \"law\"",
        "`kind` is `criteria` or `profile`, not `law`",
    ),
    ("profile = \"EU\"", "profile = EU", "profile = EU", ""),
];

#[test]
fn each_fault_of_a_profile_is_told_with_file_line_and_reason() {
    for (from, to, place, reason) in PROFILE_FAULTS {
        assert!(EU.contains(from), "`{from}` is not in EU.toml");
        let changed = EU.replacen(from, to, 1);
        let found = faults(&[("criteria.toml", CRITERIA), ("EU.toml", &changed)]);
        let start = format!("EU.toml:{}: ", line(&changed, place));
        assert!(
            found.iter().any(|fault| fault.starts_with(&start) && fault.contains(reason)),
            "{from} -> {to}: expected {start}{reason}\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn a_parameter_and_a_reading_need_sources() {
    for marker in ["[parameters.nexus_presumed]", "[[reading]]"] {
        let at = EU.find(marker).unwrap();
        let from = at + EU[at..].find("sources = ").unwrap();
        let to = from + EU[from..].find('\n').unwrap();
        let changed = format!("{}{}", &EU[..from], &EU[to..]);
        let found = faults(&[("criteria.toml", CRITERIA), ("EU.toml", &changed)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("has no source"), "{found:?}");
    }
}

#[test]
fn a_profile_that_pins_unknown_criteria_is_refused_and_told_what_there_is() {
    let hash = GuidanceHash::of(CRITERIA.as_bytes());
    let found = faults(&[("criteria.toml", CRITERIA), ("EU.toml", &pinned("other"))]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("EU.toml:"), "{found:?}");
    assert!(found[0].ends_with(&format!("(criteria.toml is {hash})")), "{found:?}");
}

#[test]
fn versions_of_a_profile_may_not_overlap() {
    let from = "valid_from = 2004-10-20";
    let ended = EU.replacen(from, "valid_from = 2004-10-20\nvalid_to = 2030-01-01", 1);
    let later = EU.replacen(from, "valid_from = 2030-01-01", 1);
    let found = faults(&[("criteria.toml", CRITERIA), ("a.toml", &ended), ("b.toml", &later)]);
    let at = line(&later, "2030-01-01");
    assert_eq!(
        found,
        [format!("b.toml:{at}: overlaps a.toml: EU is in force there on 2030-01-01 too")]
    );

    let until = |day: &str| {
        EU.replacen(
            "valid_from = 2004-10-20",
            &format!("valid_from = 2004-10-20\nvalid_to = {day}"),
            1,
        )
    };
    let on_the_day = until("2030-01-01");
    assert_eq!(
        faults(&[("c.toml", CRITERIA), ("a.toml", &on_the_day), ("b.toml", &later)]).len(),
        1
    );
    let the_day_before = until("2029-12-31");
    assert!(
        faults(&[("c.toml", CRITERIA), ("a.toml", &the_day_before), ("b.toml", &later)]).is_empty()
    );
}

#[test]
fn a_node_without_a_member_under_a_profile_is_refused() {
    let from =
        "any = [\"C2.2.a\", { of = \"C2.2.b\", when = \"unlawful_force_admitted\", is = \"yes\" }]";
    let to = "any = [{ of = \"C2.2.b\", when = \"unlawful_force_admitted\", is = \"yes\" }]";
    let changed =
        CRITERIA.replacen(from, to, 1).replacen("  \"C2.2\",\n", "  \"C2.2\",\n  \"C2.2.a\",\n", 1);
    assert_ne!(changed.len(), CRITERIA.len());
    let found = faults(&[("criteria.toml", &changed), ("EU.toml", &pinned(&changed))]);
    let at = line(EU, "profile = \"EU\"");
    assert_eq!(found, [format!("EU.toml:{at}: C2.2 has no member left under these parameters")]);
}

#[test]
fn criteria_without_measure_are_refused() {
    let leaf = |number: usize| {
        format!(
            "[[criterion]]\nid = \"X{number}\"\ntitle = \"x\"\nquestion = \"x\"\n\
             sources = [{{ cite = \"x\", pinpoint = \"x\", checked = \"read\" }}]\n"
        )
    };
    let with = |leaves: usize| {
        let more: String = (0..leaves).map(leaf).collect();
        let ids: Vec<String> = (0..leaves).map(|number| format!(", \"X{number}\"")).collect();
        let wider = CRITERIA.replacen(
            "any = [\"C3.1\", \"C3.2\"]",
            &format!("any = [\"C3.1\", \"C3.2\"{}]", ids.concat()),
            1,
        );
        format!("{wider}\n{more}")
    };
    assert!(faults(&[("criteria.toml", &with(64 - 41))]).is_empty());
    assert_eq!(
        faults(&[("criteria.toml", &with(65 - 41))]),
        ["criteria.toml: 65 leaves are more than the 64 that an answer holds"]
    );
    assert_eq!(faults(&[("criteria.toml", &with(100))]), ["criteria.toml: more than 128 criteria"]);
}

#[test]
fn leaves_that_stand_in_too_many_places_are_refused() {
    let with = |ids: &str| {
        let (from, to) =
            ("any = [\"C3.1\", \"C3.2\"]", format!("any = [\"C3.1\", \"C3.2\", {ids}]"));
        let changed = CRITERIA.replacen(from, &to, 1);
        faults(&[("criteria.toml", &changed), ("EU.toml", &pinned(&changed))])
    };
    // CP.1 and IFA stand in several places already: six more make eight.
    let six = "\"C1.1.a\", \"C1.1.b\", \"C1.1.c\", \"C1.1.d\", \"C1.1.e\", \"C1.2.a\"";
    assert!(with(six).is_empty());
    assert_eq!(
        with(&format!("{six}, \"C1.2.b\"")),
        [format!(
            "EU.toml:{}: 9 leaves feed more than one path to the outcome: at most 8",
            line(EU, "profile = \"EU\"")
        )]
    );
}

#[test]
fn files_that_are_no_guidance_are_refused() {
    assert_eq!(
        faults(&[("x.toml", "a = 1")]),
        ["x.toml: `kind` is `criteria` or `profile`: it is missing"]
    );
    let found = faults(&[("x.toml", "kind = \"criteria\"\na = = 1")]);
    assert!(found[0].starts_with("x.toml:2: "), "{found:?}");
    let bytes = Library::from_files([("x.toml".to_owned(), vec![0xff])]).unwrap_err();
    assert_eq!(bytes[0].to_string(), "x.toml: the file is not UTF-8");
    assert!(faults(&[]).is_empty());
}

#[test]
fn guidance_is_found_by_profile_and_date_and_by_hash() {
    let library = library();
    let date = |text: &str| text.parse().unwrap();
    let eu = library.in_force("EU", date("2004-10-20")).unwrap();
    assert_eq!(eu.hash(), GuidanceHash::of(EU.as_bytes()));
    assert_eq!(eu.criteria_hash(), GuidanceHash::of(CRITERIA.as_bytes()));
    assert_eq!(library.by_hash(&eu.hash()).unwrap().profile(), "EU");
    assert!(library.by_hash(&eu.criteria_hash()).is_none());
    assert!(library.in_force("UK_post2022", date("2022-06-27")).is_none());
    assert!(library.in_force("UK_post2022", date("2022-06-28")).is_some());
    assert!(library.in_force("UK_pre2022", date("2026-01-01")).is_some());
    assert_eq!(
        library.require("UK_post2022", date("2022-06-27")).unwrap_err().to_string(),
        "no version of UK_post2022 is in force on 2022-06-27: from 2022-06-28"
    );
    let unknown = library.require("XX", date("2022-06-27")).unwrap_err();
    assert!(matches!(unknown, NotInForce::Profile { .. }));
    assert_eq!(
        unknown.to_string(),
        "unknown profile `XX`: AU, CA, DE, ECHR, EU, FR, NZ, UK_post2022, UK_pre2022, UNHCR, US"
    );
}

/// What is in force from a later day is a file beside the old one, whose hash assessments name.
#[test]
fn a_version_without_an_end_is_in_force_until_the_next() {
    let from = "valid_from = 2004-10-20";
    let later = EU.replacen(from, "valid_from = 2030-01-01", 1);
    let last = EU.replacen(from, "valid_from = 2040-01-01\nvalid_to = 2050-12-31", 1);
    let files = [("c", CRITERIA), ("z", &last), ("a", EU), ("b", &later)];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let library = Library::from_files(files).unwrap();
    let day = |day: &str| day.parse::<jiff::civil::Date>().unwrap();
    let found = |on: &str| library.in_force("EU", day(on)).map(guidance::Guidance::valid_from);
    let first = day("2004-10-20");
    assert_eq!(found("2029-12-31"), Some(first));
    assert_eq!(found("2030-01-01"), Some(day("2030-01-01")));
    assert_eq!(found("2040-01-01"), Some(day("2040-01-01")));
    assert_eq!(found("2051-01-01"), None);
    let old = library.by_hash(&GuidanceHash::of(EU.as_bytes())).unwrap();
    assert_eq!((old.valid_from(), old.valid_to()), (first, Some(day("2029-12-31"))));
    // The same day twice is a mistake, not a succession.
    let same = format!("{EU}\n# Another wording.\n");
    let found = faults(&[("c", CRITERIA), ("a", EU), ("b", &same)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("EU is in force there on 2004-10-20 too"), "{found:?}");
}

#[test]
fn the_union_has_the_regulation_from_july_2026() {
    let library = library();
    for profile in ["EU", "DE", "FR"] {
        let before = library.require(profile, jiff::civil::date(2026, 6, 30)).unwrap();
        let after = library.require(profile, jiff::civil::date(2026, 7, 1)).unwrap();
        assert_eq!(before.valid_to(), Some(jiff::civil::date(2026, 6, 30)));
        assert_eq!((after.valid_from(), after.valid_to()), (jiff::civil::date(2026, 7, 1), None));
        let values = |one: &guidance::Guidance| -> Vec<(String, String)> {
            let settings = one.settings().iter();
            settings.map(|one| (one.parameter.clone(), one.value.clone())).collect()
        };
        assert_eq!(values(before), values(after), "{profile}: the provisions are the same");
        assert!(after.sources().iter().all(|source| !source.cite.contains("Directive")));
    }
}

#[test]
fn a_version_that_ended_is_found_within_its_days_only() {
    let ended =
        EU.replacen("valid_from = 2004-10-20", "valid_from = 2004-10-20\nvalid_to = 2013-12-20", 1);
    let files = [("c.toml", CRITERIA), ("a.toml", ended.as_str())];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let library = Library::from_files(files).unwrap();
    let found = |day: &str| library.in_force("EU", day.parse().unwrap()).is_some();
    assert_eq!(
        ["2004-10-19", "2004-10-20", "2013-12-20", "2013-12-21"].map(found),
        [false, true, true, false]
    );
    assert_eq!(
        library.require("EU", "2014-01-01".parse().unwrap()).unwrap_err().to_string(),
        "no version of EU is in force on 2014-01-01: from 2004-10-20 to 2013-12-20"
    );
}

/// Other criteria than those built in: there, no node stands in two places.
#[test]
fn the_leaves_of_a_node_in_two_places_are_open_only_if_they_turn_the_outcome() {
    let changed = CRITERIA.replacen("\n  \"C2.6\",\n]", "\n  \"C2.6\",\n  \"C1.3\",\n]", 1);
    assert_ne!(changed.len(), CRITERIA.len());
    let files = [("criteria.toml", changed.as_str()), ("EU.toml", &pinned(&changed))];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let library = Library::from_files(files).unwrap();
    let eu = library.in_force("EU", jiff::civil::date(2020, 11, 19)).unwrap();
    let mut findings = eu.decided_findings();
    for id in ["C2.1", "C2.2.a", "C2.3", "C2.5", "C2.6"] {
        eu.find(&mut findings, id, Value::Met).unwrap();
    }
    for id in ["C2.4", "C1.3.a"] {
        eu.find(&mut findings, id, Value::Undetermined).unwrap();
    }
    let question = Question { sought: Sought::Refugee, facts: Facts::default(), findings };
    let evaluation = eu.evaluate(&question);
    assert_eq!(evaluation.outcome(), Outcome::Undetermined);
    // Category 2 needs C1.3 here, and where C1.3 is met category 1 is enough: C2.4 turns nothing.
    assert_eq!(evaluation.open().collect::<Vec<_>>(), ["C1.3.a"]);
}

#[test]
fn a_leaf_that_stands_for_and_against_at_once_turns_nothing() {
    let from = "any = [\"C1\", \"C2\", \"C3\", \"PUN.1\"]";
    let to = "any = [\"C1\", \"C2\", \"C3\", \"PUN.1\", { not = \"PUN.1\" }]";
    let changed = CRITERIA.replacen(from, to, 1);
    assert_ne!(changed.len(), CRITERIA.len());
    let files = [("criteria.toml", changed.as_str()), ("EU.toml", &pinned(&changed))];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let library = Library::from_files(files).unwrap();
    let eu = library.in_force("EU", jiff::civil::date(2020, 11, 19)).unwrap();
    let mut findings = eu.decided_findings();
    eu.find(&mut findings, "PUN.1", Value::Undetermined).unwrap();
    let question = Question { sought: Sought::Refugee, facts: Facts::default(), findings };
    let evaluation = eu.evaluate(&question);
    assert_eq!(evaluation.outcome(), Outcome::Undetermined);
    assert_eq!(evaluation.open().count(), 0);
}

#[test]
fn every_guidance_file_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/guidance");
    #[expect(clippy::disallowed_methods, reason = "the test looks at the disk, the crate does not")]
    let files = std::fs::read_dir(folder).unwrap();
    let toml =
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "toml"));
    let versions = library().all().count();
    assert_eq!(toml.count(), versions + 1, "a file of schemas/guidance is missing in embedded.rs");
}

#[test]
fn a_guidance_tells_all_that_its_files_say() {
    let library = library();
    let ended =
        EU.replace("valid_from = 2004-10-20", "valid_from = 2004-10-20\nvalid_to = 2030-01-01");
    let files = [("criteria.toml", CRITERIA), ("EU.toml", ended.as_str())];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let once = Library::from_files(files).unwrap();
    let until = once.in_force("EU", jiff::civil::date(2020, 11, 19)).unwrap().valid_to();
    assert_eq!(until, Some(jiff::civil::date(2030, 1, 1)));
    let eu = library.require("EU", jiff::civil::date(2020, 11, 19)).unwrap();
    assert_eq!(eu.valid_to(), Some(jiff::civil::date(2026, 6, 30)));
    let title = "Protection of people who flee conscription: the assessment tree";
    assert_eq!(eu.criteria_title(), title);
    assert_eq!(eu.sources().len(), 3);
    assert_eq!(eu.settings().len(), eu.parameters().len());
    assert!(eu.annotations().iter().any(|one| one.id == "C1.2.d"));
    assert!(eu.overrides().iter().any(|one| one.criterion == "C3.1"));
    assert!(eu.roots().any(|one| one.id == "INC"));
}

/// A group of `all` as a member; the files built in use `any` alone there.
#[test]
fn a_group_within_a_formula_holds_where_all_of_it_holds() {
    let (from, to) = (r#"{ any = ["CP.1", "CP.2"] }"#, r#"{ all = ["CP.1", "CP.2"] }"#);
    let changed = CRITERIA.replacen(from, to, 1);
    assert_ne!(changed, CRITERIA);
    let files = [("criteria.toml", changed.clone()), ("EU.toml", pinned(&changed))];
    let files = files.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    let library = Library::from_files(files).unwrap();
    let eu = library.require("EU", jiff::civil::date(2020, 11, 19)).unwrap();
    for (one, other, holds) in [
        (Value::Met, Value::Met, Value::Met),
        (Value::Met, Value::NotMet, Value::NotMet),
        (Value::NotMet, Value::Met, Value::NotMet),
    ] {
        let mut findings = eu.decided_findings();
        eu.find(&mut findings, "CP.1", one).unwrap();
        eu.find(&mut findings, "CP.2", other).unwrap();
        let question = Question { sought: Sought::Protection, facts: Facts::default(), findings };
        assert_eq!(eu.evaluate(&question).value("CP"), Some(holds), "{one} {other}");
    }
}

#[test]
fn a_presumption_names_what_the_profile_rests_on_for_it() {
    let library = library();
    let mut used = 0;
    for case in common::CASES.lines() {
        let fixture: guidance::Fixture<'_> = serde_json::from_str(case).unwrap();
        let guidance = library.require(&fixture.profile, fixture.as_of).unwrap();
        let evaluation = guidance.evaluate(&fixture.question(guidance).unwrap());
        for presumed in evaluation.presumed() {
            let sources = presumed.profile_sources;
            assert!(!sources.is_empty(), "{}: {}", fixture.profile, presumed.leaf);
            let mut settings = guidance.settings().iter();
            assert!(settings.any(|setting| setting.sources == sources), "{}", presumed.leaf);
            used += 1;
        }
    }
    assert!(used > 0, "no decided case uses a presumption");
}
