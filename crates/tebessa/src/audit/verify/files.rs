//! The files of evidence that a node keeps: each is read by it and compared with the record.

use std::collections::BTreeMap;

use case::evidence::Item;
use case::{Case, CaseId, EvidenceId};
use futures::StreamExt as _;
use service::client::{Client, ClientError};
use service::documents::{FileCheckQuery, FileCheckReply, FileFound};

use super::Stop;
use super::live::Live;
use super::report::{Damage, Part};
use crate::output::{Bar, bytes, count};

/// How many files the node is asked about at once: it reads and opens them.
const AT_ONCE: usize = 2;

/// A file that the record says is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeptFile {
    case: CaseId,
    evidence: EvidenceId,
    size: u64,
}

/// The files that are kept of a case, each once, however many items have it. Items that say another size
/// of the same file are asked about beside: one of them is wrong, and which it is only its length tells.
pub(super) fn of_case(id: CaseId, case: &Case) -> Vec<KeptFile> {
    of_items(id, &case.evidence.items)
}

fn of_items(id: CaseId, items: &BTreeMap<EvidenceId, Item>) -> Vec<KeptFile> {
    let items = items.iter();
    let mut files: Vec<_> = items
        .filter_map(|(evidence, item)| {
            let size = item.upload.and(item.size)?;
            Some((item.sha256.as_str(), KeptFile { case: id, evidence: *evidence, size }))
        })
        .collect();
    files.sort_unstable_by_key(|(sha256, file)| (*sha256, file.size, file.evidence));
    files.dedup_by(|one, other| one.0 == other.0 && one.1.size == other.1.size);
    files.into_iter().map(|(_, file)| file).collect()
}

/// What was found of the files without a fault.
#[derive(Default)]
struct Found {
    whole: u64,
    bytes: u64,
    erased: u64,
}

/// Has every file read, in the order of the cases.
pub(super) async fn check(live: &Live, mut files: Vec<KeptFile>, skip: bool) -> Result<Part, Stop> {
    if files.is_empty() {
        return Ok(Part::done("the record names none that is kept".to_owned()));
    }
    let Live::Running { client, .. } = live else {
        let number = count(files.len() as u64, "file", "files");
        let reason = format!("the node that reads the {number} must run");
        return Ok(Part::unchecked(live.reason(&reason)));
    };
    if skip {
        return Ok(Part::unchecked("--no-files".to_owned()));
    }
    files.sort_unstable();
    let total = files.iter().map(|file| file.size).fold(0, u64::saturating_add);
    let mut bar = Bar::new("Reading the files of evidence");
    let mut found = Found::default();
    let asked = futures::stream::iter(&files).map(|file| ask(client, file));
    let mut answers = asked.buffered(AT_ONCE);
    while let Some((file, answer)) = answers.next().await {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Ok(Part::unchecked(not_read(&found, file, &error))),
        };
        match answer.found {
            FileFound::Whole => {
                found.whole += 1;
                found.bytes += file.size;
            }
            FileFound::Erased => found.erased += 1,
            FileFound::Damaged | FileFound::Missing => return Err(fault(file, &answer).into()),
        }
        bar.show(found.bytes, total, "bytes");
    }
    Ok(Part::done(words(&found)))
}

async fn ask<'f>(
    client: &Client,
    file: &'f KeptFile,
) -> (&'f KeptFile, Result<FileCheckReply, ClientError>) {
    let query = FileCheckQuery { case: file.case, evidence: file.evidence };
    (file, client.check_file(&query).await)
}

fn words(found: &Found) -> String {
    let erased = || format!("{} erased with the claimant's key", found.erased);
    let whole = || {
        let as_recorded = match found.whole {
            1 => "as the record has it",
            _ => "as the record has them",
        };
        format!("{} of {}, {as_recorded}", count(found.whole, "file", "files"), bytes(found.bytes))
    };
    match (found.whole, found.erased) {
        (_, 0) => whole(),
        (0, _) => erased(),
        _ => format!("{}; {}", whole(), erased()),
    }
}

fn not_read(found: &Found, file: &KeptFile, error: &ClientError) -> String {
    format!(
        "after {}, evidence {} of case {}: {}",
        count(found.whole + found.erased, "file", "files"),
        file.evidence,
        file.case,
        service::chain(error)
    )
}

fn fault(file: &KeptFile, answer: &FileCheckReply) -> Damage {
    let state = match (&answer.why, answer.found) {
        (Some(why), _) => format!("is not what was kept: {why}"),
        (None, FileFound::Missing) => "is missing in the store".to_owned(),
        (None, _) => "is not what was kept".to_owned(),
    };
    let what =
        format!("evidence {} {state}; restore it from a copy of the documents", file.evidence);
    Damage::of_file(file.case, what)
}

#[cfg(test)]
mod tests {
    use case::token::{ActorId, Sha256Hex};
    use case::vocabulary::{EvidenceKind, Role};
    use case::{UploadId, Version};
    use uuid::Uuid;

    use super::*;

    fn item(digest: char, size: u64, version: u64) -> Item {
        Item {
            kind: EvidenceKind::Summons,
            sha256: Sha256Hex::new(&digest.to_string().repeat(64)).unwrap(),
            upload: Some(UploadId(Uuid::from_u128(1))),
            size: Some(size),
            version: Version(version),
            by: ActorId::new("officer-1").unwrap(),
            role: Role::Registrar,
            country_info: false,
            authenticity: None,
            translations: Vec::new(),
            links: Vec::new(),
            disclosed: None,
            disclosed_on: None,
            withdrawn: None,
        }
    }

    #[test]
    fn a_file_is_asked_about_once_for_each_size_that_items_say_of_it() {
        let rows = [item('a', 7, 2), item('a', 9, 3), item('a', 7, 4), item('b', 7, 5)];
        let ids = (1..).map(|number| EvidenceId(Uuid::from_u128(number)));
        let items = ids.zip(rows).collect();
        let files = of_items(CaseId(Uuid::from_u128(9)), &items);
        let asked: Vec<_> = files.iter().map(|f| (f.evidence.0.as_u128(), f.size)).collect();
        assert_eq!(asked, [(1, 7), (2, 9), (4, 7)]);
    }
}
