//! Whole histories on a disk that forgets, tears and fails: what was acknowledged is there.
//!
//! `JOURNAL_SEEDS=100000 cargo test -p journal --release --test simulation` runs more of them,
//! `JOURNAL_SEED=7` one of them again. A seed fixes the drafts, the groups and the faults.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use common::files::copy;
use common::sim::{Dice, Fault, SimDisk};
use common::{Counting, note, stream};
use journal::{Appended, Expected, Journal, Options, Position, Record, verify_on};

/// A record that was told to be durable, and what was in it.
type Told = (Appended, u128, String);

fn options() -> Options {
    let mut options = Options::small();
    options.segment_bytes = 8 << 10;
    options.group_records = 6;
    options
}

/// One life of the journal: appends until enough or until a fault; returns what was acknowledged.
fn live(journal: &Journal, dice: &mut Dice, told: &mut Vec<Told>, tried: &mut u64) {
    for _ in 0..dice.below(30) {
        let drafts: Vec<(u128, String)> = (0..=dice.below(12))
            .map(|_| {
                *tried += 1;
                let length = usize::try_from(dice.below(400)).unwrap();
                (u128::from(dice.below(9)), format!("{tried} {}", "x".repeat(length)))
            })
            .collect();
        let outcomes = journal
            .append_all(drafts.iter().map(|(number, words)| (note(*number, words), Expected::Any)))
            .wait();
        for (outcome, (number, words)) in outcomes.into_iter().zip(drafts) {
            if let Ok(appended) = outcome {
                told.push((appended, number, words));
            }
        }
        if journal.poisoned() {
            // Poison is for good: nothing is accepted after a failed write.
            let after = journal.append(&note(1, "late"), Expected::Any).wait();
            assert!(after.is_err(), "accepted after a failed write");
            return;
        }
    }
}

fn check(records: &[Record], told: &[Told]) {
    for (appended, number, words) in told {
        let index = usize::try_from(appended.position.0 - 1).unwrap();
        let record = records.get(index).unwrap_or_else(|| panic!("{appended:?} was lost"));
        assert_eq!(record.leaf(), appended.leaf, "{appended:?} is another record");
        assert_eq!((record.stream, record.version), (stream(*number), appended.version));
        let text = String::from_utf8_lossy(&record.bytes);
        assert!(text.contains(&format!("\"data\":\"{words}\"")), "{appended:?}: {text}");
    }
}

fn history(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut disk = SimDisk::default();
    let mut told = Vec::new();
    let mut tried = 0;
    for life in 0..=dice.below(5) {
        let opened = Journal::open_on(Arc::new(disk.clone()), options());
        let (journal, report) =
            opened.unwrap_or_else(|error| panic!("life {life} did not open: {error}"));
        let records = journal.read(Position(1), usize::MAX).unwrap();
        assert_eq!(records.len() as u64, report.last.0);
        check(&records, &told);
        disk.fail_after(any_fault(&mut dice), dice.below(120));
        live(&journal, &mut dice, &mut told, &mut tried);
        let durable = journal.durable_position();
        assert!(told.iter().all(|(appended, ..)| appended.position <= durable));
        drop(journal);
        disk = disk.after_power_failure(&mut dice);
    }
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), options()).unwrap();
    let records = journal.read(Position(1), usize::MAX).unwrap();
    check(&records, &told);
    let (size, root) = journal.root();
    for number in 0..9 {
        let mine: Vec<_> =
            records.iter().filter(|record| record.stream == stream(number)).cloned().collect();
        assert_eq!(journal.read_stream(stream(number), None).unwrap(), mine);
    }
    drop(journal);
    if size > 0 {
        let report = verify_on(&disk, Position(size), &mut |_| {}).unwrap();
        assert_eq!((report.records, report.root), (size, root));
    }
}

fn any_fault(dice: &mut Dice) -> Fault {
    let faults = [Fault::Power, Fault::Power, Fault::Sync, Fault::Full, Fault::Write, Fault::Slow];
    faults[usize::try_from(dice.below(6)).unwrap()]
}

/// The same with an index that is kept, lost, put back to an older state or cut off between the
/// lives: what it holds in the end is what a fresh one holds.
fn history_with_index(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut disk = SimDisk::default();
    let home = tempfile::tempdir().unwrap();
    let (index, older) = (home.path().join("index"), home.path().join("older"));
    let open = |disk: &SimDisk, index: &Path| {
        let disk = Arc::new(disk.clone());
        Journal::open_on_with_index(disk, index, options(), Arc::new(Counting)).unwrap().0
    };
    let (mut told, mut tried) = (Vec::new(), 0);
    for _ in 0..=dice.below(4) {
        let journal = open(&disk, &index);
        disk.fail_after(any_fault(&mut dice), dice.below(120));
        live(&journal, &mut dice, &mut told, &mut tried);
        drop(journal);
        disk = disk.after_power_failure(&mut dice);
        match dice.below(4) {
            0 => fs::remove_dir_all(&index).unwrap(),
            1 if older.exists() => {
                fs::remove_dir_all(&index).unwrap();
                copy(&older, &index);
            }
            2 => copy(&index, &older),
            _ => {}
        }
    }
    let journal = open(&disk, &index);
    check(&journal.read(Position(1), usize::MAX).unwrap(), &told);
    if journal.root().0 == 0 {
        // Of nothing there is no index yet.
        return;
    }
    let kept = journal.logical_dump().unwrap();
    drop(journal);
    let fresh = open(&disk, &home.path().join("fresh"));
    assert_eq!(fresh.logical_dump().unwrap(), kept, "the index is not what a fresh one is");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_was_acknowledged_survives_power_failures_failed_syncs_and_a_full_disk() {
    let seeds = match number("JOURNAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("JOURNAL_SEEDS").unwrap_or(400),
    };
    run(seeds, history);
}

/// One in so many seeds is run with an index too: sled on a real disk is slower than the rest.
const WITH_INDEX: u64 = 20;

#[test]
fn the_index_after_any_of_it_is_what_a_fresh_one_is() {
    let seeds = match number("JOURNAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("JOURNAL_SEEDS").unwrap_or(400) / WITH_INDEX,
    };
    run(seeds, history_with_index);
}

fn run(seeds: Range<u64>, history: fn(u64)) {
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| history(seed));
        assert!(outcome.is_ok(), "seed {seed} failed; run it again with JOURNAL_SEED={seed}");
    }
}

#[test]
fn a_failed_sync_poisons_the_writer_and_reads_go_on() {
    let disk = SimDisk::default();
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), options()).unwrap();
    journal.append(&note(1, "kept"), Expected::Any).wait().unwrap();
    disk.fail_after(Fault::Sync, 0);
    let failed = journal.append(&note(1, "lost"), Expected::Any).wait();
    assert!(matches!(failed, Err(journal::Error::Poisoned(_))), "{failed:?}");
    let again = journal.append(&note(2, "late"), Expected::Any).wait();
    assert!(matches!(again, Err(journal::Error::Poisoned(_))), "{again:?}");
    assert!(journal.poisoned());
    assert_eq!(journal.read(Position(1), 10).unwrap().len(), 1);
    assert_eq!(journal.durable_position(), Position(1));
    assert!(matches!(journal.close(), Err(journal::Error::Poisoned(_))));
}
