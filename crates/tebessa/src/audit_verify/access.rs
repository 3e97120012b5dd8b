//! The access log: whole and unaltered, as the log of the cases.

use std::path::Path;

use journal::{Position, Reader};
use service::access::{AccessEntry, access_dir};

use super::report::{Damage, Part};
use super::{Stop, blocking};
use crate::output::count;

/// How many entries are read at once.
const BATCH: usize = 2_048;

/// Verifies the access log, and reads every entry.
pub(super) async fn check(data: &Path) -> Result<Part, Stop> {
    let directory = access_dir(data);
    if !directory.join("log").is_dir() {
        return Ok(Part::unchecked("there is no access log here yet".to_owned()));
    }
    blocking(move || verify(&directory)).await?
}

fn verify(directory: &Path) -> Result<Part, Stop> {
    let place = "the access log";
    let verified = journal::verify(directory, &mut |_| {}).map_err(|error| {
        Damage::of(&error).map_or_else(|| Stop::from(error), |found| found.of_access_log().into())
    })?;
    let reader = Reader::open(directory)?;
    let mut next = Position(1);
    loop {
        let records = reader.read(next, BATCH)?;
        let Some(last) = records.last() else { break };
        next = last.position.next();
        for record in &records {
            AccessEntry::decode(record)
                .map_err(|error| Damage::of_record(record, error.reason).found_in(place))?;
        }
    }
    let words = format!(
        "{} of {}: every hash and chain, and the tree",
        count(verified.records, "view", "views"),
        count(verified.streams, "case", "cases")
    );
    Ok(Part::checked(verified.records, words))
}
