//! The keys that the records name: each is in the key store and opens, or was destroyed there.

use std::io::ErrorKind;
use std::path::Path;

use case::{Case, CaseId, KeyId};
use service::keys::{Error, KeyList};
use service::node::keys_dir;

use super::Stop;
use super::live::Live;
use super::report::{Damage, Part};
use crate::output::{CliError, count};

/// A key that the key store must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NamedKey {
    case: CaseId,
    key: KeyId,
}

/// The key of a case or of the register, but of one that was erased.
pub(super) fn of_case(id: CaseId, case: &Case) -> Option<NamedKey> {
    if case.registry.erased.is_some() {
        return None;
    }
    case.key().map(|key| NamedKey { case: id, key })
}

/// The key store before the records are read: what was destroyed there by then, a record that is read behind
/// it must ask for. None where it cannot be read, which [`check`] tells.
pub(super) fn before(data: &Path) -> Option<KeyList> {
    KeyList::read(&keys_dir(data)).ok().flatten()
}

/// Looks for every key. The records were read before, and a key is on the disk before a record names it.
pub(super) fn check(
    data: &Path,
    live: &Live,
    mut named: Vec<NamedKey>,
    before: Option<&KeyList>,
) -> Result<Part, Stop> {
    let directory = keys_dir(data);
    named.sort_unstable();
    let Some(first) = named.first() else {
        return Ok(Part::done("the records name none that was not destroyed".to_owned()));
    };
    let kept = match KeyList::read(&directory) {
        Ok(kept) => kept,
        // For another account than the node's: who checks the log need not have its keys.
        Err(Error::Io { source, path, .. }) if source.kind() == ErrorKind::PermissionDenied => {
            return Ok(Part::unchecked(format!("{} is not for this account", path.display())));
        }
        Err(error @ (Error::StoreRefused { .. } | Error::NodeKeyRefused { .. })) => {
            return Err(Damage::of_keys(first.case, service::chain(&error)).into());
        }
        Err(error) => return Err(CliError::other(error).into()),
    };
    let Some(kept) = kept else {
        // A copy of the record for those who have no business with the words.
        if !directory.exists() && matches!(live, Live::Absent { .. }) {
            let why = "there is no key store here; what is sealed can be opened only beside it";
            return Ok(Part::unchecked(why.to_owned()));
        }
        let what = "has no file of keys; restore it from a copy of the key store".to_owned();
        return Err(Damage::of_keys(first.case, what).into());
    };
    let mut lost = named.iter().filter(|named| !kept.knows(named.key));
    if let Some(NamedKey { case, key }) = lost.next() {
        let more = match lost.count() {
            0 => String::new(),
            more => format!(", nor {} more", count(more as u64, "key", "keys")),
        };
        let what = format!(
            "does not hold key {key}{more}, and did not destroy it: what it sealed cannot be read; restore \
             the newer key store"
        );
        return Err(Damage::of_keys(*case, what).into());
    }
    if let Some(before) = before {
        check_destroyed(before, &named)?;
    }
    check_sound(&kept, &named)?;
    let keys = count(named.len() as u64, "key", "keys");
    Ok(Part::done(match kept.why_not_opened() {
        None => format!("{keys} that the records name, each opened in the key store"),
        Some(why) => {
            format!("{keys} that the records name, each in the key store; none was opened: {why}")
        }
    }))
}

/// No key was destroyed that no record asks to be: the record comes first.
fn check_destroyed(before: &KeyList, named: &[NamedKey]) -> Result<(), Stop> {
    let mut destroyed = named.iter().filter(|named| before.is_destroyed(named.key));
    let Some(NamedKey { case, key }) = destroyed.next() else { return Ok(()) };
    let more = match destroyed.count() {
        0 => String::new(),
        more => format!(", and {} more", count(more as u64, "key", "keys")),
    };
    let what = format!(
        "has destroyed key {key}{more}, and no record asks for it: what it sealed cannot be read; restore it \
         from a copy of the key store, or the log that has the record"
    );
    Err(Damage::of_keys(*case, what).into())
}

/// Opens every key that the records name, where the node key is at hand.
fn check_sound(kept: &KeyList, named: &[NamedKey]) -> Result<(), Stop> {
    let mut damaged = Vec::new();
    for named in named {
        if !kept.is_sound(named.key).map_err(CliError::other)? {
            damaged.push(named);
        }
    }
    let Some((NamedKey { case, key }, more)) = damaged.split_first() else { return Ok(()) };
    let more = match more.len() {
        0 => String::new(),
        more => format!(", nor {} more", count(more as u64, "key", "keys")),
    };
    let what = format!(
        "cannot open key {key}{more}: the slot is damaged, and what it sealed cannot be read; restore it from \
         a copy of the key store"
    );
    Err(Damage::of_keys(*case, what).into())
}
