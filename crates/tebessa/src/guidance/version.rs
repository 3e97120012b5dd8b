//! How a version of guidance is named on the command line: profile, date, hash or file.

use std::path::Path;

use ::guidance::{Guidance, GuidanceHash, Library};

use crate::files::{SMALL, read};
use crate::law;
use crate::output::CliError;

/// So many digits of a hash are enough to name it, if no other begins with them.
const SHORTEST_HASH: usize = 8;

/// Finds the version that a word names: a hash or its beginning, a profile (its latest version),
/// or a profile at a date, as in `EU@2020-11-19`.
pub(crate) fn version<'l>(library: &'l Library, word: &str) -> Result<&'l Guidance, CliError> {
    if let Some((profile, date)) = word.split_once('@') {
        let on = case::whole_day(date).ok_or_else(|| {
            CliError::message(format!("`{date}` is no date of the form 2004-10-20"))
        })?;
        return library.require(profile, on).map_err(|error| CliError::message(error.to_string()));
    }
    if let Some(latest) = library.all().filter(|guidance| guidance.profile() == word).last() {
        return Ok(latest);
    }
    let digits = word.strip_prefix("sha256:").unwrap_or(word);
    let is_hash =
        digits.len() >= SHORTEST_HASH && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hash {
        let mut known: Vec<&str> = library.all().map(Guidance::profile).collect();
        known.dedup();
        return Err(CliError::message(format!(
            "`{word}` names no guidance: give a profile ({}), a profile at a date \
             (EU@2020-11-19), a hash or a file",
            known.join(", ")
        )));
    }
    let wanted = format!("sha256:{}", digits.to_ascii_lowercase());
    let mut found =
        library.all().filter(|guidance| guidance.hash().to_string().starts_with(&wanted));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(CliError::message(format!("no guidance has the hash {word}"))),
        (Some(_), Some(_)) => Err(CliError::message(format!("several hashes begin with {word}"))),
    }
}

/// As [`version`], and takes the path of a profile file too: its directory is read then.
pub(crate) fn with_version<T>(
    library: &Library,
    word: &str,
    then: impl FnOnce(&Guidance) -> T,
) -> Result<T, CliError> {
    let path = Path::new(word);
    if !path.is_file() {
        return version(library, word).map(then);
    }
    let hash = GuidanceHash::of(&read(path, SMALL)?);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside = law::library(Some(parent.unwrap_or(Path::new("."))))?;
    let found = beside.by_hash(&hash).ok_or_else(|| {
        CliError::message(format!("{word} is no profile file (criteria are compared through them)"))
    })?;
    Ok(then(found))
}

#[cfg(test)]
mod tests {
    use super::{version, with_version};
    use crate::law::library;
    use ::guidance::Guidance;

    #[test]
    fn a_version_is_named_by_profile_date_hash_or_its_beginning() {
        let library = library(None).unwrap();
        let eu = version(&library, "EU").unwrap();
        let text = eu.hash().to_string();
        let (short, bare) = (&text[..15], &text[7..20]);
        for word in ["EU@2026-07-01", text.as_str(), short, bare, &bare.to_uppercase()] {
            assert_eq!(version(&library, word).unwrap().hash(), eu.hash(), "{word}");
        }
        let before = version(&library, "EU@2026-06-30").unwrap();
        assert_ne!(before.hash(), eu.hash());
    }

    #[test]
    fn what_names_nothing_is_refused_with_what_there_is() {
        let library = library(None).unwrap();
        let reason = |word: &str| version(&library, word).unwrap_err().to_string();
        assert!(reason("XX").contains("UK_post2022"));
        assert!(reason("EU@1990-01-01").contains("from 2004-10-20"));
        assert!(reason("EU@tomorrow").contains("no date"));
        assert!(reason("sha256:00000000").contains("no guidance has the hash"));
        assert!(reason("ab").contains("names no guidance"));
    }

    #[test]
    fn a_file_is_found_through_its_directory() {
        let files = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/guidance");
        let library = library(None).unwrap();
        let named = |word: &str| with_version(&library, word, Guidance::hash);
        let file = named(&format!("{files}/CA.toml")).unwrap();
        assert_eq!(file, version(&library, "CA").unwrap().hash());
        assert!(
            named(&format!("{files}/criteria.toml")).unwrap_err().to_string().contains("no pro")
        );
    }
}
