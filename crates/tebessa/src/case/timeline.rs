//! A record as a person reads it: its number, its day, what happened, who acted, and the words.

use std::collections::BTreeMap;

use case::Recorded;
use service::personal::{self, Opened};
use service::queries::HistoryEntry;

use crate::output::{ASIDE, BAD, CliError, NAME, plain, width, words, wrapped};
use case::gist;

/// Where the text begins, behind number and day, in columns.
const INDENT: usize = 18;

/// The lines of one record, as wide as the terminal.
pub(crate) fn timeline(entry: &HistoryEntry) -> Result<Vec<String>, CliError> {
    lines(entry, width())
}

/// The lines of one record.
pub(super) fn lines(entry: &HistoryEntry, width: usize) -> Result<Vec<String>, CliError> {
    let record = decode(entry)?;
    let room = width.saturating_sub(INDENT);
    let envelope = &record.envelope;
    let gist = gist::full(&record);
    let occurred = envelope.occurred.as_str();
    let day = occurred.get(..10).unwrap_or(occurred);
    let number = envelope.version.0;
    let mut lines = Vec::new();
    for (place, line) in wrapped(&gist.headline, room).iter().enumerate() {
        let margin = match place {
            0 => format!("{ASIDE}{number:>4}{ASIDE:#}  {day:<10}  "),
            _ => format!("{:INDENT$}", ""),
        };
        lines.push(format!("{margin}{NAME}{line}{NAME:#}"));
    }
    let mut say = |text: &str| {
        let indent = |line| format!("{:INDENT$}{ASIDE}{line}{ASIDE:#}", "");
        lines.extend(wrapped(text, room).into_iter().map(indent));
    };
    let recorded = envelope.time.strftime("%Y-%m-%d").to_string();
    let late = if recorded == day { String::new() } else { format!(", recorded {recorded}") };
    say(&format!(
        "by {} ({}), {}{late}",
        envelope.by.id,
        words(envelope.by.role.as_str()),
        envelope.by.basis
    ));
    gist.details.iter().for_each(|detail| say(detail));
    for by in &entry.rectified {
        say(&format!("rectified: {}, see version {}", plain(&by.field), by.version));
    }
    match &entry.opened {
        None => {
            let sealed = sealed(&record)?;
            if !sealed.is_empty() {
                say(&format!("[sealed] {}", sealed.join(", ")));
            }
        }
        Some(opened) => lines.extend(opened.iter().flat_map(|field| of_words(field, room))),
    }
    Ok(lines)
}

/// A field with its words, or why there are none.
fn of_words((path, opened): (&String, &Opened), room: usize) -> Vec<String> {
    let label = plain(path);
    let lines = match opened {
        Opened::Words(words) => wrapped(&format!("{label}: {}", plain(words)), room),
        Opened::Withheld(why) => {
            let line = format!("{label}: {BAD}[{}]{BAD:#}", plain(why));
            return vec![format!("{:INDENT$}{line}", "")];
        }
    };
    lines.into_iter().map(|line| format!("{:INDENT$}{line}", "").trim_end().to_owned()).collect()
}

/// Reads a record.
pub(super) fn decode(entry: &HistoryEntry) -> Result<Recorded, CliError> {
    Recorded::decode(entry.record.get().as_bytes(), entry.position)
        .map_err(|error| CliError::caused(format!("position {}", entry.position), error))
}

/// The paths of the sealed fields.
fn sealed(record: &Recorded) -> Result<Vec<String>, CliError> {
    let data = serde_json::to_value(&record.event).map_err(CliError::other)?;
    let found: BTreeMap<_, _> = personal::open(&data, |_, _| Opened::Withheld(String::new()));
    Ok(found.into_keys().collect())
}
