//! How fast decisions are replayed on one core.
//!
//! `cargo bench -p tests --bench replay`: "thrpt" is the rate of cases, each a history of about 40
//! events with one decision, read from its bytes, folded and derived again. The goal is 100,000 a
//! minute, 1,667 a second; for what-if 100,000 cases in 60 s on two cores, 833 a second on each.

use std::hint::black_box;

use case::Recorded;
use case::replay::{Replay, Shelf, Verdict};
use case::what_if::{Asking, Supposed, Supposition};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use guidance::{Library, Value};
use tests::steps::World;

fn replay(c: &mut Criterion) {
    let libraries = [Library::embedded().expect("sound")];
    let records = World::decided().encoded();
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("a decision on {} events", records.len()), |b| {
        b.iter(|| {
            let mut replay = Replay::default();
            for (bytes, position) in black_box(&records).iter().zip(1..) {
                let record = Recorded::decode(bytes, position).expect("a record");
                let step = replay.take(&record, Shelf(&libraries));
                assert!(step.is_none_or(|step| step.verdict == Verdict::Reproduced));
            }
            replay.case.version
        });
    });
    group.bench_function(format!("what-if on {} events", records.len()), |b| {
        let leaf = "C3.1.b".parse().expect("an id");
        let set = [(leaf, Value::NotMet)].into_iter().collect();
        let supposition = Supposition { set, ..Supposition::default() };
        b.iter(|| {
            let mut asking = Asking::default();
            for (bytes, position) in black_box(&records).iter().zip(1..) {
                let record = Recorded::decode(bytes, position).expect("a record");
                asking.take(&record, Shelf(&libraries), &supposition);
            }
            let answer = asking.end().expect("an assessment");
            assert!(matches!(answer.supposed, Supposed::Turned { .. }));
            answer.version
        });
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
