//! `tebessa up`: one process with all services, on a NATS server of its own or on a given one.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use service::broker::Port;
use service::documents::StorePlace;
use service::node::Authority;
use service::standalone::{Setup, Standalone};
use tokio::sync::watch;

use crate::address::{NatsOptions, NodeFile};
use crate::law;
use crate::output::{CliError, Exit, OpenProgress};
use crate::signals::Signals;

/// Start a node: all services in one process.
///
/// Without --nats it starts the nats-server that it finds (TEBESSA_NATS_SERVER, else PATH) as its
/// child on loopback, with its store in the data directory, and stops it when it stops.
/// Prints one line with its addresses when it is ready. SIGTERM, SIGQUIT, Ctrl-C and the end
/// of the terminal (not under nohup) answer the commands that were taken, and end with exit code 0.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Args {
    /// The data directory: log, index, keys, and the NATS server's store.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    data: PathBuf,
    /// Use this NATS server (with JetStream) instead of starting one.
    #[arg(long, value_name = "URL", env = "TEBESSA_NATS", hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new())]
    nats: Option<String>,
    #[command(flatten)]
    options: NatsOptions,
    /// The port of the NATS server that is started. By default the one of the last time if it is
    /// free, else any free one.
    #[arg(long, value_name = "PORT", conflicts_with = "nats",
        value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Let in to the NATS server that is started only who knows its password: it stands in the file
    /// node.json of the data directory, where every command finds it. Else every account of this
    /// machine can send commands and read what it likes.
    #[arg(long, conflicts_with = "nats")]
    private: bool,
    /// The authority whose record this is: a short name that stands in every record.
    #[arg(long, value_name = "NAME", default_value = "local", env = "TEBESSA_AUTHORITY")]
    authority: String,
    /// Guidance files to use instead of the built-in ones.
    #[arg(long, value_name = "DIR", env = "TEBESSA_GUIDANCE")]
    guidance: Option<PathBuf>,
    /// Files of clocks, one a profile, to use instead of the built-in ones: `tebessa clocks list`
    /// shows what is in them. A profile without a file has no time limit that is computed.
    #[arg(long, value_name = "DIR", env = "TEBESSA_CLOCKS")]
    clocks: Option<PathBuf>,
    /// Sign a checkpoint of the log when so many seconds have passed and it has new records; 0
    /// leaves it to the stop of the node and to `tebessa journal checkpoint`.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    checkpoint_every: u64,
    /// Where files of evidence are kept: a directory, or s3://BUCKET/PREFIX with the usual AWS_…
    /// variables for endpoint, region and credentials. By default `documents` in the data
    /// directory. They are sealed before they get there.
    #[arg(long, value_name = "PLACE", env = "TEBESSA_DOCUMENTS",
        value_parser = StorePlace::of)]
    documents: Option<StorePlace>,
    /// How many hours an uploaded file waits for its command before it is dropped. Counts when
    /// the inbox is made.
    #[arg(long, value_name = "HOURS", default_value_t = 24, env = "TEBESSA_INBOX_HOURS",
        value_parser = clap::value_parser!(u32).range(1..=8760))]
    inbox_hours: u32,
    /// Run no timers of deadlines inside: `tebessa serve deadlines` runs them elsewhere.
    #[arg(long)]
    no_timers: bool,
    /// Start although keys are lost for good that the log names: what they sealed cannot be read. Where
    /// there is no key store, a new one is begun. A key store that is put back later lacks the keys that
    /// claims got meanwhile: restore it instead, if there is a copy.
    #[arg(long)]
    lost_keys: bool,
    /// Print the ready line as JSON.
    #[arg(long)]
    json: bool,
}

/// How long a start that was given up may take to end.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// Runs the node until it is told to stop, can no longer write, or has lost a part of itself.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let authority = Authority::new(&args.authority).map_err(CliError::usage)?;
    if args.nats.is_none()
        && let Some(option) = args.options.given()
    {
        return Err(CliError::usage(format!(
            "{option} says how to get into a NATS server of yours: name that by --nats URL, or leave it out \
             (also the variable TEBESSA_NATS_…)"
        )));
    }
    let library = law::library(args.guidance.as_deref())?;
    let clocks = law::clocks(args.clocks.as_deref())?;
    let mut signals = Signals::new()?;
    let checkpoints =
        (args.checkpoint_every > 0).then(|| Duration::from_secs(args.checkpoint_every));
    let setup = Setup {
        data: args.data.clone(),
        nats: args.nats.as_deref().map(|url| args.options.server(url)).transpose()?,
        port: args.port.map_or(Port::AsBefore, Port::Exactly),
        private: args.private,
        authority,
        library,
        clocks,
        checkpoints,
        documents: args.documents.clone().unwrap_or_default(),
        inbox_age: Duration::from_hours(u64::from(args.inbox_hours)),
        timers: !args.no_timers,
        lost_keys: args.lost_keys,
    };
    let Some(running) = start(setup, &mut signals).await? else { return Ok(Exit::Done) };
    warn_of(&running);
    let file = NodeFile::new(running.server(), &args.authority);
    let written = file.write(&args.data).map_err(CliError::other);
    let told = written.and_then(|()| announce(&file, &args));
    let exit = match &told {
        Ok(()) => over(signals.told_to_stop(), running.node().failed(), running.ended()).await,
        // Whoever waits for the line waits in vain: the node stops in order all the same.
        Err(_) => Exit::Failed,
    };
    let stopped = running.stop().await;
    NodeFile::remove(&args.data);
    told?;
    match exit {
        Exit::Done => stopped.map(|()| Exit::Done).map_err(CliError::other),
        Exit::Failed | Exit::Rejected => Ok(exit),
    }
}

/// Returns once the node is to stop: because it was told to, because its log can no longer be written, or
/// because a part of it ended. A node that goes on without that part looks well; one that is started again is.
async fn over(
    told: impl Future<Output = ()>,
    mut failed: watch::Receiver<Option<String>>,
    ended: impl Future<Output = &'static str>,
) -> Exit {
    tokio::select! {
        () = told => Exit::Done,
        Ok(reason) = failed.wait_for(Option::is_some) => {
            let reason = reason.clone().unwrap_or_default();
            tracing::error!(reason, "the log can no longer be written: the node stops");
            Exit::Failed
        }
        part = ended => {
            tracing::error!(
                alarm = true,
                "{part} ended though nobody stopped it, which is a defect: the node stops; start it again"
            );
            Exit::Failed
        }
    }
}

/// Starts a node; `None` where it was told to stop before it was ready.
async fn start(setup: Setup, signals: &mut Signals) -> Result<Option<Standalone>, CliError> {
    // A task of its own: while the log is opened it looks at nothing else, which may take minutes.
    let mut starting = tokio::spawn(async move {
        let mut progress = OpenProgress::new();
        let running = Standalone::start(setup, &mut |step| progress.show(step)).await;
        progress.finish();
        running
    });
    let started = tokio::select! {
        started = &mut starting => started,
        () = signals.told_to_stop() => {
            starting.abort();
            // With the task its NATS server ends. A log that is being opened can be left at any time.
            if let Ok(Ok(Ok(running))) = tokio::time::timeout(GIVEN_UP, starting).await {
                running.stop().await.map_err(CliError::other)?;
            }
            return Ok(None);
        }
    };
    started.map_err(CliError::other)?.map(Some).map_err(CliError::other)
}

/// What opening found that an operator should know.
fn warn_of(running: &Standalone) {
    let report = running.report();
    if let Some(tail) = &report.torn_tail {
        tracing::warn!(
            file = %tail.file, offset = tail.offset, bytes = tail.bytes,
            "the last write was cut short; it was never acknowledged, and was cut off"
        );
    }
    if let Some(reason) = &report.index_rebuilt {
        tracing::info!(?reason, "the index was built anew from the log");
    }
}

fn announce(file: &NodeFile, args: &Args) -> Result<(), CliError> {
    let data = args.data.canonicalize().unwrap_or_else(|_| args.data.clone());
    let line = if args.json {
        serde_json::json!({
            "ready": true,
            "nats": file.server().shown(),
            "data": data.display().to_string(),
            "authority": file.authority,
            "pid": std::process::id(),
            "private": args.private,
        })
        .to_string()
    } else {
        let password = if args.private { "; its password is in node.json there" } else { "" };
        let nats = file.server().shown();
        format!("tebessa is ready: NATS {nats}, data {}{password}", data.display())
    };
    crate::output::line(&line)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_node_that_lost_a_part_of_itself_stops_and_has_failed() {
        let (_log, failed) = watch::channel(None);
        assert_eq!(over(pending(), failed.clone(), ready("the timers")).await, Exit::Failed);
        assert_eq!(over(ready(()), failed, pending()).await, Exit::Done);
        let (_log, failed) = watch::channel(Some("no room".to_owned()));
        assert_eq!(over(pending(), failed, pending()).await, Exit::Failed);
    }
}
