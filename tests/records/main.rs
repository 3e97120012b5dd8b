//! The frozen fixture of the record: bytes that a node wrote once, which every later version
//! reads, chains, folds and opens.
//!
//! `fixtures/records/v1.jsonl` holds three synthetic cases of the demo as they were stored, and
//! `fixtures/records/keys` the key store that opens them. `v1-catalogue.jsonl` and `keys-catalogue`
//! are a second one, with the 64 types of event of its day, a register, and a case whose key was
//! destroyed. Never change them: add a new version.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use case::{Case, CaseId, Recorded};
use journal::LeafHash;
use service::keys::KeyStore;
use service::personal::{self, Opened};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/records")
}

fn lines(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder().join(name)).expect("the fixture");
    text.lines().map(str::to_owned).collect()
}

/// Reads, chains and folds a fixture.
fn folded(name: &str) -> BTreeMap<CaseId, Case> {
    let mut heads: BTreeMap<CaseId, LeafHash> = BTreeMap::new();
    let mut cases: BTreeMap<CaseId, Case> = BTreeMap::new();
    for (number, line) in lines(name).iter().enumerate() {
        case::strict::parse(line.as_bytes()).expect("strict JSON");
        let record = Recorded::decode(line.as_bytes(), number as u64 + 1).expect("a record");
        let id = record.envelope.case;
        let prev = heads.get(&id).copied().unwrap_or(LeafHash::NONE);
        assert_eq!(record.envelope.prev, prev.to_string(), "{name}, line {}", number + 1);
        heads.insert(id, LeafHash::of(line.as_bytes()));
        cases.entry(id).or_default().evolve(&record);
    }
    cases
}

/// A copy of a fixture's key store, which only its owner may read.
fn key_store(name: &str, home: &Path) -> KeyStore {
    let keys = home.join("keys");
    std::fs::create_dir(&keys).unwrap();
    for entry in std::fs::read_dir(folder().join(name)).expect("the fixture") {
        let from = entry.unwrap().path();
        let to = keys.join(from.file_name().unwrap());
        std::fs::copy(&from, &to).unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    KeyStore::open(&keys).expect("the key store of the fixture")
}

#[test]
fn frozen_records_are_read_chained_and_folded() {
    let cases = folded("v1.jsonl");
    let mut ends: Vec<_> = cases.values().map(|case| (case.version.0, case.status())).collect();
    ends.sort();
    let ends: Vec<_> = ends.iter().map(|(events, status)| format!("{events} {status}")).collect();
    let expected = std::fs::read_to_string(folder().join("v1.expected")).expect("the fixture");
    assert_eq!(ends, expected.lines().collect::<Vec<_>>());
}

#[test]
fn frozen_boxes_open_with_their_keys() {
    let home = tempfile::tempdir().unwrap();
    let keys = key_store("keys", home.path());
    let mut opened = 0;
    for line in lines("v1.jsonl") {
        let record = Recorded::decode(line.as_bytes(), 1).expect("a record");
        let data = serde_json::to_value(&record.event).unwrap();
        let envelope = &record.envelope;
        let fields = personal::open(&data, |sealed, path| {
            match keys.open_sealed(sealed, envelope.case.0, envelope.id.0, path) {
                Ok(words) => Opened::Words(words.to_string()),
                Err(error) => panic!("{path}: {error}"),
            }
        });
        opened += fields.len();
    }
    assert!(opened > 50, "{opened} boxes were opened");
}

#[test]
fn the_frozen_catalogue_is_read_folded_and_opened_save_what_was_erased() {
    let kinds: std::collections::BTreeSet<&str> = lines("v1-catalogue.jsonl")
        .iter()
        .map(|line| Recorded::decode(line.as_bytes(), 1).expect("a record").event.kind())
        .collect();
    assert_eq!(kinds.len(), 64, "types of event");
    let cases = folded("v1-catalogue.jsonl");
    let erased: Vec<_> = cases.values().filter_map(|c| c.registry.erased.as_ref()).collect();
    assert_eq!((cases.len(), erased.len()), (8, 1));
    let registers = cases.values().filter(|case| !case.register.is_empty()).count();
    assert_eq!(registers, 1, "the authority's register");

    let home = tempfile::tempdir().unwrap();
    let keys = key_store("keys-catalogue", home.path());
    let (mut opened, mut withheld) = (0, 0);
    for line in lines("v1-catalogue.jsonl") {
        let record = Recorded::decode(line.as_bytes(), 1).expect("a record");
        let data = serde_json::to_value(&record.event).unwrap();
        let envelope = &record.envelope;
        personal::open(&data, |sealed, path| {
            match keys.open_sealed(sealed, envelope.case.0, envelope.id.0, path) {
                Ok(_) => opened += 1,
                Err(service::keys::Error::KeyDestroyed { key }) => {
                    assert!(erased.iter().any(|erased| erased.key == key), "{path}");
                    withheld += 1;
                }
                Err(error) => panic!("{path}: {error}"),
            }
            Opened::Withheld(String::new())
        });
    }
    assert!(opened > 300 && withheld == 2, "{opened} opened, {withheld} withheld");
}

/// Writes the fixture from the data of a demo: only to begin a new version.
#[test]
fn the_fixture_is_written_only_on_request() {
    let Some(from) = std::env::var_os("TEBESSA_BLESS_RECORDS") else {
        assert!(folder().join("v1.jsonl").is_file());
        return;
    };
    let data = Path::new(&from);
    let reader = journal::Reader::open(&service::node::journal_dir(data)).unwrap();
    let all = reader.read(journal::Position(1), usize::MAX).unwrap();
    let mut cases: BTreeMap<journal::StreamId, Vec<journal::Record>> = BTreeMap::new();
    for record in all {
        cases.entry(record.stream).or_default().push(record);
    }
    let has = |records: &[journal::Record], kind: &str| {
        records.iter().any(|r| String::from_utf8_lossy(&r.bytes).contains(kind))
    };
    let chosen: Vec<_> =
        ["exclusion-opened", "\"result\":\"remitted\"", "\"scope\",\"value\":\"absolute\""]
            .iter()
            .filter_map(|kind| cases.values().find(|records| has(records, kind)))
            .collect();
    let mut text = String::new();
    let mut ends = Vec::new();
    for records in chosen {
        let mut case = Case::default();
        for record in records {
            text.push_str(std::str::from_utf8(&record.bytes).unwrap());
            text.push('\n');
            case.evolve(&Recorded::decode(&record.bytes, record.position.0).unwrap());
        }
        ends.push((case.version.0, case.status()));
    }
    ends.sort();
    std::fs::create_dir_all(folder().join("keys")).unwrap();
    std::fs::write(folder().join("v1.jsonl"), text).unwrap();
    let ends: Vec<_> = ends.iter().map(|(n, status)| format!("{n} {status}\n")).collect();
    std::fs::write(folder().join("v1.expected"), ends.concat()).unwrap();
    for entry in std::fs::read_dir(service::node::keys_dir(data)).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, folder().join("keys").join(from.file_name().unwrap())).unwrap();
    }
}
