//! `tebessa demo`: the 26 decided cases, Maximilian and three worked histories go all the way, and
//! are rebuilt from the log alone.

mod fixture;
mod report;
mod script;
mod story;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::guidance::Library;
use serde_json::{Value as Json, json};
use service::client::Client;
use service::follower::Status;
use service::node::{Authority, GivenLaw, Node};
use service::reply::Reply;
use service::standalone::{Setup, Standalone};
use tokio::task::JoinSet;

use self::script::Script;
use crate::law;
use crate::output::{CliError, Exit, Steps};

/// Show the whole way of a claim on real cases, in a temporary directory.
///
/// Brings up a node, sends the 26 decided cases, Maximilian of Tebessa and three worked histories
/// through intake, evidence, findings, assessment, review, decision and appeal; then stops the node, throws the
/// index away, rebuilds everything from the log alone, verifies it, and compares. Exit code 0
/// only if the rebuilt state equals the live one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keep the data in this directory, which must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// One case of the demo, before and after.
pub(crate) struct Shown {
    pub(crate) label: String,
    pub(crate) case: uuid::Uuid,
    pub(crate) expected: String,
    /// What the engine proposed last.
    pub(crate) proposed: String,
    pub(crate) live: Json,
    pub(crate) rebuilt: Json,
}

/// Runs the demo.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let temporary;
    let data = if let Some(directory) = &args.keep {
        empty(directory)?;
        directory.clone()
    } else {
        temporary = tempfile::tempdir().map_err(CliError::other)?;
        temporary.path().join("data")
    };
    let mut steps = Steps::new(args.json);
    let authority = Authority::new("demo").map_err(CliError::usage)?;

    steps.begin("Starting a node and its NATS server");
    let setup = Setup::new(data.clone(), authority.clone(), law::library(None)?);
    let running = Standalone::start(setup, &mut |_| {}).await.map_err(CliError::other)?;
    steps.done(running.url());

    let outcome = live(&running, &mut steps).await;
    steps.begin("Stopping the node");
    let stopped = running.stop().await;
    let (scripts, live) = outcome?;
    stopped.map_err(CliError::other)?;
    steps.done("stopped");

    let shown = rebuilt(&data, &authority, scripts, live, &mut steps, args.json)?;
    report::print(&shown, args.json)
}

fn empty(directory: &Path) -> Result<(), CliError> {
    let used = std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    if used {
        return Err(CliError::usage(format!(
            "{} is not empty; choose a new directory",
            directory.display()
        )));
    }
    Ok(())
}

/// Sends every script, case beside case, and asks for the states.
async fn live(
    running: &Standalone,
    steps: &mut Steps,
) -> Result<(Vec<Script>, BTreeMap<uuid::Uuid, Json>), CliError> {
    let scripts = scripts(running.node().library())?;
    let commands: usize = scripts.iter().map(|script| script.steps.len()).sum();
    steps.begin(&format!("Sending {commands} commands to {} cases", scripts.len()));
    let client = Client::connect(running.url()).await.map_err(CliError::other)?;
    let mut sending = JoinSet::new();
    for script in scripts {
        let client = client.clone();
        sending.spawn(async move { send(&client, &script).await.map(|()| script) });
    }
    let mut sent = Vec::new();
    while let Some(joined) = sending.join_next().await {
        sent.push(joined.map_err(CliError::other)??);
    }
    sent.sort_by(|a, b| a.label.cmp(&b.label));
    steps.done("all accepted");

    steps.begin("Waiting for the stream to have every event");
    let last = running.node().journal().durable_position().0;
    let mut follower = running.follower();
    follower
        .wait_for(|status| matches!(status, Status::Following { position } if *position >= last))
        .await
        .map_err(CliError::other)?;
    steps.done(&format!("{last} events"));

    let mut states = BTreeMap::new();
    for script in &sent {
        let query = json!({ "case": script.case });
        states.insert(script.case, crate::ask::ask(&client, "case", &query).await?);
    }
    Ok((sent, states))
}

fn scripts(library: &Library) -> Result<Vec<Script>, CliError> {
    let mut scripts = Vec::new();
    for decided in fixture::decided().map_err(CliError::other)? {
        let guidance = library.require(&decided.profile, decided.as_of).map_err(CliError::other)?;
        scripts.push(script::of_decided(&decided, guidance));
    }
    let maximilian = fixture::maximilian();
    let guidance =
        library.require(&maximilian.profile, maximilian.as_of).map_err(CliError::other)?;
    scripts.push(script::of_granted(&maximilian, guidance));
    scripts.extend(story::scripts().map_err(CliError::other)?);
    Ok(scripts)
}

/// The commands of a case go one after the other; anything but acceptance ends the demo.
async fn send(client: &Client, script: &Script) -> Result<(), CliError> {
    for step in &script.steps {
        let body = step.body.to_string().into_bytes();
        let reply = client.command(&step.name, body).await.map_err(CliError::other)?;
        match serde_json::from_slice(&reply).map_err(CliError::other)? {
            Reply::Accepted { .. } => {}
            Reply::Rejected { code, message, .. } => {
                return Err(CliError::message(format!(
                    "{}: {} was rejected ({}): {message}",
                    script.label,
                    step.name,
                    code.as_str()
                )));
            }
        }
    }
    Ok(())
}

/// Throws the index away, opens the log alone, verifies it and folds every case anew.
fn rebuilt(
    data: &Path,
    authority: &Authority,
    scripts: Vec<Script>,
    mut live: BTreeMap<uuid::Uuid, Json>,
    steps: &mut Steps,
    json: bool,
) -> Result<Vec<Shown>, CliError> {
    let journal = service::node::journal_dir(data);
    steps.begin("Verifying the log");
    let verified = journal::verify(&journal, &mut |_| {}).map_err(CliError::other)?;
    steps.done(&format!("{} records, every hash and chain", verified.records));

    steps.begin("Rebuilding everything from the log alone");
    std::fs::remove_dir_all(journal.join("index")).map_err(CliError::other)?;
    let law = GivenLaw { library: law::library(None)?, clocks: law::clocks(None)? };
    let (node, _) = Node::open(data, authority, law, &mut |_| {}).map_err(CliError::other)?;
    let expected = expectations()?;
    let mut shown = Vec::new();
    for script in scripts {
        let query = json!({ "case": script.case }).to_string();
        let rebuilt = ask(&node, "case", &query)?;
        shown.push(Shown {
            expected: expected.get(&script.label).cloned().unwrap_or_default(),
            proposed: proposed(&rebuilt),
            live: live.remove(&script.case).unwrap_or(Json::Null),
            label: script.label,
            case: script.case,
            rebuilt,
        });
    }
    let equal = shown.iter().filter(|case| case.live == case.rebuilt).count();
    steps.done(&format!("{equal} of {} cases equal their live state", shown.len()));
    if !json {
        report::show_timeline(&node, &shown)?;
    }
    let closing = node.journal().clone();
    drop(node);
    closing.close().map_err(CliError::other)?;
    Ok(shown)
}

fn ask(node: &Node, name: &str, query: &str) -> Result<Json, CliError> {
    let reply = service::queries::answer(node, &Status::Away, name, query.as_bytes())
        .map_err(CliError::other)?;
    serde_json::from_slice(&reply).map_err(CliError::other)
}

/// The outcome that each fixture expects, by label.
fn expectations() -> Result<BTreeMap<String, String>, CliError> {
    let mut expected: BTreeMap<_, _> = fixture::decided()
        .map_err(CliError::other)?
        .into_iter()
        .map(|decided| (decided.id, decided.outcome))
        .collect();
    let maximilian = fixture::maximilian();
    expected.insert(maximilian.id, maximilian.outcome);
    expected.extend(story::expectations());
    Ok(expected)
}

/// The proposal of the latest assessment.
fn proposed(reply: &Json) -> String {
    let rounds = reply.pointer("/state/assessment/rounds").and_then(Json::as_array);
    rounds
        .and_then(|rounds| rounds.last()?.pointer("/assessments")?.as_array()?.last())
        .and_then(|latest| latest.pointer("/outcome")?.as_str())
        .unwrap_or_default()
        .to_owned()
}
