//! What a node takes, keeps and answers is what `schemas/` says, so that who reads only that is right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};
use service::client::Client;
use service::queries::Query;
use tests::Node;
use uuid::Uuid;

use super::erasure::accepted;
use super::evidence::{attach, file, put};
use super::{ask, register};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The schemas, each read once.
#[derive(Default)]
struct Contracts(BTreeMap<String, Validator>);

impl Contracts {
    /// Panics with every difference where a value is not of the schema, such as `replies/case`.
    fn hold(&mut self, name: &str, value: &Value) {
        let schema = self.0.entry(name.to_owned()).or_insert_with(|| {
            let path = root().join(format!("schemas/{name}.json"));
            let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let schema = serde_json::from_slice(&text).expect("JSON");
            let options = jsonschema::options().should_validate_formats(true);
            options.build(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
        });
        let differences: Vec<String> = schema
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(differences.is_empty(), "{name}: {differences:#?}\n{value:#}");
    }
}

/// The ten worked histories, sent as they are; every command and its reply is of its schema.
fn send_stories(node: &Node, contracts: &mut Contracts) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stories");
    let files = std::fs::read_dir(folder).expect("the stories");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    assert_eq!(paths.len(), 10);
    for path in paths {
        for line in std::fs::read_to_string(&path).expect("a story").lines() {
            let command: Value = serde_json::from_str(line).expect("JSON");
            let name = command["command"].as_str().expect("a name");
            contracts.hold(&format!("commands/{name}"), &command);
        }
        let submitted = Command::new(tests::binary())
            .args(["submit", "--nats", node.url()])
            .arg(&path)
            .output()
            .expect("the command line");
        assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stdout));
        for reply in String::from_utf8_lossy(&submitted.stdout).lines() {
            contracts.hold("replies/command", &serde_json::from_str(reply).expect("JSON"));
        }
    }
}

/// A query is of its schema, and so is its answer.
async fn hold(contracts: &mut Contracts, client: &Client, name: &str, body: Value) -> Value {
    contracts.hold(&format!("queries/{name}"), &body);
    let reply = ask(client, name, &body).await;
    contracts.hold(&format!("replies/{name}"), &reply);
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_events_queries_and_replies_are_of_their_schemas() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let mut contracts = Contracts::default();
    send_stories(&node, &mut contracts);
    let (case, evidence, upload, bytes) =
        (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4(), file(10));
    let mut claim = register(case, Uuid::now_v7(), "A");
    claim["data"]["person"] = json!(Uuid::new_v4());
    // Null is the same as absent, in a personal field too, as the schema says.
    claim["data"]["narrative"] = Value::Null;
    contracts.hold("commands/intake.register-claim", &claim);
    accepted(&client, &claim).await;
    put(&client, upload, &bytes).await;
    accepted(&client, &attach(case, evidence, upload, &bytes)).await;
    let file = json!({ "case": case, "evidence": evidence });
    hold(&mut contracts, &client, "evidence-file", file.clone()).await;
    hold(&mut contracts, &client, "evidence-check", file).await;
    hold(&mut contracts, &client, "person", json!({ "person": claim["data"]["person"] })).await;

    let list = hold(&mut contracts, &client, "list", json!({ "limit": 1000 })).await;
    let cases = list["cases"].as_array().expect("cases");
    assert!(cases.len() >= 10, "{list}");
    for one in cases {
        of_case(&mut contracts, &client, &one["case"]).await;
    }
    for name in ["node", "register", "statistics", "checkpoint", "audit.access"] {
        hold(&mut contracts, &client, name, json!({})).await;
    }
    hold(&mut contracts, &client, "search", json!({ "reference": "PA/01234/2026" })).await;
    let turns = json!({ "set": { "C2.4": "N" }, "profile": "UNHCR" });
    hold(&mut contracts, &client, "audit.what-if-cases", turns).await;

    // Nothing was left out: of each query a reply was held against its schema, but of the one that
    // answers with the bytes of a file.
    let held: BTreeSet<&str> =
        contracts.0.keys().filter_map(|name| name.strip_prefix("replies/")).collect();
    let known = Query::names().into_iter().filter(|name| *name != "evidence-part");
    let known: BTreeSet<&str> = known.chain(["command"]).collect();
    assert_eq!(held, known);
    assert!(node.stop().success());
}

/// Everything that can be asked of one case, and every record of it.
async fn of_case(contracts: &mut Contracts, client: &Client, case: &Value) {
    let history = json!({ "case": case, "open": true });
    let history = hold(contracts, client, "history", history).await;
    for entry in history["history"].as_array().expect("a history") {
        let kind = entry["record"]["type"].as_str().expect("a type").to_owned();
        contracts.hold(&format!("events/{kind}"), &entry["record"]);
    }
    for body in [json!({ "case": case }), json!({ "case": case, "at_version": 1 })] {
        hold(contracts, client, "case", body).await;
    }
    for name in ["removal-bar", "family", "audit.replay", "audit.decisions"] {
        hold(contracts, client, name, json!({ "case": case })).await;
    }
    for set in [json!({}), json!({ "C2.4": "N" })] {
        hold(contracts, client, "audit.what-if", json!({ "case": case, "set": set })).await;
    }
    hold(contracts, client, "audit.as-of", json!({ "case": case, "at": "now" })).await;
    let points = json!({ "case": case, "from": "version:1", "to": "now" });
    hold(contracts, client, "audit.diff", points).await;
    let fields = json!({ "case": case, "fields": ["all"] });
    hold(contracts, client, "audit.disclosures", fields).await;
}
