//! A case as it was known at a point, and what differs between two points.

use case::picture::{Difference, Picture, Section, difference, picture};
use case::replay::Shelf;
use case::{Case, Event, Instant, Recorded, WorldDate, evidence};
use guidance::Library;
use jiff::civil::{Date, date};
use tests::steps::World;

const LIFE: &[&str] = &[
    "register by G1",
    "attach E1 by P1 on 2024-01-05",
    "authenticity E1 genuine by W1",
    "find-all W1 C3.1.a=U C3.1.b=M C3.1.c=M C3.1.d=M",
    "attach E2 by P1",
    "find C3.1.a M by W1 on 2024-03-10",
    "complete by W1",
    "review agree by R1",
    "issue refugee grounds political by D1",
    "notify 2024-04-01 2024-05-01 by Y1 on 2024-04-01",
];

fn life() -> Vec<Recorded> {
    let mut world = World::default();
    for step in LIFE {
        world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
    }
    // Most commands need a day; what was recorded of old, or imported, may have less.
    for record in &mut world.records {
        match &record.event {
            Event::Evidence(evidence::Event::AuthenticityAssessed(_)) => {
                record.envelope.occurred = WorldDate::new("2024-02").expect("a month");
            }
            Event::Evidence(evidence::Event::Attached(_)) if record.position > 3 => {
                record.envelope.occurred = WorldDate::new("unknown").expect("a date");
            }
            _ => {}
        }
    }
    world.records
}

fn seen(records: &[Recorded], happened_by: Option<Date>) -> Picture {
    seen_at(records, happened_by, None)
}

fn seen_at(records: &[Recorded], happened_by: Option<Date>, at: Option<Instant>) -> Picture {
    let library = Library::embedded().expect("sound");
    picture(records, 0, happened_by, at, Shelf(&[library])).expect("records")
}

fn keys(picture: &Picture, section: Section) -> Vec<&str> {
    let lines = picture.sections.get(&section).map_or(&[][..], Vec::as_slice);
    lines.iter().map(|line| line.key.as_str()).collect()
}

#[test]
fn at_every_version_the_picture_is_what_the_first_events_fold_to() {
    let records = life();
    for version in 1..=records.len() {
        let known = &records[..version];
        let (picture, case) = (seen(known, None), Case::fold(known));
        assert_eq!(picture.version, case.version);
        assert_eq!((picture.status, picture.outcome), (case.status(), case.outcome()));
        assert_eq!(picture.events.len(), version);
        assert_eq!(keys(&picture, Section::Evidence).len(), case.evidence.items.len());
        let findings = case.assessment.rounds.last().map_or(0, |round| round.findings.len());
        assert_eq!(keys(&picture, Section::Findings).len(), findings);
        assert_eq!(keys(&picture, Section::Decisions).len(), case.decisions.all.len());
    }
}

#[test]
fn what_happened_later_is_left_out_and_what_perhaps_did_is_marked() {
    let records = life();
    let all = seen(&records, None);
    assert_eq!((all.not_happened, all.events.iter().filter(|line| line.uncertain).count()), (0, 0));
    let cut = seen(&records, Some(date(2024, 2, 10)));
    // The finding of March and the service of April.
    assert_eq!(cut.not_happened, 2);
    assert_eq!(cut.events.len(), records.len() - 2);
    let perhaps: Vec<_> = cut
        .events
        .iter()
        .filter(|line| line.uncertain)
        .map(|line| line.occurred.as_str())
        .collect();
    assert_eq!(perhaps, ["2024-02", "unknown"]);
    assert!(!keys(&cut, Section::Findings).contains(&"C3.1.a"), "it was found in March");
    assert_eq!(keys(&cut, Section::Evidence).len(), 2);
    // The rules saw all that was known.
    assert_eq!((cut.status, cut.outcome), (all.status, all.outcome));
    let first = seen(&records, Some(date(2024, 1, 31)));
    assert_eq!(first.not_happened, 3, "and the month of February");
}

#[test]
fn a_difference_names_what_came_and_what_changed() {
    let records = life();
    let between = |from: usize, to: usize| -> Difference {
        difference(seen(&records[..from], None), seen(&records[..to], None))
    };
    let finding = records.len() - 6;
    let found = between(finding, records.len());
    assert!(!found.same);
    assert_eq!(found.added.len(), 6);
    assert!(found.missing.is_empty());
    let turned = found.changes.iter().find(|change| change.key == "C3.1.a").expect("it changed");
    let text = |line: &Option<case::picture::Line>| line.as_ref().expect("a line").text.clone();
    assert_eq!(turned.section, Section::Findings);
    assert_eq!(
        (text(&turned.before).as_str(), text(&turned.after).as_str()),
        ("U (conviction)", "M (conviction)",)
    );
    assert!(found.changes.iter().any(|change| change.section == Section::Evidence));
    assert!(found.changes.iter().any(|change| change.section == Section::Decisions));
    assert!(found.changes.iter().all(|change| change.section != Section::Facts));
    // Backwards, what came is what is missing.
    let back = between(records.len(), finding);
    assert_eq!((back.added.len(), back.missing), (0, found.added));
    for version in 1..=records.len() {
        let same = between(version, version);
        assert!(same.same && same.changes.is_empty(), "version {version}");
    }
}

#[test]
fn an_appeal_that_is_withdrawn_is_a_change_of_the_appeals() {
    let mut world = World::decided();
    world.take("file A1 2024-02-10 by P1").expect("in time");
    let before = seen(&world.records, None);
    world.take("appeals.withdraw appeal=@A1 by P1").expect("who filed it withdraws it");
    let after = seen(&world.records, None);
    let changes = difference(before, after).changes;
    let appeals =
        changes.iter().find(|change| change.section == Section::Appeals).expect("changed");
    let text = |line: &Option<case::picture::Line>| line.as_ref().expect("a line").text.clone();
    assert!(text(&appeals.before).ends_with(", in time, pending"));
    let withdrawn = format!(", in time, withdrawn by version {}", world.case.version);
    assert!(text(&appeals.after).ends_with(&withdrawn));
}

/// A time limit that ended before the moment that was asked for bars no more then.
#[test]
fn the_removal_bar_is_that_of_the_moment_asked_for_and_says_which_claim_it_is_of() {
    let world = World::decided();
    let served = seen(&world.records, None);
    assert!(!served.barred.is_empty(), "the time to appeal runs");
    assert_eq!(served.barred_at, Some(served.recorded));
    let later: Instant = "2034-01-01T00:00:00Z".parse().expect("a time");
    let over = seen_at(&world.records, None, Some(later));
    assert_eq!((over.barred.as_slice(), over.barred_at), (&[][..], Some(later)));
    let json = serde_json::to_value(&over).expect("JSON");
    assert_eq!(json["barred_by"], "this_claim_alone");
    // What was recorded then was not known before.
    let before: Instant = "1960-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(seen_at(&world.records, None, Some(before)).barred_at, Some(served.recorded));
}

#[test]
fn what_was_withdrawn_says_so_with_its_event() {
    let mut world = World::default();
    for step in
        ["register by G1", "attach E1 by P1", "evidence.withdraw evidence=@E1 reason=~ by P1"]
    {
        world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
    }
    let picture = seen(&world.records, None);
    let [item] = picture.sections[&Section::Evidence].as_slice() else { panic!("one item") };
    assert!(item.text.ends_with("not assessed, withdrawn by version 3"), "{}", item.text);
}
