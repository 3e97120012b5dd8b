//! Bad criteria files are refused with file, line and reason.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test, in functions beside the tests too"
)]

mod common;

use common::{CRITERIA, faults, line, pinned};

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
