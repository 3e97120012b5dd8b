//! What runs, bars and is open in fixed records.

use serde_json::{Value, json};
use service::personal::Opened;
use service::queries::HistoryEntry;

use super::{claim, entry, file, history, looked_at, sealed};
use crate::case::overview;
use crate::output::Screen;

/// A case in which every section stands.
pub(super) fn with_open_matters() -> Vec<HistoryEntry> {
    let ids = ["6c0d7f3e", "7c0d7f3e", "8c0d7f3e", "9c0d7f3e"];
    let [transfer, submission, bar, lifted] =
        ids.map(|id| format!("{id}-9d1b-4a53-8a55-6f1f2d3c4b5a"));
    let deadline = |id: u8, kind: &str, due: &str| {
        let id = format!("ac0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b{id:02x}");
        ("deadlines.set", "registry", json!({ "deadline": id, "kind": kind, "due": due }))
    };
    let warned = json!({
        "cause": "not_attended", "method": "post", "language": "ti", "served": "2024-05-02",
        "respond_by": "2024-05-16",
    });
    let transferred = json!({
        "transfer": transfer, "kind": "take_charge", "state": sealed(),
        "recipient": "responsible_state", "independent": true, "due": "2024-07-01",
    });
    let placed = |id: &str, basis: &str| json!({ "bar": id, "basis": basis, "note": sealed() });
    let appointed = |who: &str, scope: &str| {
        let data = json!({ "representative": who, "name": sealed(), "scope": scope });
        ("intake.representative-appointed", "registrar", data)
    };
    let need = |kind: &str| {
        ("intake.need-identified", "registrar", json!({ "kind": kind, "account": sealed() }))
    };
    let safeguard = json!({ "need": "survivor_of_violence", "safeguard": "chosen_sex" });
    let family =
        json!({ "relation": "spouse", "own_claim": "3b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11" });
    let person = json!({ "person": "4a1f0f3e-9d1b-4a53-8a55-6f1f2d3c4b5a", "reason": sealed() });
    let reference = json!({ "holder": "other_state", "reference": "PA/01234/2024" });
    let rows = [
        ("intake.claim-registered", "registrar", claim()),
        ("intake.person-identified", "registrar", person),
        ("intake.external-reference-recorded", "registrar", reference),
        appointed("lawyer-1", "first_instance"),
        appointed("lawyer-2", "full"),
        (
            "intake.representation-ended",
            "registrar",
            json!({ "representative": "lawyer-1", "cause": "by_claimant" }),
        ),
        need("survivor_of_violence"),
        need("disability"),
        ("intake.safeguard-applied", "registrar", safeguard),
        ("intake.family-member-linked", "registrar", family),
        ("intake.transfer-requested", "registrar", transferred),
        deadline(1, "merits", "2024-08-02T22:00:00Z"),
        deadline(2, "registration", "2024-03-05T23:00:00Z"),
        deadline(3, "lodging", "2024-03-13T08:00:00Z"),
        ("registry.withdrawal-warned", "registry", warned),
        ("decisions.removal-bar-placed", "appeal_judge", placed(&bar, "court_order")),
        ("decisions.removal-bar-placed", "registry", placed(&lifted, "medical")),
        ("decisions.removal-bar-lifted", "registry", json!({ "bar": lifted, "reason": sealed() })),
        ("registry.hold-placed", "dpo", json!({ "reason": sealed() })),
        (
            "registry.further-submission-made",
            "applicant",
            json!({ "submission": submission, "content": sealed() }),
        ),
        (
            "decisions.status-review-opened",
            "decision_maker",
            json!({ "kind": "cessation", "reason": sealed() }),
        ),
    ];
    let number = |(version, (kind, role, data)): (u64, (&str, &str, Value))| {
        let mut entry = entry(version, kind, role, "2024-03-02", &data);
        let words = [("note".to_owned(), Opened::Words("He weeps at night.".to_owned()))];
        entry.opened = Some(words.into_iter().collect());
        entry
    };
    (1..).zip(rows).map(number).collect()
}

#[test]
fn the_overview_shows_what_runs_what_bars_what_is_open_and_who_is_around() {
    let (mut screen, shown) = Screen::for_test(80);
    overview::show(&file(with_open_matters()), looked_at(), &mut screen).unwrap();
    let text = shown.text();
    let head = text.split("\n\n").next().unwrap();
    for part in [
        "  person      4a1f0f3e-9d1b-4a53-8a55-6f1f2d3c4b5a\n",
        "  reference   PA/01234/2024, kept by: other state\n",
        "  on hold     since 2024-03-02, version 19\n",
    ] {
        assert!(head.contains(part), "no `{part}` in\n{head}");
    }
    let section = |title: &str| {
        let (_, behind) = text.split_once(&format!("\n\n{title}\n")).unwrap();
        behind.split("\n\n").next().unwrap()
    };
    assert_eq!(
        section("Time limits"),
        "  registration        overdue: it was over at 2024-03-05 23:00 UTC, set by\n\
         \x20                     version 13\n\
         \x20 lodging             over at 2024-03-13 08:00 UTC, in less than a day, set by\n\
         \x20                     version 14\n\
         \x20 merits              over at 2024-08-02 22:00 UTC, in 143 days, set by version\n\
         \x20                     12"
    );
    assert_eq!(
        section("Orders"),
        "  no removal          court order, placed on 2024-03-02 by role appeal judge,\n\
         \x20                     version 16\n\
         \x20                     8c0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b5a"
    );
    assert_eq!(
        section("Also open"),
        "  transfer            take charge, requested by version 11, answer due by\n\
         \x20                     2024-07-01\n\
         \x20                     6c0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b5a\n\
         \x20 warning             unanswered: may count as withdrawn, answer by 2024-05-16,\n\
         \x20                     version 15\n\
         \x20 status review       cessation, opened on 2024-03-02 by decision_maker-1,\n\
         \x20                     version 21, no notice served yet\n\
         \x20 further submission  waits for a ruling, version 20\n\
         \x20                     7c0d7f3e-9d1b-4a53-8a55-6f1f2d3c4b5a"
    );
    assert_eq!(
        section("People"),
        "  lawyer-1            represented the claimant: first instance, ended by version\n\
         \x20                     6\n\
         \x20 lawyer-2            represents the claimant: full, version 5\n\
         \x20 need                survivor of violence; safeguards: chosen sex\n\
         \x20 need                disability; no safeguard applied\n\
         \x20 spouse              claim 3b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11, version 10"
    );
    // The words of version 1 only: a heading shows them, these sections never do.
    assert_eq!(text.matches("He weeps at night.").count(), 1, "{text}");
}

#[test]
fn a_case_without_open_matters_has_no_empty_sections() {
    let (mut screen, shown) = Screen::for_test(80);
    overview::show(&file(history()), looked_at(), &mut screen).unwrap();
    let text = shown.text();
    for title in ["Time limits", "Orders", "Also open", "People", "person", "on hold"] {
        assert!(!text.contains(&format!("{title}\n")), "{title} in\n{text}");
    }
}
