//! `tebessa health`: whether a node answers and is well, for container health checks.

use service::queries::{Cut, FollowerState, TimersState};

use crate::address::Address;
use crate::ask::ask_node;
use crate::output::{CliError, Exit, count};

/// Ask a node how it is: exit code 0 when it is well, 1 when it is not or does not answer.
///
/// It is not well where the stream and the log contradict each other, the timers do not run, the access
/// log cannot be written, a log cannot be signed, the key store gives no key, the clock is behind the last
/// record, a connection for commands, queries or files is not there, the NATS server takes short messages
/// only, or a stream of somebody else takes what is sent to the node. A stream that is away or behind is none
/// of these: the log has what was accepted, and the stream is filled again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    address: Address,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// What to do about a stream and a log that contradict each other: which of them is right, only
/// people can know.
const MEND: &str = "\
Was the log restored from an older copy, stop the node and run `tebessa journal
repair --from stream`. Is the log right and whole, delete the stream CASES: the
node makes it again from the log.";

fn cut_line(cut: &Cut) -> String {
    let Cut { connection, times, ended, last, away } = cut;
    let ended = match ended {
        0 => String::new(),
        _ => format!(", {ended} of them for good, at a message that nobody can read"),
    };
    let now = if *away { "; it is not there now" } else { "" };
    let times = count(*times, "time", "times");
    format!(
        "the connection for {connection} was cut {times} since the start{ended}, last at {last}{now}"
    )
}

/// Asks the node.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let client = args.address.connect().await?;
    let (node, reply) = ask_node(&client).await?;
    let halted = matches!(node.stream, FollowerState::Halted { .. });
    let no_timers = matches!(node.timers, Some(TimersState::Failing { .. }));
    if args.json {
        crate::output::line(&String::from_utf8_lossy(&reply))?;
    } else {
        let stream = match &node.stream {
            FollowerState::Following { position } if *position >= node.position => {
                format!("the stream has all {position}")
            }
            FollowerState::Following { position } => {
                format!("the stream has {position} of them")
            }
            FollowerState::CatchingUp { position } => {
                format!("the stream is filled up to {position}")
            }
            FollowerState::Away => "the stream is away; the node's log says why".to_owned(),
            FollowerState::Halted { reason } => format!("the stream is halted: {reason}"),
        };
        crate::output::line(&format!(
            "tebessa {}: {}, {} in the index; {stream}",
            node.version,
            count(node.position, "record", "records"),
            node.index_position
        ))?;
        if halted {
            crate::output::line(MEND)?;
        }
        if let Some(seconds) = node.clock_behind_s {
            let minutes = seconds.unsigned_abs() / 60;
            let lag = match minutes {
                0..120 => count(minutes, "minute", "minutes"),
                120..2880 => count(minutes / 60, "hour", "hours"),
                _ => count(minutes / 60 / 24, "day", "days"),
            };
            crate::output::line(&format!(
                "the clock is {lag} behind the last record: put it right"
            ))?;
        }
        if let Some(TimersState::Failing { reason }) = &node.timers {
            crate::output::line(&format!(
                "the timers of the deadlines do not run, so that nothing expires: {reason}"
            ))?;
        }
        for overheard in &node.overheard {
            crate::output::line(&format!(
                "{overheard}: it may answer in the node's place, and keeps names and words in plaintext: delete it"
            ))?;
        }
        for cut in &node.cuts {
            crate::output::line(&cut_line(cut))?;
        }
        if let Some(most) = node.short_messages {
            crate::output::line(&format!(
                "the NATS server takes messages of up to {most} bytes only, so that no command is taken: set \
                 its max_payload to 1MB"
            ))?;
        }
        if let Some(reason) = &node.access.failed {
            crate::output::line(&format!(
                "the access log cannot be written, so that no words are opened: {reason}"
            ))?;
        }
        if let Some(reason) = &node.no_key {
            crate::output::line(&format!(
                "the key store gives no key, so that no claim is taken: {reason}"
            ))?;
        }
        let unsigned = node.unsigned.iter();
        for (log, reason) in
            unsigned.flat_map(|logs| [("log", &logs.cases), ("access log", &logs.access)])
        {
            if let Some(reason) = reason {
                crate::output::line(&format!("the {log} cannot be signed: {reason}"))?;
            }
        }
    }
    let unwell = halted
        || no_timers
        || node.unsigned.is_some()
        || node.no_key.is_some()
        || node.access.failed.is_some()
        || node.clock_behind_s.is_some()
        || node.short_messages.is_some()
        || node.cuts.iter().any(|cut| cut.away)
        || !node.overheard.is_empty();
    Ok(if unwell { Exit::Failed } else { Exit::Done })
}
