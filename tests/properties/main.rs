//! Properties of the rules over random histories: random steps by random actors.

mod model;
mod removal;

use case::replay::{Replay, Shelf, Verdict};
use case::vocabulary::DecisionOutcome;
use case::{Case, Code, Event, Recorded, Summary, admit};
use proptest::prelude::*;
use tests::steps::World;

/// Steps from which random histories are made. `@` behind a role stands for a random actor.
const STEPS: &[&str] = &[
    "register by G@",
    "intake.make-claim name=~ profile=EU channel=border wish=~ by G@",
    "identity by A@",
    "intake.lodge-claim act=desertion narrative=~ by A@",
    "intake.record-reference holder=tribunal reference=PA/1 by Y@",
    "intake.identify-person person=@N1 reason=~ by G@",
    "intake.end-representation representative=P1 cause=completed by A@",
    "intake.appoint-representative representative=P1 name=~ scope=appeal by A@",
    "withdraw by A@",
    "attach E1 by P@",
    "attach E2 by W@",
    "country-info E3 by O@",
    "authenticity E1 doubtful by W@",
    "evidence.disclose-country-info evidence=[@E3] method=post language=en by W@",
    "evidence.withdraw evidence=@E1 reason=~ by A@",
    "evidence.withdraw evidence=@E3 reason=~ by O@",
    "evidence.schedule-interview interview=@V1 at=2024-02-01 language=ti by I@",
    "evidence.hold-interview interview=@V1 recorded=no by I@",
    "evidence.supersede-fact fact=posting supersedes=#3 reason=~ by W@",
    "link E1 C1.1.a supports by W@",
    "fact posting unknown by W@",
    "fact enlistment conscript by W@",
    "find C1.1.a M by W@",
    "find C2.4 U by W@",
    "find-all W@",
    "find-all W@ C3.1.a=M C3.1.b=M C3.1.c=M C3.1.d=M",
    "find-all W@ C3.1.a=U C3.1.b=M C3.1.c=M C3.1.d=M",
    "open-exclusion by W@",
    "find EXC M clause 1Fa by W@",
    "find EXC N by W@",
    "complete by W@",
    "complete on 2024-06-15 by W@",
    "review agree on 2024-06-15 by R@",
    "issue refused on 2024-06-15 by D@",
    "review agree by R@",
    "review agree by R:W@",
    "review agree by R:D@",
    "complete by W:D@",
    "review return by R@",
    "review escalate by R@",
    "issue refused by D@",
    "issue refused departure yes by D@",
    "issue refused onus C3.1.a by D@",
    "issue refugee grounds religion by D@",
    "issue refugee grounds religion departure yes by D@",
    "issue excluded by D@",
    "issue refused by D:W@",
    "notify 2024-02-01 2024-03-01 by Y@",
    "file A1 2024-02-10 by P@",
    "file A2 2024-03-10 by P@",
    "rule A2 admitted by J@",
    "rule A2 rejected by J@",
    "decide A1 remitted by J@",
    "decide A1 remitted to tribunal by J@",
    "decide A1 dismissed by J@",
    "decide A2 allowed outcome refugee by J@",
    "decide A1 remitted by J:D@",
    "deadlines.set deadline=@L1 kind=merits due=2024-07-02T00:00:00Z by Y@",
    "deadlines.extend deadline=@L1 due=2024-09-02T00:00:00Z reason=~ by W@",
    "deadlines.expire deadline=@L1 due=2024-07-02T00:00:00Z by S@ on 2024-07-02T00:00:00Z",
    "deadlines.expire deadline=@L1 due=2024-09-02T00:00:00Z by S@ on 2024-09-02T00:00:00Z",
    "assessment.open by W@",
    "assessment.order-enquiry criteria=[C2] question=~ by R@",
    "decisions.fail-notification method=post attempted=2024-01-20 cause=moved by Y@",
    "decisions.withdraw by=authority reason=~ by D@",
    "decisions.place-removal-bar bar=@B1 basis=medical by Y@",
    "decisions.lift-removal-bar bar=@B1 reason=~ by Y@",
    "decisions.grant-status status=refugee from=2024-02-01 by D@",
    "decisions.open-status-review kind=cessation reason=~ by D@",
    "decisions.notify-status-review method=post language=en served=2024-03-10 by Y@",
    "decisions.hear-status-review attended=yes on 2024-03-20 by D@",
    "decisions.keep-status reason=~ by D@",
    "decisions.end-status ground=ceased_circumstances reasons=~ on 2024-03-25 by D@",
    "appeals.determine-suspension appeal=@A1 effect=not_suspensive reason=~ by J@",
    "appeals.list-hearing appeal=@A1 hearing=@H1 at=2024-04-02 by Y@",
    "appeals.hold-hearing appeal=@A1 hearing=@H1 attended=yes by J@",
    "decide A1 dismissed onward_deadline 2024-04-30 by J@",
    "appeals.seek-permission appeal=@A1 grounds=~ sought=2024-04-10 by P@",
    "appeals.decide-permission appeal=@A1 result=granted reasons=~ by J@",
    "appeals.decide-permission appeal=@A1 result=refused reasons=~ by J@",
    "appeals.seek-permission appeal=@A1 grounds=~ sought=2024-06-05 by P@",
    "decide A1 dismissed onward_deadline 2024-06-30 by J@",
    "deadlines.set deadline=@L2 kind=appeal due=2024-06-15T00:00:00Z by Y@",
    "deadlines.set deadline=@L4 kind=response due=2024-03-10T00:00:00Z by Y@",
    "deadlines.set deadline=@L5 kind=reinstatement due=2025-06-01T00:00:00Z by Y@",
    "deadlines.set deadline=@L3 kind=onward due=2024-07-15T00:00:00Z by Y@",
    "find CP.1 M by W@",
    "find CP.1 N by W@",
    "find CP.1 U by W@",
    "find-all W@ CP.1=M",
    "register sought protection by G@",
    "decide A1 allowed outcome subsidiary by J@",
    "decide A1 substituted outcome refused by J@",
    "appeals.withdraw appeal=@A1 by P@",
    "appeals.withdraw appeal=@A1 by D@",
    "appeals.withdraw appeal=@A2 by P@",
    "appeals.seek-permission appeal=@A1 grounds=~ sought=2024-04-10 by D@",
    "appeals.seek-permission appeal=@A2 grounds=~ sought=2024-06-10 by P@",
    "appeals.decide-permission appeal=@A2 result=granted reasons=~ by J@",
    "decisions.end-status ground=ceased_circumstances outcome=subsidiary reasons=~ on 2024-03-25 by D@",
    "registry.warn-withdrawal cause=not_attended method=post language=en served=2024-02-01 by Y@",
    "registry.answer-warning by A@",
    "registry.withdraw-implicitly reason=~ on 2024-02-16 by Y@",
    "registry.reinstate-claim reason=~ by Y@",
    "registry.make-further-submission submission=@F1 content=~ by P@",
    "registry.rule-further-submission submission=@F1 ruling=admitted reasons=~ by D@",
    "registry.rule-further-submission submission=@F1 ruling=inadmissible reasons=~ by D@",
    "registry.reopen-claim ground=further_submission reason=~ by D@",
    "registry.reopen-claim ground=serious_doubt reason=~ by D@",
    "close refused on 2024-06-01 by Y@",
    "close withdrawn on 2024-06-01 by Y@",
    "close withdrawn on 2025-05-01 by Y@",
    "registry.destroy-key legal_basis=test approver=Z1 on 2024-06-02 by X@",
];

/// Most random orders are refused at once, so whole stretches of a claim's life stand beside them.
const STRETCHES: &[&[&str]] = &[
    &["notify 2024-02-01 2024-03-01 by Y1"],
    &[
        "find-all W1 C3.1.a=M C3.1.b=M C3.1.c=M C3.1.d=M",
        "complete by W1",
        "review agree by R1",
        "issue refugee grounds religion by D1",
        "notify 2024-02-01 2024-03-01 by Y1",
        "decisions.grant-status status=refugee from=2024-02-01 by D1",
    ],
    &[
        "decisions.open-status-review kind=cessation reason=~ by D1",
        "decisions.notify-status-review method=post language=en served=2024-03-10 by Y1",
        "decisions.hear-status-review attended=yes on 2024-03-20 by D1",
        "decisions.end-status ground=ceased_circumstances reasons=~ on 2024-03-25 by D2",
    ],
    &["decide A1 dismissed onward_deadline 2024-04-30 by J1"],
    &[
        "appeals.seek-permission appeal=@A1 grounds=~ sought=2024-04-10 by P1",
        "appeals.decide-permission appeal=@A1 result=granted reasons=~ by J2",
        "decide A1 dismissed onward_deadline 2024-06-30 by J3",
    ],
    &["register by G1", "find-all W1", "complete by W1"],
    &["review agree by R1", "issue refused by D1"],
    &["notify 2024-02-01 2024-03-01 by Y1", "file A1 2024-02-10 by P1"],
    &[
        "find-all W1",
        "complete by W1",
        "review agree by R1",
        "issue refused by D1",
        "notify 2024-02-01 2024-03-01 by Y1",
        "file A1 2024-02-10 by P1",
        "decide A1 dismissed onward_deadline 2024-04-30 by J1",
    ],
    &[
        "decide A1 allowed outcome refugee by J1",
        "appeals.seek-permission appeal=@A1 grounds=~ sought=2024-04-10 by D2",
        "appeals.decide-permission appeal=@A1 result=granted reasons=~ by J2",
        "decide A1 dismissed by J3",
    ],
    &[
        "register sought protection by G1",
        "find-all W1 CP.2=M",
        "complete by W1",
        "review agree by R1",
        "issue subsidiary by D1",
        "notify 2024-02-01 2024-03-01 by Y1",
    ],
    &[
        "find-all W1 CP.1=M",
        "complete by W1",
        "review agree by R1",
        "issue refused departure yes by D1",
    ],
    &["file A2 2024-03-10 by P1", "rule A2 rejected by J1"],
    &[
        "decide A1 remitted by J1",
        "find-all W2",
        "complete on 2024-04-20 by W2",
        "review agree on 2024-04-20 by R2",
        "issue refused on 2024-04-20 by D2",
    ],
];

/// `W@` becomes `W1`; `=@E1` names an id and stays.
fn played_by(step: &str, actor: impl std::fmt::Display) -> String {
    let mut played = String::new();
    let mut before = ' ';
    for letter in step.chars() {
        if letter == '@' && before.is_ascii_uppercase() {
            played.push_str(&actor.to_string());
        } else {
            played.push(letter);
        }
        before = letter;
    }
    played
}

fn history() -> impl Strategy<Value = Vec<String>> {
    let one =
        (0..STEPS.len(), 1..3_u8).prop_map(|(step, actor)| vec![played_by(STEPS[step], actor)]);
    let stretch = (0..STRETCHES.len())
        .prop_map(|index| STRETCHES[index].iter().map(|step| (*step).to_owned()).collect());
    proptest::collection::vec(prop_oneof![3 => one, 1 => stretch], 1..24)
        .prop_map(|parts: Vec<Vec<String>>| parts.concat())
}

/// Plays a history and checks every step.
fn play(steps: &[String]) -> World {
    let mut world = World::default();
    let mut summary = None;
    let mut summarised = 0;
    for step in steps {
        if step.starts_with("find-all") {
            if world.case.intake.registration.is_some() {
                // Stops at the first refusal, which is an answer like any other.
                let _ = world.take(step);
            }
        } else {
            checked(&mut world, step);
        }
        for record in &world.records[summarised..] {
            summary = Summary::after(summary, record);
        }
        summarised = world.records.len();
        if let Some(summary) = &summary {
            assert_eq!(summary.status, world.case.status(), "after `{step}`");
            assert_eq!(summary.version, world.case.version);
            assert_eq!(summary.outcome, world.case.outcome(), "after `{step}`");
            assert_eq!(summary.deadlines, world.case.deadlines.running, "after `{step}`");
        }
    }
    reproduced(&world);
    world
}

/// I16: whatever was decided is derived again as it was recorded.
fn reproduced(world: &World) {
    let known = Shelf(std::slice::from_ref(&world.library));
    let mut replay = Replay::default();
    for record in &world.records {
        let step = replay.take(record, known);
        assert!(step.is_none_or(|step| step.verdict == Verdict::Reproduced));
    }
}

fn checked(world: &mut World, text: &str) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let step = world.read(&words);
    let first = world.decide(&step);
    assert_eq!(first, world.decide(&step), "decide is deterministic");
    let before = world.case.clone();
    match first {
        Err(_) => assert_eq!(world.case, before),
        Ok(event) => {
            let record = world.record(&step, event);
            world.case.evolve(&record);
            assert_eq!(world.case.version.0, before.version.0 + 1);
            repeated(&world.case, &record);
            world.records.push(record);
        }
    }
}

/// I22: the same command gets the first answer, another body under its id is refused, and both
/// are said before the version is looked at.
fn repeated(case: &Case, record: &Recorded) {
    let envelope = &record.envelope;
    let stale = Some(case::Version(0));
    let answer = admit(case, envelope.command, &envelope.digest, stale).expect("the first answer");
    assert_eq!(answer.expect("an answer").event, envelope.id);
    let other = admit(case, envelope.command, "another", stale).expect_err("another body");
    assert_eq!(other.code, Code::CommandReused);
}

/// I2 and I3, stated once more and naively, over the records alone.
fn nobody_judges_twice(records: &[Recorded]) {
    let mut assessors = Vec::new();
    let mut reviewers = Vec::new();
    let mut deciders = Vec::new();
    let mut agreed = false;
    for record in records {
        let by = &record.envelope.by.id;
        match &record.event {
            Event::Evidence(case::evidence::Event::FactFound(_)) => {
                assessors.push(by.clone());
                agreed = false;
            }
            // A date for an interview is no new matter; what is said there is.
            Event::Evidence(
                case::evidence::Event::InterviewScheduled(_)
                | case::evidence::Event::InterviewRescheduled(_)
                | case::evidence::Event::CountryInfoDisclosed(_)
                | case::evidence::Event::TranscriptServed(_),
            ) => {}
            Event::Evidence(_)
            | Event::Decisions(case::decisions::Event::DecisionWithdrawn(_))
            | Event::Registry(case::registry::Event::ClaimReopened(_)) => agreed = false,
            Event::Assessment(event) => {
                assert!(!deciders.contains(by), "who decided assessed or reviewed");
                if let case::assessment::Event::AssessmentReviewed(reviewed) = event {
                    assert!(!assessors.contains(by), "an assessor reviewed");
                    reviewers.push(by.clone());
                    agreed = reviewed.result == case::vocabulary::ReviewResult::Agree;
                } else if record.envelope.by.role == case::vocabulary::Role::Reviewer {
                    assert!(!assessors.contains(by), "an assessor ordered as a reviewer");
                    reviewers.push(by.clone());
                    agreed = false;
                } else {
                    assert!(!reviewers.contains(by), "a reviewer assessed");
                    assessors.push(by.clone());
                    agreed = false;
                }
            }
            Event::Decisions(case::decisions::Event::DecisionIssued(_)) => {
                assert!(agreed, "a decision without an agreed review of the latest assessment");
                assert!(!assessors.contains(by) && !reviewers.contains(by));
                deciders.push(by.clone());
            }
            Event::Appeals(case::appeals::Event::AppealDecided(_)) => {
                let judge_only = records
                    .iter()
                    .filter(|r| r.position < record.position && r.envelope.by.id == *by)
                    .all(|r| r.envelope.by.role == case::vocabulary::Role::AppealJudge);
                assert!(judge_only, "a judge took an earlier part");
                agreed = false;
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_obey_the_rules(steps in history()) {
        let world = play(&steps);
        prop_assert_eq!(&Case::fold(&world.records), &world.case, "folding again gives the same");
        nobody_judges_twice(&world.records);
        removal::never_open_while_closed(&world.records);
    }
}

/// The time to go further that was given beyond the day of the ruling counts, also when it ran out.
#[test]
fn permission_is_sought_in_time_within_the_time_that_was_given() {
    const MORE: &str = "deadlines.set deadline=@L1 kind=onward due=2024-06-01T00:00:00Z by Y1";
    const RUNS_OUT: &str =
        "deadlines.expire deadline=@L1 due=2024-06-01T00:00:00Z by S1 on 2024-06-01T00:00:00Z";
    let sought = |given: &[&str], day: &str| {
        let mut world = World::default();
        let way = ["register by G1", "find-all W1", "complete by W1", "review agree by R1"];
        let ruled = [
            "issue refused by D1",
            "file A1 2024-02-10 by P1",
            "decide A1 dismissed onward_deadline 2024-04-30 by J1",
        ];
        let seek = format!("appeals.seek-permission appeal=@A1 grounds=~ sought={day} by P1");
        for step in way.iter().chain(&ruled).chain(given).chain(&[seek.as_str()]) {
            world.take(step).expect("a plain way");
        }
        world.case.appeals.all[0].onward.as_ref().expect("sought").in_time
    };
    assert!(sought(&[], "2024-04-30") && !sought(&[], "2024-05-10"));
    assert!(sought(&[MORE], "2024-05-10") && sought(&[MORE, RUNS_OUT], "2024-05-10"));
    assert!(!sought(&[MORE], "2024-06-02") && !sought(&[MORE, RUNS_OUT], "2024-06-02"));
}

/// The bar is no wall: it opens where nothing bars any more, and where it must.
#[test]
fn the_bar_opens_when_a_refusal_is_final() {
    let refused = ["register by G1", "find-all W1", "complete by W1", "review agree by R1"];
    let served = ["issue refused by D1", "notify 2024-02-01 2024-03-01 by Y1"];
    let mut world = World::default();
    for step in refused.iter().chain(&served) {
        world.take(step).expect("a plain way");
    }
    let bar = |at: &str| case::removal_bar(&world.case, at.parse().expect("an instant"));
    assert!(bar("2024-03-01T22:59:59Z").barred, "the last day in Brussels");
    assert_eq!(bar("2024-03-01T22:59:59Z").until, "2024-03-01T23:00:00Z".parse().ok());
    assert!(!bar("2024-03-01T23:00:00Z").barred, "the day is over");
    assert!(removal::never_open_while_closed(&world.records) > 0);
    assert!(case::removal_bar(&Case::default(), "2030-01-01T00:00:00Z".parse().unwrap()).barred);
}

/// A claim that counts as withdrawn where no clock says until when: what bars names what would end it.
#[test]
fn where_no_clock_ends_a_bar_it_says_what_does() {
    let mut world = World::default();
    for step in [
        "register profile UNHCR by G1",
        "registry.warn-withdrawal cause=absconded method=post language=en served=2024-01-10 \
         respond_by=2024-02-10 by Y1",
        "registry.withdraw-implicitly reason=~ on 2024-03-01 by Y1",
    ] {
        world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
    }
    let names_it = |sentence: &str| sentence.contains("deadlines.set, kind reinstatement");
    let at = "2030-01-01T00:00:00Z".parse().expect("an instant");
    let reasons = case::removal_bar(&world.case, at).reasons;
    assert!(reasons.len() == 1 && names_it(&reasons[0].sentence), "{reasons:?}");
    let close = "close withdrawn on 2030-01-01 by Y1";
    assert!(names_it(&world.take(close).expect_err("it may be taken up again").message));
    let given = "deadlines.set deadline=@L1 kind=reinstatement due=2025-01-01T00:00:00Z by Y1";
    world.take(given).expect("time is given");
    assert!(!case::removal_bar(&world.case, at).reasons.iter().any(|one| names_it(&one.sentence)));
    world.take(close).expect("the time is over");
}

/// Granted in January 2024, ended in January 2027.
const ENDED: &[&str] = &[
    "register by G1",
    "find-all W1 C3.1.a=M C3.1.b=M C3.1.c=M C3.1.d=M",
    "complete by W1",
    "review agree by R1",
    "issue refugee grounds political by D1",
    "notify 2024-02-01 2024-03-01 by Y1",
    "decisions.grant-status status=refugee from=2024-02-01 by D1",
    "decisions.open-status-review kind=cessation reason=~ by D1",
    "decisions.notify-status-review method=post language=en served=2027-01-10 by Y1",
    "decisions.hear-status-review attended=yes on 2027-01-15 by D1",
    "decisions.end-status ground=ceased_circumstances reasons=~ by D2 on 2027-01-20",
];

/// What ended is counted in the month of its end, and no more under the grounds of what was granted.
#[test]
fn the_end_of_a_status_is_counted_as_what_it_is() {
    let mut world = World::default();
    let mut counted = |steps: &[&str]| {
        for step in steps {
            world.take(step).unwrap_or_else(|rejection| panic!("{step}: {rejection}"));
        }
        let summary = world.records.iter().fold(None, Summary::after).expect("a summary");
        (summary.outcome.expect("decided"), summary.counted)
    };
    let (end, before) = ENDED.split_last().expect("steps");
    let (outcome, granted) = counted(before);
    assert_eq!((outcome, granted.month.as_deref()), (DecisionOutcome::Refugee, Some("2024-01")));
    assert_eq!((granted.grounds.len(), granted.categories.len()), (1, 1));
    let (outcome, ended) = counted(&[*end]);
    assert_eq!((outcome, ended.month.as_deref()), (DecisionOutcome::Refused, Some("2027-01")));
    assert!(ended.grounds.is_empty() && ended.categories.is_empty(), "{ended:?}");
}
