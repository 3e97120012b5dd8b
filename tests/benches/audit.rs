//! How fast a whole log is audited, and a dossier checked.
//!
//! `cargo bench -p tests --bench audit -- 100000`: a log with that many decided cases (10,000 if
//! nothing is said) is written to a temporary directory, then replayed and asked a what-if question
//! on all cores; the dossier of one case with 200 records is made and checked. Each figure is a line
//! of JSON with what bounds it in the same run: a bare read of the log by one thread, and one hash
//! over the bytes of the dossier.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use case::CaseId;
use case::replay::{Shelf, Verdict};
use case::what_if::Supposition;
use guidance::{Library, Value};
use journal::note::SigningKey;
use journal::{
    Checkpoint, Checkpoints, Expected, Journal, NoProjection, Options, PendingAll, Position,
    Reader, StreamId,
};
use serde_json::json;
use service::audit::dossier::DossierError;
use service::audit::{Question, dossier, replay_all, what_if};
use sha2::{Digest as _, Sha256};
use tests::Copied;
use tests::steps::World;
use uuid::Uuid;

const CASES: u64 = 10_000;
const DOSSIER_RECORDS: usize = 200;
const ORIGIN: &str = "tebessa/log/bench";

fn main() {
    let cases = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(CASES);
    let home = tempfile::tempdir().expect("a folder");
    let long = long_case();
    let (signed, case) = fill(home.path(), cases, &World::decided().encoded(), &long);
    let libraries = [Library::embedded().expect("sound")];
    let records = signed.1.size;
    let bare = read_all(home.path());
    replayed(home.path(), (cases, records), &libraries, bare);
    questioned(home.path(), (cases, records), &libraries, bare);
    checked(home.path(), case, &signed, &libraries);
}

/// A decided case with more evidence than most.
fn long_case() -> Vec<Vec<u8>> {
    let mut world = World::decided();
    for number in 0.. {
        if world.records.len() >= DOSSIER_RECORDS {
            break;
        }
        world.take(&format!("attach X{number} by P1")).expect("more evidence");
    }
    world.encoded()
}

type Signed = (String, Checkpoint, SigningKey);

/// Fills a log with copies of one case, and a long one at the end.
fn fill(directory: &Path, cases: u64, records: &[Vec<u8>], long: &[Vec<u8>]) -> (Signed, StreamId) {
    let (journal, _) =
        Journal::open(directory, Options::default(), Arc::new(NoProjection), &mut |_| {})
            .expect("a journal");
    let mut on_the_way = VecDeque::new();
    let mut append = |records: &[Vec<u8>]| {
        let stream = StreamId(Uuid::new_v4());
        let drafts = records.iter().map(|bytes| (Copied::new(bytes, stream), Expected::Any));
        on_the_way.push_back(journal.append_all(drafts));
        if on_the_way.len() > 64 {
            for outcome in on_the_way.pop_front().into_iter().flat_map(PendingAll::wait) {
                outcome.expect("appended");
            }
        }
        stream
    };
    for _ in 0..cases {
        append(records);
    }
    let case = append(long);
    for outcome in on_the_way.into_iter().flat_map(PendingAll::wait) {
        outcome.expect("appended");
    }
    let key = SigningKey::from_seed(ORIGIN, &[1; 32]).expect("a key");
    let note = Checkpoints::new(directory, ORIGIN).sign(&journal, &[&key]).expect("signed");
    let checkpoint = Checkpoint::verify(&note, ORIGIN, &[key.verifier()]).expect("its own");
    journal.close().expect("closed");
    ((note, checkpoint, key), case)
}

/// Reads every record once, on one thread; returns the seconds.
fn read_all(directory: &Path) -> f64 {
    let reader = Reader::open(directory).expect("a reader");
    let begin = Instant::now();
    let mut next = Position(1);
    loop {
        let batch = reader.read(next, 2_048).expect("records");
        let Some(last) = batch.last() else { break };
        next = last.position.next();
        black_box(&batch);
    }
    begin.elapsed().as_secs_f64()
}

fn replayed(home: &Path, (cases, records): (u64, u64), known: &[Library], bare: f64) {
    let begin = Instant::now();
    let entries = replay_all(home, records, Shelf(known), &mut |_| {}).expect("replayed");
    let seconds = begin.elapsed().as_secs_f64();
    assert!(entries.iter().all(|entry| entry.step.verdict == Verdict::Reproduced));
    println!(
        "{}",
        json!({
            "bench": "replay", "cases": cases, "records": records, "steps": entries.len(),
            "seconds": seconds, "limit_seconds": bare,
        })
    );
}

fn questioned(home: &Path, (cases, records): (u64, u64), known: &[Library], bare: f64) {
    let set = [("C3.1.b".parse().expect("an id"), Value::NotMet)].into_iter().collect();
    let supposition = Supposition { set, ..Supposition::default() };
    let question = Question { case: None, only: None, known: Shelf(known), supposition };
    let begin = Instant::now();
    let report = what_if(home, records, &question, &mut |_| {}).expect("a report");
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!((report.assessed, report.turned), (cases + 1, cases + 1));
    println!(
        "{}",
        json!({
            "bench": "what_if", "cases": cases, "records": records, "turned": report.turned,
            "seconds": seconds, "limit_seconds": bare,
        })
    );
}

fn checked(home: &Path, case: StreamId, signed: &Signed, known: &[Library]) {
    let (note, checkpoint, key) = signed;
    let reader = Reader::open(home).expect("a reader");
    let files: Vec<Vec<u8>> =
        guidance::embedded_files().map(|(_, text)| text.as_bytes().to_vec()).collect();
    let materials = dossier::Materials {
        note: note.clone(),
        checkpoint,
        files: &files,
        libraries: known,
        evidence: BTreeMap::new(),
    };
    let made: Result<_, DossierError> =
        dossier::make(&reader, CaseId(case.0), materials, |_| Ok(vec![]));
    let made = made.expect("a dossier");
    let keys = [key.verifier()];
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..20 {
        let begin = Instant::now();
        let checked = dossier::check(&made, &keys).expect("it holds");
        assert_eq!(checked.records, DOSSIER_RECORDS as u64);
        best.0 = best.0.min(begin.elapsed().as_secs_f64());
        let begin = Instant::now();
        black_box(Sha256::digest(&made));
        best.1 = best.1.min(begin.elapsed().as_secs_f64());
    }
    println!(
        "{}",
        json!({
            "bench": "check_dossier", "records": DOSSIER_RECORDS, "bytes": made.len(),
            "seconds": best.0, "limit_seconds": best.1,
        })
    );
}
