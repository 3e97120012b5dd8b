//! How fast fixtures are evaluated, and how long the embedded guidance takes to load.
//!
//! `cargo bench -p guidance`: "thrpt" is the rate of fixtures on one core. The goals are 200,000
//! a second evaluated and less than 5 ms to load.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use guidance::{Fixture, Guidance, Library, Question, Value};

const CASES: &str = include_str!("../../../tests/fixtures/jurisprudence.jsonl");

/// Reports every derived value, presumption, open leaf and the outcome, as an answer does.
fn answer(guidance: &Guidance, question: &Question) -> usize {
    let evaluation = guidance.evaluate(question);
    let met = evaluation.derived().filter(|(_, value)| *value == Value::Met).count();
    met + evaluation.presumed().count()
        + evaluation.open().count()
        + evaluation.outcome().as_str().len()
}

fn load(c: &mut Criterion) {
    c.bench_function("load the embedded guidance", |b| {
        b.iter(|| Library::embedded().map(|library| library.all().count()));
    });
}

fn evaluate(c: &mut Criterion) {
    let Ok(library) = Library::embedded() else { return };
    let mut asked = Vec::new();
    for line in CASES.lines() {
        let Ok(fixture) = serde_json::from_str::<Fixture<'_>>(line) else { return };
        let Ok(guidance) = library.require(&fixture.profile, fixture.as_of) else { return };
        let Ok(question) = fixture.question(guidance) else { return };
        asked.push((guidance, question));
    }
    let mut group = c.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(asked.len() as u64));
    group.bench_function("the decided cases", |b| {
        b.iter(|| asked.iter().map(|(g, q)| answer(g, black_box(q))).sum::<usize>());
    });
    let worst: Vec<(&Guidance, Question)> = asked
        .iter()
        .map(|(g, q)| (*g, Question { findings: g.undetermined_findings(), ..*q }))
        .collect();
    group.bench_function("the same with every leaf undetermined", |b| {
        b.iter(|| worst.iter().map(|(g, q)| answer(g, black_box(q))).sum::<usize>());
    });
    group.bench_function("the decided cases, read from JSON", |b| {
        b.iter(|| {
            let read = CASES.lines().filter_map(|line| {
                let fixture: Fixture<'_> = serde_json::from_str(line).ok()?;
                let guidance = library.in_force(&fixture.profile, fixture.as_of)?;
                Some(answer(guidance, &fixture.question(guidance).ok()?))
            });
            read.sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, load, evaluate);
criterion_main!(benches);
