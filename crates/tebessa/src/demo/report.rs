//! What the demo shows at its end: one timeline, and a table of all cases.

use service::follower::Status;
use service::node::Node;
use service::queries::HistoryReply;

use super::Shown;
use crate::case::timeline;
use crate::output::{CliError, Exit, line};

/// Prints the timeline of Maximilian, read from the rebuilt node with its words opened.
pub(super) fn show_timeline(node: &Node, shown: &[Shown]) -> Result<(), CliError> {
    let Some(one) = shown.iter().find(|case| case.label == "Maximilian") else {
        return Ok(());
    };
    let query = serde_json::json!({ "case": one.case, "open": true }).to_string();
    let reply = service::queries::answer(node, &Status::Away, "history", query.as_bytes())
        .map_err(CliError::other)?;
    let page: HistoryReply = serde_json::from_slice(&reply).map_err(CliError::other)?;
    line("\nMaximilian of Tebessa, rebuilt from the log:")?;
    for entry in &page.history {
        for text in timeline(entry)? {
            line(&text)?;
        }
    }
    Ok(())
}

/// Prints the table, and fails where a case is not as it was, or not as it was decided.
pub(super) fn print(shown: &[Shown], json: bool) -> Result<Exit, CliError> {
    let mut failed = 0;
    if !json {
        line(&format!(
            "\n{:<11} {:<22} {:<22} {:<14} {}",
            "CASE", "COURT", "ENGINE", "STATUS", "REBUILT"
        ))?;
    }
    for case in shown {
        let equal = case.live == case.rebuilt && !case.rebuilt.is_null();
        let status = case.rebuilt.pointer("/status").and_then(|s| s.as_str()).unwrap_or("-");
        if !equal || case.expected != case.proposed {
            failed += 1;
        }
        if json {
            let text = serde_json::json!({
                "label": case.label, "case": case.case, "court": case.expected,
                "engine": case.proposed, "status": status, "equal": equal,
            });
            line(&text.to_string())?;
        } else {
            line(&format!(
                "{:<11} {:<22} {:<22} {:<14} {}",
                case.label,
                case.expected,
                case.proposed,
                status,
                if equal { "equal" } else { "DIFFERS" }
            ))?;
        }
    }
    if failed > 0 {
        return Err(CliError::message(format!("{failed} cases are not as they should be")));
    }
    Ok(Exit::Done)
}
