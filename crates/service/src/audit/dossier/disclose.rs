//! Which personal fields are disclosed, and their salts and words from the key store.

use case::{Recorded, Version};

use super::Disclosure;
use crate::keys::{Error, KeyStore};
use crate::personal::{self, Opened};

/// The disclosures of records, as far as `fields` names them: `all`, or a path such as `reason` or
/// `onus[].reason`, or one of one event, `12:reason`. A field whose key was destroyed is passed
/// over: nobody can disclose it any more.
pub fn disclosures(
    keys: &KeyStore,
    records: &[Recorded],
    fields: &[String],
) -> Result<Vec<Disclosure>, Error> {
    let mut disclosed = Vec::new();
    for record in records {
        let Ok(data) = serde_json::to_value(&record.event) else { continue };
        let (case, event) = (record.envelope.case.0, record.envelope.id.0);
        let version = record.envelope.version;
        let mut failed = None;
        personal::open(&data, |sealed, path| {
            if is_wanted(fields, version, path) {
                match keys.disclose(sealed, case, event, path) {
                    Ok((salt, text)) => {
                        if let Ok(words) = serde_json::from_str(&text) {
                            let (path, salt) = (path.to_owned(), hex::encode(*salt));
                            disclosed.push(Disclosure { version, path, salt, words });
                        }
                    }
                    Err(Error::KeyDestroyed { .. }) => {}
                    Err(error) => failed = Some(error),
                }
            }
            Opened::Withheld(String::new())
        });
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(disclosed)
}

fn is_wanted(fields: &[String], version: Version, path: &str) -> bool {
    fields.iter().any(|field| names(field, version, path))
}

/// Whether what was asked for is this field of this event.
#[must_use]
pub fn names(asked: &str, version: Version, path: &str) -> bool {
    let (of, name) = match asked.split_once(':') {
        Some((number, name)) => (number.parse().ok(), name),
        None => (Some(version.0), asked),
    };
    asked == "all" || (of == Some(version.0) && (name == path || name == bare(path)))
}

/// A path without the places in its lists.
fn bare(path: &str) -> String {
    let mut bare = String::new();
    let mut inside = false;
    for letter in path.chars() {
        inside = (inside || letter == '[') && letter != ']';
        if !inside || letter == '[' {
            bare.push(letter);
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_by_its_path_everywhere_or_in_one_event() {
        let wanted =
            |field: &str, version, path| is_wanted(&[field.to_owned()], Version(version), path);
        assert!(wanted("all", 3, "reason") && wanted("reason", 3, "reason"));
        assert!(wanted("3:reason", 3, "reason") && !wanted("3:reason", 4, "reason"));
        assert!(wanted("onus[].reason", 3, "onus[1].reason"));
        assert!(wanted("onus[1].reason", 3, "onus[1].reason"));
        assert!(!wanted("onus[0].reason", 3, "onus[1].reason") && !wanted("x:reason", 3, "reason"));
    }
}
