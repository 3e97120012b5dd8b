//! Rendering of fixed records.

mod listing;
mod standing;

use case::{Event, Instant, Version};
use serde_json::{Value, json};
use service::personal::Opened;
use service::queries::{HistoryEntry, ListedCase};
use unicode_width::UnicodeWidthStr;

use super::file::CaseFile;
use super::list::Listing;
use super::{overview, timeline};
use crate::output::Screen;

const CASE: &str = "0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11";
const ITEM: &str = "1e2feb89-414c-443c-9027-c4d1c386bbc4";
const APPEAL: &str = "5c0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b5a";

fn sealed() -> Value {
    json!({ "key": "7d4bb12f-3f6a-4f4e-8f64-0f4a3c3a9d11", "box": "QUJD", "commit": "00".repeat(32) })
}

/// A record of the case.
fn entry(version: u64, kind: &str, role: &str, occurred: &str, data: &Value) -> HistoryEntry {
    let record = json!({
        "specversion": "1.0", "id": "0197b2f0-0000-7000-8000-000000000001", "source": "tebessa/test",
        "type": format!("tebessa.{kind}.v1"), "subject": CASE, "time": "2024-03-12T09:41:27.000001Z",
        "datacontenttype": "application/json", "caseversion": version, "prev": "00".repeat(32),
        "command": format!("0197b2f0-0000-7000-8000-{version:012x}"), "correlation": CASE,
        "digest": "00".repeat(32), "actor": format!("{role}-1"), "role": role,
        "basis": "APR art. 34(1)", "occurred": occurred, "data": data,
    });
    let record = serde_json::value::to_raw_value(&record).unwrap();
    HistoryEntry { position: version + 40, record, opened: None, rectified: Vec::new() }
}

/// The guidance of the fixed records.
fn guidance() -> String {
    let library = guidance::Library::embedded().unwrap();
    library.in_force("EU", jiff::civil::date(2024, 3, 12)).unwrap().hash().to_string()
}

fn claim() -> Value {
    json!({
        "name": sealed(), "nationality": [sealed()], "profile": "EU", "sought": "protection",
        "language": "ti", "channel": "inland", "made": "2024-02", "narrative": sealed(),
    })
}

/// A whole way of a claim: every kind of event.
fn history() -> Vec<HistoryEntry> {
    let finding =
        |id: &str, value: &str| json!({ "criterion": id, "value": value, "reason": sealed() });
    let mut unsure = finding("C1.1.a", "U");
    unsure["u_reason"] = json!("no_evidence");
    unsure["evidence"] = json!([ITEM]);
    unsure["source"] = json!("GIP10 para 17");
    let attached = json!({
        "evidence": ITEM, "kind": "summons", "source": sealed(), "language": "ti",
        "sha256": "0f".repeat(32), "size": 12_345, "media_type": "application/pdf", "dated": "2019-05",
    });
    let country = json!({
        "evidence": "2e2feb89-414c-443c-9027-c4d1c386bbc4", "source": sealed(), "published": "2023-11",
        "valid_from": "2023", "valid_to": "2024-12-31", "language": "en", "sha256": "0e".repeat(32),
        "size": 2_345_678, "media_type": "application/pdf",
    });
    let completed = json!({
        "round": 1, "profile": "EU", "guidance": guidance(), "engine": "1",
        "as_of": "2024-03-12", "sought": "protection", "facts": {},
        "findings": { "C2.1": { "value": "M", "version": 8 } }, "derived": { "C1": "U", "C2": "M" },
        "presumed": ["C1.2.a"], "open": ["C1.1.a"], "outcome": "refugee",
    });
    let issued = json!({
        "outcome": "refused", "reasons": sealed(), "departure": sealed(), "proposal": "refugee",
        "assessment": 11, "review": 12, "unresolved": ["C1.1.a"],
    });
    let notified = json!({
        "method": "in_person", "language": "ti", "served": "2024-04-02", "appeal_deadline": "2024-04-16",
    });
    let filed = json!({
        "appeal": APPEAL, "grounds": sealed(), "filed": "2024-04-20", "decision": 13, "in_time": false,
    });
    let ruled = json!({ "appeal": APPEAL, "ruling": "admitted", "reason": sealed() });
    let decided = json!({
        "appeal": APPEAL, "result": "allowed", "outcome": "refugee", "reasons": sealed(),
        "per_criterion": [{ "criterion": "C2", "value": "M", "reason": sealed() }],
        "onward_deadline": "2024-07-01",
    });
    let rows = [
        ("intake.claim-registered", "registrar", "2024-03-02", claim()),
        (
            "intake.identity-asserted",
            "registrar",
            "2024-03-02T23:30:00+01:00",
            json!({ "name": sealed(), "born": sealed() }),
        ),
        ("evidence.attached", "caseworker", "2024-03-05", attached),
        ("evidence.country-info-attached", "coi_researcher", "2024-03", country),
        (
            "evidence.authenticity-assessed",
            "caseworker",
            "2024-03-06",
            json!({ "evidence": ITEM, "result": "genuine", "reason": sealed() }),
        ),
        (
            "evidence.linked",
            "caseworker",
            "2024-03-06",
            json!({ "evidence": ITEM, "criterion": "C2.1", "polarity": "supports", "reason": sealed() }),
        ),
        (
            "evidence.fact-found",
            "caseworker",
            "2024-03-07",
            json!({ "fact": "act", "value": "desertion", "standard": "balance", "reason": sealed() }),
        ),
        ("assessment.finding-recorded", "caseworker", "2024-03-08", finding("C2.1", "M")),
        ("assessment.finding-recorded", "caseworker", "2024-03-08", unsure),
        ("assessment.exclusion-opened", "caseworker", "2024-03-09", json!({ "trigger": sealed() })),
        ("assessment.completed", "caseworker", "2024-03-12", completed),
        (
            "assessment.reviewed",
            "reviewer",
            "2024-03-13",
            json!({ "result": "agree", "reason": sealed(), "assessment": 11 }),
        ),
        ("decisions.issued", "decision_maker", "2024-04-01", issued),
        ("decisions.notified", "registry", "2024-04-02", notified),
        ("appeals.filed", "representative", "2024-04-20", filed),
        ("appeals.late-filing-ruled", "appeal_judge", "2024-05-02", ruled),
        ("appeals.decided", "appeal_judge", "2024-06-01", decided),
        ("intake.claim-withdrawn", "applicant", "2024-06-02", json!({})),
        ("registry.file-closed", "registry", "2024-08-01", json!({ "retention": "granted" })),
    ];
    let number = |(version, (kind, role, occurred, data)): (u64, (&str, &str, &str, Value))| {
        entry(version, kind, role, occurred, &data)
    };
    (1..).zip(rows).map(number).collect()
}

/// When the fixed records are looked at.
fn looked_at() -> Instant {
    "2024-03-12T10:00:00Z".parse().unwrap()
}

fn shown(entry: &HistoryEntry, width: usize) -> String {
    let lines = timeline::lines(entry, width).unwrap().join("\n");
    anstream::adapter::strip_str(&lines).to_string()
}

fn file(entries: Vec<HistoryEntry>) -> CaseFile {
    let mut file = CaseFile::default();
    for entry in entries {
        file.add(entry).unwrap();
    }
    file
}

/// One event of every type, beside those of the history: `fixtures/events.txt`.
fn others() -> Vec<HistoryEntry> {
    let text = include_str!("../../../../tests/fixtures/events.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let of_line = |line: &str| {
        let (kind, data) = line.split_once(' ').expect("a type and its data");
        let data = data.replace("\"~\"", &sealed().to_string());
        entry(1, kind, "registrar", "2024-03-02", &serde_json::from_str(&data).unwrap())
    };
    lines.map(of_line).collect()
}

#[test]
fn every_kind_of_event_is_told_in_words() {
    let mut seen = std::collections::BTreeSet::new();
    for entry in history().iter().chain(&others()) {
        let record = timeline::decode(entry).unwrap();
        let kind = record.event.kind();
        let headline = case::gist::of(&record);
        assert!(!headline.contains("tebessa."), "{kind}: {headline}");
        // A hash alone may stand out: it is not broken.
        let fits = |line: &str| line.width() <= 80 || line.split_whitespace().count() == 1;
        assert!(shown(entry, 80).lines().all(fits), "{kind}");
        seen.insert(kind);
    }
    let all: std::collections::BTreeSet<_> = case::events().map(|entry| entry.kind).collect();
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "tests/fixtures/events.txt has no {missing:?}");
}

#[test]
fn an_event_reads_as_number_day_deed_actor_and_gist() {
    let history = history();
    assert_eq!(
        shown(&history[0], 80),
        "   1  2024-03-02  Claim registered under EU\n\
         \x20                 by registrar-1 (registrar), APR art. 34(1), recorded\n\
         \x20                 2024-03-12\n\
         \x20                 seeks protection, heard in ti, by way of: inland, made 2024-02\n\
         \x20                 [sealed] name, narrative, nationality[0]"
    );
    assert_eq!(
        shown(&history[8], 80),
        "   9  2024-03-08  Finding: C1.1.a = U (undetermined, no evidence)\n\
         \x20                 by caseworker-1 (caseworker), APR art. 34(1), recorded\n\
         \x20                 2024-03-12\n\
         \x20                 relies on GIP10 para 17\n\
         \x20                 evidence: 1e2feb89-414c-443c-9027-c4d1c386bbc4\n\
         \x20                 [sealed] reason"
    );
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [66, 80, 120] {
        for entry in &history() {
            let text = shown(entry, width);
            assert!(text.lines().all(|line| line.width() <= width), "{width} columns:\n{text}");
        }
        for entries in [history(), standing::with_open_matters()] {
            let (mut screen, shown) = Screen::for_test(width);
            overview::show(&file(entries), looked_at(), &mut screen).unwrap();
            let text = shown.text();
            assert!(text.lines().all(|line| line.width() <= width), "{width} columns:\n{text}");
        }
    }
}

#[test]
fn opened_words_are_wrapped_and_cannot_steer_a_terminal() {
    let mut entry = history().remove(7);
    let words =
        format!("\u{1b}[2J\u{1b}]0;owned\u{7}{}\nsecond line", "He would not serve. ".repeat(9));
    let opened = [
        ("reason".to_owned(), Opened::Words(words)),
        ("source".to_owned(), Opened::Withheld(service::erasure::WITHHELD.to_owned())),
    ];
    entry.opened = Some(opened.into_iter().collect());
    let lines = timeline::lines(&entry, 60).unwrap();
    let text = anstream::adapter::strip_str(&lines.join("\n")).to_string();
    assert!(text.contains("reason: ·[2J·]0;owned·He would not serve."), "{text}");
    assert!(text.contains("\n                  second line"), "{text}");
    assert!(text.contains("source: [withheld: key destroyed]"), "{text}");
    assert!(!text.contains("[sealed]"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn the_overview_shows_where_a_case_stands() {
    let mut entries = history();
    entries.truncate(17);
    let (mut screen, shown) = Screen::for_test(80);
    overview::show(&file(entries), looked_at(), &mut screen).unwrap();
    let text = shown.text();
    for part in [
        "Case 0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11",
        "status      appeal_decided",
        "outcome     refugee",
        "profile     EU, seeks protection",
        "history     17 events, the last recorded 2024-03-12 09:41 UTC",
        "1e2feb89-414c-443c-9027-c4d1c386bbc4\n      summons, genuine",
        "supports C2.1",
        "act         desertion",
        "2024-03-12  version 11 by caseworker-1: proposes refugee; C1 = U, C2 = M",
        "2024-03-13  version 12 by reviewer-1: review, agree",
        "C1.1.a    U  no legal basis or no judicial challenge",
        "by caseworker-1, version 9, no evidence",
        "version 13 by decision_maker-1: refused; departs from the",
        "2024-04-02  served (version 14), appeal until 2024-04-16",
        "version 15: filed late against version 13, late filing admitted",
        "version 17 by appeal_judge-1: allowed, refugee",
        "caseworker, versions 3, 5 to 11",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    let place = |id: &str| text.find(&format!("  {id} ")).unwrap();
    assert!(place("C1.1.a") < place("C2.1"), "{text}");
}

#[test]
fn a_history_with_a_gap_is_no_case() {
    let mut file = CaseFile::default();
    assert!(file.add(history().remove(1)).is_err());
    assert_eq!(file.case.version, Version(0));
}

#[test]
fn numbers_in_a_row_are_drawn_together() {
    assert_eq!(overview::ranges([1, 2, 4, 5, 6, 9].into_iter()), "1, 2, 4 to 6, 9");
}

fn listed(status: &str, outcome: Option<&str>) -> ListedCase {
    let mut listed = json!({
        "case": CASE, "status": status, "profile": "UK_post2022", "registered": "2024-03-02",
        "version": 12, "updated": "2024-03-12T09:41:27.000001Z", "age_days": 996,
    });
    if let Some(outcome) = outcome {
        listed["outcome"] = json!(outcome);
    }
    serde_json::from_value(listed).unwrap()
}

#[test]
fn a_list_fits_eighty_columns_with_whole_ids() {
    let cases = [
        listed("awaiting_decision", None),
        listed("appeal_decided", Some("excluded_not_removable")),
    ];
    let (screen, shown) = Screen::for_test(80);
    let mut list = Listing::new(screen, looked_at().timestamp(), false);
    list.show(&cases[..1]).unwrap();
    list.show(&cases[1..]).unwrap();
    assert_eq!(
        shown.text(),
        "CASE                                  PROFILE      AGE    STATUS\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  awaiting_decision\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  appeal_decided:\n\
         \x20                                                         excluded_not_removable\n"
    );
}

#[test]
fn in_a_pipe_a_case_is_one_line_of_the_same_columns() {
    let (screen, shown) = Screen::for_test(crate::output::NO_WIDTH);
    let case = listed("appeal_decided", Some("excluded_not_removable"));
    Listing::new(screen, looked_at().timestamp(), false).show(&[case]).unwrap();
    assert_eq!(
        shown.text(),
        "CASE                                  PROFILE      AGE    STATUS\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  \
         appeal_decided: excluded_not_removable\n"
    );
}

#[test]
fn a_wide_list_tells_the_events_too() {
    let (screen, shown) = Screen::for_test(120);
    Listing::new(screen, looked_at().timestamp(), false)
        .show(&[listed("decided", Some("refugee"))])
        .unwrap();
    let text = shown.text();
    assert!(text.contains("decided: refugee"), "{text}");
    assert!(text.contains("12      2024-03-12 09:41"), "{text}");
}

#[test]
fn what_an_event_says_names_no_word_of_a_person() {
    for entry in history() {
        let record = timeline::decode(&entry).unwrap();
        let gist = case::gist::full(&record);
        assert!(!gist.headline.is_empty() && !gist.headline.contains("QUJD"));
        assert!(matches!(record.event, Event::Intake(_)) || gist.details.len() < 6);
    }
}
