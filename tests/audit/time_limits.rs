//! Time limits are computed again, and what was recorded otherwise is found.

use case::clocks::Clocks;
use case::time_limits::{ClockShelf, Stated, TimeLimit, Verdict, again};
use case::vocabulary::DeadlineKind;
use case::{Case, Event, Recorded, WorldDate, deadlines, decisions, registry};

use super::records;

const STEPS: &[&str] = &[
    "register by G1",
    "deadlines.set deadline=@L1 kind=merits from=2024-01-31 by Y1",
    "deadlines.set deadline=@L2 kind=merits circumstance=accelerated from=2024-01-31 by Y1",
    "deadlines.set deadline=@L3 kind=review due=2024-07-02T00:00:00Z by Y1",
    "registry.warn-withdrawal cause=absconded method=post language=en served=2024-01-02 by Y1 on 2024-01-02",
    "registry.withdraw-implicitly reason=~ by Y1 on 2024-02-01",
];
const DECIDED: &[&str] = &[
    "register by G1",
    "find-all W1 C3.1.a=U C3.1.b=M C3.1.c=M C3.1.d=M",
    "complete by W1",
    "review agree by R1",
    "issue refused onus C3.1.a by D1",
    "notify 2024-02-01 2024-03-01 by Y1",
];

fn computed(records: &[Recorded], known: &[Clocks]) -> Vec<TimeLimit> {
    let mut case = Case::default();
    let mut limits = Vec::new();
    for record in records {
        limits.extend(again(&case, record, ClockShelf(known)));
        case.evolve(record);
    }
    limits
}

fn embedded() -> [Clocks; 1] {
    [Clocks::embedded().clone()]
}

/// What is found after the events were changed: node, recorded, derived.
fn found(steps: &[&str], change: impl Fn(&mut Event)) -> (String, String, String) {
    let mut records = records(steps);
    for record in &mut records {
        change(&mut record.event);
    }
    let limits = computed(&records, &embedded());
    let mut diverged = limits.into_iter().filter_map(|limit| match limit.verdict {
        Verdict::Diverged(found) => Some((found.node, found.recorded, found.derived)),
        Verdict::Reproduced | Verdict::NotDerived | Verdict::Stated(_) => None,
    });
    let first = diverged.next().expect("something diverges");
    assert_eq!(diverged.next(), None, "one change, one divergence");
    first
}

fn day(text: &str) -> WorldDate {
    WorldDate::new(text).expect("a day")
}

fn notified(change: impl Fn(&mut decisions::DecisionNotified)) -> (String, String, String) {
    found(DECIDED, |event| {
        if let Event::Decisions(decisions::Event::DecisionNotified(event)) = event {
            change(event);
        }
    })
}

#[test]
fn all_that_clocks_computed_is_reproduced_and_what_was_stated_is_told_as_such() {
    let limits = computed(&records(STEPS), &embedded());
    let kinds: Vec<_> = limits.iter().map(|limit| limit.kind).collect();
    let (merits, response) = (DeadlineKind::Merits, DeadlineKind::Response);
    let review = DeadlineKind::Review;
    assert_eq!(kinds, [merits, merits, review, response, DeadlineKind::Reinstatement]);
    let stated = Verdict::Stated(Stated { last: None, built_in: None, less: false });
    assert_eq!(limits[2].verdict, stated, "the Union has no clock for a review");
    let computed_ones = limits.iter().filter(|limit| limit.kind != review);
    let mut verdicts = computed_ones.map(|limit| &limit.verdict);
    assert!(verdicts.all(|verdict| *verdict == Verdict::Reproduced), "{limits:?}");
    assert_eq!((limits[0].version.0, limits[0].position), (2, 2));
    let served = computed(&records(DECIDED), &embedded());
    assert_eq!((served.len(), served[0].kind), (1, DeadlineKind::Appeal));
    assert_eq!(served[0].verdict, Verdict::Reproduced, "a day more than computed was given");
}

#[test]
fn a_last_day_that_the_clocks_do_not_give_is_told_with_both_values() {
    let computed = notified(|event| event.computed = Some(day("2024-02-14")));
    assert_eq!(computed, ("computed".into(), "2024-02-14".into(), "2024-02-15".into()));
    let less = notified(|event| event.appeal_deadline = day("2024-02-10"));
    assert_eq!(less, ("last day".into(), "2024-02-10".into(), "at least 2024-02-15".into()));
    let over = notified(|event| event.over = "2024-03-02T00:00:00Z".parse().ok());
    assert_eq!(over.0, "over");
    assert_eq!(over.2, "2024-03-01T23:00:00Z", "midnight in Brussels");
    let served = notified(|event| event.served = day("2024-02"));
    assert_eq!((served.0.as_str(), served.2.as_str()), ("from", "no day"));

    let due = found(STEPS, |event| {
        if let Event::Deadlines(deadlines::Event::DeadlineSet(event)) = event
            && event.kind == DeadlineKind::Merits
            && event.due.to_string().starts_with("2024-07")
        {
            event.due = "2024-08-01T22:00:00Z".parse().expect("an instant");
        }
    });
    assert_eq!(due.0, "due");
    let warned = found(STEPS, |event| {
        if let Event::Registry(registry::Event::WithdrawalWarned(event)) = event {
            event.respond_by = day("2024-01-10");
        }
    });
    assert_eq!((warned.0.as_str(), warned.1.as_str()), ("last day", "2024-01-10"));
}

#[test]
fn another_profiles_clocks_and_a_file_that_is_not_here_are_told() {
    let french = Clocks::embedded().all().find(|(profile, _)| *profile == "FR").expect("FR");
    let french = french.1.hash.clone();
    let other = notified(|event| event.clocks = Some(french.clone()));
    assert_eq!(other, ("profile".into(), "EU".into(), "FR".into()));
    let limits = computed(&records(DECIDED), &[]);
    assert_eq!(limits[0].verdict, Verdict::NotDerived);
}

#[test]
fn what_was_stated_without_a_clock_stands_beside_what_the_built_in_one_gives() {
    let stated = |last: &str| {
        let mut records = records(DECIDED);
        for record in &mut records {
            if let Event::Decisions(decisions::Event::DecisionNotified(event)) = &mut record.event {
                event.appeal_deadline = day(last);
                (event.clocks, event.computed, event.over) = (None, None, None);
            }
        }
        let limits = computed(&records, &embedded());
        assert_eq!((limits.len(), &limits[0].clocks), (1, &None));
        limits.into_iter().next().map(|limit| limit.verdict)
    };
    let beside = |last: &str, less| {
        let (last, built_in) = (Some(day(last)), Some(day("2024-02-15")));
        Some(Verdict::Stated(Stated { last, built_in, less }))
    };
    assert_eq!(stated("2024-02-02"), beside("2024-02-02", true));
    assert_eq!(stated("2024-02-15"), beside("2024-02-15", false));
}

#[test]
fn each_step_to_the_next_court_is_computed_again_by_its_own_clock() {
    let lost = [
        "register profile UK_post2022 by G1",
        "find-all W1",
        "complete by W1",
        "review agree by R1",
        "issue refused by D1",
        "notify 2024-02-01 2024-02-15 by Y1",
        "file A1 2024-03-20 by P1",
        "rule A1 rejected on 2024-04-02 by J1",
        "appeals.seek-permission appeal=@A1 grounds=~ sought=2024-04-10 by P1",
        "appeals.decide-permission appeal=@A1 result=granted reasons=~ on 2024-04-20 by J2",
        "decide A1 dismissed on 2024-06-12 by J3",
        "appeals.seek-permission appeal=@A1 grounds=~ sought=2024-06-20 by P1",
        "appeals.decide-permission appeal=@A1 result=refused reasons=~ on 2024-06-24 by J4",
        "deadlines.set deadline=@L1 kind=onward from=2024-06-24 by Y1",
    ];
    let limits = computed(&records(&lost), &embedded());
    let over: Vec<_> = limits.iter().map(|limit| limit.over.map(|over| over.to_string())).collect();
    let days = ["2024-02-16T00:00", "2024-04-16T23:00", "2024-06-28T23:00"];
    let again = ["2024-07-22T23:00", "2024-07-22T23:00"];
    let days = days.iter().chain(&again).map(|day| Some(format!("{day}:00Z")));
    assert_eq!(over, days.collect::<Vec<_>>());
    assert!(limits.iter().all(|limit| limit.verdict == Verdict::Reproduced), "{limits:?}");
}

#[test]
fn what_a_file_computed_before_it_was_changed_is_computed_again_by_it() {
    // Five working days for the detained, as it was.
    let detained = [
        "register profile UK_post2022 by G1",
        "find-all W1",
        "complete by W1",
        "review agree by R1",
        "issue refused by D1",
        "decisions.notify method=post language=en served=2024-03-05 circumstance=detained by Y1",
    ];
    let mut before = records(&detained);
    let former = include_bytes!("../../schemas/clocks/former/UK_post2022.toml");
    for record in &mut before {
        if let Event::Decisions(decisions::Event::DecisionNotified(event)) = &mut record.event {
            assert_eq!(event.appeal_deadline, day("2024-03-19"), "as it is now");
            event.clocks = Some(case::token::ClocksId::of_file(former));
            (event.appeal_deadline, event.computed) = (day("2024-03-12"), Some(day("2024-03-12")));
            event.over = "2024-03-13T00:00:00Z".parse().ok();
        }
    }
    assert_eq!(computed(&before, &embedded())[0].verdict, Verdict::Reproduced);
}
