//! `tebessa case removal-bar`: may this person be removed?

use case::CaseId;
use service::queries::{RemovalBarQuery, RemovalBarReply};

use crate::address::Address;
use crate::ask::ask;
use crate::output::{CliError, Exit, Output, Screen, count};
use crate::viewing::Viewing;

const HELP: &str = "\
A person is barred from removal while the claim is pending, service is unproved, a time limit to
appeal runs, an appeal is undetermined, protection stands, harm within article 3 was found and no
court held otherwise, an order says so, or one of these holds of another claim of the same person;
and wherever there is doubt: an unknown case, a record that cannot be read, a log that is not
current.

Exit codes: 0 not barred, 3 barred, 1 no answer, 2 wrong usage. Only 0 is a clearance, and only for
the moment of the answer.

Example:
  tebessa case removal-bar 3f0c9a52-6d0e-4c8e-9a54-2f1d7f4c1b11";

/// Ask whether the person of a case must not be removed.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The case.
    #[arg(value_name = "ID")]
    case: CaseId,
    /// The answer as one line of JSON; the exit codes are the same.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    viewing: Viewing,
    #[command(flatten)]
    address: Address,
}

/// Asks and tells.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let query = RemovalBarQuery { case: args.case, viewer: args.viewing.viewer() };
    let reply: RemovalBarReply = ask(&client, "removal-bar", &query).await?;
    if reply.case != args.case {
        return Err(CliError::message("the node answered about another case"));
    }
    if args.json {
        let mut out = Output::stdout();
        out.line(&serde_json::to_vec(&reply).map_err(CliError::other)?)?;
        out.flush()?;
    } else {
        tell(&reply)?;
    }
    let cleared = !reply.barred && reply.reasons.is_empty();
    Ok(if cleared { Exit::Done } else { Exit::Rejected })
}

fn tell(reply: &RemovalBarReply) -> Result<(), CliError> {
    let mut screen = Screen::stdout();
    let answer = if reply.barred { "BARRED: must not be removed" } else { "Not barred" };
    screen.labelled(0, 10, "Removal", answer)?;
    screen.labelled(
        0,
        10,
        "Case",
        &format!("{}, {}", reply.case, count(reply.version.0, "event", "events")),
    )?;
    screen.labelled(0, 10, "Asked", &reply.asked.to_string())?;
    if let Some(until) = reply.until {
        screen.labelled(0, 10, "Until", &format!("{until} at the least; then ask again"))?;
    }
    for reason in &reply.reasons {
        screen.labelled(0, 10, "Because", &reason.sentence)?;
        let events: Vec<_> = reason
            .events
            .iter()
            .map(|event| format!("version {} at position {}", event.version, event.position))
            .collect();
        if !events.is_empty() {
            screen.labelled(10, 10, "rests on", &events.join(", "))?;
        }
        if let Some(until) = reason.until {
            screen.labelled(10, 10, "until", &until.to_string())?;
        }
    }
    screen.flush()
}
