//! The keys that somebody who checks believes. They come another way than what is checked.

use std::path::Path;

use journal::note::VerifierKey;

use crate::files;
use crate::output::CliError;

/// The keys that are given, each itself, in the form name+id+key, or in a file.
///
/// What has the form of a key is never looked for as a file: a key is also a path, and what is checked
/// may come in a directory that has a file there.
pub(crate) fn given(words: &[String]) -> Result<Vec<VerifierKey>, CliError> {
    let keys = listed_as(words)?.counting();
    if keys.is_empty() && !words.is_empty() {
        return Err(CliError::usage("what is given as --key holds no key that is believed"));
    }
    Ok(keys)
}

/// The same with the keys of which nothing counts, to be put together with other lists.
pub(crate) fn listed_as(words: &[String]) -> Result<Listed, CliError> {
    let mut all = Listed::default();
    for word in words {
        let file = Path::new(word);
        if is_secret(word) {
            return Err(secret("what is given as --key"));
        } else if !has_the_form_of_a_key(word) && file.exists() {
            all.add(in_file(file)?);
        } else {
            let key = VerifierKey::parse(word).map_err(|error| {
                let what = format!("`{word}` is neither a key nor a file of keys");
                CliError::usage(format!("{what}: {error}"))
            })?;
            all.believed.push(key);
        }
    }
    Ok(all)
}

/// Whether a word is name+id+key, be it a right one or not.
fn has_the_form_of_a_key(word: &str) -> bool {
    let id = word.split('+').nth(1);
    id.is_some_and(|id| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A list of keys.
#[derive(Default)]
pub(crate) struct Listed {
    pub(crate) believed: Vec<VerifierKey>,
    /// Those of which nothing counts.
    pub(crate) struck: Vec<VerifierKey>,
}

impl Listed {
    /// Adds another list.
    pub(crate) fn add(&mut self, other: Self) {
        self.believed.extend(other.believed);
        self.struck.extend(other.struck);
    }

    /// The keys that count: none that is struck in any of the lists, for one may be older than another.
    pub(crate) fn counting(mut self) -> Vec<VerifierKey> {
        self.believed.retain(|key| !self.struck.contains(key));
        self.believed
    }
}

/// The keys in a file, one a line, alone or as `tebessa journal key show` prints them; what stands
/// behind a `#` is a comment. Of a line that is none nothing is shown: it may be of the wrong file, and
/// a secret.
pub(crate) fn in_file(file: &Path) -> Result<Listed, CliError> {
    let text = files::read_text(file, files::SMALL)?;
    let mut keys = Listed::default();
    for (line, number) in text.lines().zip(1..) {
        let at = format!("line {number} of {}", file.display());
        if is_secret(line) {
            return Err(secret(&at));
        }
        // No key has a space or a # within: base64 has none, and a log's name neither.
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let words: Vec<&str> = line.split_whitespace().collect();
        let (key, list) = match words.as_slice() {
            [] => continue,
            ["distrusted", key] => (*key, &mut keys.struck),
            [key] | ["signs" | "retired", key] => (*key, &mut keys.believed),
            // Whatever else stands before a key may say that it is not to be believed.
            _ => {
                let form = "a key, alone or behind `signs`, `retired` or `distrusted`";
                return Err(CliError::usage(format!("{at} is not {form}")));
            }
        };
        let key = VerifierKey::parse(key)
            .map_err(|error| CliError::usage(format!("{at} is no key: {error}")))?;
        list.push(key);
    }
    if keys.believed.is_empty() && keys.struck.is_empty() {
        return Err(CliError::usage(format!("{} holds no key that is believed", file.display())));
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
    fn a_key_is_itself_also_where_a_file_has_its_name() {
        let believed = SigningKey::from_seed("log", &[7; 32]).expect("a key").verifier();
        let planted = SigningKey::from_seed("log", &[8; 32]).expect("a key").verifier();
        let place = tempfile::tempdir().unwrap();
        // As a path the key must stand below the place: the name of a key may be one.
        let name = format!("{}/log", place.path().display());
        let word = SigningKey::from_seed(&name, &[7; 32]).expect("a key").verifier().to_string();
        let path = Path::new(&word);
        std::fs::create_dir_all(path.parent().expect("it is in a directory")).unwrap();
        std::fs::write(path, planted.to_string()).unwrap();
        assert!(path.exists());
        let read = given(std::slice::from_ref(&word)).unwrap();
        assert_eq!(read.iter().map(VerifierKey::name).collect::<Vec<_>>(), [name.as_str()]);
        // Nor is one that was copied wrongly looked for as a file.
        let wrong = word.replacen("/log+", "/lag+", 1);
        let file = Path::new(&wrong);
        std::fs::create_dir_all(file.parent().expect("it is in a directory")).unwrap();
        std::fs::write(file, believed.to_string()).unwrap();
        assert!(given(&[wrong]).is_err());
    }

    #[test]
    fn keys_are_read_as_they_are_shown_and_no_other_line_is_repeated() {
        let first = SigningKey::from_seed("tebessa/log/test", &[7; 32]).expect("a key");
        let second = SigningKey::from_seed("tebessa/log/test", &[8; 32]).expect("a key");
        let (one, two) = (first.verifier(), second.verifier());
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("keys.txt");
        let word = file.display().to_string();

        std::fs::write(&file, format!("signs    {one}\n\nretired  {two} # in May\n")).unwrap();
        let read = given(&[one.to_string(), word.clone()]).unwrap();
        assert_eq!(read, [one.clone(), one.clone(), two.clone()]);
        std::fs::write(&file, format!("# signs {one}\n{two}\n")).unwrap();
        assert_eq!(given(std::slice::from_ref(&word)).unwrap(), std::slice::from_ref(&two));
        std::fs::write(&file, format!("not {one}\n")).unwrap();
        let refused = given(std::slice::from_ref(&word)).unwrap_err().to_string();
        assert!(refused.contains("line 1 of"), "{refused}");

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
        // One list strikes a key that an older one has.
        std::fs::write(&file, format!("signs {two}\ndistrusted {one}\n")).unwrap();
        let word = file.display().to_string();
        assert_eq!(given(&[one.to_string(), word.clone()]).unwrap(), std::slice::from_ref(&two));
        // So does one that has no other key; and where none is left, that is no word for all of them.
        std::fs::write(&file, format!("distrusted {one}\n")).unwrap();
        let both = [one.to_string(), two.to_string(), word.clone()];
        assert_eq!(given(&both).unwrap(), std::slice::from_ref(&two));
        let refused = given(&[one.to_string(), word]).unwrap_err().to_string();
        assert!(refused.contains("no key that is believed"), "{refused}");
        let mut listed = Listed { believed: vec![one.clone(), two.clone()], struck: Vec::new() };
        listed.add(Listed { believed: Vec::new(), struck: vec![two] });
        assert_eq!(listed.counting(), [one]);
    }
}
