//! Repair: what is damaged comes back from elsewhere, where the log proves it, and only there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use common::files::{change, copy, groups, segments};
use common::{note, open};
use crc_fast::crc32_iscsi;
use journal::note::SigningKey;
use journal::{
    Checkpoints, Error, Expected, Journal, Lock, Position, ProvedBy, Reader, Record, RepairOptions,
    RepairReport, Source, repair, verify, verify_at_least,
};
use uuid::Uuid;

const RECORDS: u64 = 3000;
const SIGNED: u64 = 2500;

/// A log of several segments, signed at 2,500 of 3,000 records, and a copy of it.
struct Damage {
    own: tempfile::TempDir,
    copy: tempfile::TempDir,
    records: Vec<Record>,
}

fn key() -> SigningKey {
    SigningKey::from_seed("log", &[1; 32]).unwrap()
}

fn append(journal: &Journal, count: u64) {
    for batch in 0..count / 50 {
        let drafts = (0..50).map(|number| {
            let words = format!("{batch} {number} {}", "x".repeat(200));
            (note(u128::from((batch * 7 + number) % 40), &words), Expected::Any)
        });
        for outcome in journal.append_all(drafts).wait() {
            outcome.unwrap();
        }
    }
}

impl Damage {
    fn new() -> Damage {
        let own = tempfile::tempdir().unwrap();
        let (journal, _) = open(own.path()).unwrap();
        append(&journal, SIGNED);
        Checkpoints::new(own.path(), "log").sign(&journal, &[&key()]).unwrap();
        append(&journal, RECORDS - SIGNED);
        let records = journal.read(Position(1), usize::MAX).unwrap();
        journal.close().unwrap();
        let copied = tempfile::tempdir().unwrap();
        copy(own.path(), copied.path());
        Damage { own, copy: copied, records }
    }

    fn segments(&self) -> Vec<PathBuf> {
        segments(self.own.path())
    }

    fn change(&self, segment: usize, how: impl FnOnce(&mut Vec<u8>)) {
        change(&self.segments()[segment], how);
    }

    fn hold(&self) -> Lock {
        Lock::take(self.own.path()).unwrap()
    }

    fn repair(&self, seen: u64) -> Result<RepairReport, Error> {
        let mut source = Reader::open(self.copy.path()).unwrap();
        let keys = [key().verifier()];
        let options = RepairOptions { seen: Position(seen), keys: &keys, ..Default::default() };
        repair(&self.hold(), &mut source, options, &mut |_| {})
    }

    /// The log is what it was, and opens.
    fn is_whole(&self) {
        let report = verify(self.own.path(), &mut |_| {}).unwrap();
        assert_eq!((report.records, report.checkpoints), (RECORDS, 1));
        let (journal, report) = open(self.own.path()).unwrap();
        assert_eq!(report.torn_tail, None);
        assert_eq!(journal.read(Position(1), usize::MAX).unwrap(), self.records);
        append(&journal, 50);
        journal.close().unwrap();
        verify_at_least(self.own.path(), Position(RECORDS + 50), &mut |_| {}).unwrap();
    }
}

#[test]
fn damage_of_every_kind_is_mended_from_a_copy_and_kept_aside() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(&str, usize, Change); 9] = [
        ("a flipped bit in a record", 1, |bytes| bytes[20_000] ^= 1),
        ("a flipped bit in a group's header", 1, |bytes| {
            let at = *groups(bytes).last().unwrap();
            bytes[at + 9] ^= 1;
        }),
        ("a flipped bit in a frame's length", 0, |bytes| {
            let at = groups(bytes)[0];
            bytes[at + 34] ^= 0x10;
        }),
        ("the segment's header", 1, |bytes| bytes[..64].fill(0xff)),
        ("a lost block", 0, |bytes| bytes[40_960..45_056].fill(0)),
        ("a lost half", 1, |bytes| {
            let half = bytes.len() / 2;
            bytes.truncate(half);
        }),
        ("nothing but zeros", 0, |bytes| bytes.fill(0)),
        ("records and the footer", 1, |bytes| {
            let last = bytes.len() - 40;
            bytes[last] ^= 1;
            bytes[30_000..30_010].fill(b'?');
        }),
        ("everything of the first segment", 0, Vec::clear),
    ];
    let damage = Damage::new();
    assert!(damage.segments().len() > 3);
    for (name, segment, change) in changes {
        damage.change(segment, change);
        let damaged = fs::read(&damage.segments()[segment]).unwrap();
        assert!(verify(damage.own.path(), &mut |_| {}).is_err(), "{name}");
        let report = damage.repair(0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((report.last, report.segments.len()), (Position(RECORDS), 1), "{name}");
        let proved = report.restored.iter().all(|one| one.proved_by == ProvedBy::Checkpoint);
        assert!(proved, "{name}: {report:?}");
        let aside = report.kept_in.unwrap();
        assert!(aside.join("report.json").is_file());
        assert_eq!(fs::read(aside.join(&report.segments[0].file)).unwrap(), damaged, "{name}");
        assert!(damage.repair(0).unwrap().kept_in.is_none(), "{name}: nothing is left to mend");
    }
    damage.is_whole();
}

#[test]
fn a_missing_segment_and_a_lost_tail_come_back_as_far_as_a_checkpoint_proves() {
    let damage = Damage::new();
    fs::remove_file(&damage.segments()[1]).unwrap();
    let report = damage.repair(0).unwrap();
    assert_eq!(report.segments[0].whole, 0);
    assert!(report.restored.iter().all(|one| one.proved_by == ProvedBy::Checkpoint), "{report:?}");

    // The last segments are gone: up to the checkpoint everything is proved, behind it nothing is.
    let segments = damage.segments();
    let last: Vec<_> = segments.iter().skip(segments.len() - 2).collect();
    for path in last {
        fs::remove_file(path).unwrap();
    }
    let report = damage.repair(0).unwrap();
    assert_eq!(report.last, Position(SIGNED));
    let refused = damage.repair(RECORDS).unwrap_err();
    assert!(refused.to_string().contains("position 2501"), "{refused}");
    let mut source = Reader::open(damage.copy.path()).unwrap();
    let keys = [key().verifier()];
    let seen = Position(RECORDS);
    let options = RepairOptions { seen, keys: &keys, accept_unproved: true, ..Default::default() };
    let report = repair(&damage.hold(), &mut source, options, &mut |_| {}).unwrap();
    assert_eq!(report.last, Position(RECORDS));
    assert!(report.restored.iter().any(|one| one.proved_by == ProvedBy::Nothing));
    damage.is_whole();
}

#[test]
fn a_record_that_someone_changed_with_all_its_checksums_is_found_and_put_back() {
    let damage = Damage::new();
    damage.change(1, |bytes| {
        let at = groups(bytes)[1];
        let length = u32::from_le_bytes(bytes[at + 20..at + 24].try_into().unwrap()) as usize;
        let first = u64::from_le_bytes(bytes[at + 8..at + 16].try_into().unwrap());
        let size = u32::from_le_bytes(bytes[at + 32..at + 36].try_into().unwrap());
        let record = at + 40..at + 40 + size as usize;
        bytes[record.end - 4] = b'y';
        let head = [first.to_le_bytes().as_slice(), &size.to_le_bytes()].concat();
        let frame = crc32_iscsi(&[&head, &bytes[record]].concat());
        bytes[at + 36..at + 40].copy_from_slice(&frame.to_le_bytes());
        let body = crc32_iscsi(&bytes[at + 32..at + 32 + length]);
        bytes[at + 24..at + 28].copy_from_slice(&body.to_le_bytes());
        let header = crc32_iscsi(&bytes[at..at + 28]);
        bytes[at + 28..at + 32].copy_from_slice(&header.to_le_bytes());
    });
    let found = verify(damage.own.path(), &mut |_| {}).unwrap_err();
    assert!(found.to_string().contains("prev"), "{found}");
    let report = damage.repair(0).unwrap();
    assert_eq!(report.restored.len(), 1, "{report:?}");
    assert_eq!(report.restored[0].proved_by, ProvedBy::Checkpoint);
    damage.is_whole();
}

/// A source that gives what it was told, and says nothing of its log.
struct Told(BTreeMap<u64, Vec<u8>>);

impl Source for Told {
    fn record(&mut self, position: Position) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.get(&position.0).cloned())
    }

    fn log(&self) -> Option<Uuid> {
        None
    }
}

#[test]
fn a_source_that_lies_or_has_nothing_changes_nothing() {
    let damage = Damage::new();
    damage.change(0, |bytes| bytes[40_960..45_056].fill(0));
    let before = fs::read(&damage.segments()[0]).unwrap();
    let options = RepairOptions::default();
    let mut honest = BTreeMap::new();
    for record in &damage.records {
        honest.insert(record.position.0, record.bytes.clone());
    }
    let lost = {
        let refused =
            repair(&damage.hold(), &mut Told(BTreeMap::new()), options, &mut |_| {}).unwrap_err();
        let Error::Corrupt(fault) = &refused else { panic!("{refused:?}") };
        assert!(refused.to_string().contains("the source has none"), "{refused}");
        fault.position.unwrap()
    };
    let text = String::from_utf8(honest[&lost.0].clone()).unwrap();
    let mut lying = honest.clone();
    lying.insert(lost.0, text.replace("xxxx\"", "xxxy\"").into_bytes());
    assert_ne!(lying[&lost.0], honest[&lost.0]);
    for accept_unproved in [false, true] {
        let options = RepairOptions { accept_unproved, ..options };
        let refused =
            repair(&damage.hold(), &mut Told(lying.clone()), options, &mut |_| {}).unwrap_err();
        assert!(matches!(refused, Error::Corrupt(_)), "{refused:?}");
    }
    let mut long = honest.clone();
    long.insert(lost.0, text.replace("xxxx\"", &format!("{}\"", "x".repeat(1 << 16))).into_bytes());
    let refused = repair(&damage.hold(), &mut Told(long), options, &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("longer than a record may be"), "{refused}");
    assert_eq!(fs::read(&damage.segments()[0]).unwrap(), before);
    assert!(!damage.own.path().join("repaired").exists());
    repair(&damage.hold(), &mut Told(honest), options, &mut |_| {}).unwrap();
    damage.is_whole();
}

#[test]
fn behind_the_last_checkpoint_the_footer_and_the_chain_are_proof_enough() {
    let damage = Damage::new();
    fs::remove_dir_all(damage.own.path().join("checkpoints")).unwrap();
    damage.change(0, |bytes| bytes[20_000] ^= 1);
    let report = damage.repair(0).unwrap();
    assert!(report.restored.iter().all(|one| one.proved_by == ProvedBy::Tree), "{report:?}");
    // In the last segment there is no footer: the next record of the same stream names the hash.
    let last = damage.segments().len() - 1;
    damage.change(last, |bytes| {
        let at = groups(bytes)[0];
        bytes[at + 32 + 8 + 100..at + 32 + 8 + 110].fill(0);
        bytes[at + 36] ^= 1;
    });
    let report = damage.repair(0).unwrap();
    assert_eq!(report.restored.len(), 1);
    assert_eq!(report.restored[0].proved_by, ProvedBy::Chain);
    let report = verify(damage.own.path(), &mut |_| {}).unwrap();
    assert_eq!(report.records, RECORDS);
}
