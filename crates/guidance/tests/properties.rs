//! What holds for every set of findings under every profile.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test, in functions beside the tests too"
)]

mod common;

use common::library;
use guidance::{
    Enlistment, Evaluation, Facts, Findings, Guidance, Library, Motive, Outcome, Posting, Question,
    Sought, Value,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static LIBRARY: LazyLock<Library> = LazyLock::new(library);

const PROFILES: [&str; 11] =
    ["UNHCR", "EU", "DE", "FR", "UK_pre2022", "UK_post2022", "CA", "NZ", "AU", "US", "ECHR"];

fn guidance(profile: &str) -> &'static Guidance {
    LIBRARY.in_force(profile, jiff::civil::date(2026, 1, 1)).unwrap()
}

fn facts() -> impl Strategy<Value = Facts> {
    let posting = select(vec![None, Some(Posting::Unknown), Some(Posting::Known)]);
    let enlistment = select(vec![None, Some(Enlistment::Conscript), Some(Enlistment::Volunteer)]);
    let motive = select(vec![None, None, Some(Motive::FearOfCombatOnly)]);
    (posting, enlistment, motive).prop_map(|(posting, enlistment, motive)| Facts {
        posting,
        enlistment,
        motive,
    })
}

/// A profile, a question, and up to `most` leaves that are undetermined on purpose.
///
/// Leaves start as an applicant who meets most criteria would have them, so that outcomes of all
/// kinds and long undetermined paths are common.
fn question(most: usize) -> impl Strategy<Value = (&'static Guidance, Question)> {
    let leaf =
        prop_oneof![6 => Just(None), 2 => Just(Some(Value::Met)), 2 => Just(Some(Value::NotMet))];
    (
        select(PROFILES.to_vec()),
        select(Sought::ALL.to_vec()),
        facts(),
        any::<bool>(),
        prop::collection::vec(leaf, 41),
        prop::collection::vec(0..41_usize, 0..=most),
    )
        .prop_map(|(profile, sought, facts, likely, leaves, undetermined)| {
            let guidance = guidance(profile);
            let mut findings = guidance.decided_findings();
            for ((leaf, id), value) in guidance.leaves().zip(leaves) {
                let against = ["SP", "IFA", "EXC"].contains(&id);
                let default = if likely && !against { Value::Met } else { findings.get(leaf) };
                findings.set(leaf, value.unwrap_or(default));
            }
            let all: Vec<_> = guidance.leaves().map(|(leaf, _)| leaf).collect();
            for place in undetermined {
                findings.set(all[place], Value::Undetermined);
            }
            (guidance, Question { sought, facts, findings })
        })
}

/// Leaves that stand in several places, and leaves beside them.
const AROUND_SHARED_LEAVES: [&str; 14] = [
    "PUN.1", "IFA", "CP.1", "CP.2", "EXC", "NEX", "G.ID", "SP", "C3.1.a", "C3.1.b", "C3.1.d",
    "C1.1.a", "C2.4", "LIAB",
];

/// A profile and a question whose undetermined leaves lie around those that stand in several
/// places; the other leaves let the outcome hang on them.
fn question_around_shared_leaves() -> impl Strategy<Value = (&'static Guidance, Question)> {
    // None: what a decided case has.
    let leaf = prop_oneof![
        4 => Just(None),
        4 => Just(Some(Value::Undetermined)),
        1 => Just(Some(Value::Met)),
        1 => Just(Some(Value::NotMet)),
    ];
    (
        select(PROFILES.to_vec()),
        prop_oneof![
            3 => Just(Sought::Protection),
            2 => Just(Sought::Refugee),
            1 => Just(Sought::Nonrefoulement),
        ],
        facts(),
        any::<bool>(),
        prop::collection::vec(leaf, AROUND_SHARED_LEAVES.len()),
    )
        .prop_map(|(profile, sought, facts, acts, leaves)| {
            let guidance = guidance(profile);
            let mut findings = guidance.decided_findings();
            let mut find = |id: &str, value| guidance.find(&mut findings, id, value).unwrap();
            if acts {
                for id in ["C2.1", "C2.2.a", "C2.3", "C2.5", "C2.6"] {
                    find(id, Value::Met);
                }
            }
            find("C3.1.c", Value::Met);
            for (id, value) in AROUND_SHARED_LEAVES.into_iter().zip(leaves) {
                let beside = ["C3.1.b", "C3.1.d"].contains(&id).then_some(Value::Met);
                if let Some(value) = value.or(beside) {
                    find(id, value);
                }
            }
            (guidance, Question { sought, facts, findings })
        })
}

fn undetermined(guidance: &Guidance, findings: &Findings) -> Vec<guidance::Leaf> {
    let leaves = guidance.leaves().map(|(leaf, _)| leaf);
    leaves.filter(|leaf| findings.get(*leaf) == Value::Undetermined).collect()
}

fn presumed(evaluation: &Evaluation<'_>) -> BTreeSet<String> {
    evaluation.presumed().map(|presumed| presumed.leaf.to_owned()).collect()
}

/// The open leaves by trying every completion of the undetermined leaves, presumed ones aside.
fn open_by_trying_everything(guidance: &Guidance, question: &Question) -> BTreeSet<String> {
    let presumed = presumed(&guidance.evaluate(question));
    let free: Vec<_> = undetermined(guidance, &question.findings)
        .into_iter()
        .filter(|leaf| !presumed.contains(guidance.id_of(*leaf).unwrap()))
        .collect();
    let outcome = |completion: usize| {
        let mut question = *question;
        for (place, leaf) in free.iter().enumerate() {
            let value = if completion >> place & 1 == 1 { Value::Met } else { Value::NotMet };
            question.findings.set(*leaf, value);
        }
        guidance.evaluate(&question).outcome()
    };
    let outcomes: Vec<Outcome> = (0..1 << free.len()).map(outcome).collect();
    let turns = |place: usize| {
        (0..outcomes.len())
            .any(|completion| outcomes[completion] != outcomes[completion ^ (1 << place)])
    };
    let open = free.iter().enumerate().filter(|(place, _)| turns(*place));
    open.map(|(_, leaf)| guidance.id_of(*leaf).unwrap().to_owned()).collect()
}

/// The open leaves by the evaluation.
fn open(evaluation: &Evaluation<'_>) -> BTreeSet<String> {
    evaluation.open().map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4 * ProptestConfig::default().cases, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_findings_never_matters(
        (guidance, question) in question(6),
        order in Just((0..41_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let leaves: Vec<_> = guidance.leaves().collect();
        let mut findings = guidance.undetermined_findings();
        for place in order {
            let (leaf, id) = leaves[place];
            guidance.find(&mut findings, id, question.findings.get(leaf)).unwrap();
        }
        prop_assert_eq!(findings, question.findings);
        let first = guidance.evaluate(&question);
        let second = guidance.evaluate(&Question { findings, ..question });
        prop_assert_eq!(first.all().count(), 55);
        prop_assert!(first.all().eq(second.all()));
        prop_assert_eq!(first.outcome(), second.outcome());
        prop_assert!(first.open().eq(second.open()));
    }

    #[test]
    fn settling_a_leaf_never_changes_a_certain_outcome(
        (guidance, question) in question(10),
        place in any::<prop::sample::Index>(),
        met in any::<bool>(),
    ) {
        let evaluation = guidance.evaluate(&question);
        let presumed = presumed(&evaluation);
        let mut free = undetermined(guidance, &question.findings);
        free.retain(|leaf| !presumed.contains(guidance.id_of(*leaf).unwrap()));
        prop_assume!(!free.is_empty());
        let mut settled = question;
        let value = if met { Value::Met } else { Value::NotMet };
        settled.findings.set(free[place.index(free.len())], value);
        if evaluation.outcome() != Outcome::Undetermined {
            prop_assert_eq!(guidance.evaluate(&settled).outcome(), evaluation.outcome());
            prop_assert_eq!(evaluation.open().count(), 0);
        }
    }

    #[test]
    fn open_leaves_are_exactly_those_that_turn_the_outcome((guidance, question) in question(9)) {
        let evaluation = guidance.evaluate(&question);
        prop_assert_eq!(open(&evaluation), open_by_trying_everything(guidance, &question));
    }

    #[test]
    fn open_leaves_are_undetermined_and_not_presumed((guidance, question) in question(41)) {
        let evaluation = guidance.evaluate(&question);
        let presumed = presumed(&evaluation);
        for id in evaluation.open() {
            let leaf = guidance.leaf(id).unwrap();
            prop_assert_eq!(question.findings.get(leaf), Value::Undetermined);
            prop_assert!(!presumed.contains(id));
        }
        for id in &presumed {
            prop_assert_eq!(question.findings.get(guidance.leaf(id).unwrap()), Value::Undetermined);
            prop_assert_eq!(evaluation.value(id), Some(Value::Met));
        }
    }

    #[test]
    fn no_leaf_that_is_not_open_turns_the_outcome_in_a_sampled_completion(
        (guidance, question) in question(41),
        completion in prop::collection::vec(any::<bool>(), 41),
    ) {
        let evaluation = guidance.evaluate(&question);
        let (open, presumed) = (open(&evaluation), presumed(&evaluation));
        let mut complete = question;
        let mut free = undetermined(guidance, &question.findings);
        free.retain(|leaf| !presumed.contains(guidance.id_of(*leaf).unwrap()));
        for (leaf, met) in free.iter().zip(completion) {
            complete.findings.set(*leaf, if met { Value::Met } else { Value::NotMet });
        }
        for leaf in free {
            let outcome = |value| {
                let mut question = complete;
                question.findings.set(leaf, value);
                guidance.evaluate(&question).outcome()
            };
            if outcome(Value::Met) != outcome(Value::NotMet) {
                prop_assert!(open.contains(guidance.id_of(leaf).unwrap()));
            }
        }
    }

    #[test]
    fn an_explanation_tells_every_presumption_and_open_leaf((guidance, question) in question(6)) {
        let evaluation = guidance.evaluate(&question);
        let explanation = guidance.explain(&evaluation);
        let text = explanation.to_text(80);
        prop_assert!(text.contains(evaluation.outcome().as_str()));
        prop_assert!(!evaluation.reason().is_empty());
        for id in evaluation.open() {
            let told = format!("{id} (");
            prop_assert!(explanation.open.iter().any(|sentence| sentence.starts_with(&told)));
        }
        let wide = text.lines().find(|line| line.chars().count() > 80);
        prop_assert!(wide.is_none(), "{:?}", wide);
    }
}

proptest! {
    // What is rare here is what matters: two or three shared leaves that hang together.
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn leaves_around_shared_ones_are_open_exactly_if_they_turn_the_outcome(
        (guidance, question) in question_around_shared_leaves(),
    ) {
        let evaluation = guidance.evaluate(&question);
        prop_assert_eq!(open(&evaluation), open_by_trying_everything(guidance, &question));
    }
}

/// The leaves that stand in several places make the plain rule too wide: these are the traps.
#[test]
fn leaves_in_several_places_are_open_only_if_they_turn_the_outcome() {
    let uk = guidance("UK_post2022");
    let mut findings = uk.decided_findings();
    // C3.1 needs PUN.1, and PUN.1 is a path by itself: the beliefs cannot turn anything.
    for id in ["C3.1.a", "C3.1.b", "C3.1.c", "PUN.1"] {
        findings.set(uk.leaf(id).unwrap(), Value::Undetermined);
    }
    let question = Question { sought: Sought::Refugee, facts: Facts::default(), findings };
    assert_eq!(open(&uk.evaluate(&question)), BTreeSet::from(["PUN.1".to_owned()]));

    // Where the claim of refuge stands or falls with relocation alone, no harm turns anything; the
    // ground is presumed, and stays so while relocation is settled.
    let eu = guidance("EU");
    let mut findings = eu.decided_findings();
    for id in ["C2.1", "C2.2.a", "C2.3", "C2.4", "C2.5", "C2.6"] {
        eu.find(&mut findings, id, Value::Met).unwrap();
    }
    for id in ["NEX", "IFA", "CP.1", "CP.2"] {
        eu.find(&mut findings, id, Value::Undetermined).unwrap();
    }
    let question = Question { sought: Sought::Protection, facts: Facts::default(), findings };
    let evaluation = eu.evaluate(&question);
    assert_eq!(presumed(&evaluation), BTreeSet::from(["NEX".to_owned()]));
    assert_eq!(open(&evaluation), BTreeSet::from(["IFA".to_owned()]));

    // The ground is not presumed here: if it falls, harm on return decides.
    let mut findings = eu.decided_findings();
    eu.find(&mut findings, "C1.1.a", Value::Met).unwrap();
    for id in ["NEX", "CP.1"] {
        eu.find(&mut findings, id, Value::Undetermined).unwrap();
    }
    let question = Question { sought: Sought::Protection, facts: Facts::default(), findings };
    let expected = BTreeSet::from(["NEX".to_owned(), "CP.1".to_owned()]);
    assert_eq!(open(&eu.evaluate(&question)), expected);

    // A path that hangs on belief lets relocation turn the outcome, unless a fact settles belief.
    let mut findings = eu.decided_findings();
    for id in ["C3.1.b", "C3.1.c", "C3.1.d"] {
        eu.find(&mut findings, id, Value::Met).unwrap();
    }
    for id in ["C3.1.a", "IFA", "CP.1"] {
        eu.find(&mut findings, id, Value::Undetermined).unwrap();
    }
    let question = Question { sought: Sought::Refugee, facts: Facts::default(), findings };
    let expected = BTreeSet::from(["C3.1.a".to_owned(), "IFA".to_owned()]);
    assert_eq!(open(&eu.evaluate(&question)), expected);
    let facts = Facts { motive: Some(Motive::FearOfCombatOnly), ..Facts::default() };
    let question = Question { sought: Sought::Protection, facts, ..question };
    let expected = BTreeSet::from(["CP.1".to_owned(), "IFA".to_owned()]);
    assert_eq!(open(&eu.evaluate(&question)), expected);

    // Excluded either way: whether the path is one of refuge or of serious harm turns nothing.
    let eu = guidance("EU");
    let mut findings = eu.decided_findings();
    for (id, value) in [("EXC", Value::Met), ("CP.2", Value::Met), ("C1.1.a", Value::Undetermined)]
    {
        findings.set(eu.leaf(id).unwrap(), value);
    }
    let question = Question { sought: Sought::Protection, facts: Facts::default(), findings };
    let evaluation = eu.evaluate(&question);
    assert_eq!(evaluation.outcome(), Outcome::Undetermined);
    assert_eq!(evaluation.open().count(), 0);
    let told = eu.explain(&evaluation).open;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("No single answer"), "{told:?}");
}

#[test]
fn where_nothing_is_found_everything_that_a_profile_uses_is_open() {
    for profile in PROFILES {
        let guidance = guidance(profile);
        let findings = guidance.undetermined_findings();
        let question = Question { sought: Sought::Protection, facts: Facts::default(), findings };
        let evaluation = guidance.evaluate(&question);
        assert_eq!(evaluation.outcome(), Outcome::Undetermined);
        let open = open(&evaluation);
        let mut unused = BTreeSet::new();
        if guidance.setting("only_means_required") == Some("no") {
            unused.insert("C2.5");
        }
        if guidance.setting("unlawful_force_admitted") == Some("no") {
            unused.insert("C2.2.b");
        }
        if guidance.setting("conscience_consequence") == Some("punishment") {
            // PUN.1 is a path by itself, so that no belief can turn the outcome.
            unused.extend(["C3.1.a", "C3.1.b", "C3.1.c", "C3.1.d"]);
        }
        if guidance.setting("subsidiary_status") == Some("no") {
            unused.insert("CP.2");
        }
        for (_, id) in guidance.leaves() {
            assert_eq!(open.contains(id), !unused.contains(id), "{profile} {id}");
        }
    }
}
