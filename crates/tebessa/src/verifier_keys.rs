//! The keys that somebody who checks believes. They come another way than what is checked.

use std::path::Path;

use journal::note::VerifierKey;

use crate::files;
use crate::output::CliError;

/// The keys that are given, each itself, in the form name+id+key, or in a file.
pub(crate) fn given(words: &[String]) -> Result<Vec<VerifierKey>, CliError> {
    let mut keys = Vec::new();
    for word in words {
        let file = Path::new(word);
        if file.exists() {
            keys.extend(in_file(file)?);
        } else if is_secret(word) {
            return Err(secret("what is given as --key"));
        } else {
            let key = VerifierKey::parse(word).map_err(|error| {
                let what = format!("`{word}` is neither a key nor a file of keys");
                CliError::usage(format!("{what}: {error}"))
            })?;
            keys.push(key);
        }
    }
    Ok(keys)
}

/// The keys in a file, one a line, alone or as `tebessa journal key show` prints them. Of a line that
/// is none nothing is shown: it may be of the wrong file, and a secret.
pub(crate) fn in_file(file: &Path) -> Result<Vec<VerifierKey>, CliError> {
    let text = files::read_text(file, files::SMALL)?;
    let mut keys = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        // No key has a space within.
        let Some(key) = line.split_whitespace().last() else { continue };
        let at = format!("line {number} of {}", file.display());
        if is_secret(key) {
            return Err(secret(&at));
        }
        let key = VerifierKey::parse(key)
            .map_err(|error| CliError::usage(format!("{at} is no key: {error}")))?;
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(CliError::usage(format!("{} holds no key", file.display())));
    }
    Ok(keys)
}

fn is_secret(text: &str) -> bool {
    text.contains("PRIVATE+KEY+")
}

fn secret(at: &str) -> CliError {
    CliError::usage(format!(
        "{at} is a key that signs, a secret; what checks is printed by `tebessa journal key show`"
    ))
}

#[cfg(test)]
mod tests {
    use journal::note::SigningKey;

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_shown_and_no_other_line_is_repeated() {
        let first = SigningKey::from_seed("tebessa/log/test", &[7; 32]).expect("a key");
        let second = SigningKey::from_seed("tebessa/log/test", &[8; 32]).expect("a key");
        let (one, two) = (first.verifier(), second.verifier());
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("keys.txt");
        let word = file.display().to_string();

        std::fs::write(&file, format!("signs    {one}\n\nretired  {two}\n")).unwrap();
        let read = given(&[one.to_string(), word.clone()]).unwrap();
        assert_eq!(read, [one.clone(), one, two]);

        std::fs::write(&file, format!("signs {}\n", first.secret().as_str())).unwrap();
        for refused in [given(std::slice::from_ref(&word)), given(&[first.secret().to_string()])] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("a secret"), "{refused}");
            assert!(!refused.contains("tebessa/log/test"), "{refused}");
        }
        std::fs::write(&file, "\nwords about somebody").unwrap();
        let refused = given(std::slice::from_ref(&word)).unwrap_err().to_string();
        assert!(refused.contains("line 2 of") && !refused.contains("somebody"), "{refused}");
        std::fs::write(&file, "\n").unwrap();
        assert!(given(&[word]).unwrap_err().to_string().contains("holds no key"));
    }
}
