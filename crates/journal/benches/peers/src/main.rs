//! One figure of one store a run: 64 callers that append one record of 600 bytes each, with
//! expected versions, over 960 streams. `run` beside it starts PostgreSQL and calls this.
//!
//!     peers STORE SECONDS DIR
//!
//! Every caller has its own connection and its own streams, so that no append is refused, and
//! waits for its answer before it appends again.

mod cqrs_es_store;
mod esrs_store;
mod sql;

use std::error::Error;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinSet;

/// What goes wrong here ends the run.
pub type Failure = Box<dyn Error + Send + Sync>;

const CALLERS: u64 = 64;
const STREAMS_EACH: u64 = 15;
const WARM_UP: Duration = Duration::from_secs(1);

/// The JSON of a record of 600 bytes.
pub fn body() -> serde_json::Value {
    serde_json::json!({ "data": "x".repeat(588) })
}

/// A store that appends the record with a number, from 1 on, to a stream; it must refuse one that
/// does not follow the record before.
pub trait Store: Send + Sync + 'static {
    /// Appends, and returns when PostgreSQL has made the record durable.
    fn append(&self, stream: u64, number: u64) -> impl Future<Output = Result<(), Failure>> + Send;
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, seconds, directory] = arguments.as_slice() else {
        return Err("usage: peers STORE SECONDS DIR".into());
    };
    if store == "journal" {
        let directory = directory.clone();
        // About as long as the others take; at least as many records as one segment has.
        let records = seconds.parse::<u64>()? * 200_000;
        let measure =
            move || journal::measure::append_contended(Path::new(&directory), CALLERS, records);
        let figure = tokio::task::spawn_blocking(measure).await??;
        return report("journal", figure.records_per_s, figure.p99_us.unwrap_or_default());
    }
    let time = Duration::from_secs(seconds.parse()?);
    let pool = pool().await?;
    match store.as_str() {
        "plain" => run(store, sql::Plain::new(pool).await?, time).await,
        "message_db" => run(store, sql::MessageDb(pool), time).await,
        "cqrs_es" => run(store, cqrs_es_store::Cqrs::new(pool).await?, time).await,
        "esrs" => run(store, esrs_store::Esrs::new(pool).await?, time).await,
        other => Err(format!("no store is called {other}").into()),
    }
}

/// As many connections as callers, as PGHOST and the other variables say.
async fn pool() -> Result<PgPool, sqlx::Error> {
    let connections = u32::try_from(CALLERS).unwrap_or(u32::MAX);
    let options = PgPoolOptions::new().min_connections(connections).max_connections(connections);
    options.test_before_acquire(false).connect_with(PgConnectOptions::new()).await
}

async fn run(name: &str, store: impl Store, time: Duration) -> Result<(), Failure> {
    let store = Arc::new(store);
    let mut callers = JoinSet::new();
    let begin = Instant::now() + WARM_UP;
    for caller in 0..CALLERS {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            let (mut waits, mut count) = (Vec::new(), 0);
            loop {
                let stream = caller * STREAMS_EACH + count % STREAMS_EACH;
                let called = Instant::now();
                if called >= begin + time {
                    return Ok::<_, Failure>(waits);
                }
                store.append(stream, count / STREAMS_EACH + 1).await?;
                count += 1;
                if called >= begin {
                    waits.push(called.elapsed());
                }
            }
        });
    }
    let mut waits = Vec::new();
    while let Some(caller) = callers.join_next().await {
        waits.append(&mut caller??);
    }
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).map_or(0.0, |wait| wait.as_secs_f64() * 1e6);
    report(name, waits.len() as f64 / time.as_secs_f64(), p99)
}

fn report(name: &str, rate: f64, p99_us: f64) -> Result<(), Failure> {
    let (rate, p99_us) = (rate.round(), p99_us.round());
    println!(
        "{{\"bench\":\"{name}\",\"callers\":{CALLERS},\"records_per_s\":{rate},\"p99_us\":{p99_us}}}"
    );
    Ok(())
}
