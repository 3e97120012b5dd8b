//! A dossier holds as it was made, and no changed byte passes.

use std::collections::BTreeMap;
use std::sync::Arc;

use case::CaseId;
use guidance::Library;
use journal::note::{SigningKey, VerifierKey};
use journal::{Checkpoint, Expected, Journal, NoProjection, Options, StreamId, note};
use proptest::prelude::*;
use service::audit::dossier::{Checked, DossierError, Materials, Refused, check, make};
use tests::Copied;
use tests::steps::World;
use uuid::Uuid;

const ORIGIN: &str = "tebessa/log/test";

/// A log with a decided case among others, and the key that signs it.
struct Logged {
    home: tempfile::TempDir,
    key: SigningKey,
    note: String,
    checkpoint: Checkpoint,
    case: CaseId,
}

fn logged(seed: u8) -> Logged {
    let home = tempfile::tempdir().expect("a folder");
    let (journal, _) =
        Journal::open(home.path(), Options::default(), Arc::new(NoProjection), &mut |_| {})
            .expect("a journal");
    let cases: Vec<Uuid> = (0..3).map(|_| Uuid::new_v4()).collect();
    let records = World::decided().encoded();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for bytes in &records {
            for case in &cases {
                let draft = Copied::new(bytes, StreamId(*case));
                journal.append(&draft, Expected::Any).await.expect("appended");
            }
        }
    });
    let key = SigningKey::from_seed(ORIGIN, &[seed; 32]).expect("a key");
    let signed = journal::Checkpoints::new(home.path(), ORIGIN);
    let note = signed.sign(&journal, &[&key]).expect("signed");
    let checkpoint = Checkpoint::verify(&note, ORIGIN, &[key.verifier()]).expect("its own");
    journal.close().expect("closed");
    Logged { home, key, note, checkpoint, case: CaseId(cases[1]) }
}

impl Logged {
    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.key.verifier()]
    }

    fn dossier(&self, case: CaseId) -> Vec<u8> {
        self.dossier_with(case, BTreeMap::new()).expect("a dossier")
    }

    fn dossier_with(
        &self,
        case: CaseId,
        evidence: BTreeMap<String, Vec<u8>>,
    ) -> Result<Vec<u8>, DossierError> {
        let reader = journal::Reader::open(self.home.path()).expect("a reader");
        let files: Vec<Vec<u8>> =
            guidance::embedded_files().map(|(_, text)| text.as_bytes().to_vec()).collect();
        let libraries = [Library::embedded().expect("sound")];
        let materials = Materials {
            note: self.note.clone(),
            checkpoint: &self.checkpoint,
            files: &files,
            libraries: &libraries,
            evidence,
        };
        make(&reader, case, materials, |_| Ok(Vec::new()))
    }

    fn check(&self, bytes: &[u8]) -> Result<Checked, Refused> {
        check(bytes, &self.keys())
    }
}

/// Where a file's content stands in an archive, and how long it is.
fn place(archive: &[u8], name: &str) -> (usize, usize) {
    let mut reader = tar::Archive::new(archive);
    for entry in reader.entries().expect("an archive") {
        let entry = entry.expect("an entry");
        if entry.path_bytes().as_ref() == name.as_bytes() {
            let start = usize::try_from(entry.raw_file_position()).expect("small");
            return (start, usize::try_from(entry.size()).expect("small"));
        }
    }
    panic!("no {name}");
}

/// Packs the archive anew with one file changed, as a forger would: the manifest too.
fn forged(archive: &[u8], name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    use sha2::Digest as _;
    let mut members = std::collections::BTreeMap::new();
    let mut reader = tar::Archive::new(archive);
    for entry in reader.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let name = String::from_utf8(entry.path_bytes().into_owned()).expect("a name");
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).expect("content");
        members.insert(name, content);
    }
    let content = members.remove(name).expect("the file");
    let changed = change(content);
    if name != "manifest.json" {
        let manifest = members.get_mut("manifest.json").expect("the manifest");
        let mut value: serde_json::Value = serde_json::from_slice(manifest).expect("JSON");
        value["files"][name] = serde_json::json!(hex::encode(sha2::Sha256::digest(&changed)));
        *manifest = serde_json::to_vec_pretty(&value).expect("JSON");
        manifest.push(b'\n');
    }
    members.insert(name.to_owned(), changed);
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in &members {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).expect("a name");
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        builder.append(&header, content.as_slice()).expect("packed");
    }
    builder.into_inner().expect("packed")
}

#[test]
fn a_dossier_holds_and_is_the_same_each_time() {
    let log = logged(1);
    let dossier = log.dossier(log.case);
    assert_eq!(dossier, log.dossier(log.case));
    let checked = log.check(&dossier).expect("it holds");
    assert_eq!((checked.case, checked.size), (log.case, log.checkpoint.size));
    assert_eq!((checked.reproduced, checked.disclosed), (3, 0));
    assert!(checked.personal_fields > 30);
    let page = place(&dossier, "index.html");
    let page = std::str::from_utf8(&dossier[page.0..page.0 + page.1]).expect("text");
    assert!(page.contains("[reasons withheld]") && !page.contains("<script"));
}

#[test]
fn a_wrong_key_another_log_and_another_cases_proof_are_refused() {
    let (log, other) = (logged(1), logged(2));
    let dossier = log.dossier(log.case);
    let refused = check(&dossier, &other.keys()).expect_err("another key");
    assert_eq!(refused.file.as_deref(), Some("checkpoint.txt"));
    let forged_note = forged(&dossier, "checkpoint.txt", |_| other.note.clone().into_bytes());
    assert!(check(&forged_note, &log.keys()).is_err());
    // Signed by a key that is believed, but about another log.
    let refused = check(&forged_note, &other.keys()).expect_err("another log");
    assert_eq!(refused.file.as_deref(), Some("proof.json"));
    let reader = journal::Reader::open(log.home.path()).expect("a reader");
    let first = reader.read(journal::Position(1), 1).expect("a record")[0].stream;
    let proof = reader.prove_stream(first, &log.checkpoint).expect("a proof");
    let proof = serde_json::to_vec_pretty(&proof).expect("JSON");
    let refused = log.check(&forged(&dossier, "proof.json", |_| proof)).expect_err("not its");
    assert_eq!(refused.file.as_deref(), Some("proof.json"));
}

#[test]
fn a_dropped_event_and_two_swapped_are_refused() {
    let log = logged(1);
    let dossier = log.dossier(log.case);
    let lines = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let dropped = forged(&dossier, "records.jsonl", |bytes| {
        let mut lines = lines(&bytes);
        lines.pop();
        lines.concat()
    });
    let swapped = forged(&dossier, "records.jsonl", |bytes| {
        let mut lines = lines(&bytes);
        lines.swap(3, 4);
        lines.concat()
    });
    for bytes in [dropped, swapped] {
        let refused = log.check(&bytes).expect_err("refused");
        assert_eq!(refused.file.as_deref(), Some("proof.json"), "{refused}");
    }
}

#[test]
fn an_archive_with_anything_else_in_it_is_refused() {
    let log = logged(1);
    let dossier = log.dossier(log.case);
    let with = |name: &str, kind: tar::EntryType, size: u64| {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(size);
        header.set_mode(0o644);
        header.set_entry_type(kind);
        header.set_cksum();
        [header.as_bytes().as_slice(), &dossier].concat()
    };
    let regular = tar::EntryType::Regular;
    for bytes in [
        with("../../etc/passwd", regular, 0),
        with("/etc/passwd", regular, 0),
        with("guidance/../x.toml", regular, 0),
        with("index.html", tar::EntryType::Symlink, 0),
        with("index.html", tar::EntryType::GNULongName, 0),
        with("index.html", regular, 1 << 40),
        with("index.html", regular, 0),
        [dossier.as_slice(), &[0; 512]].concat(),
        dossier[..dossier.len() - 512].to_vec(),
        Vec::new(),
        vec![0; 4096],
    ] {
        let refused = log.check(&bytes).expect_err("refused");
        assert!(!refused.what.is_empty());
    }
}

#[test]
fn a_page_that_a_forger_makes_fit_the_manifest_is_refused() {
    let log = logged(1);
    let dossier = log.dossier(log.case);
    for name in ["index.html", "derived.json", "evidence.json", "disclosures.json"] {
        let bytes = forged(&dossier, name, |mut bytes| {
            bytes.extend_from_slice(b" ");
            bytes
        });
        let refused = log.check(&bytes).expect_err("refused");
        assert_eq!(refused.file.as_deref(), Some(name), "{refused}");
    }
}

/// One thousand random changes, and each is refused with a sentence.
#[test]
fn a_thousand_mutations_are_refused() {
    let log = logged(1);
    let dossier = log.dossier(log.case);
    let length = dossier.len();
    let mutation = (0..length, 1..=255_u8, 0..4_u8, 0..length);
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..Default::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&mutation, |(at, bits, kind, other)| {
        let mut bytes = dossier.clone();
        match kind {
            0 => bytes[at] ^= bits,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bits),
            _ => bytes.swap(at, other),
        }
        if bytes != dossier {
            let refused = log.check(&bytes).expect_err("a changed dossier holds");
            prop_assert!(!refused.what.is_empty());
        }
        Ok(())
    });
    result.expect("every mutation is refused");
}

/// The same with the manifest made to fit, so that nothing but the proofs stands against it.
#[test]
fn mutations_that_the_manifest_fits_are_refused() {
    let log = logged(1);
    let dossier = log.dossier(log.case);
    let files = ["records.jsonl", "proof.json", "checkpoint.txt", "manifest.json", "index.html"];
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let mutation = (0..files.len(), any::<prop::sample::Index>(), 1..=255_u8);
    let result = runner.run(&mutation, |(file, at, bits)| {
        let bytes = forged(&dossier, files[file], |mut content| {
            let at = at.index(content.len());
            content[at] ^= bits;
            content
        });
        prop_assert!(log.check(&bytes).is_err());
        Ok(())
    });
    result.expect("every mutation is refused");
    assert!(note::verify(&log.note, &log.keys()).is_ok());
}

#[test]
fn a_file_that_is_of_no_evidence_or_not_the_recorded_one_goes_into_no_dossier() {
    let logged = logged(1);
    let strange = |digest: &str| [(digest.to_owned(), b"a file".to_vec())].into_iter().collect();
    let none = "f".repeat(64);
    let refused = logged.dossier_with(logged.case, strange(&none)).expect_err("refused");
    assert!(refused.to_string().contains("is of no evidence of the case"), "{refused}");
    let dossier = logged.dossier(logged.case);
    let (start, length) = place(&dossier, "evidence.json");
    let items: serde_json::Value =
        serde_json::from_slice(&dossier[start..start + length]).expect("JSON");
    let items = items.as_object().expect("items");
    let digest = items.values().next().expect("an item")["sha256"].as_str().expect("a digest");
    let refused = logged.dossier_with(logged.case, strange(digest)).expect_err("refused");
    assert!(refused.to_string().contains("is not the file whose digest"), "{refused}");
}
