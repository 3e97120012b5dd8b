//! `tebessa audit access`: who viewed which case, and whether words were opened.

use anstyle::Style;
use case::CaseId;
use case::token::ActorId;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use journal::{Position, Reader, StreamId};
use service::access::{AccessEntry, Viewer, access_dir};
use service::logs::Log;
use service::queries::{AccessQuery, AccessReply};

use crate::address::Address;
use crate::ask::ask;
use crate::data_directory;
use crate::output::{ASIDE, BAD, CliError, Exit, Output, Screen, Table, count};

const HELP: &str = "\
Recorded are views of one case: its state, its history, files of evidence, family, decisions,
replays, removal bars, and personal fields for a dossier. Lists and searches are not. Who looked is
what the query said, and \"not stated\" where it said nothing. Times are UTC.

The log is read in the data directory without a lock, beside a running node or without one; with
--nats the node is asked instead. Views that opened nothing appear a moment after their answer.
`tebessa audit verify` checks that the access log itself is whole and unaltered.

Examples:
  tebessa audit access --case 5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11
  tebessa audit access --viewer caseworker-7 --since 2026-01-01 --opened
  tebessa audit access --json | jq 'select(.opened) | .viewer.id'";

/// How many entries are read at once.
const BATCH: usize = 2_048;

/// Show who viewed cases, and opened their words.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only views of this case.
    #[arg(long, value_name = "CASE")]
    case: Option<CaseId>,
    /// Only views by this actor.
    #[arg(long, value_name = "ACTOR")]
    viewer: Option<ActorId>,
    /// Only what was recorded since then (UTC): 2026-01-31, 2026-01-31T12:00, or with a zone.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    since: Option<Timestamp>,
    /// Only views that opened words or a file.
    #[arg(long)]
    opened: bool,
    /// One line of JSON a view.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    address: Address,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let midnight = || Some(case::whole_day(text)?.to_datetime(jiff::civil::Time::midnight()));
    // A zone in brackets would be lost as well.
    let time = || if text.contains('[') { None } else { text.parse::<DateTime>().ok() };
    let utc = midnight().or_else(time).and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    let expected = "expected 2026-01-31, 2026-01-31T12:00 or 2026-01-31T12:00:00Z";
    utc.map(|time| time.timestamp()).ok_or_else(|| expected.to_owned())
}

/// Shows the views.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let query = AccessQuery {
        case: args.case,
        viewer: args.viewer.clone(),
        since: args.since,
        opened: args.opened,
        after: 0,
    };
    let entries = if args.address.nats.is_some() {
        asked(&args.address, query).await?
    } else {
        let data = args.address.data.clone();
        let read = tokio::task::spawn_blocking(move || read(&data, &query));
        read.await.map_err(CliError::other)??
    };
    if args.json {
        let mut out = Output::stdout();
        entries.iter().try_for_each(|entry| out.json(entry))?;
        out.flush()?;
    } else {
        show(&entries, &mut Screen::stdout())?;
    }
    Ok(Exit::Done)
}

/// Asks the node, page by page.
async fn asked(address: &Address, mut query: AccessQuery) -> Result<Vec<AccessEntry>, CliError> {
    let client = address.connect().await?;
    let mut entries = Vec::new();
    loop {
        let page: AccessReply = ask(&client, "audit.access", &query).await?;
        entries.extend(page.entries);
        let Some(next) = page.next else { return Ok(entries) };
        query.after = next;
    }
}

/// Reads the access log of a data directory.
fn read(data: &std::path::Path, query: &AccessQuery) -> Result<Vec<AccessEntry>, CliError> {
    let directory = access_dir(data);
    if !data_directory::holds_log(&directory)? {
        // A node that was never started with this version has none; a wrong directory neither.
        data_directory::record(data, Log::Cases)?;
        query.case.map_or(Ok(()), |case| is_there(data, case))?;
        return Ok(Vec::new());
    }
    let reader = Reader::open(&directory).map_err(CliError::other)?;
    let mut entries = Vec::new();
    let mut take = |records: &[journal::Record]| {
        for record in records {
            let entry = AccessEntry::decode(record).map_err(CliError::other)?;
            if query.admits(&entry) {
                entries.push(entry);
            }
        }
        Ok::<_, CliError>(())
    };
    if let Some(case) = query.case {
        let views = reader.read_stream(StreamId(case.0), None).map_err(CliError::other)?;
        if views.is_empty() {
            is_there(data, case)?;
        }
        take(&views)?;
    } else {
        let mut next = Position(1);
        loop {
            let records = reader.read(next, BATCH).map_err(CliError::other)?;
            let Some(last) = records.last() else { break };
            next = last.position.next();
            take(&records)?;
        }
    }
    Ok(entries)
}

/// Whose id was mistyped would read that nobody looked.
fn is_there(data: &std::path::Path, case: CaseId) -> Result<(), CliError> {
    let cases =
        Reader::open(&data_directory::record(data, Log::Cases)?).map_err(CliError::other)?;
    if cases.read_stream(StreamId(case.0), None).map_err(CliError::other)?.is_empty() {
        return Err(CliError::message(format!("there is no case {case}")));
    }
    Ok(())
}

fn show(entries: &[AccessEntry], screen: &mut Screen) -> Result<(), CliError> {
    if !entries.is_empty() {
        let mut table =
            Table::new(screen.width, &["when (UTC)", "who, and which case", "view"], true);
        table.fixed(0, 19);
        table.fixed(1, 36);
        for entry in entries {
            table.row(&[
                (entry.time.strftime("%Y-%m-%d %H:%M:%S").to_string(), ASIDE),
                (format!("{}\n{}", who(entry), entry.case), Style::new()),
                (what(entry), if entry.opened { BAD } else { Style::new() }),
            ]);
        }
        table.show(screen)?;
        screen.line("")?;
    }
    let opened = entries.iter().filter(|entry| entry.opened).count() as u64;
    screen.line(&format!(
        "{}, {opened} of them opened words or a file",
        count(entries.len() as u64, "view", "views")
    ))?;
    screen.flush()
}

fn who(entry: &AccessEntry) -> String {
    entry.viewer.as_ref().map_or_else(|| "not stated".to_owned(), Viewer::in_words)
}

fn what(entry: &AccessEntry) -> String {
    let view = entry.view.as_str();
    let mut text = match entry.versions {
        Some((first, last)) if first == last => format!("{view} {first}"),
        Some((first, last)) => format!("{view} {first}-{last}"),
        None => view.to_owned(),
    };
    if let Some(evidence) = entry.evidence {
        text = format!("{text}\n{evidence}");
    }
    if entry.opened {
        text.push_str("\nOPENED");
    }
    text
}

#[cfg(test)]
mod tests {
    use case::Version;
    use case::token::Purpose;
    use case::vocabulary::Role;
    use service::access::{Unstated, View};

    use super::*;

    #[test]
    fn a_table_of_views_fits_eighty_columns() {
        let long = "an-actor-with-quite-a-long-id-of-an-authority-in-the-north";
        let viewer = Viewer {
            id: ActorId::new(long).unwrap(),
            role: Role::DecisionMaker,
            purpose: Purpose::new("subject-access").unwrap(),
            unstated: Vec::new(),
        };
        let entry = AccessEntry {
            position: 1,
            time: "2026-11-25T06:45:01Z".parse().unwrap(),
            case: CaseId(uuid::Uuid::from_u128(5)),
            view: View::Disclosures,
            viewer: Some(viewer),
            opened: true,
            versions: Some((Version(1), Version(112))),
            evidence: None,
        };
        let file = AccessEntry {
            view: View::EvidenceFile,
            evidence: Some(case::EvidenceId(uuid::Uuid::from_u128(7))),
            versions: None,
            viewer: entry.viewer.clone().map(|viewer| Viewer {
                id: ActorId::new("uid-1000").unwrap(),
                unstated: vec![Unstated::Role, Unstated::Purpose],
                ..viewer
            }),
            ..entry.clone()
        };
        let unknown = AccessEntry { viewer: None, opened: false, ..entry.clone() };
        let (mut screen, shown) = Screen::for_test(80);
        show(&[entry, file, unknown], &mut screen).unwrap();
        let text = shown.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for part in ["not stated", "OPENED", "00000000-0000-0000-0000-000000000005", "1-112"] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        let whole: String = text.split_whitespace().collect();
        assert!(whole.contains("uid-1000,rolenotstated"), "{text}");
        let digits = whole.replace('-', "");
        assert!(digits.contains("0000000000007"), "which file: {text}");
        assert!(text.ends_with("3 views, 2 of them opened words or a file\n"), "{text}");
    }

    #[test]
    fn a_time_is_a_day_a_minute_or_an_instant() {
        let expected: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        for text in ["2026-01-31", "2026-01-31T00:00", "2026-01-31T01:00:00+01:00"] {
            assert_eq!(instant(text), Ok(expected), "{text}");
        }
        assert!(instant("yesterday").is_err());
    }
}
