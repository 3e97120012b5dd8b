//! The checkpoints beside a log that is repaired: which of them count, and what takes the place of a
//! damaged one.

use std::path::Path;

use serde::Serialize;

use super::RepairOptions;
use super::walk::Promise;
use crate::error::Error;
use crate::signed::checkpoint::Checkpoint;
use crate::signed::checkpoints::{Checkpoints, StoredCheckpoint, promised_size};
use crate::signed::note::{NoteError, VerifierKey};

/// A checkpoint that was damaged.
#[derive(Debug, Clone, Serialize)]
pub struct RepairedCheckpoint {
    /// The file, as named from the data directory.
    pub file: String,
    /// What was wrong with it.
    pub what: String,
    /// Whether a signed one of that size took its place; else it was only put aside.
    pub fetched: bool,
}

/// A checkpoint file as it will be: the note that takes its place, or none.
pub(super) struct NotePlan {
    pub(super) report: RepairedCheckpoint,
    pub(super) note: Option<String>,
}

/// What was promised of a log, before it is looked through.
pub(super) struct Notes {
    /// In the order of their sizes.
    pub(super) promises: Vec<Promise>,
    /// What is not as it was signed.
    pub(super) plans: Vec<NotePlan>,
    /// The largest size by the files' names: what is damaged may not hide that the log was longer.
    pub(super) signed: u64,
}

/// Reads the checkpoints of a data directory. With keys of the log, one that is damaged promises nothing: one
/// from elsewhere takes its place, as it does of one that none of the keys signed. Without keys nobody can tell.
pub(super) fn read(directory: &Path, options: &RepairOptions<'_>) -> Result<Notes, Error> {
    let mut notes = Notes { promises: Vec::new(), plans: Vec::new(), signed: 0 };
    for (file, stored) in Checkpoints::new(directory, "").each()? {
        let size = promised_size(&file).unwrap_or(0);
        notes.signed = notes.signed.max(size);
        let elsewhere = options.notes.iter().find_map(|note| {
            let said = signed_by(note, options.keys)?;
            (said.size == size).then(|| (note.clone(), said))
        });
        let what = match stored.and_then(|stored| looked_at(&stored, options)) {
            Ok((said, Ok(()))) => {
                notes.promises.push(Promise { file, said, believed: true });
                continue;
            }
            // By a key that is lost or distrusted, or by nobody: it proves nothing, and may still contradict.
            Ok((said, Err(NoteError::Unknown))) if elsewhere.is_none() => {
                notes.promises.push(Promise { file, said, believed: false });
                continue;
            }
            Ok((_, Err(refused))) => refused.to_string(),
            Err(Error::Corrupt(fault)) if !options.keys.is_empty() => fault.what,
            Err(error) => return Err(error),
        };
        if elsewhere.is_none() && !options.accept_unproved {
            let what = format!(
                "{file} is not as it was signed: {what}; the source has none in its place, so that it \
                 is put aside only where what is not proved is accepted; nothing was changed"
            );
            return Err(Error::Request(what));
        }
        let report = RepairedCheckpoint { file, what, fetched: elsewhere.is_some() };
        let (note, said) = elsewhere.unzip();
        if let Some(said) = said {
            let file = report.file.clone();
            notes.promises.push(Promise { file, said, believed: true });
        }
        notes.plans.push(NotePlan { report, note });
    }
    Ok(notes)
}

/// What a note says, and whether a key signed it that is believed.
fn looked_at(
    stored: &StoredCheckpoint,
    options: &RepairOptions<'_>,
) -> Result<(Checkpoint, Result<(), NoteError>), Error> {
    let said = stored.checkpoint()?;
    let signed = Checkpoint::verify(&stored.note, &said.origin, options.keys).map(|_| ());
    Ok((said, signed))
}

/// What a note of elsewhere says, where one of the keys signed it.
fn signed_by(note: &str, keys: &[VerifierKey]) -> Option<Checkpoint> {
    let origin = note.lines().next()?;
    Checkpoint::verify(note, origin, keys).ok()
}
