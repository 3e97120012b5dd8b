//! What a verification says: in words for people, as one JSON object for programs.

use std::collections::BTreeSet;
use std::fmt::Write;

use journal::{Record, StreamId, VerifyReport};

use super::records::Refolded;
use crate::output::{BAD, CliError, GOOD, NAME, bytes, count, plain};

/// What was found of a log without fault.
#[derive(serde::Serialize)]
pub(super) struct Log {
    id: uuid::Uuid,
    records: u64,
    cases: u64,
    segments: u64,
    bytes: u64,
    root: String,
    #[serde(flatten)]
    loose: Loose,
}

impl Log {
    pub(super) fn of(report: &VerifyReport, end_known: bool) -> Self {
        Self {
            id: report.log,
            records: report.records,
            cases: report.streams,
            segments: report.segments,
            bytes: report.log_bytes,
            root: hex::encode(report.root),
            loose: Loose::of(report, end_known),
        }
    }
}

/// What is not whole in a log, and no fault.
#[derive(serde::Serialize)]
pub(super) struct Loose {
    /// Bytes of a last write that is not whole: being written now, or cut short.
    unfinished_bytes: u64,
    /// Files whose footer is damaged, cut off, or being written; it is made again at the next start.
    unsound_footers: Vec<String>,
    /// Whether it is known beside the log what was acknowledged last; else the last write may have been.
    #[serde(skip)]
    end_known: bool,
}

impl Loose {
    pub(super) fn of(report: &VerifyReport, end_known: bool) -> Self {
        Self {
            unfinished_bytes: report.unfinished.as_ref().map_or(0, |tail| tail.bytes),
            unsound_footers: report.unsound_footers.clone(),
            end_known,
        }
    }

    /// A line for each; `of` says of which log.
    fn notes(&self, of: &str) -> String {
        let mut text = String::new();
        if self.unfinished_bytes > 0 {
            let cut = if self.end_known {
                "was cut short and never acknowledged, as far as anyone here has seen"
            } else {
                "was cut short; whether it was acknowledged before is not known here"
            };
            let _ = write!(
                text,
                "\nnote     the last write{of}, {}, is not whole: it is being written now, or {cut}",
                bytes(self.unfinished_bytes)
            );
        }
        for file in &self.unsound_footers {
            let _ = write!(
                text,
                "\nnote     the footer of {file}{of} is damaged, cut off, or being written now; the \
                 records are whole, and it is made again from them at the next start"
            );
        }
        text
    }
}

/// What was read and folded.
#[derive(serde::Serialize)]
pub(super) struct Folded {
    pub(super) records: u64,
    pub(super) cases: u64,
    /// Whether the authority's register is there too: of the log's streams the one that is no case.
    pub(super) register: bool,
    /// The sources of the records.
    sources: BTreeSet<String>,
    /// The sources of those that have a register.
    registers: BTreeSet<String>,
}

impl Folded {
    pub(super) fn of(read: &Refolded) -> Self {
        Self {
            records: read.records,
            cases: read.cases,
            register: read.register,
            sources: read.sources.clone(),
            registers: read.registers.clone(),
        }
    }

    /// What to know of a log that was recorded under several names.
    fn notes(&self) -> String {
        let listed = |names: &BTreeSet<String>| {
            plain(&names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        let mut text = String::new();
        if self.sources.len() > 1 {
            let _ = write!(
                text,
                "\nnote     the records have several sources: {}; the authority's name was another for a \
                 while, or was mistyped",
                listed(&self.sources)
            );
        }
        if self.registers.len() > 1 {
            let _ = write!(
                text,
                "\nnote     there are several registers, those of {}: look whether persons are merged in \
                 each as they should be",
                listed(&self.registers)
            );
        }
        text
    }

    /// The cases, and the register where there is one.
    fn streams(&self) -> String {
        let register = if self.register { " and the register" } else { "" };
        format!("{}{register}", count(self.cases, "case", "cases"))
    }
}

/// A part beside the log: checked up to a position, or why not.
#[derive(serde::Serialize)]
pub(super) struct Part {
    checked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    about: String,
}

impl Part {
    pub(super) const fn checked(position: u64, about: String) -> Self {
        Self { checked: true, position: Some(position), about }
    }

    /// Checked, where there is no position to say.
    pub(super) const fn done(about: String) -> Self {
        Self { checked: true, position: None, about }
    }

    pub(super) const fn unchecked(about: String) -> Self {
        Self { checked: false, position: None, about }
    }

    fn text(&self) -> String {
        let lead = if self.checked { "" } else { "not checked: " };
        format!("{lead}{}", plain(&self.about))
    }
}

/// Everything, without a fault.
#[derive(serde::Serialize)]
pub(super) struct Report {
    pub(super) log: Log,
    pub(super) checkpoints: Part,
    pub(super) records: Folded,
    pub(super) keys: Part,
    pub(super) access: Part,
    pub(super) index: Part,
    pub(super) stream: Part,
    pub(super) files: Part,
}

#[derive(serde::Serialize)]
struct Whole<'a> {
    ok: bool,
    #[serde(flatten)]
    report: &'a Report,
}

impl Report {
    pub(super) fn json(&self) -> Result<String, CliError> {
        serde_json::to_string(&Whole { ok: true, report: self }).map_err(CliError::other)
    }

    pub(super) fn text(&self) -> String {
        let log = &self.log;
        let mut text = format!(
            "{GOOD}whole{GOOD:#}    {} of {}\n\
             log      {} in {}: every frame, hash, chain and time, and the tree\n\
             root     {}\n\
             signed   {}\n\
             records  {} read strictly and folded into {}\n\
             keys     {}\n\
             access   {}\n\
             index    {}\n\
             stream   {}\n\
             files    {}",
            count(log.records, "record", "records"),
            self.records.streams(),
            bytes(log.bytes),
            count(log.segments, "file", "files"),
            log.root,
            self.checkpoints.text(),
            count(self.records.records, "record", "records"),
            self.records.streams(),
            self.keys.text(),
            self.access.text(),
            self.index.text(),
            self.stream.text(),
            self.files.text(),
        );
        text += &log.loose.notes("");
        text += &self.records.notes();
        text
    }
}

/// The columns of the word that a line begins with.
pub(super) const LABEL: usize = 9;

/// The place of a fault that is in no single file.
const THE_LOG: &str = "the log";

/// What helps where the log of the cases is damaged.
const REPAIR: &str = "stop the node; `tebessa journal repair` brings back what is lost, from the stream, a \
                      backup or another node";
/// The same for a checkpoint beside it.
const REPAIR_CHECKPOINT: &str = "stop the node; `tebessa journal repair` brings back the one that was signed, \
                                 from a backup or by --checkpoint";
/// The same for the access log, which no stream has.
const REPAIR_ACCESS: &str = "stop the node; `tebessa journal repair --access` brings back what is lost, from a backup of it";

/// The first fault.
#[derive(Debug, serde::Serialize)]
pub(super) struct Damage {
    /// A file of the log, or what else is damaged.
    #[serde(rename = "file")]
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<uuid::Uuid>,
    what: String,
    /// What helps, where a command does.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

#[derive(serde::Serialize)]
struct Damaged<'a> {
    ok: bool,
    fault: &'a Damage,
}

impl Damage {
    /// What the journal calls damage; `None` for its other errors.
    pub(super) fn of(error: &journal::Error) -> Option<Self> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other error is no damage")]
        match error {
            journal::Error::Corrupt(fault) => Some(Self {
                place: fault.file.clone(),
                offset: Some(fault.offset),
                position: fault.position.map(|position| position.0),
                case: fault.stream.map(|StreamId(id)| id),
                what: fault.what.clone(),
                advice: Some(REPAIR),
            }),
            journal::Error::LogLostRecords { log, index } => Some(Self {
                position: Some(log.0 + 1),
                advice: Some(REPAIR),
                ..Self::elsewhere(
                    THE_LOG,
                    format!("ends at position {log}, but position {index} was acknowledged"),
                )
            }),
            _ => None,
        }
    }

    /// A record that is whole in the log, but cannot be read or does not follow.
    pub(super) fn of_record(record: &Record, what: String) -> Self {
        Self {
            place: THE_LOG.to_owned(),
            offset: None,
            position: Some(record.position.0),
            case: Some(record.stream.0),
            what,
            advice: None,
        }
    }

    /// A case that the index lists as it is not.
    pub(super) fn of_index(case: case::CaseId) -> Self {
        let what = "lists the case as it does not follow from the log; stop the node and delete \
                    the index, it is built anew";
        Self { case: Some(case.0), ..Self::elsewhere("the index", what.to_owned()) }
    }

    /// A file of evidence that is not there, or not what was kept.
    pub(super) fn of_file(case: case::CaseId, what: String) -> Self {
        Self { case: Some(case.0), ..Self::elsewhere("the files of evidence", what) }
    }

    /// A key that the key store must have, and does not.
    pub(super) fn of_keys(case: case::CaseId, what: String) -> Self {
        Self { case: Some(case.0), ..Self::elsewhere("the key store", what) }
    }

    /// A checkpoint that is not as it was signed.
    pub(super) fn of_checkpoint(file: &str, what: String) -> Self {
        Self { advice: Some(REPAIR_CHECKPOINT), ..Self::elsewhere(file, what) }
    }

    /// A fault that is not at a record.
    pub(super) fn elsewhere(place: &str, what: String) -> Self {
        let place = place.to_owned();
        Self { place, offset: None, position: None, case: None, what, advice: None }
    }

    /// The same fault in the access log, whose files are named as those of the log.
    pub(super) fn of_access_log(self) -> Self {
        let place = match self.place.as_str() {
            THE_LOG => "the access log".to_owned(),
            file => format!("the access log, {file}"),
        };
        let advice = self.advice.map(|_| REPAIR_ACCESS);
        Self { place, advice, ..self }
    }

    /// The same fault, found in another place.
    pub(super) fn found_in(self, place: &str) -> Self {
        Self { place: place.to_owned(), ..self }
    }

    pub(super) fn json(&self) -> Result<String, CliError> {
        serde_json::to_string(&Damaged { ok: false, fault: self }).map_err(CliError::other)
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{BAD}damaged{BAD:#}  {NAME}{}{NAME:#}", self.place);
        for (label, number) in [("byte", self.offset), ("position", self.position)] {
            if let Some(number) = number {
                let _ = write!(text, ", {label} {number}");
            }
        }
        if let Some(case) = self.case {
            let _ = write!(text, ", case {case}");
        }
        let _ = write!(text, "\n         {}", plain(&self.what));
        if let Some(advice) = self.advice {
            let _ = write!(text, "\nmend     {advice}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> journal::Error {
        journal::Error::Corrupt(journal::Fault {
            file: "00000000000000000001.log".to_owned(),
            offset: 4_711,
            position: Some(journal::Position(17)),
            stream: Some(StreamId(uuid::Uuid::from_u128(5))),
            what: "the checksum differs".to_owned(),
        })
    }

    #[test]
    fn a_fault_is_told_with_file_byte_position_and_case() {
        let damage = Damage::of(&fault()).unwrap();
        let text = anstream::adapter::strip_str(&damage.text()).to_string();
        assert_eq!(
            text,
            "damaged  00000000000000000001.log, byte 4711, position 17, \
             case 00000000-0000-0000-0000-000000000005\n         the checksum differs\nmend     stop \
             the node; `tebessa journal repair` brings back what is lost, from the stream, a backup or \
             another node"
        );
        assert_eq!(
            damage.json().unwrap(),
            "{\"ok\":false,\"fault\":{\"file\":\"00000000000000000001.log\",\"offset\":4711,\
             \"position\":17,\"case\":\"00000000-0000-0000-0000-000000000005\",\
             \"what\":\"the checksum differs\",\"advice\":\"stop the node; `tebessa journal repair` brings \
             back what is lost, from the stream, a backup or another node\"}}"
        );
    }

    #[test]
    fn a_full_disk_is_no_damage() {
        assert!(Damage::of(&journal::Error::Busy).is_none());
    }

    #[test]
    fn what_was_not_checked_is_said_so() {
        let part = Part::unchecked("no node runs on this directory".to_owned());
        assert_eq!(part.text(), "not checked: no node runs on this directory");
    }
}
