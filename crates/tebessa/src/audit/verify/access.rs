//! The access log: whole and unaltered, as the log of the cases.

use std::path::Path;

use journal::note::VerifierKey;
use journal::{Position, Reader};
use service::access::AccessEntry;
use service::logs::{Log, earlier_access_logs};

use super::report::{Damage, Part};
use super::signed::{Elsewhere, Signed};
use super::{Stop, blocking};
use crate::data_directory;
use crate::output::{CliError, count};

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
    let signed = Signed::read(data, Log::Access, &elsewhere, given).map_err(of_access_log)?;
    let data = data.to_owned();
    blocking(move || verify(&data, &directory, &signed).map_err(of_access_log)).await?
}

/// Its files are named as those of the log.
fn of_access_log(stop: Stop) -> Stop {
    match stop {
        Stop::Damage(damage) => damage.of_access_log().into(),
        Stop::Failure(error) => Stop::Failure(error),
    }
}

fn verify(data: &Path, directory: &Path, signed: &Signed) -> Result<Part, Stop> {
    let verified = journal::verify_against(directory, signed.seen(0), &mut |_| {})?;
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
    let words = format!(
        "{} of {}: every hash and chain, and the tree; {}{earlier}",
        count(verified.records, "view", "views"),
        count(verified.streams, "case", "cases"),
        signed.words(&verified).unwrap_or_else(|| "no checkpoint was signed yet".to_owned())
    );
    Ok(Part::checked(verified.records, words))
}
