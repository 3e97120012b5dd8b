//! Sealing before the rules see a command, and opening after a record is read.

use std::collections::BTreeMap;

use case::strict::Malformed;
use case::{CommandEntry, ContentKind, Sealed};
use serde_json::Value;

/// Why the personal fields of a command could not be sealed.
#[derive(Debug)]
pub enum SealError<E> {
    /// A field does not hold what belongs there.
    Malformed(Malformed),
    /// The key store failed.
    Seal(E),
}

/// Replaces every personal field of a command's data by its sealed form. The path that is given
/// to `seal` is the one below `data`, such as `onus[1].reason`.
pub fn seal<E>(
    entry: &CommandEntry,
    data: &mut Value,
    mut seal: impl FnMut(&str, &str) -> Result<Sealed, E>,
) -> Result<(), SealError<E>> {
    for (path, kind) in entry.personal {
        let steps: Vec<&str> = path.split('.').collect();
        descend(data, &steps, "", *kind, &mut seal)?;
    }
    Ok(())
}

fn descend<E>(
    value: &mut Value,
    steps: &[&str],
    path: &str,
    kind: ContentKind,
    seal: &mut dyn FnMut(&str, &str) -> Result<Sealed, E>,
) -> Result<(), SealError<E>> {
    let Some((step, rest)) = steps.split_first() else {
        return seal_one(value, path, kind, seal);
    };
    // Nothing is passed over: what the type would take in another form would go in unsealed.
    if !value.is_object() {
        return Err(malformed(path, "is not an object"));
    }
    let (key, list) = step.strip_suffix("[]").map_or((*step, false), |key| (key, true));
    // Words that are null are absent, as an option is elsewhere in a command; a list is never null.
    if let Value::Object(fields) = value
        && rest.is_empty()
        && !list
        && fields.get(key).is_some_and(Value::is_null)
    {
        fields.remove(key);
    }
    // What is absent or of another form is found when the data is read into its type.
    let Some(next) = value.get_mut(key) else { return Ok(()) };
    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    if !list {
        return descend(next, rest, &path, kind, seal);
    }
    let Value::Array(items) = next else {
        return Err(malformed(&path, "is not a list"));
    };
    for (index, item) in items.iter_mut().enumerate() {
        descend(item, rest, &format!("{path}[{index}]"), kind, seal)?;
    }
    Ok(())
}

fn seal_one<E>(
    value: &mut Value,
    path: &str,
    kind: ContentKind,
    seal: &mut dyn FnMut(&str, &str) -> Result<Sealed, E>,
) -> Result<(), SealError<E>> {
    let Value::String(words) = value else {
        return Err(malformed(path, "is not a string"));
    };
    kind.check(words).map_err(|reason| malformed(path, reason))?;
    let sealed = seal(path, words).map_err(SealError::Seal)?;
    *value = serde_json::to_value(sealed).map_err(|_| malformed(path, "cannot be sealed"))?;
    Ok(())
}

fn malformed<E>(path: &str, reason: &str) -> SealError<E> {
    SealError::Malformed(Malformed::at(format!("data.{path}"), reason))
}

/// What became of a sealed field when it was to be opened.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Opened {
    /// The words.
    Words(String),
    /// Why there are none: the key was destroyed, is unknown, or the box is damaged.
    Withheld(String),
}

/// Finds every sealed field in a record's data and opens it; the paths are those of sealing.
pub fn open(
    data: &Value,
    mut open: impl FnMut(&Sealed, &str) -> Opened,
) -> BTreeMap<String, Opened> {
    let mut found = BTreeMap::new();
    walk(data, "", &mut |sealed, path| {
        found.insert(path.to_owned(), open(sealed, path));
    });
    found
}

fn walk(value: &Value, path: &str, visit: &mut dyn FnMut(&Sealed, &str)) {
    match value {
        Value::Object(map) => {
            if map.len() == 3
                && map.contains_key("box")
                && let Ok(sealed) = serde_json::from_value::<Sealed>(value.clone())
            {
                visit(&sealed, path);
                return;
            }
            for (key, inner) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(inner, &path, visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{index}]"), visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
