//! What is due in a list of cases.

use serde_json::json;
use service::queries::ListedCase;

use super::{listed, looked_at};
use crate::case::list::Listing;
use crate::output::{NO_WIDTH, Screen};

fn with_due(dues: &[&str]) -> ListedCase {
    let mut listed = listed("awaiting_decision", None);
    for due in dues {
        let running = json!({
            "deadline": "8c0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b5a", "kind": "merits", "due": due,
            "set": 4,
        });
        listed.summary.deadlines.push(serde_json::from_value(running).unwrap());
    }
    listed
}

fn shown(cases: &[ListedCase], width: usize, by_due: bool) -> String {
    let (screen, shown) = Screen::for_test(width);
    Listing::new(screen, looked_at().timestamp(), by_due).show(cases).unwrap();
    shown.text()
}

/// Over by two hours, in two hours, in five days and two hours, and without a deadline.
fn cases() -> Vec<ListedCase> {
    let dues: [&[&str]; 4] = [
        &["2024-03-12T08:00:00Z", "2024-08-02T22:00:00Z"],
        &["2024-03-12T12:00:00Z"],
        &["2024-03-17T12:00:00Z"],
        &[],
    ];
    dues.iter().map(|dues| with_due(dues)).collect()
}

#[test]
fn what_is_due_has_a_column_where_it_was_asked_for() {
    assert_eq!(
        shown(&cases()[..3], 80, true),
        "CASE                                  PROFILE      DUE    STATUS\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  -1 d   awaiting_decision\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  0 d    awaiting_decision\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  5 d    awaiting_decision\n"
    );
    assert_eq!(
        shown(&cases()[2..3], NO_WIDTH, true),
        "CASE                                  PROFILE      AGE    DUE    STATUS\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  5 d    awaiting_decision\n"
    );
}

#[test]
fn what_is_due_stands_below_the_status_where_a_terminal_has_no_room() {
    assert_eq!(
        shown(&cases(), 80, false),
        "CASE                                  PROFILE      AGE    STATUS\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  awaiting_decision\n\
         \x20                                                         overdue\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  awaiting_decision\n\
         \x20                                                         due in 0 d\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  awaiting_decision\n\
         \x20                                                         due in 5 d\n\
         0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11  UK_post2022  996 d  awaiting_decision\n"
    );
}

#[test]
fn a_wide_list_has_a_column_where_a_deadline_runs() {
    let text = shown(&cases(), 120, false);
    assert!(text.contains("  AGE    DUE    STATUS"), "{text}");
    assert!(text.contains("  996 d  -1 d   awaiting_decision"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    assert!(!shown(&cases()[3..], 120, false).contains("DUE"));
}

#[test]
fn in_a_pipe_nothing_of_it_stands_where_it_was_not_asked_for() {
    let text = shown(&cases(), NO_WIDTH, false);
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(!text.contains("due") && !text.contains("DUE"), "{text}");
}
