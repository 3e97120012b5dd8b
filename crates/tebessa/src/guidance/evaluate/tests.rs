//! What `tebessa guidance evaluate` prints for good lines and bad ones.

use super::*;
use crate::output::CliError;

const CASES: &str = include_str!("../../../../../tests/fixtures/jurisprudence.jsonl");

/// What is printed.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Explanation,
}

/// Whether all lines were good, what was printed, and what was told.
fn evaluated(input: &[u8], form: Form) -> (bool, String, String) {
    let mut check = Check::default();
    evaluated_by(input, form, &mut check)
}

fn evaluated_by(input: &[u8], form: Form, check: &mut Check) -> (bool, String, String) {
    let library = Library::embedded().unwrap();
    let (mut answers, shown) = match form {
        Form::Json => {
            let (out, shown) = Output::for_test();
            (Answers::Json(out), shown)
        }
        Form::Explanation => {
            let (screen, shown) = Screen::for_test(80);
            (Answers::Explained(screen), shown)
        }
    };
    let mut problems = String::new();
    let mut tell = |problem: &str| problems.extend([problem, "\n"]);
    let good = lines(&library, ("input", input), &mut answers, check, &mut tell).unwrap();
    (good, shown.text(), problems)
}

/// What is told of a line that is answered and lists no findings.
const NO_FINDINGS: &str = "line 1: it has no findings, so that its leaves count as not met, or as \
                           met where the criteria say so\n";

fn refused(line: &str) -> String {
    let (good, out, problems) = evaluated(line.as_bytes(), Form::Json);
    assert!(!good && out.is_empty(), "{line} gave {out}");
    problems
}

#[test]
fn a_case_gives_one_line_with_keys_in_order() {
    let line = r#"{"id":"A\"1","profile":"EU","as_of":"2020-11-19","sought":"refugee"}"#;
    let (good, out, problems) = evaluated(line.as_bytes(), Form::Json);
    assert!(good);
    assert_eq!(problems, NO_FINDINGS);
    assert_eq!(
        out,
        "{\"id\":\"A\\\"1\",\"derived\":{\"C1.1\":\"N\",\"C1.2\":\"N\",\"C1.3\":\"N\",\"C1\":\"N\",\
         \"C2.2\":\"N\",\"C2.4\":\"N\",\"C2\":\"N\",\"C3.1\":\"N\",\"C3.2\":\"N\",\"C3\":\"N\",\
         \"PATH\":\"N\",\"NEX\":\"M\",\"WFF\":\"M\",\"INC\":\"N\",\"CP\":\"N\"},\"presumed\":[],\
         \"outcome\":\"refused\",\"open\":[]}\n"
    );
}

#[test]
fn every_decided_case_is_answered() {
    let (good, out, problems) = evaluated(CASES.as_bytes(), Form::Json);
    assert!(good && problems.is_empty(), "{problems}");
    for (case, answer) in CASES.lines().zip(out.lines()) {
        let case: serde_json::Value = serde_json::from_str(case).unwrap();
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        assert_eq!(case["id"], answer["id"]);
        assert_eq!(case["expect"]["outcome"], answer["outcome"], "{}", case["id"]);
    }
    assert_eq!(out.lines().count(), 26);
}

#[test]
fn each_case_is_compared_with_what_it_expects() {
    let mut check = Check { wanted: true, ..Check::default() };
    let (good, _, problems) = evaluated_by(CASES.as_bytes(), Form::Json, &mut check);
    assert!(good && problems.is_empty(), "{problems}");
    assert_eq!((check.compared, check.differ), (26, 0));
    let table = [
        (
            r#""expect":{"derived":{"C1":"M","NEX":"M"},"presumed":["NEX"],"outcome":"refugee"}"#,
            "line 1: C1 is N, expected M\nline 1: presumed is nothing, expected NEX\n\
             line 1: the outcome is refused, expected refugee\n",
        ),
        (r#""expect":{"derived":{"ART3":"N","C2":"N"},"presumed":[],"outcome":"refused"}"#, ""),
        (r#""expect":{"derived":{"C9":"M"},"outcome":"refused"}"#, "expect.derived.C9: unknown"),
        (r#""expect":{"outcome":"refused","presumption":[]}"#, "unknown field `presumption`"),
        (r#""note":"none""#, "expect is missing"),
    ];
    for (rest, expected) in table {
        let line = format!(
            r#"{{"profile":"EU","as_of":"2020-11-19","sought":"refugee","findings":{{"C1.1.a":"N"}},{rest}}}"#
        );
        let mut check = Check { wanted: true, ..Check::default() };
        let (good, _, problems) = evaluated_by(line.as_bytes(), Form::Json, &mut check);
        assert!(problems.contains(expected), "{line} gave {problems}");
        assert_eq!(problems.is_empty(), expected.is_empty(), "{line} gave {problems}");
        assert_eq!(good, check.compared == 1, "{line}");
    }
}

#[test]
fn what_is_left_out_null_or_unknown_beside_the_rules_is_accepted() {
    for line in [
        r#"{"profile":"EU","as_of":"2020-11-19","sought":"refugee","facts":null,"findings":null}"#,
        r#"{"id":null,"sought":"refugee","as_of":"2020-11-19","profile":"EU","facts":{}}"#,
        r#"{"profile":"EU","as_of":"2020-11-19","sought":"refugee","facts":{"posting":null}}"#,
        r#"{"profile":"EU","as_of":"2020-11-19","sought":"refugee","findings":{"C1.2.d":"U"}}"#,
        r#"{"profile":"EU","as_of":"2020-11-19","sought":"refugee","note":[{"a":1.5}],"x":true}"#,
        r#"{"profile":"EU","as_of":"2020-11-19","sought":"refugee","facts":{"act":7,"scope":{}}}"#,
        "  {\"profile\":\"EU\",\"as_of\":\"2020-11-19\",\"sought\":\"refugee\"} \r",
    ] {
        let (good, out, problems) = evaluated(line.as_bytes(), Form::Json);
        assert!(good, "{line}: {problems}");
        assert!(out.starts_with("{\"id\":null,") && out.contains("\"refused\""), "{out}");
    }
    let number = r#"{"id":7,"profile":"EU","as_of":"2020-11-19","sought":"refugee"}"#;
    assert!(evaluated(number.as_bytes(), Form::Json).1.starts_with("{\"id\":7,"));
}

#[test]
fn a_bad_line_is_refused_with_number_field_and_reason() {
    let with =
        |rest: &str| format!(r#"{{"profile":"EU","as_of":"2020-11-19","sought":"refugee"{rest}}}"#);
    let table = [
        (
            "{".to_owned(),
            "line 1: EOF while parsing an object at column 1; expected one JSON object a line",
        ),
        ("[]".to_owned(), "line 1: invalid type: sequence; expected one JSON object a line"),
        (
            "# Sepet".to_owned(),
            "line 1: expected value at column 1; expected one JSON object a line",
        ),
        (
            r#""id": "GC01","#.to_owned(),
            "line 1: invalid type: string \"id\"; expected one JSON object a line",
        ),
        (with(r#","findings":{"C2":"M"}"#), "line 1: findings.C2: `C2` is derived"),
        (with(r#","findings":{"G.ACT":"M"}"#), "line 1: findings.G.ACT: `G.ACT` is recorded in"),
        (with(r#","findings":{"C9":"M"}"#), "line 1: findings.C9: unknown criterion `C9`"),
        (with(r#","findings":{"C2.1":"m"}"#), "line 1: findings.C2.1: `m` is not one of M, N, U"),
        (with(r#","findings":{"C2.1":true}"#), "line 1: findings.C2.1: true or false stands where"),
        (with(r#","findings":{"C2.1":null}"#), "line 1: findings.C2.1: null stands where"),
        (with(r#","findings":{"C2.1":"M","C2.1":"M"}"#), "line 1: findings.C2.1 is given twice"),
        (with(r#","findings":[]"#), "line 1: invalid type: sequence, expected findings"),
        (with(r#","facts":"none""#), "line 1: invalid type: string \"none\", expected facts"),
        (with(r#","facts":{"posting":"maybe"}"#), "line 1: facts.posting: `maybe` is not one of"),
        (with(r#","facts":{"motive":1}"#), "line 1: facts.motive: a number stands where a text"),
        (with(r#","facts":{"act":"a","act":"b"}"#), "line 1: facts.act is given twice"),
        (with(r#","note":{"a":1,"a":2}"#), "line 1: note.a is given twice"),
        (with(r#","sought":"refugee""#), "line 1: sought is given twice"),
        (with(r#","id":[]"#), "line 1: invalid type: sequence, expected an id"),
        (r#"{"as_of":"2020-11-19","sought":"refugee"}"#.to_owned(), "line 1: profile is missing"),
        (r#"{"profile":"EU","sought":"refugee"}"#.to_owned(), "line 1: as_of is missing"),
        (r#"{"profile":"EU","as_of":"2020-11-19"}"#.to_owned(), "line 1: sought is missing"),
        (
            r#"{"profile":"XX","as_of":"2020-11-19","sought":"refugee"}"#.to_owned(),
            "line 1: unknown profile `XX`: AU, CA, DE",
        ),
        (
            r#"{"profile":"EU","as_of":"1999-01-01","sought":"refugee"}"#.to_owned(),
            "line 1: no version of EU is in force on 1999-01-01: from 2004-10-20",
        ),
        (
            r#"{"profile":"EU","as_of":"2020-02-30","sought":"refugee"}"#.to_owned(),
            "line 1: as_of: `2020-02-30` is no date",
        ),
        (
            r#"{"profile":"EU","as_of":2020,"sought":"refugee"}"#.to_owned(),
            "line 1: as_of: a number stands where a text belongs",
        ),
        (
            r#"{"profile":"EU","as_of":"2020-11-19","sought":"asylum"}"#.to_owned(),
            "line 1: sought: `asylum` is not one of refugee, protection, nonrefoulement",
        ),
        (with("} {"), "line 1: trailing characters at column"),
    ];
    for (line, expected) in table {
        let problems = refused(&line);
        assert!(problems.starts_with(expected), "{line}\n{problems}");
        assert_eq!(problems.lines().count(), 1, "{problems}");
    }
}

#[test]
fn a_bad_line_does_not_stop_the_others() {
    let good_line = r#"{"id":"x","profile":"EU","as_of":"2020-11-19","sought":"refugee"}"#;
    let input = format!("\u{feff}{good_line}\n\n  \nnonsense\n{good_line}\r\n\n{good_line}");
    let (good, out, problems) = evaluated(input.as_bytes(), Form::Json);
    assert!(!good);
    assert_eq!(out.lines().count(), 3);
    let refused: Vec<&str> =
        problems.lines().filter(|line| !line.contains("no findings")).collect();
    assert!(refused[0].starts_with("line 4: expected"), "{problems}");
    assert_eq!(refused.len(), 1);
}

#[test]
fn files_that_were_joined_have_marks_between_them() {
    let marked = r#"{"id":"x","profile":"EU","as_of":"2020-11-19","sought":"refugee"}"#;
    let marked = format!("\u{feff}{marked}\n");
    let (good, out, problems) = evaluated(marked.repeat(2).as_bytes(), Form::Json);
    assert!(good, "{problems}");
    assert_eq!(out.lines().count(), 2);
}

#[test]
fn an_input_that_cannot_be_read_is_named() {
    let place = tempfile::tempdir().unwrap();
    let (screen, _) = Screen::for_test(80);
    let args =
        Args { file: Some(place.path().to_owned()), explain: true, check: false, json: false };
    let error: CliError = run(&args, None, screen).unwrap_err();
    let expected = format!("{} could not be read", place.path().display());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end_are_refused() {
    let mut input = b"{\"id\":\"\xff\"}\n".to_vec();
    input.extend(std::iter::repeat_n(b'x', LONGEST_LINE_BYTES * 3));
    input.extend(b"\n{\"profile\":\"EU\",\"as_of\":\"2020-11-19\",\"sought\":\"refugee\"}\n");
    let (good, out, problems) = evaluated(&input, Form::Json);
    assert!(!good);
    assert_eq!(out.lines().count(), 1);
    let problems: Vec<&str> = problems.lines().collect();
    assert!(problems[0].starts_with("line 1: invalid unicode"), "{problems:?}");
    assert_eq!(problems[1], "line 2: longer than 1048576 bytes");
    assert!(problems[2].starts_with("line 3: it has no findings"), "{problems:?}");
    assert_eq!(problems.len(), 3);
}

#[test]
fn an_explanation_names_presumptions_and_their_sources() {
    let line = CASES.lines().find(|line| line.contains("GC09")).unwrap();
    let (good, out, _) = evaluated(line.as_bytes(), Form::Explanation);
    assert!(good);
    assert!(out.starts_with("== GC09\nThe engine proposes: refugee (sought: refugee; EU).\n"));
    assert!(out.contains("presumed met"), "{out}");
    assert!(out.contains("CJEU C-238/19, EZ"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
}

#[test]
fn what_a_reason_quotes_rewrites_no_terminal_and_has_an_end() {
    let escape = r#"{"profile":"\u001b[2J\nred","as_of":"2020-11-19","sought":"refugee"}"#;
    let long = format!(
        r#"{{"profile":"{}","as_of":"2020-11-19","sought":"refugee"}}"#,
        "A".repeat(70_000)
    );
    let lines = format!("{escape}\n{long}\n");
    let (_, _, problems) = evaluated(lines.as_bytes(), Form::Json);
    let problems: Vec<&str> = problems.lines().collect();
    assert!(problems[0].starts_with("line 1: unknown profile `·[2J red`"), "{problems:?}");
    assert!(problems[1].starts_with("line 2: unknown profile `AAAA") && problems[1].len() < 600);
    assert_eq!(problems.len(), 2);
}
