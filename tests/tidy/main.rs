//! The house rules that a compiler does not see: what a file must begin with, how long it may get,
//! what stands where, and which way dependencies go.

use std::path::{Path, PathBuf};

/// Two jobs in one file begin somewhere above this; a table or a list may come near it.
const MOST_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the project's root")
}

/// Every file below a folder with one of these endings; without what is built.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|e| ending == *e)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    let root = root();
    let found: Vec<_> = ["crates", "tests"]
        .iter()
        .flat_map(|folder| files(&root.join(folder), &["rs"]))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            (path.strip_prefix(&root).expect("below the root").display().to_string(), text)
        })
        .collect();
    assert!(found.len() > 100, "the sources were found");
    found
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let silent = |(name, text): &(String, String)| {
        (!text.starts_with("//! ")).then(|| format!("{name} does not begin with `//! `"))
    };
    none(&sources().iter().filter_map(silent).collect::<Vec<_>>());
}

#[test]
fn no_file_has_two_jobs() {
    let long = |(name, text): &(String, String)| {
        let lines = text.lines().count();
        (lines > MOST_LINES).then(|| format!("{name} has {lines} lines, more than {MOST_LINES}"))
    };
    none(&sources().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_for_later_and_no_test_is_switched_off() {
    // Written in two parts, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"], ["#[ign", "ore"], ["todo", "!("]];
    let mut faults = Vec::new();
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().map(|parts| parts.concat()) {
                if line.contains(&word) {
                    faults.push(format!("{name}:{}: {word}", number + 1));
                }
            }
        }
    }
    none(&faults);
}

/// Words that name a thing by nothing: see the glossary of the project's terms.
#[test]
fn no_file_is_named_for_nothing() {
    let empty = ["manager", "helper", "helpers", "util", "utils", "handler", "process", "data"];
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|(name, _)| {
            let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str());
            stem.is_some_and(|stem| empty.contains(&stem))
        })
        .map(|(name, _)| name)
        .collect();
    none(&faults);
}

/// `tebessa → service → {case → guidance, journal}`, and never back.
#[test]
fn dependencies_go_one_way() {
    let allowed: &[(&str, &[&str])] = &[
        ("guidance", &[]),
        ("case", &["guidance"]),
        ("journal", &[]),
        ("service", &["guidance", "case", "journal"]),
        ("tebessa", &["guidance", "case", "journal", "service"]),
        ("xtask", &[]),
    ];
    let crates: Vec<_> = allowed.iter().map(|(name, _)| *name).collect();
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(root().join("crates")).expect("the crates") {
        let folder = entry.expect("a crate").path();
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let Some((_, may)) = allowed.iter().find(|(known, _)| *known == name) else {
            faults.push(format!("the crate {name} is not in this test's list"));
            continue;
        };
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let used = manifest
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|used| crates.contains(used) && *used != name);
        let wrong = used.filter(|used| !may.contains(used));
        faults.extend(wrong.map(|used| format!("{name} depends on {used}")));
    }
    none(&faults);
}

#[test]
fn sled_stays_in_the_journal() {
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|(name, text)| {
            !name.starts_with("crates/journal")
                && !name.starts_with("tests/")
                && text.contains("sled::")
        })
        .map(|(name, _)| format!("{name} uses sled"))
        .collect();
    none(&faults);
}

/// Every crate and every folder of tests is on a map that a newcomer reads.
#[test]
fn the_map_shows_every_room() {
    let root = root();
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("a page");
    let (readme, architecture) = (read("README.md"), read("ARCHITECTURE.md"));
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(root.join("crates")).expect("the crates") {
        let name = entry.expect("a crate").file_name().into_string().expect("a name");
        for (page, text) in [("README.md", &readme), ("ARCHITECTURE.md", &architecture)] {
            if !text.contains(&format!("`crates/{name}`")) {
                faults.push(format!("{page} does not show crates/{name}"));
            }
        }
    }
    none(&faults);
}

/// The project speaks only of itself: no path of somebody's machine, no trailing blanks.
#[test]
fn pages_and_sources_are_clean() {
    let root = root();
    let homes = [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"]];
    let mut faults = Vec::new();
    for path in files(&root, &["rs", "md", "toml", "yaml", "py"]) {
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            let home = homes.iter().any(|parts| line.contains(&parts.concat()));
            if home || line.ends_with([' ', '\t']) {
                faults.push(format!("{name}:{}", number + 1));
            }
        }
    }
    none(&faults);
}
