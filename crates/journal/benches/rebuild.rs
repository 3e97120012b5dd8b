//! Whole streams read by length, and verifying, opening and indexing a log.
//!
//! `JOURNAL_RECORDS=10000000 cargo bench -p journal --bench rebuild` measures with more records.
#![allow(missing_docs, reason = "the macros of criterion make items without docs")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may panic and prints")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use journal::measure::{self, Figure};

fn print(figure: &Figure) {
    println!("{}", serde_json::to_string(figure).unwrap());
}

fn rebuild(criterion: &mut Criterion) {
    let records = std::env::var("JOURNAL_RECORDS").ok();
    let records = records.and_then(|records| records.parse().ok()).unwrap_or(600_000_u64);
    let mut benches = criterion.benchmark_group("rebuild");
    benches.sample_size(10).measurement_time(Duration::from_secs(3));
    for length in [1, 30, 1000] {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let streams = (records / length).max(1);
        measure::fill(directory.path(), records, streams, &mut |_| {}).unwrap();
        for threads in [1, 2] {
            print(&measure::rebuild(directory.path(), streams, threads).unwrap());
        }
        if length == 30 {
            print(&measure::verify(directory.path()).unwrap());
            print(&measure::open(directory.path()).unwrap());
            print(&measure::index(directory.path()).unwrap());
        }
        benches.bench_function(format!("streams of {length}"), |bencher| {
            bencher.iter_custom(|rounds| {
                (0..rounds)
                    .map(|_| {
                        let figure = measure::rebuild(directory.path(), streams, 1).unwrap();
                        Duration::from_secs_f64(figure.seconds)
                    })
                    .sum()
            });
        });
    }
    benches.finish();
}

criterion_group!(benches, rebuild);
criterion_main!(benches);
