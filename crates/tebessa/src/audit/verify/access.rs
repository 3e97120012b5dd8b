//! The access log: whole and unaltered, as the log of the cases.

use std::fmt::Write as _;
use std::path::Path;

use journal::note::VerifierKey;
use journal::{Position, Reader};
use service::access::AccessEntry;
use service::logs::{Log, earlier_access_logs};

use super::indexed::Indexed;
use super::report::{Damage, Part};
use super::signed::{Elsewhere, Signed};
use super::{Stop, blocking};
use crate::data_directory;
use crate::output::{CliError, bytes, count};

/// How many entries are read at once.
const BATCH: usize = 2_048;

/// Verifies the access log against its checkpoints, and reads every entry.
pub(super) async fn check(
    data: &Path,
    elsewhere: Vec<Elsewhere>,
    given: &[VerifierKey],
) -> Result<Part, Stop> {
    let directory = Log::Access.directory(data);
    if !data_directory::holds_log(&directory)? {
        let gone = earlier_access_logs(data, uuid::Uuid::nil()).map_err(CliError::other)?;
        let words = if gone.is_empty() {
            "there is no access log here yet".to_owned()
        } else {
            let logs = count(gone.len() as u64, "access log", "access logs");
            format!("there is none here, though there are keys of {logs}, whose views are not here")
        };
        return Ok(Part::unchecked(words));
    }
    // What made the directory made a first file in it.
    let files = std::fs::read_dir(directory.join("log")).map_err(CliError::other)?;
    if files.flatten().next().is_none() {
        let what = "its directory is there and has no file: they were removed".to_owned();
        return Err(Damage::elsewhere("the access log", what).into());
    }
    let signed = Signed::read(data, Log::Access, &elsewhere, given).map_err(of_access_log)?;
    let data = data.to_owned();
    blocking(move || {
        // Before the log is read, as with the log of the cases.
        let indexed = Indexed::read(&directory)?;
        verify(&data, &directory, &signed, indexed.position()).map_err(of_access_log)
    })
    .await?
}

/// Its files are named as those of the log.
fn of_access_log(stop: Stop) -> Stop {
    match stop {
        Stop::Damage(damage) => damage.of_access_log().into(),
        Stop::Failure(error) => Stop::Failure(error),
    }
}

/// `seen` is how far its index has seen it.
fn verify(data: &Path, directory: &Path, signed: &Signed, seen: u64) -> Result<Part, Stop> {
    let verified = journal::verify_against(directory, signed.seen(seen), &mut |_| {})?;
    let reader = Reader::open(directory)?;
    let mut next = Position(1);
    loop {
        let records = reader.read(next, BATCH)?;
        let Some(last) = records.last() else { break };
        next = last.position.next();
        for record in &records {
            AccessEntry::decode(record).map_err(|error| Damage::of_record(record, error.reason))?;
        }
    }
    let earlier = earlier_access_logs(data, reader.id()).map_err(CliError::other)?;
    let earlier = if earlier.is_empty() {
        String::new()
    } else {
        let logs = count(earlier.len() as u64, "earlier access log", "earlier access logs");
        format!("; begun anew: there are keys of {logs}, whose views are not here")
    };
    let checkpoints = signed.words(&verified);
    let cut_off = checkpoints.is_none() && signed.believed();
    let signed = checkpoints.unwrap_or_else(|| {
        let none = if cut_off {
            "no checkpoint is kept, though there is a key that signs: whether views are missing at the end is \
             not known"
        } else {
            "no checkpoint was signed yet"
        };
        none.to_owned()
    });
    let mut words = format!(
        "{} of {}: every hash and chain, and the tree; {signed}{earlier}",
        count(verified.records, "view", "views"),
        count(verified.streams, "case", "cases"),
    );
    if let Some(torn) = &verified.unfinished {
        let _ = write!(words, "; the last write, {}, is not whole", bytes(torn.bytes));
    }
    for file in &verified.unsound_footers {
        let _ = write!(words, "; the footer of {file} is damaged or cut off, and is made again");
    }
    Ok(if cut_off { Part::unchecked(words) } else { Part::checked(verified.records, words) })
}
