//! `tebessa case show`: where a case stands.

use case::{CaseId, Version};
use serde_json::Value;
use service::queries::CaseQuery;

use crate::address::Address;
use crate::output::{CliError, Exit};

/// Show where a case stands, now or as at a version.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "ID")]
    case: CaseId,
    #[command(flatten)]
    address: Address,
    /// As at this version.
    #[arg(long, value_name = "VERSION")]
    at_version: Option<u64>,
    /// The whole state as JSON.
    #[arg(long)]
    json: bool,
}

/// Shows the case.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let query = CaseQuery { case: args.case, at_version: args.at_version.map(Version) };
    let body = serde_json::to_vec(&query).map_err(CliError::other)?;
    let reply = client.query("case", body).await.map_err(CliError::other)?;
    if args.json {
        crate::output::line(&String::from_utf8_lossy(&reply))?;
        return Ok(Exit::Done);
    }
    let reply: Value = serde_json::from_slice(&reply).map_err(CliError::other)?;
    for line in lines(&reply) {
        crate::output::line(&line)?;
    }
    Ok(Exit::Done)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}

fn lines(reply: &Value) -> Vec<String> {
    let mut lines = vec![
        format!("case     {}", text(reply, "/case")),
        format!("status   {}", text(reply, "/status")),
        format!("outcome  {}", text(reply, "/outcome")),
        format!("profile  {}", text(reply, "/state/intake/registration/profile")),
        format!("seeks    {}", text(reply, "/state/intake/registration/sought")),
        format!("events   {}", reply.pointer("/version").unwrap_or(&Value::Null)),
    ];
    let items = reply.pointer("/state/evidence/items").and_then(Value::as_object);
    for (id, item) in items.into_iter().flatten() {
        lines.push(format!(
            "evidence {id} {} {}",
            text(item, "/kind"),
            text(item, "/authenticity")
        ));
    }
    let rounds = reply.pointer("/state/assessment/rounds").and_then(Value::as_array);
    for (number, round) in rounds.into_iter().flatten().enumerate() {
        lines.push(format!("round {}", number + 1));
        lines.extend(findings(round));
        for assessment in
            round.pointer("/assessments").and_then(Value::as_array).into_iter().flatten()
        {
            lines.push(format!(
                "  assessed by {}: proposes {}",
                text(assessment, "/by"),
                text(assessment, "/outcome")
            ));
            let reviews = assessment.pointer("/reviews").and_then(Value::as_array);
            for review in reviews.into_iter().flatten() {
                lines.push(format!(
                    "  reviewed by {}: {}",
                    text(review, "/by"),
                    text(review, "/result")
                ));
            }
        }
    }
    let decisions = reply.pointer("/state/decisions/all").and_then(Value::as_array);
    for decision in decisions.into_iter().flatten() {
        lines.push(format!("decided by {}: {}", text(decision, "/by"), text(decision, "/outcome")));
    }
    let appeals = reply.pointer("/state/appeals/all").and_then(Value::as_array);
    for appeal in appeals.into_iter().flatten() {
        lines.push(format!("appeal {}: {}", text(appeal, "/id"), text(appeal, "/ruling/result")));
    }
    lines
}

/// The findings of a round: those met and those undetermined by name, the others counted.
fn findings(round: &Value) -> Vec<String> {
    let mut named = std::collections::BTreeMap::<&str, Vec<&str>>::new();
    let findings = round.pointer("/findings").and_then(Value::as_object);
    for (id, finding) in findings.into_iter().flatten() {
        named.entry(text(finding, "/value")).or_default().push(id);
    }
    [("M", "met"), ("U", "undetermined"), ("N", "not met")]
        .into_iter()
        .filter_map(|(value, words)| {
            let ids = named.get(value)?;
            let room = crate::output::width();
            Some(crate::output::wrapped(&format!("{words}: {}", ids.join(" ")), 2, room))
        })
        .flatten()
        .collect()
}
