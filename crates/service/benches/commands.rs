//! The round trip of a command over a real NATS server, with that server's bare request and reply
//! in the same run: `cargo bench -p service --bench commands`.
//!
//! A command is parsed, sealed, decided, fsynced and answered; the echo is only answered. Both go
//! from one client over loopback. Prints one JSON object a line.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may panic and prints")]

use std::time::{Duration, Instant};

use futures::StreamExt;
use mimalloc::MiMalloc;
use serde_json::json;
use service::client::Client;
use service::node::Authority;
use service::standalone::{Setup, Standalone};
use tokio::task::JoinSet;
use uuid::Uuid;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const CASES: usize = 1_000;
const ECHO: &str = "bench.echo";

/// One request of a round: its subject and body.
type Request = (String, Vec<u8>);

#[derive(serde::Serialize)]
struct Figure {
    bench: &'static str,
    in_flight: usize,
    commands: usize,
    commands_per_s: f64,
    p50_us: u64,
    p99_us: u64,
    echo_per_s: f64,
    echo_p50_us: u64,
    ratio: f64,
}

#[tokio::main]
async fn main() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let authority = Authority::new("bench").unwrap();
    let library = guidance::Library::embedded().unwrap();
    let setup =
        Setup { checkpoints: None, ..Setup::new(home.path().join("data"), authority, library) };
    let node = Standalone::start(setup, &mut |_| {}).await.unwrap();
    let server = async_nats::connect(node.url()).await.unwrap();
    let mut echoes = server.subscribe(ECHO).await.unwrap();
    server.flush().await.unwrap();
    let answering = server.clone();
    tokio::spawn(async move {
        while let Some(message) = echoes.next().await {
            if let Some(reply) = message.reply {
                answering.publish(reply, message.payload).await.unwrap();
            }
        }
    });
    let client = async_nats::connect(node.url()).await.unwrap();
    Client::connect(node.url()).await.unwrap();
    let cases: Vec<Uuid> = (0..CASES).map(|_| Uuid::new_v4()).collect();
    let registrations = cases.iter().map(|case| register(*case)).collect();
    round(&client, registrations, 64).await;
    for (in_flight, commands) in [(1, 2_000), (16, 20_000), (64, 40_000), (256, 60_000)] {
        let asserted: Vec<_> =
            cases.iter().cycle().take(commands).map(|case| assert_identity(*case)).collect();
        let bare = asserted.iter().map(|(_, body)| (ECHO.to_owned(), body.clone())).collect();
        let (echo_seconds, echo) = round(&client, bare, in_flight).await;
        let (seconds, times) = round(&client, asserted, in_flight).await;
        let rate = |seconds: f64| (f64::from(u32::try_from(commands).unwrap()) / seconds).round();
        let figure = Figure {
            bench: "command",
            in_flight,
            commands,
            commands_per_s: rate(seconds),
            p50_us: part(&times, 50),
            p99_us: part(&times, 99),
            echo_per_s: rate(echo_seconds),
            echo_p50_us: part(&echo, 50),
            ratio: (echo_seconds / seconds * 1_000.0).round() / 1_000.0,
        };
        println!("{}", serde_json::to_string(&figure).unwrap());
    }
    node.stop().await.unwrap();
}

/// Sends every request, so many at once; returns the seconds and the sorted times of each.
async fn round(
    client: &async_nats::Client,
    requests: Vec<Request>,
    in_flight: usize,
) -> (f64, Vec<Duration>) {
    let (put, take) = tokio::sync::mpsc::unbounded_channel();
    for request in requests {
        put.send(request).unwrap();
    }
    drop(put);
    let take = std::sync::Arc::new(tokio::sync::Mutex::new(take));
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..in_flight {
        let (client, take) = (client.clone(), take.clone());
        senders.spawn(async move {
            let mut times = Vec::new();
            loop {
                let Some((subject, body)) = take.lock().await.recv().await else { return times };
                let sent = Instant::now();
                let reply = client.request(subject.clone(), body.into()).await.unwrap();
                times.push(sent.elapsed());
                let answer = String::from_utf8_lossy(&reply.payload);
                assert!(subject == ECHO || answer.contains("\"accepted\""), "{answer}");
            }
        });
    }
    let mut times = Vec::new();
    while let Some(sender) = senders.join_next().await {
        times.extend(sender.unwrap());
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort();
    (seconds, times)
}

fn part(sorted: &[Duration], percent: usize) -> u64 {
    let place = (sorted.len() * percent / 100).min(sorted.len() - 1);
    sorted.get(place).map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

fn command(name: &str, case: Uuid, data: &serde_json::Value) -> Request {
    let body = json!({
        "id": Uuid::now_v7(), "case": case,
        "actor": { "id": "registrar-1", "role": "registrar", "basis": "bench" },
        "occurred": "2024-01-01", "data": data,
    });
    (format!("tebessa.cmd.{name}"), body.to_string().into_bytes())
}

fn register(case: Uuid) -> Request {
    command("intake.register-claim", case, &json!({ "name": "Maximilian", "profile": "EU" }))
}

fn assert_identity(case: Uuid) -> Request {
    command("intake.assert-identity", case, &json!({ "name": "Maximilian of Tebessa" }))
}
