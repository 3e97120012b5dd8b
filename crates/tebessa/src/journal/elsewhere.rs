//! Checkpoints that someone else kept, for a log that comes from elsewhere.

use std::path::{Path, PathBuf};

use journal::Checkpoint;
use journal::note::VerifierKey;

use crate::files;
use crate::output::{CliError, note, plain};
use crate::verifier_keys;

/// Checkpoints that someone else kept, and the keys they are believed by.
#[derive(Debug, clap::Args)]
pub(crate) struct ElsewhereArgs {
    /// A signed checkpoint that someone else kept; may be given several times.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// A key that must have signed them, itself or in a file; may be given several times. Without it
    /// signatures are not looked at: a checkpoint only makes the command more careful.
    #[arg(long, value_name = "KEY|FILE", requires = "checkpoint")]
    key: Vec<String>,
}

/// A checkpoint with its name and its note.
pub(crate) type Elsewhere = (String, Checkpoint, String);

impl ElsewhereArgs {
    /// Whether any is given.
    pub(crate) const fn any(&self) -> bool {
        !self.checkpoint.is_empty()
    }

    /// Reads them. Each must be of the log with this origin, and signed by a key that is given, if any is.
    pub(crate) fn read(&self, origin: &str) -> Result<Vec<Elsewhere>, CliError> {
        let keys = verifier_keys::given(&self.key)?;
        let read = self.checkpoint.iter().map(|file| read(file, origin, &keys)).collect();
        if keys.is_empty() && self.any() {
            note("the signatures of the checkpoints were not checked: --key says whom to believe");
        }
        read
    }

    /// The origin that the first of them names; nothing is checked.
    pub(crate) fn origin(&self) -> Result<Option<String>, CliError> {
        let Some(file) = self.checkpoint.first() else { return Ok(None) };
        Ok(Some(note_in(file)?.1.origin))
    }
}

/// The note in a file, and what it says; no signature is looked at.
pub(crate) fn note_in(file: &Path) -> Result<(String, Checkpoint), CliError> {
    let text = files::read_text(file, files::SMALL)?;
    let said = Checkpoint::unverified(&text)
        .map_err(|error| CliError::caused(format!("{} is no checkpoint", file.display()), error))?;
    Ok((text, said))
}

fn read(file: &Path, origin: &str, keys: &[VerifierKey]) -> Result<Elsewhere, CliError> {
    let name = file.display().to_string();
    let (text, said) = note_in(file)?;
    if said.origin != origin {
        return Err(CliError::message(format!(
            "{name} is of another log: it is of {}, and not of {origin}; nothing was done",
            plain(&said.origin)
        )));
    }
    if !keys.is_empty() {
        Checkpoint::verify(&text, origin, keys).map_err(|error| {
            CliError::caused(format!("{name} is not to be believed; nothing was done"), error)
        })?;
    }
    Ok((name, said, text))
}
