//! The checkpoints: those kept beside the log, and those that someone else kept.

use std::path::Path;

use journal::note::{NoteError, VerifierKey};
use journal::{Checkpoint, Checkpoints, LogKeys, Seen, VerifyReport};
use service::logs::Log;

use super::Stop;
use super::report::{Damage, Part};
use crate::output::{CliError, count};

/// A checkpoint that was kept elsewhere.
pub(super) struct Elsewhere {
    /// Its file.
    pub(super) name: String,
    pub(super) note: String,
}

impl Elsewhere {
    /// Whether it says that it is of a log with this origin.
    pub(super) fn is_of(&self, origin: &str) -> bool {
        self.note.lines().next() == Some(origin)
    }
}

/// Whose signatures count for a log.
struct Policy {
    origin: String,
    believed: Vec<VerifierKey>,
    distrusted: Vec<VerifierKey>,
    /// Where the keys are from.
    place: String,
    /// Whether they are the checker's own: he need not have one for each old checkpoint.
    own: bool,
}

impl Policy {
    /// The keys that were given, or else those in the data directory.
    fn read(data: &Path, log: Log, id: uuid::Uuid, given: &[VerifierKey]) -> Result<Self, Stop> {
        let (origin, directory) = (log.origin(id), log.keys(data, id));
        if !given.is_empty() {
            let believed = given.iter().filter(|key| key.name() == origin).cloned().collect();
            let place = "what --key gives".to_owned();
            return Ok(Self { origin, believed, distrusted: Vec::new(), place, own: true });
        }
        let keys = LogKeys::read(&directory)?;
        let (known, distrusted) = keys.map_or_else(Default::default, |keys| {
            let distrusted = keys.distrusted();
            (keys.known(), distrusted)
        });
        let believed = known.into_iter().map(|known| known.key).collect();
        let place = directory.display().to_string();
        Ok(Self { origin, believed, distrusted, place, own: false })
    }

    /// Whether only a key signed it of which nothing counts any more.
    fn only_distrusted(&self, note: &str) -> bool {
        Checkpoint::verify(note, &self.origin, &self.distrusted).is_ok()
    }
}

/// What was signed, before the log is compared with it.
pub(super) struct Signed {
    seen: Vec<(String, Checkpoint)>,
    /// Of how many of those that are kept no signature counts: a distrusted key's, or none of the keys
    /// that were given.
    unsigned: u64,
    /// Whether there were keys to check the signatures with, and one that counts, if there is any.
    believed: bool,
}

impl Signed {
    /// Reads the checkpoints and checks their signatures with the keys of the log.
    pub(super) fn read(
        data: &Path,
        log: Log,
        elsewhere: &[Elsewhere],
        given: &[VerifierKey],
    ) -> Result<Self, Stop> {
        let directory = log.directory(data);
        let kept = Checkpoints::new(&directory, "").all()?;
        let id = journal::Reader::id_in(&directory)?;
        let policy = Policy::read(data, log, id, given)?;
        let (origin, believed) = (&policy.origin, !policy.believed.is_empty());
        let mut unsigned = 0;
        for stored in kept.iter().filter(|_| believed) {
            match Checkpoint::verify(&stored.note, origin, &policy.believed) {
                Ok(_) => {}
                Err(NoteError::Unknown) if policy.own || policy.only_distrusted(&stored.note) => {
                    unsigned += 1;
                }
                Err(error) => {
                    return Err(Damage::of_checkpoint(&stored.file, error.to_string()).into());
                }
            }
        }
        let mut seen = Vec::new();
        for Elsewhere { name, note } in elsewhere {
            // Of this log nothing is said by what is none of its checkpoints.
            let of = note.lines().next().unwrap_or_default();
            if of != origin {
                let what = format!("{name} is no checkpoint of this log, {origin}");
                return Err(CliError::message(what).into());
            }
            if !believed {
                let place = &policy.place;
                let what = format!("{name} cannot be checked: no key of {origin} is in {place}");
                return Err(CliError::message(what).into());
            }
            match Checkpoint::verify(note, origin, &policy.believed) {
                Ok(checkpoint) => seen.push((name.clone(), checkpoint)),
                Err(NoteError::Unknown) if policy.only_distrusted(note) => {
                    let what = format!("{name} proves nothing: only a distrusted key signed it");
                    return Err(CliError::message(what).into());
                }
                Err(error) => return Err(Damage::elsewhere(name, error.to_string()).into()),
            }
        }
        let counts = kept.is_empty() || unsigned < kept.len() as u64 || !seen.is_empty();
        Ok(Self { seen, unsigned, believed: believed && counts })
    }

    /// What the log must have, besides what is kept beside it.
    pub(super) fn seen(&self, position: u64) -> Seen {
        Seen { position: journal::Position(position), checkpoints: self.seen.clone() }
    }

    /// Whether there are keys by which a checkpoint counts.
    pub(super) const fn believed(&self) -> bool {
        self.believed
    }

    /// What was found.
    pub(super) fn part(&self, verified: &VerifyReport) -> Part {
        match self.words(verified) {
            Some(words) if self.believed => Part::checked(verified.signed_up_to, words),
            Some(words) => Part::unchecked(words),
            None if self.believed => Part::unchecked(
                "none is kept, though there is a key that signs; `tebessa journal checkpoint` signs \
                 one"
                    .to_owned(),
            ),
            None => Part::unchecked(
                "none was signed yet; `tebessa journal checkpoint` signs one".to_owned(),
            ),
        }
    }

    /// The same in words; none where nothing was signed.
    pub(super) fn words(&self, verified: &VerifyReport) -> Option<String> {
        if verified.checkpoints == 0 {
            return None;
        }
        let signatures = match (self.believed, self.unsigned) {
            (true, 0) => "signatures, roots".to_owned(),
            (true, some) => format!("signatures (of {some} by no key that is believed), roots"),
            (false, 0) => "roots (no keys here to check the signatures with)".to_owned(),
            (false, _) => "roots (none is signed by a key that is believed)".to_owned(),
        };
        let behind = match verified.records.saturating_sub(verified.signed_up_to) {
            0 => String::new(),
            more => format!("; behind the newest {}", count(more, "record", "records")),
        };
        Some(format!(
            "{}: {signatures}, and of {} the heads of all cases{behind}",
            count(verified.checkpoints, "checkpoint", "checkpoints"),
            verified.heads
        ))
    }
}
