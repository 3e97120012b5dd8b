//! The decision card says what was before the decision-maker, and its page escapes every word.

use case::Version;
use case::card::cards;
use case::replay::Shelf;
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
