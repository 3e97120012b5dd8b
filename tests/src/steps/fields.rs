//! The fields of a command as words of a step: `name=value`.
//!
//! `~` stands for a sealed field, `@E1` for the id of that name, `[a,b]` for a list, `#3` for a
//! number, `yes` and `no` for truth; anything else is a string. A dot in the name makes an object: `recipient.class=court`.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::sealed;

/// The data of a command.
pub(super) fn data(fields: &[&str], id: &mut dyn FnMut(&str) -> Uuid) -> Value {
    let mut data = Map::new();
    for field in fields {
        let (name, value) = field.split_once('=').expect("name=value");
        let value = one(value, id);
        match name.split_once('.') {
            None => drop(data.insert(name.to_owned(), value)),
            Some((outer, inner)) => {
                let object = data.entry(outer).or_insert_with(|| json!({}));
                object[inner] = value;
            }
        }
    }
    Value::Object(data)
}

fn one(value: &str, id: &mut dyn FnMut(&str) -> Uuid) -> Value {
    if let Some(list) = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return list.split(',').filter(|item| !item.is_empty()).map(|item| one(item, id)).collect();
    }
    if let Some(name) = value.strip_prefix('@') {
        return json!(id(name));
    }
    if let Some(number) = value.strip_prefix('#') {
        return json!(number.parse::<u64>().expect("a number"));
    }
    match value {
        "~" => sealed(),
        "yes" => json!(true),
        "no" => json!(false),
        text => json!(text),
    }
}
