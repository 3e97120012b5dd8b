//! The schemas that are checked in are those of the types.
//!
//! `TEBESSA_BLESS=1 cargo test -p tests --test schemas` writes them anew.

use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

#[test]
fn the_checked_in_schemas_are_those_of_the_types() {
    let bless = std::env::var_os("TEBESSA_BLESS").is_some();
    for (name, schema) in service::schemas::all() {
        let path = folder().join(&name);
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if bless {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            continue;
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "schemas/{name} has drifted: run with TEBESSA_BLESS=1");
    }
}

#[test]
fn the_page_of_the_invariants_is_made_from_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/case/INVARIANTS.md");
    let page = case::invariants_page();
    if std::env::var_os("TEBESSA_BLESS").is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == page, "crates/case/INVARIANTS.md has drifted: run with TEBESSA_BLESS=1");
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

fn walk(root: &serde_json::Value, schema: &serde_json::Value, path: &str, found: &mut Vec<String>) {
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
