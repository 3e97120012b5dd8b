//! The keys that somebody who checks believes. They come another way than what is checked.

use std::path::Path;

use journal::note::VerifierKey;

use crate::files;
use crate::output::CliError;

/// One key, in the form name+id+key.
pub(crate) fn one(text: &str) -> Result<VerifierKey, CliError> {
    VerifierKey::parse(text)
        .map_err(|error| CliError::usage(format!("`{text}` is no key: {error}")))
}

/// The keys in a file, one a line. Of a line that is none nothing is shown: it may be the wrong file,
/// and a secret.
pub(crate) fn in_file(file: &Path) -> Result<Vec<VerifierKey>, CliError> {
    let text = files::read_text(file, files::SMALL)?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let keys = lines.map(|(line, number)| {
        VerifierKey::parse(line.trim()).map_err(|error| {
            let at = format!("line {number} of {} is no key", file.display());
            CliError::usage(format!("{at}: {error}"))
        })
    });
    keys.collect()
}

/// The keys that are given, each itself or in a file.
pub(crate) fn given(words: &[String]) -> Result<Vec<VerifierKey>, CliError> {
    let mut keys = Vec::new();
    for word in words {
        let file = Path::new(word);
        if file.exists() {
            keys.extend(in_file(file)?);
        } else {
            keys.push(one(word)?);
        }
    }
    Ok(keys)
}
