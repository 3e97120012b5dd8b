//! Durable appends of 600-byte records by group, each with the disk's limit in the same run.
#![allow(missing_docs, reason = "the macros of criterion make items without docs")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may panic and prints")]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use journal::measure;

fn append(criterion: &mut Criterion) {
    for group in [1, 16, 128, 1024] {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let records = (group * 10_000).min(600_000);
        let figure = measure::append(directory.path(), group, records).unwrap();
        println!("{}", serde_json::to_string(&figure).unwrap());
    }
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let figure = measure::append_contended(directory.path(), 64, 200_000).unwrap();
    println!("{}", serde_json::to_string(&figure).unwrap());
    let mut benches = criterion.benchmark_group("append");
    benches.sample_size(10).measurement_time(Duration::from_secs(3));
    for group in [1_u64, 16, 128, 1024] {
        benches.throughput(Throughput::Elements(group * 50));
        benches.bench_function(format!("group {group}"), |bencher| {
            bencher.iter_custom(|rounds| {
                (0..rounds)
                    .map(|_| {
                        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
                        let figure = measure::append(directory.path(), group, group * 50).unwrap();
                        Duration::from_secs_f64(figure.seconds)
                    })
                    .sum()
            });
        });
    }
    benches.finish();
}

criterion_group!(benches, append);
criterion_main!(benches);
