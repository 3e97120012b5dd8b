//! The decision card says what was before the decision-maker, and its page escapes every word.

use case::card::cards;
use case::replay::Shelf;
use case::vocabulary::DecisionOutcome;
use case::{Event, Version, decisions};
use service::audit::{Words, card_page};
use tests::steps::World;

#[test]
fn what_came_later_was_not_before_the_decision_maker() {
    let mut world = World::decided();
    world.take("attach E9 by P1").expect("evidence may come after a decision");
    let known = Shelf(std::slice::from_ref(&world.library));
    let [card] = cards(&world.records, known).try_into().expect("one decision");
    let before: Vec<_> = card.evidence.iter().map(|item| item.before).collect();
    assert_eq!(before, [Some(true), Some(true), Some(false)]);
    assert_eq!(card.decided.seen.map(|seen| seen.version), Some(card.reviewed.version));
}

/// What was taken back before the decision was not before it, and what was taken back later was.
#[test]
fn what_was_withdrawn_was_not_before_the_decision_maker() {
    let mut world = World::default();
    for step in [
        "register by G1",
        "attach E1 by P1",
        "attach E2 by P1",
        "evidence.withdraw evidence=@E1 reason=~ by P1",
        "find-all W1 C3.1.a=M C3.1.b=M C3.1.c=M C3.1.d=M",
        "complete by W1",
        "review agree by R1",
        "issue refugee grounds political by D1",
        "evidence.withdraw evidence=@E2 reason=~ by P1",
    ] {
        world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
    }
    let known = Shelf(std::slice::from_ref(&world.library));
    let [card] = cards(&world.records, known).try_into().expect("one decision");
    let items: Vec<_> =
        card.evidence.iter().map(|item| (item.before, item.events_in_words())).collect();
    let last = world.case.version;
    let second = format!("version 3, withdrawn by version {last}");
    let first = "version 2, withdrawn by version 4".to_owned();
    assert_eq!(items, [(Some(false), first), (Some(true), second)]);
    let page = card_page(&card, &Words::new(), &Words::new());
    assert!(page.contains("<td>version 2, withdrawn by version 4</td><td>no</td>"), "{page}");
}

#[test]
fn a_departure_that_nobody_declared_is_one_on_the_card() {
    let mut world = World::decided();
    for record in &mut world.records {
        if let Event::Decisions(decisions::Event::DecisionIssued(event)) = &mut record.event {
            event.outcome = DecisionOutcome::Subsidiary;
            event.onus.clear();
        }
    }
    let known = Shelf(std::slice::from_ref(&world.library));
    let [card] = cards(&world.records, known).try_into().expect("one decision");
    assert!(card.departs && card.departure_undeclared);
    let page = card_page(&card, &Words::new(), &Words::new());
    assert!(page.contains("; the decision departs from it and does not say so"));
    assert!(!page.contains("departure withheld"));
}

#[test]
fn the_card_has_every_finding_with_title_and_source_and_marks_the_onus() {
    let world = World::decided();
    let known = Shelf(std::slice::from_ref(&world.library));
    let [card] = cards(&world.records, known).try_into().expect("one decision");
    let leaves = card.criteria.iter().filter(|line| line.found.is_some()).count();
    assert_eq!(leaves, world.case.assessment.rounds[0].findings.len());
    assert!(card.criteria.iter().all(|line| !line.title.is_empty() && !line.sources.is_empty()));
    let onus: Vec<_> = card.criteria.iter().filter(|line| line.onus.is_some()).collect();
    assert!(matches!(onus.as_slice(), [line] if line.id == "C3.1.a" && line.open));
}

#[test]
fn words_are_escaped_in_the_page_and_withheld_where_they_are_not_given() {
    let world = World::decided();
    let known = Shelf(std::slice::from_ref(&world.library));
    let [card] = cards(&world.records, known).try_into().expect("one decision");
    let mut words = Words::new();
    let reason = "<script>alert(1)</script> & \"more\"".to_owned();
    words.insert((card.decided.version, "reasons".to_owned()), reason);
    let page = card_page(&card, &words, &Words::new());
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("[reason withheld]"));
    let mut withheld = Words::new();
    let review = (card.reviewed.version, "reason".to_owned());
    withheld.insert(review, "withheld: key destroyed".to_owned());
    let page = card_page(&card, &words, &withheld);
    assert!(page.contains("[reason withheld: key destroyed]"));
    assert!(words.keys().all(|(version, _)| *version > Version(0)));
}

/// Steps after the decision that the card is of, and what it says of the appeal.
const APPEALS: &[(&[&str], &str)] = &[
    (&[], "pending"),
    (&["decide A1 dismissed by J1"], "dismissed"),
    (&["decide A1 allowed outcome refugee by J1"], "allowed: refugee"),
    (&["appeals.withdraw appeal=@A1 by P1"], "withdrawn by version N"),
    (&["withdraw by A1"], "nothing left to decide by version N"),
];

#[test]
fn an_appeal_is_shown_as_pending_only_while_it_is() {
    for (steps, said) in APPEALS {
        let mut world = World::decided();
        world.take("file A1 2024-02-10 by P1").expect("in time");
        for step in *steps {
            world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
        }
        shows(&world, said);
    }
    let mut late = World::decided();
    late.take("file A1 2024-03-02 by P1").expect("late");
    shows(&late, "pending");
    late.take("rule A1 rejected by J1").expect("a ruling");
    shows(&late, "rejected as late by version N");
}

fn shows(world: &World, said: &str) {
    let known = Shelf(std::slice::from_ref(&world.library));
    let [card] = cards(&world.records, known).try_into().expect("one decision");
    let [appeal] = card.appeals.as_slice() else { panic!("one appeal") };
    let said = said.replace('N', &world.case.version.to_string());
    assert_eq!(appeal.in_words(), said);
    let page = card_page(&card, &Words::new(), &Words::new());
    assert!(page.contains(&format!("filed by version {}, {said}", appeal.filed)));
    let json = serde_json::to_value(appeal).expect("JSON");
    assert_eq!(json.get("stands").is_none(), said == "pending", "{json}");
    assert_eq!(json["ended"].as_u64(), said.contains("version").then_some(world.case.version.0));
}
