//! A long walk: random commands by random actors, and a naive model of the invariants beside them.
//!
//! `TEBESSA_MODEL_STEPS=1000000` walks farther; a claim that fails names its seed, and
//! `TEBESSA_MODEL_SEED` plays that one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use case::vocabulary::{AppealResult, DecisionOutcome, LateRuling, PermissionResult};
use case::{Event, Recorded, appeals, assessment, decisions, registry};
use guidance::Value;
use tests::steps::World;

use super::{STEPS, STRETCHES, nobody_judges_twice, played_by, removal};

/// How many commands are tried where nothing is said.
const COMMANDS: u64 = 100_000;
/// How many of them belong to one claim.
const COMMANDS_A_CLAIM: u64 = 100;
const THREADS: u64 = 2;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Steele, Lea and Flood's `SplitMix64`: a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit).expect("a small limit");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("below the limit")
    }
}

/// What a walk has seen, so that one that never gets anywhere fails.
#[derive(Default)]
struct Seen {
    tried: u64,
    accepted: u64,
    decided: u64,
    unbarred: usize,
}

#[test]
fn a_hundred_thousand_random_commands_break_no_invariant() {
    let claims = number("TEBESSA_MODEL_STEPS").unwrap_or(COMMANDS).div_ceil(COMMANDS_A_CLAIM);
    let seeds = match number("TEBESSA_MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..claims,
    };
    let whole = seeds.end - seeds.start == claims;
    let walk = |thread: u64| {
        let mut seen = Seen::default();
        let mut world = World::default();
        for seed in seeds.clone().filter(|seed| seed % THREADS == thread) {
            world.begin_anew();
            let lived = catch_unwind(AssertUnwindSafe(|| live(&mut world, seed, &mut seen)));
            assert!(lived.is_ok(), "play it again with TEBESSA_MODEL_SEED={seed}");
        }
        seen
    };
    let seen = thread::scope(|scope| {
        let walks: Vec<_> = (0..THREADS).map(|one| scope.spawn(move || walk(one))).collect();
        walks.into_iter().fold(Seen::default(), |sum, walk| {
            let seen = walk.join().expect("a walk without a fault");
            Seen {
                tried: sum.tried + seen.tried,
                accepted: sum.accepted + seen.accepted,
                decided: sum.decided + seen.decided,
                unbarred: sum.unbarred + seen.unbarred,
            }
        })
    });
    if whole {
        assert!(seen.tried >= claims * COMMANDS_A_CLAIM);
        assert!(seen.accepted > seen.tried / 10, "{} of {}", seen.accepted, seen.tried);
        assert!(seen.decided > claims / 10, "{} decisions", seen.decided);
        assert!(seen.unbarred > 0, "the bar never opened");
    }
}

/// One claim: single steps and whole stretches of a claim's life, in random order.
fn live(world: &mut World, seed: u64, so_far: &mut Seen) {
    let mut dice = Dice(seed);
    let mut left = COMMANDS_A_CLAIM;
    while left > 0 {
        let stretch: Vec<String> = if dice.below(4) == 0 {
            STRETCHES[dice.below(STRETCHES.len())].iter().map(|step| (*step).to_owned()).collect()
        } else {
            vec![played_by(STEPS[dice.below(STEPS.len())], dice.below(2) + 1)]
        };
        for step in stretch {
            if step.starts_with("find-all") && world.case.intake.registration.is_none() {
                continue;
            }
            so_far.tried += 1;
            left = left.saturating_sub(1);
            if world.take(&step).is_ok() {
                so_far.accepted += 1;
            }
        }
    }
    nobody_judges_twice(&world.records);
    so_far.unbarred += removal::never_open_while_closed(&world.records);
    so_far.decided += obeyed(&world.records);
}

/// The other invariants, naively and over the records alone. Returns how often it was decided.
fn obeyed(records: &[Recorded]) -> u64 {
    let mut commands = BTreeSet::new();
    let mut excluded = false;
    let mut opened = false;
    let mut late = BTreeMap::new();
    let mut warned: Option<String> = None;
    let mut assessors = BTreeSet::new();
    let mut earlier = BTreeSet::new();
    let mut decisions = 0;
    for (record, version) in records.iter().zip(1_u64..) {
        let envelope = &record.envelope;
        assert_eq!(envelope.version.0, version, "I17: no version twice, none left out");
        assert!(commands.insert(envelope.command), "I22: no command twice");
        assert!(!envelope.by.basis.as_str().is_empty(), "I19: a legal basis");
        match &record.event {
            Event::Assessment(assessment::Event::ExclusionOpened(_)) => opened = true,
            Event::Assessment(assessment::Event::FindingRecorded(finding))
                if finding.criterion.as_str() == "EXC" =>
            {
                assert!(opened, "I6: exclusion has an examination of its own");
                excluded = finding.value == Value::Met;
            }
            Event::Assessment(assessment::Event::AssessmentCompleted(completed)) => {
                let by = envelope.by.id.clone();
                assert!(!earlier.contains(&by), "I14: a fresh assessor after a remittal");
                assert!(!completed.findings.is_empty(), "I4: what was asked");
                assessors.insert(by);
            }
            Event::Decisions(decisions::Event::DecisionIssued(issued)) => {
                decisions += 1;
                warned = None;
                let by_1f = matches!(
                    issued.outcome,
                    DecisionOutcome::Excluded | DecisionOutcome::ExcludedNotRemovable
                );
                assert!(!by_1f || excluded, "I6: nobody is excluded without a finding");
            }
            Event::Appeals(event) => match event {
                appeals::Event::AppealFiled(filed) => {
                    late.insert(filed.appeal, !filed.in_time);
                }
                appeals::Event::LateFilingRuled(ruled) => {
                    late.insert(ruled.appeal, ruled.ruling != LateRuling::Admitted);
                }
                // The next court rules on whether it is heard.
                appeals::Event::PermissionDecided(one) => {
                    late.insert(one.appeal, one.result != PermissionResult::Granted);
                }
                appeals::Event::AppealDecided(decided) => {
                    assert!(!late[&decided.appeal], "I12: late and not ruled on");
                    if decided.result == AppealResult::Remitted && decided.to.is_none() {
                        earlier.append(&mut assessors);
                        (opened, excluded) = (false, false);
                    }
                }
                _ => {}
            },
            Event::Registry(event) => match event {
                registry::Event::WithdrawalWarned(one) => warned = Some(one.respond_by.to_string()),
                registry::Event::WarningAnswered(_) => warned = None,
                registry::Event::ClaimWithdrawnImplicitly(_) => {
                    let until = warned.take().expect("I13: a warning that nobody answered");
                    assert!(envelope.occurred.to_string() > until, "I13: time to answer ran out");
                }
                registry::Event::ClaimReopened(_) => {
                    earlier.append(&mut assessors);
                    (opened, excluded) = (false, false);
                }
                _ => {}
            },
            _ => {}
        }
    }
    decisions
}
