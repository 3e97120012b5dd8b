//! `tebessa watch`: events as they come, from the stream.

use std::time::Duration;

use case::{CaseId, Recorded};
use futures::{Stream, StreamExt};
use serde_json::value::RawValue;
use service::client::{Client, ClientError, StreamMessage};

use crate::address::Address;
use crate::arguments::from_one;
use crate::output::{ASIDE, CliError, Exit, NAME, Output, Screen, note};
use crate::signals::Signals;
use case::gist;

/// The pause before the stream is looked for again after it was lost.
const PAUSE: Duration = Duration::from_secs(1);

/// From this width on an event takes one line; on a narrower terminal what happened stands below.
const WIDE: usize = 110;
/// Where it stands there: below the time.
const INDENT: usize = 9;

const HELP: &str = "\
A line has the event's position, the time at which it was recorded (UTC), the case, and what
happened, which stands below on a narrow terminal. Where the stream is lost, it is looked for until
it is back, and nothing is left out: every event comes once, in the order of the positions. Ctrl-C
ends with exit code 0.

Examples:
  tebessa watch
  tebessa watch --from 1 --until 1000 --json > events.jsonl";

/// Follow the events of all cases: one line an event, new ones as they come.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Start at this position; 1 is the beginning. Without it, with what comes from now on.
    #[arg(long, value_name = "POSITION", value_parser = from_one)]
    from: Option<u64>,
    /// End behind this position.
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
    /// Only events of this case.
    #[arg(long, value_name = "ID")]
    case: Option<CaseId>,
    /// One line of JSON an event: its position, and the record exactly as it is stored.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

/// Follows until it is told to stop.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let mut signals = Signals::new()?;
    tokio::select! {
        ended = watch(args) => ended.map(|()| Exit::Done),
        () = signals.told_to_stop() => Ok(Exit::Done),
    }
}

async fn watch(args: Args) -> Result<(), CliError> {
    let client = args.address.connect().await?;
    let next = match args.from {
        Some(from) => from,
        None => client.stream_position().await.map_err(CliError::other)? + 1,
    };
    let mut watching = Watching {
        args,
        next,
        out: Output::stdout(),
        screen: Screen::stdout(),
        day: String::new(),
    };
    watching.follow(&client).await
}

struct Watching {
    args: Args,
    /// The next position.
    next: u64,
    out: Output,
    screen: Screen,
    /// The day of the line before; a new one is told in a line of its own.
    day: String,
}

#[derive(serde::Serialize)]
struct Line<'a> {
    position: u64,
    record: &'a RawValue,
}

impl Watching {
    /// Follows to the end. A stream that is lost is looked for again; that there is none at the
    /// first look is an error.
    async fn follow(&mut self, client: &Client) -> Result<(), CliError> {
        let mut messages = client.watch(self.next).await.map_err(CliError::other)?.boxed();
        loop {
            let Some(lost) = self.take_all(&mut messages).await? else { return Ok(()) };
            note(&format!("the stream is lost, and looked for: {lost}"));
            messages = loop {
                tokio::time::sleep(PAUSE).await;
                // It would be lost there again and again.
                if matches!(client.is_unreadable(self.next).await, Ok(true)) {
                    return Err(CliError::message(format!(
                        "position {} of the stream holds a message that nobody can read; `tebessa health` says \
                         what to do",
                        self.next
                    )));
                }
                if let Ok(messages) = client.watch(self.next).await {
                    break messages.boxed();
                }
            };
            note("the stream is back");
        }
    }

    /// Shows events until the end, or until the stream is lost: then says why.
    async fn take_all(
        &mut self,
        messages: &mut (impl Stream<Item = Result<StreamMessage, ClientError>> + Unpin),
    ) -> Result<Option<String>, CliError> {
        while !self.at_end() {
            match messages.next().await {
                Some(Ok(message)) if message.position > self.next => {
                    return Ok(Some(format!("it does not have position {}", self.next)));
                }
                Some(Ok(message)) => self.take(&message)?,
                Some(Err(error)) => return Ok(Some(service::chain(&error))),
                None => return Ok(Some("it has ended".to_owned())),
            }
        }
        Ok(None)
    }

    fn at_end(&self) -> bool {
        self.args.until.is_some_and(|until| self.next > until)
    }

    /// Shows an event. What was shown already, before the stream was lost, is passed over.
    fn take(&mut self, message: &StreamMessage) -> Result<(), CliError> {
        if message.position < self.next {
            return Ok(());
        }
        self.next += 1;
        let record = Recorded::decode(&message.record, message.position)
            .map_err(|error| CliError::caused(format!("position {}", message.position), error))?;
        if self.args.case.is_some_and(|case| case != record.envelope.case) {
            return Ok(());
        }
        if self.args.json {
            let record = serde_json::from_slice(&message.record).map_err(CliError::other)?;
            self.out.json(&Line { position: message.position, record })?;
            return self.out.flush();
        }
        self.show(&record)
    }

    fn show(&mut self, record: &Recorded) -> Result<(), CliError> {
        let day = record.envelope.time.strftime("%Y-%m-%d").to_string();
        if day != self.day {
            self.screen.line(&format!("{ASIDE}{day} (UTC){ASIDE:#}"))?;
            self.day = day;
        }
        tell(record, &mut self.screen)?;
        self.screen.flush()
    }
}

/// An event in a line, or in two where there is no room.
fn tell(record: &Recorded, screen: &mut Screen) -> Result<(), CliError> {
    let time = record.envelope.time.strftime("%H:%M:%S");
    let (position, case, version) =
        (record.position, record.envelope.case, record.envelope.version);
    let line = format!("{position:>7}  {ASIDE}{time}{ASIDE:#}  {case}  {version:>3}");
    let gist = gist::of(record);
    if screen.width >= WIDE {
        return screen.line(&format!("{line}  {NAME}{gist}{NAME:#}"));
    }
    screen.line(&line)?;
    screen.paragraph(NAME, &gist, INDENT, 2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::NO_WIDTH;

    fn told(width: usize) -> String {
        let case = "0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11";
        let record = json!({
            "specversion": "1.0", "id": "0197b2f0-0000-7000-8000-000000000001",
            "source": "tebessa/test", "type": "tebessa.deadlines.set.v1", "subject": case,
            "time": "2024-03-12T09:41:27.000001Z", "datacontenttype": "application/json",
            "caseversion": 61, "prev": "00".repeat(32),
            "command": "0197b2f0-0000-7000-8000-000000000002", "correlation": case,
            "digest": "00".repeat(32), "actor": "registry-1", "role": "registry",
            "basis": "APR art. 34(1)", "occurred": "2024-03-12",
            "data": { "deadline": case, "kind": "merits", "due": "2024-08-02T22:00:00Z" },
        });
        let record = Recorded::decode(record.to_string().as_bytes(), 297).unwrap();
        let (mut screen, shown) = Screen::for_test(width);
        tell(&record, &mut screen).unwrap();
        shown.text()
    }

    #[test]
    fn an_event_is_one_line_and_two_on_a_narrow_terminal() {
        let line = "    297  09:41:27  0b9f4ce8-2c1e-4a7e-9f0a-3f1f6f0f7a11   61";
        let deed = "Deadline set: merits, due 2024-08-02T22:00:00Z";
        assert_eq!(told(80), format!("{line}\n         {deed}\n"));
        for width in [WIDE, NO_WIDTH] {
            assert_eq!(told(width), format!("{line}  {deed}\n"));
        }
    }
}
