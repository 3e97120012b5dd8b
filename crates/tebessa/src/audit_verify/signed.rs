//! The checkpoints: those kept beside the log, and those that someone else kept.

use std::path::Path;

use journal::note::VerifierKey;
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

/// What was signed, before the log is compared with it.
pub(super) struct Signed {
    seen: Vec<(String, Checkpoint)>,
    kept: u64,
    /// Whether there were keys to check the signatures with.
    believed: bool,
}

impl Signed {
    /// Reads the checkpoints and checks their signatures with the keys of the log.
    pub(super) fn read(data: &Path, log: Log, elsewhere: &[Elsewhere]) -> Result<Self, Stop> {
        let directory = log.directory(data);
        let kept = Checkpoints::new(&directory, "").all()?;
        if kept.is_empty() && elsewhere.is_empty() {
            return Ok(Self { seen: Vec::new(), kept: 0, believed: false });
        }
        let id = journal::Reader::open(&directory)?.id();
        let (origin, keys_dir) = (log.origin(id), log.keys(data, id));
        let keys = LogKeys::read(&keys_dir)?.map(|keys| keys.known()).unwrap_or_default();
        let keys: Vec<VerifierKey> = keys.into_iter().map(|known| known.key).collect();
        for stored in &kept {
            if !keys.is_empty()
                && let Err(error) = Checkpoint::verify(&stored.note, &origin, &keys)
            {
                return Err(Damage::elsewhere(&stored.file, error.to_string()).into());
            }
        }
        let mut seen = Vec::new();
        for Elsewhere { name, note } in elsewhere {
            if keys.is_empty() {
                let keys = keys_dir.display();
                let what =
                    format!("{name} cannot be checked: there are no keys of the log in {keys}");
                return Err(CliError::message(what).into());
            }
            match Checkpoint::verify(note, &origin, &keys) {
                Ok(checkpoint) => seen.push((name.clone(), checkpoint)),
                Err(error) => return Err(Damage::elsewhere(name, error.to_string()).into()),
            }
        }
        Ok(Self { seen, kept: kept.len() as u64, believed: !keys.is_empty() })
    }

    /// What the log must have, besides what is kept beside it.
    pub(super) fn seen(&self, position: u64) -> Seen {
        Seen { position: journal::Position(position), checkpoints: self.seen.clone() }
    }

    /// What was found.
    pub(super) fn part(&self, verified: &VerifyReport) -> Part {
        match self.words(verified) {
            Some(words) => Part::checked(verified.signed_up_to, words),
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
        let signatures = match (self.kept, self.believed) {
            (_, true) => "signatures, roots",
            (_, false) => "roots (no keys here to check the signatures with)",
        };
        Some(format!(
            "{}: {signatures}, and of {} the heads of all cases",
            count(verified.checkpoints, "checkpoint", "checkpoints"),
            verified.heads
        ))
    }
}
