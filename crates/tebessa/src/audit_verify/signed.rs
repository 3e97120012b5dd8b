//! The checkpoints: those kept beside the log, and those that someone else kept.

use std::path::{Path, PathBuf};

use journal::note::VerifierKey;
use journal::{Checkpoint, Checkpoints, LogKeys, Seen, VerifyReport};
use service::checkpoints::origin;
use service::node::keys_dir;

use super::Stop;
use super::report::{Damage, Part};
use crate::files;
use crate::output::{CliError, count};

/// What was signed, before the log is compared with it.
pub(super) struct Signed {
    seen: Vec<(String, Checkpoint)>,
    kept: u64,
    /// Whether there were keys to check the signatures with.
    believed: bool,
}

impl Signed {
    /// Reads the checkpoints and checks their signatures with the keys of the log.
    pub(super) fn read(data: &Path, directory: &Path, elsewhere: &[PathBuf]) -> Result<Self, Stop> {
        let kept = Checkpoints::new(directory, "").all()?;
        if kept.is_empty() && elsewhere.is_empty() {
            return Ok(Self { seen: Vec::new(), kept: 0, believed: false });
        }
        let origin = origin(journal::Reader::open(directory)?.id());
        let keys = LogKeys::read(&keys_dir(data))?.map(|keys| keys.known()).unwrap_or_default();
        let keys: Vec<VerifierKey> = keys.into_iter().map(|known| known.key).collect();
        for stored in &kept {
            if !keys.is_empty()
                && let Err(error) = Checkpoint::verify(&stored.note, &origin, &keys)
            {
                return Err(Damage::elsewhere(&stored.file, error.to_string()).into());
            }
        }
        let mut seen = Vec::new();
        for file in elsewhere {
            let name = file.display().to_string();
            let note = files::read_text(file, files::SMALL)?;
            if keys.is_empty() {
                let keys = keys_dir(data).display().to_string();
                let what =
                    format!("{name} cannot be checked: there are no keys of the log in {keys}");
                return Err(CliError::message(what).into());
            }
            match Checkpoint::verify(&note, &origin, &keys) {
                Ok(checkpoint) => seen.push((name, checkpoint)),
                Err(error) => return Err(Damage::elsewhere(&name, error.to_string()).into()),
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
        if verified.checkpoints == 0 {
            let what = "none was signed yet; `tebessa journal checkpoint` signs one";
            return Part::unchecked(what.to_owned());
        }
        let signatures = match (self.kept, self.believed) {
            (_, true) => "signatures, roots",
            (_, false) => "roots (no keys here to check the signatures with)",
        };
        let words = format!(
            "{}: {signatures}, and of {} the heads of all cases",
            count(verified.checkpoints, "checkpoint", "checkpoints"),
            verified.heads
        );
        Part::checked(verified.signed_up_to, words)
    }
}
