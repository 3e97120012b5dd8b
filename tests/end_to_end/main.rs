//! End to end: the real binary, a real nats-server, real kills.

mod access;
mod as_of;
mod bad_input;
mod clocks;
mod contracts;
mod credentials;
mod deadlines;
mod demo;
mod disclosure;
mod due;
mod erasure;
mod evidence;
mod evidence_check;
mod floods;
mod key_store;
mod log_keys;
mod outage;
mod overheard;
mod poison;
mod privacy;
mod recovery;
mod register;
mod removal;
mod search;
mod signed_access;
mod slips;
mod surroundings;
mod tls;
mod unreadable;
mod what_if;

use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::reply::Reply;
use uuid::Uuid;

/// A command that registers a claim.
fn register(case: Uuid, id: Uuid, name: &str) -> Value {
    json!({
        "command": "intake.register-claim", "id": id, "case": case,
        "actor": { "id": "registrar-1", "role": "registrar", "basis": "test" },
        "occurred": "2024-01-01",
        "data": { "name": name, "profile": "EU", "nationality": [name], "narrative": name },
    })
}

/// A command that asserts an identity, so that a case grows.
fn identity(case: Uuid, id: Uuid, name: &str) -> Value {
    let mut command = register(case, id, name);
    command["command"] = json!("intake.assert-identity");
    command["data"] = json!({ "name": name });
    command
}

async fn send(client: &Client, command: &Value) -> Result<Reply, ClientError> {
    let name = command["command"].as_str().expect("a name");
    let reply = client.command(name, command.to_string().into_bytes()).await?;
    Ok(serde_json::from_slice(&reply).expect("a reply"))
}

async fn ask(client: &Client, query: &str, body: &Value) -> Value {
    let reply = client.query(query, body.to_string().into_bytes()).await.expect("an answer");
    serde_json::from_slice(&reply).expect("JSON")
}
