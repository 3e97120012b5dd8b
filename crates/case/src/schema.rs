//! JSON Schemas of commands and events, derived from the types.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::catalogue::{CommandEntry, EventEntry};
use crate::command::{Head, commands, events};
use crate::decide::Actor;

fn words(all: impl Iterator<Item = String>) -> Schema {
    let all: Vec<String> = all.collect();
    json_schema!({ "type": "string", "enum": all })
}

/// The schema of a finding's value.
pub(crate) fn value(_: &mut SchemaGenerator) -> Schema {
    words(guidance::Value::ALL.iter().map(ToString::to_string))
}

/// The schema of values by node.
pub(crate) fn values(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": value(generator) })
}

/// The schema of what is sought.
pub(crate) fn sought(_: &mut SchemaGenerator) -> Schema {
    words(guidance::Sought::ALL.iter().map(ToString::to_string))
}

/// The schema of a proposed outcome.
pub(crate) fn outcome(_: &mut SchemaGenerator) -> Schema {
    words(guidance::Outcome::ALL.iter().map(ToString::to_string))
}

/// All schemas of commands and events by file name, such as `commands/intake.register-claim.json`.
#[must_use]
pub fn schemas() -> BTreeMap<String, Value> {
    let mut files = BTreeMap::new();
    for entry in commands() {
        files.insert(format!("commands/{}.json", entry.full_name()), command(entry));
    }
    for entry in events() {
        files.insert(format!("events/{}.json", entry.kind), event(entry));
    }
    files
}

fn command(entry: &CommandEntry) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let data = (entry.schema)(&mut generator);
    let mut schema = Value::from(<Head as schemars::JsonSchema>::json_schema(&mut generator));
    let roles: Vec<&str> = entry.roles.iter().map(|role| role.as_str()).collect();
    set(&mut schema, "/properties/command", json!({ "const": entry.full_name() }));
    set(&mut schema, "/properties/data", data.into());
    push(&mut schema, "/required", json!("data"));
    let title = format!("command {}", entry.full_name());
    let mut schema = finish(schema, generator, &title, entry.summary, |schema| {
        set(schema, "/x-roles", json!(roles));
    });
    bound_integers(&mut schema);
    schema
}

fn event(entry: &EventEntry) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let data = (entry.schema)(&mut generator);
    let actor = Value::from(<Actor as schemars::JsonSchema>::json_schema(&mut generator));
    let part = |name: &str| actor.pointer(&format!("/properties/{name}")).cloned();
    let hex = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    let id = json!({ "type": "string", "format": "uuid" });
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype",
            "caseversion", "prev", "command", "correlation", "digest", "actor", "role", "basis",
            "occurred", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": id,
            "source": { "type": "string", "pattern": "^tebessa/" },
            "type": { "const": entry.kind },
            "subject": id,
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "caseversion": { "type": "integer", "minimum": 1 },
            "prev": hex,
            "command": id,
            "correlation": id,
            "causation": id,
            "digest": hex,
            "actor": part("id"),
            "role": part("role"),
            "basis": part("basis"),
            "occurred": <crate::WorldDate as schemars::JsonSchema>::json_schema(&mut generator),
            "guidance": { "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" },
            "traceparent": { "type": "string" },
            "data": data,
        }
    });
    finish(schema, generator, &format!("event {}", entry.kind), entry.summary, |_| {})
}

fn finish(
    mut schema: Value,
    mut generator: SchemaGenerator,
    title: &str,
    summary: &str,
    more: impl FnOnce(&mut Value),
) -> Value {
    set(&mut schema, "/$schema", json!("https://json-schema.org/draft/2020-12/schema"));
    set(&mut schema, "/title", json!(title));
    set(&mut schema, "/description", json!(summary));
    more(&mut schema);
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        set(&mut schema, "/$defs", Value::Object(definitions));
    }
    schema
}

/// Says of every integer that is read what [`crate::strict`] takes.
pub fn bound_integers(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let whole =
                map.get("format").is_some_and(|format| format == "uint64" || format == "int64");
            if whole {
                map.entry("maximum").or_insert(json!(crate::strict::MAX_INTEGER));
            }
            map.values_mut().for_each(bound_integers);
        }
        Value::Array(items) => items.iter_mut().for_each(bound_integers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Sets a member of an object that a pointer names by its parent and key.
fn set(schema: &mut Value, pointer: &str, value: Value) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(map)) = schema.pointer_mut(parent) {
        map.insert(key.to_owned(), value);
    }
}

fn push(schema: &mut Value, pointer: &str, value: Value) {
    if let Some(Value::Array(list)) = schema.pointer_mut(pointer) {
        list.push(value);
    }
}
