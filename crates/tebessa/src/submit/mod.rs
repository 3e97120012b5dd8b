//! `tebessa submit`: commands from a file or a pipe, one a line, answered in the same order.

mod answer;
mod input;
mod peek;
mod pipeline;
mod send;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Instant;

use self::answer::Counts;
use self::input::Input;
use self::pipeline::Pipeline;
use self::send::{Courier, Service};
use crate::address::Address;
use crate::output::{Bar, CliError, Exit, Output, note};

const HELP: &str = r#"A command is one line:
  {"command":"intake.register-claim","id":UUID,"case":UUID,"expected_version":0,
   "actor":{"id":"registrar-1","role":"registrar","basis":"APR art. 27"},
   "occurred":"2024-03-02","data":{…}}

Its answer is one line, in the same place of the output:
  {"outcome":"accepted","case":…,"version":…,"position":…,"event":…}
  {"outcome":"rejected","code":"wrong_role","invariant":…,"message":…}
  {"outcome":"failed","code":400,"message":"line 7: data.name: …"}
The first two are the service's own bytes. A failure has the code 400 malformed, 403 not allowed by
the NATS server, 404 unknown, 409 others were faster, 413 too long, 502 an answer that cannot be read,
503 nobody answers, or 504 no answer in time.

An accepted command is on disk. Sent again with the same id it gets the same answer, so a file
can be submitted again after a failure.

Exit codes: 0 all accepted, 3 some rejected and none failed, 1 some failed.

Examples:
  tebessa submit commands.jsonl > replies.jsonl
  produce-commands | tebessa submit --quiet"#;

/// Send commands, one a line; print one answer a line, in the same order.
///
/// Commands of different cases go side by side, those of one case one after the other. Where no
/// answer comes, a command is sent again with the same bytes, up to three times within a minute.
/// Blank lines are skipped.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The file with the commands; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Say nothing on standard error but errors: no progress, no summary.
    #[arg(long, short)]
    quiet: bool,
    /// Taken as everywhere: the answers are lines of JSON with it and without it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

/// Sends every line.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let input = Input::open(&args.file)?;
    let client = args.address.connect().await?;
    let begun = Instant::now();
    let mut submission = Submission::new(client, input.total_bytes, args.quiet);
    let ended = submission.run(input).await;
    submission.bar.finish();
    if !args.quiet {
        let summary = submission.counts.summary(begun.elapsed().as_secs_f64());
        for line in &summary {
            note(line);
        }
    }
    match ended {
        Ok(()) => Ok(submission.counts.exit()),
        Err(CliError::Closed) => Err(CliError::message(format!(
            "standard output was closed with {} commands unanswered; what became of them is \
             found by sending them again with the same ids",
            submission.pipeline.unanswered() + 1
        ))),
        Err(error) => Err(error),
    }
}

struct Submission<S> {
    pipeline: Pipeline<S>,
    out: Output,
    counts: Counts,
    bar: Bar,
    /// Nothing is shown where standard error is no terminal.
    quiet: bool,
    /// Answers and the bar share a terminal: the bar makes room for every answer.
    shared: bool,
    done_bytes: u64,
    total_bytes: u64,
}

impl<S: Service> Submission<S> {
    fn new(service: S, total_bytes: u64, quiet: bool) -> Self {
        Self {
            pipeline: Pipeline::new(Courier::new(service)),
            out: Output::stdout(),
            counts: Counts::default(),
            bar: Bar::new("Submitting"),
            quiet,
            shared: std::io::stdout().is_terminal(),
            done_bytes: 0,
            total_bytes,
        }
    }

    /// Sends until the input ends and every line has its answer.
    async fn run(&mut self, input: Input) -> Result<(), CliError> {
        let mut lines = input.lines();
        let mut open = true;
        let mut broken = None;
        while open || !self.pipeline.is_idle() {
            let idle = self.pipeline.is_idle();
            let room = self.pipeline.has_room();
            tokio::select! {
                line = lines.recv(), if open && room => match line {
                    Some(Ok(line)) => self.pipeline.take(line),
                    Some(Err(error)) => broken = Some(error),
                    None => open = false,
                },
                () = self.pipeline.landed(), if !idle => {}
            }
            self.print()?;
        }
        match broken {
            Some(error) => Err(CliError::caused("the input could not be read to its end", error)),
            None => Ok(()),
        }
    }

    /// Prints the answers that are next in order, and sends them out at once: a reader at the
    /// other end of the pipe may wait for them before it writes more commands.
    fn print(&mut self) -> Result<(), CliError> {
        let mut printed = false;
        while let Some((answer, length)) = self.pipeline.next_answer() {
            printed = true;
            self.counts.add(&answer);
            self.done_bytes += length;
            self.out.line(&answer.line)?;
        }
        if !printed {
            return Ok(());
        }
        if self.quiet {
            return self.out.flush();
        }
        if self.shared {
            self.bar.aside(|| self.out.flush())?;
        } else {
            self.out.flush()?;
        }
        self.bar.show(self.done_bytes, self.total_bytes, "bytes");
        self.bar.tell(self.counts.words());
        Ok(())
    }
}
