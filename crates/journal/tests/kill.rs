//! A writer that is killed without a word, again and again, on the real disk.
//!
//! `cargo test -p journal --release --test kill -- --rounds 10000` runs more rounds than a test run
//! does; `JOURNAL_KILL_ROUNDS` says the same. This program is its own child: with
//! `JOURNAL_KILL_CHILD` it writes until it is killed, and prints every acknowledgement.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "the child's acknowledgements, and how many rounds ran")]

mod common;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::sim::Dice;
use common::{Counting, note, open, stream};
use journal::{Expected, Journal, Options, Position, verify_at_least};

const CHILD: &str = "JOURNAL_KILL_CHILD";
const ROUNDS: u64 = 25;
/// Every so many rounds the whole log is verified and the index compared with a fresh one.
const WHOLE: u64 = 25;

/// An acknowledgement as the child prints it.
#[derive(Debug, Clone)]
struct Told {
    position: u64,
    version: u64,
    stream: u64,
    leaf: String,
}

fn main() {
    if let Some(directory) = std::env::var_os(CHILD) {
        let seed = std::env::var("JOURNAL_KILL_SEED").unwrap().parse().unwrap();
        write_until_killed(Path::new(&directory), seed);
    }
    // The harness's own flags, such as the name of another test, mean nothing here.
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return;
    }
    let flag = arguments.iter().position(|argument| argument == "--rounds");
    let asked = flag.and_then(|at| arguments.get(at + 1)?.parse().ok());
    let set = std::env::var("JOURNAL_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds = asked.or(set).unwrap_or(ROUNDS);
    let told = survive(rounds);
    println!("kill -9: {rounds} rounds, {told} records acknowledged, 0 lost");
}

/// Kills a writer in every round; what it had acknowledged must be there. Returns how many.
fn survive(rounds: u64) -> u64 {
    let mut dice = Dice::new(std::process::id().into());
    let mut directory = tempfile::tempdir().unwrap();
    let (mut told, mut checked, mut acknowledged) = (Vec::<Told>::new(), 0_u64, 0_u64);
    for round in 0..rounds {
        let fresh = one_life(directory.path(), round, &mut dice);
        acknowledged += fresh.len() as u64;
        told.extend(fresh);
        let (journal, _) = open(directory.path()).unwrap();
        let records = journal.read(Position(checked + 1), usize::MAX).unwrap();
        for one in &told {
            let at = usize::try_from(one.position - checked - 1).unwrap();
            let record = records.get(at).unwrap_or_else(|| panic!("round {round}: {one:?} lost"));
            assert_eq!(record.leaf().to_string(), one.leaf, "round {round}");
            assert_eq!(record.stream, stream(u128::from(one.stream)), "round {round}");
            assert_eq!(record.version.0, one.version, "round {round}");
        }
        checked += records.len() as u64;
        told.clear();
        if round % WHOLE == WHOLE - 1 {
            let dump = journal.logical_dump().unwrap();
            journal.close().unwrap();
            verify_at_least(directory.path(), Position(checked), &mut |_| {}).unwrap();
            std::fs::remove_dir_all(directory.path().join("index")).unwrap();
            let (journal, _) = open(directory.path()).unwrap();
            assert_eq!(journal.logical_dump().unwrap(), dump, "round {round}: the index differs");
            journal.close().unwrap();
            if checked > 200_000 {
                directory = tempfile::tempdir().unwrap();
                checked = 0;
            }
        }
    }
    acknowledged
}

/// Starts the child, kills it at some moment, and returns what it had acknowledged.
fn one_life(directory: &Path, round: u64, dice: &mut Dice) -> Vec<Told> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(CHILD, directory)
        .env("JOURNAL_KILL_SEED", round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    // At once, after some acknowledgements, or a moment after one.
    let acknowledgements = [0, 1, dice.below(20), dice.below(300)];
    let wanted = acknowledgements[usize::try_from(dice.below(4)).unwrap()];
    for _ in 0..wanted {
        match lines.next() {
            Some(Ok(line)) => told.extend(read(&line)),
            Some(Err(_)) | None => break,
        }
    }
    std::thread::sleep(Duration::from_micros(dice.below(3000)));
    child.kill().unwrap();
    child.wait().unwrap();
    told.extend(lines.map_while(Result::ok).filter_map(|line| read(&line)));
    told
}

/// A line that was cut short by the kill says nothing.
fn read(line: &str) -> Option<Told> {
    let line = line.strip_suffix('.')?;
    let mut words = line.split(' ');
    Some(Told {
        position: words.next()?.parse().ok()?,
        version: words.next()?.parse().ok()?,
        stream: words.next()?.parse().ok()?,
        leaf: words.next()?.to_owned(),
    })
}

/// Appends with up to three batches on their way, so that groups are stamped, wait for the disk and
/// are written at the same time.
fn write_until_killed(directory: &Path, seed: u64) -> ! {
    let mut dice = Dice::new(seed);
    let mut options = Options::small();
    if dice.below(2) == 0 {
        // Groups that are full long before the disk is idle.
        options.group_records = 5;
    }
    let depth = usize::try_from(dice.below(3)).unwrap();
    let (journal, _) = Journal::open(directory, options, Arc::new(Counting), &mut |_| {}).unwrap();
    let mut out = std::io::stdout().lock();
    let mut on_the_way = VecDeque::new();
    loop {
        let streams: Vec<u64> = (0..=dice.below(12)).map(|_| dice.below(9)).collect();
        let length = usize::try_from(dice.below(500)).unwrap();
        let drafts = streams
            .iter()
            .map(|number| (note(u128::from(*number), &"x".repeat(length)), Expected::Any));
        let pending = journal.append_all(drafts);
        on_the_way.push_back((pending, streams));
        if on_the_way.len() <= depth {
            continue;
        }
        let (pending, streams) = on_the_way.pop_front().unwrap();
        for (outcome, number) in pending.wait().into_iter().zip(&streams) {
            let appended = outcome.unwrap();
            let (position, version) = (appended.position, appended.version);
            let line = format!("{position} {version} {number} {}.\n", appended.leaf);
            out.write_all(line.as_bytes()).unwrap();
        }
    }
}
