//! Bad guidance files are refused with file, line and reason.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test, in functions beside the tests too"
)]

mod common;

use common::library;
use guidance::{GuidanceHash, Library, NotInForce};

const CRITERIA: &str = include_str!("../../../schemas/guidance/criteria.toml");
const EU: &str = include_str!("../../../schemas/guidance/EU.toml");

/// EU's file, pinning other criteria.
fn pinned(criteria: &str) -> String {
    let old = GuidanceHash::of(CRITERIA.as_bytes()).to_string();
    assert!(EU.contains(&old), "EU.toml does not pin criteria.toml");
    EU.replace(&old, &GuidanceHash::of(criteria.as_bytes()).to_string())
}

/// The faults of a set of files, each as `file:line: reason`.
fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    match Library::from_files(files) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// The line, from 1, on which a text begins.
fn line(text: &str, marker: &str) -> usize {
    let start = text.find(marker).unwrap_or_else(|| panic!("`{marker}` is not in the text"));
    text[..start].lines().count().max(1) + usize::from(text[..start].ends_with('\n'))
}

/// What is said of criteria in which one text is replaced. The profile that then finds no sound
/// criteria is not blamed for it.
fn criteria_fault(from: &str, to: &str) -> (String, Vec<String>) {
    assert!(CRITERIA.contains(from), "`{from}` is not in the criteria");
    let changed = CRITERIA.replacen(from, to, 1);
    let found = faults(&[("criteria.toml", &changed), ("EU.toml", &pinned(&changed))]);
    assert!(found.iter().all(|fault| fault.starts_with("criteria.toml")), "{found:?}");
    (changed, found)
}

/// One line per rule: what is replaced, by what, where the fault is, and its reason.
const CRITERIA_FAULTS: &[(&str, &str, &str, &str)] = &[
    ("[\"C1.1\", \"C1.2\"", "[\"C1.9\", \"C1.2\"", "any = [\"C1.9", "unknown criterion `C1.9`"),
    ("any = [\"C1.2.a\",", "any = [\"C1.2.d\",", "any = [\"C1.2.d", "`C1.2.d` is an annotation"),
    ("any = [\"C3.1\", \"C3.2\"]", "any = [\"C3.1\"]", "id = \"C3.2\"\n", "`C3.2` is unreachable"),
    ("any = [\"C3.1\",", "any = [\"C3\", \"C3.1\",", "id = \"C3\"\n", "a cycle: C3 -> C3"),
    ("\"C1.1.e\"]", "\"C1.1.e\", \"C1\"]", "id = \"C1\"\n", "a cycle: C1 -> C1.1 -> C1"),
    ("requires = \"C2.3\"", "requires = \"C2\"", "id = \"C2\"\n", "a cycle: C2 -> C2.4 -> C2"),
    ("id = \"LIAB\"", "id = \"G.ID\"", "id = \"G.ID\"\ntitle = \"risk", "`G.ID` is defined twice"),
    ("id = \"LIAB\"", "id = \"LI AB\"", "id = \"LI AB\"", "`LI AB` is no id"),
    ("title = \"hazing\"", "title = \" \"", "id = \"C1.3.a\"", "`C1.3.a` needs a title"),
    ("seed = [\"S27\"]", "seed = [\"S46\"]", "seed = [\"S46\"]", "`S46` is no seed requirement"),
    ("seed = [\"S27\"]", "seed = [\"S0\"]", "seed = [\"S0\"]", "`S0` is no seed requirement"),
    ("any = [\"C3.1\", \"C3.2\"]", "any = []", "id = \"C3\"\n", "without members"),
    (
        "{ not = \"SP\" }",
        "{ not = \"SP\", of = \"IFA\" }",
        "all = [\"G.ID\", \"WFF\"",
        "exactly one of",
    ),
    (
        "when = \"only_means_required\"",
        "when = \"only\"",
        "{ of = \"C2.5\"",
        "unknown parameter `only`",
    ),
    (
        "when = \"only_means_required\", is = \"yes\"",
        "when = \"only_means_required\", is = \"si\"",
        "{ of = \"C2.5\"",
        "`only_means_required` is one of yes, no, not `si`",
    ),
    (
        "when = \"only_means_required\", is = \"yes\"",
        "when = \"only_means_required\"",
        "{ of = \"C2.5\"",
        "one needs the other",
    ),
    ("any = [\"C3.1\", \"C3.2\"]", "any = [\"C3.1\"]\nall = [\"C3.2\"]", "id = \"C3\"\n", "both"),
    ("leaf = \"C2.4\"", "leaf = \"C2\"", "leaf = \"C2\"", "`C2` is derived: only a leaf"),
    ("leaf = \"C2.4\"", "leaf = \"C2.9\"", "leaf = \"C2.9\"", "unknown criterion `C2.9`"),
    ("leaf = \"C2.4\"", "leaf = \"NEX\"", "leaf = \"NEX\"\nwhen = \"nexus", "has two presumptions"),
    ("requires = \"C2.3\"", "requires = \"C2.9\"", "requires = \"C2.9\"", "unknown criterion"),
    (
        "posting = \"unknown\"",
        "posting = \"far\"",
        "facts = { posting",
        "no rule may read the fact",
    ),
    ("{ posting =", "{ nationality =", "facts = { nationality", "no rule may read the fact"),
    ("criterion = \"C3.1\"", "criterion = \"EXC\"", "criterion = \"EXC\"", "`EXC` is a leaf"),
    ("criterion = \"C3.1\"", "criterion = \"C9\"", "criterion = \"C9\"", "unknown criterion `C9`"),
    ("value = \"N\"\nfact", "value = \"U\"\nfact", "criterion = \"C3.1\"", "settles it: M or N"),
    ("value = \"N\"\nfact", "value = \"X\"\nfact", "value = \"X\"\nfact", "unknown variant `X`"),
    ("is = \"fear_of_combat_only\"", "is = \"fear\"", "fact = \"motive\"", "no rule may read"),
    ("\"PATH\", \"NEX\"", "\"PATH\", \"SP\"", "\"PATH\", \"SP\"", "`SP` does not belong here"),
    ("\"PATH\", \"NEX\"", "\"PATH\", \"C9\"", "\"PATH\", \"C9\"", "unknown criterion `C9`"),
    (
        "[\"G.ID\", \"LIAB\", \"NEX\"",
        "[\"C1\", \"LIAB\", \"NEX\"",
        "met_when",
        "`C1` does not belong",
    ),
    ("id = \"real_chance\"", "id = \"balance\"", "id = \"balance\"\nwords = \"a real", "twice"),
    (
        "id = \"nexus_presumed\"",
        "id = \"only_means_required\"",
        "id = \"only_means_required\"\ntitle = \"Whether the tie",
        "twice",
    ),
    (
        "values = [\"leaf\", \"punishment\"]",
        "values = [\"leaf\"]",
        "id = \"conscience",
        "two values",
    ),
    (
        "outcome = \"excluded\"",
        "outcome = \"expelled\"",
        "outcome = \"expelled\"",
        "`expelled` is not one of",
    ),
    (
        "sought = [\"refugee\"]",
        "sought = [\"asylum\"]",
        "sought = [\"asylum\"]",
        "`asylum` is not one",
    ),
    (
        "criteria = { INC = \"U\" }",
        "criteria = { INK = \"U\" }",
        "criteria = { INK",
        "unknown criterion `INK`",
    ),
    (
        "parameters = { subsidiary_status = \"no\" }",
        "parameters = { subsidiary = \"no\" }",
        "parameters = { subsidiary =",
        "unknown parameter",
    ),
    ("checked = \"read\" }", "checked = \"heard\" }", "checked = \"heard\"", "`read` or `memory`"),
    ("pinpoint = \"section 32\"", "pinpoint = \"\"", "pinpoint = \"\"", "needs cite and pinpoint"),
    ("question = \"Are identity", "ask = \"Are identity", "ask = \"Are", "unknown field `ask`"),
];

#[test]
fn each_fault_of_criteria_is_told_with_file_line_and_reason() {
    for (from, to, place, reason) in CRITERIA_FAULTS {
        let (changed, found) = criteria_fault(from, to);
        let start = format!("criteria.toml:{}: ", line(&changed, place));
        assert!(
            found.iter().any(|fault| fault.starts_with(&start) && fault.contains(reason)),
            "{from} -> {to}: expected {start}{reason}\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn a_rule_without_a_source_is_refused() {
    for id in ["C1.3.a", "EXC", "C1.2.d"] {
        let at = CRITERIA.find(&format!("id = \"{id}\"\n")).unwrap();
        let from = at + CRITERIA[at..].find("sources = [").unwrap();
        let to = from + CRITERIA[from..].find("\n]").unwrap() + 2;
        let changed = format!("{}{}", &CRITERIA[..from], &CRITERIA[to..]);
        let found = faults(&[("criteria.toml", &changed)]);
        let line = line(&changed, &format!("id = \"{id}\"\n"));
        assert_eq!(found, [format!("criteria.toml:{line}: `{id}` has no source")]);
    }
}

#[test]
fn a_decision_table_with_a_hole_is_refused() {
    let (_, found) = criteria_fault(
        "sought = [\"nonrefoulement\"]\ncriteria = { ART3 = \"U\" }",
        "sought = [\"nonrefoulement\"]\ncriteria = { ART3 = \"U\", INC = \"M\" }",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("criteria.toml: no decision covers nonrefoulement with INC="));
    assert!(found[0].contains("ART3=U"), "{found:?}");
}

#[test]
fn a_decision_table_with_two_answers_is_refused() {
    let (changed, found) =
        criteria_fault("criteria = { INC = \"M\", EXC = \"N\" }", "criteria = { INC = \"M\" }");
    assert_eq!(found.len(), 1, "{found:?}");
    let expected = "decisions 5 and 7 both cover refugee with INC=M, EXC=M, CP=M, ART3=M";
    assert!(found[0].ends_with(expected), "{found:?}");
    let place = found[0].split(':').nth(1).unwrap().parse::<usize>().unwrap();
    assert!(changed.lines().nth(place - 1).unwrap().starts_with("outcome = "));
}

#[test]
fn a_certain_outcome_that_hangs_on_something_undetermined_is_refused() {
    let (changed, found) = criteria_fault(
        "outcome = \"undetermined\"\nsought = [\"refugee\", \"protection\"]\ncriteria = { INC = \"U\" }",
        "outcome = \"refused\"\nsought = [\"refugee\", \"protection\"]\ncriteria = { INC = \"U\" }",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    let start = format!(
        "criteria.toml:{}: ",
        line(&changed, "outcome = \"refused\"\nsought = [\"refugee\", \"prot")
    );
    assert!(found[0].starts_with(&start), "{found:?}");
    assert!(found[0].contains("`refused` is certain for refugee with INC=U"), "{found:?}");
}

#[test]
fn a_decision_table_reads_at_most_five_criteria() {
    let row = |criteria: &str| {
        format!(
            "[[decision]]\noutcome = \"undetermined\"\nsought = [\"refugee\", \"protection\"]\n\
             criteria = {{ INC = \"U\", {criteria} }}\nwhy = \"x\"\n"
        )
    };
    let start = CRITERIA.find("outcome = \"undetermined\"\nsought = [\"refugee\", \"prot").unwrap();
    let from = CRITERIA[..start].rfind("[[decision]]").unwrap();
    let to = start + CRITERIA[start..].find("[[decision]]").unwrap();
    assert!(CRITERIA[from..to].contains("{ INC = \"U\" }"));
    let with = |rows: &[&str]| {
        let rows: Vec<String> = rows.iter().map(|criteria| row(criteria)).collect();
        faults(&[("c.toml", &format!("{}{}{}", &CRITERIA[..from], rows.concat(), &CRITERIA[to..]))])
    };
    let five = ["PATH = \"M\"", "PATH = \"N\"", "PATH = \"U\""];
    assert!(with(&five).is_empty());
    let six = ["PATH = \"M\"", "PATH = \"N\"", "PATH = \"U\", WFF = \"M\""];
    assert_eq!(with(&six), ["c.toml: the decision table reads 6 criteria, more than 5"]);
}

/// As [`CRITERIA_FAULTS`], for a profile file.
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
    let later = EU.replacen("valid_from = 2004-10-20", "valid_from = 2030-01-01", 1);
    let found = faults(&[("criteria.toml", CRITERIA), ("a.toml", EU), ("b.toml", &later)]);
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
