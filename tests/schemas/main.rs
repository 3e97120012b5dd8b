//! The schemas that are checked in are those of the types.
//!
//! `TEBESSA_BLESS=1 cargo test -p tests --test schemas` writes them anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// Panics where a file is not what the code makes; writes it anew when it is told to.
fn is_made_from_the_code(path: &Path, text: &str) {
    if std::env::var_os("TEBESSA_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        return;
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == text, "{} has drifted: run with TEBESSA_BLESS=1", path.display());
}

#[test]
fn the_checked_in_schemas_are_those_of_the_types() {
    for (name, schema) in service::schemas::all() {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        is_made_from_the_code(&folder().join(&name), &text);
    }
}

#[test]
fn the_page_of_the_invariants_is_made_from_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/case/INVARIANTS.md");
    is_made_from_the_code(&path, &case::invariants_page());
}

/// What others generate clients and pages from: `AsyncAPI` by its own schema, each file it names there,
/// each message used, each subject once.
#[test]
fn the_asyncapi_document_is_made_from_the_code_and_sound() {
    let document = service::asyncapi::document();
    let path = folder().join("asyncapi.yaml");
    is_made_from_the_code(&path, &yaml_serde::to_string(&document).unwrap());
    let read: Value = yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(read, document);

    let schema = include_str!("../fixtures/asyncapi/3.0.0-without-id.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");

    let mut named = Vec::new();
    references(&document, &mut named);
    for name in &named {
        let is_there = match name.strip_prefix('#') {
            Some(pointer) => document.pointer(pointer).is_some(),
            None => folder().join(name).is_file(),
        };
        assert!(is_there, "{name} is not there");
    }
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    for name in service::schemas::all().keys() {
        assert!(named.contains(format!("./{name}").as_str()), "{name} is left out");
    }
    for name in document["components"]["messages"].as_object().unwrap().keys() {
        assert!(named.contains(format!("#/components/messages/{name}").as_str()), "{name}");
    }
    let channels = document["channels"].as_object().unwrap().values();
    let subjects: Vec<&str> = channels.filter_map(|one| one["address"].as_str()).collect();
    assert_eq!(subjects.iter().collect::<BTreeSet<_>>().len(), subjects.len());
    let case = "5d0c1c6e-3c1f-4f0a-9b57-0f3f2b8a4d11";
    let published: BTreeSet<String> =
        case::events().map(|event| service::follower::subject(case, event.kind).unwrap()).collect();
    let of_events = subjects.iter().filter(|subject| subject.starts_with("tebessa.case."));
    let said = of_events.map(|subject| subject.replace("{case}", case)).collect();
    assert_eq!(published, said);
}

/// Every reference within a document.
fn references(value: &Value, found: &mut Vec<String>) {
    if let Some(name) = value.get("$ref").and_then(Value::as_str) {
        found.push(name.to_owned());
    }
    let members = value.as_object().into_iter().flat_map(|object| object.values());
    for inner in members.chain(value.as_array().into_iter().flatten()) {
        references(inner, found);
    }
}

/// Every invariant is guarded: by a refusal, or by how the rules are built.
#[test]
fn no_invariant_is_only_a_sentence() {
    let page = case::invariants_page();
    for part in page.split("\n## ").skip(1) {
        let guarded = part.contains("Refused with:") || part.contains("By construction:");
        assert!(guarded, "nothing guards {}", part.lines().next().unwrap_or_default());
    }
}

/// What the catalogue says is sealed is what the schemas of the types say.
#[test]
fn every_personal_field_of_a_command_is_sealed() {
    for entry in case::commands() {
        let schema = &case::schemas()[&format!("commands/{}.json", entry.full_name())];
        let mut found = Vec::new();
        walk(schema, &schema["properties"]["data"], "", &mut found);
        let mut listed: Vec<String> =
            entry.personal.iter().map(|(path, _)| (*path).to_owned()).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed, "{}", entry.full_name());
    }
}

fn walk(root: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    if schema.get("x-personal").is_some() {
        found.push(path.to_owned());
    }
    if let Some(name) = schema.get("$ref").and_then(|name| name.as_str()) {
        let target = root.pointer(name.trim_start_matches('#')).expect("a definition");
        walk(root, target, path, found);
    }
    for branch in schema.get("anyOf").and_then(|any| any.as_array()).into_iter().flatten() {
        walk(root, branch, path, found);
    }
    for (name, inner) in schema.get("properties").and_then(|p| p.as_object()).into_iter().flatten()
    {
        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        walk(root, inner, &below, found);
    }
    if let Some(items) = schema.get("items") {
        walk(root, items, &format!("{path}[]"), found);
    }
}
