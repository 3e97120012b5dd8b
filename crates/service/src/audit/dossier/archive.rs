//! The archive: a plain ustar in one canonical form, so that no byte of it is free.

use std::collections::BTreeMap;
use std::io::Read as _;

use tar::{Archive, Builder, EntryType, Header};

use super::check::Refused;

/// More files than this are in no dossier.
const MOST_MEMBERS: usize = 1_024;
/// The unit of a tar, in bytes.
const BLOCK: usize = 512;

/// The files of a dossier by name.
pub(super) type Members = BTreeMap<String, Vec<u8>>;

/// Packs the files in the order of their names, with fixed metadata.
pub(super) fn pack(members: &Members) -> std::io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(EntryType::Regular);
        header.set_cksum();
        builder.append(&header, bytes.as_slice())?;
    }
    builder.into_inner()
}

/// Reads an archive that must be exactly as [`pack`] writes it.
pub(super) fn unpack(bytes: &[u8]) -> Result<Members, Refused> {
    let refuse = |what: String| Refused::whole(what);
    // The reader's own error repeats what stands in the file, which may be anything.
    let damaged = |_: std::io::Error| Refused::whole("it is no whole archive".into());
    let mut archive = Archive::new(bytes);
    let mut members = Members::new();
    for entry in archive.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        if entry.header().entry_type() != EntryType::Regular {
            return Err(refuse(
                "it holds a link, a folder or another thing that is no file".into(),
            ));
        }
        let path = entry.path_bytes().into_owned();
        let name = String::from_utf8(path).ok().filter(|name| is_known(name));
        let Some(name) = name else {
            return Err(refuse("it holds a file whose name belongs into no dossier".into()));
        };
        if entry.size() > bytes.len() as u64 || members.len() == MOST_MEMBERS {
            return Err(refuse("it claims to hold more than it does".into()));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(damaged)?;
        if members.insert(name.clone(), content).is_some() {
            return Err(Refused::at(&name, "stands twice in the archive"));
        }
    }
    same(bytes, &members)?;
    Ok(members)
}

/// Compares with the canonical form; names the first byte that differs and the file it is in.
fn same(bytes: &[u8], members: &Members) -> Result<(), Refused> {
    let packed = pack(members).map_err(|error| Refused::whole(error.to_string()))?;
    if packed == bytes {
        return Ok(());
    }
    let differs = bytes.iter().zip(&packed).position(|(one, other)| one != other);
    let offset = differs.unwrap_or_else(|| bytes.len().min(packed.len()));
    let mut start = 0;
    for (name, content) in members {
        start += BLOCK + content.len().next_multiple_of(BLOCK);
        if offset < start {
            let what = format!("byte {offset} of the archive is not as a dossier is packed");
            return Err(Refused::at(name, &what));
        }
    }
    Err(Refused::whole(format!("byte {offset} is not as a dossier is packed")))
}

fn is_known(name: &str) -> bool {
    let fixed = [
        super::MANIFEST,
        super::CHECKPOINT,
        super::PROOF,
        super::RECORDS,
        super::DISCLOSURES,
        super::EVIDENCE,
        super::DERIVED,
        super::PAGE,
    ];
    fixed.contains(&name) || hash_of(name).is_some() || file_of(name).is_some()
}

/// The name of a guidance file's member.
pub(super) fn guidance_name(hash: &str) -> String {
    format!("guidance/{}.toml", hash.replace(':', "-"))
}

/// The hash that a guidance file's name says.
pub(super) fn hash_of(name: &str) -> Option<String> {
    let digits = name.strip_prefix("guidance/sha256-")?.strip_suffix(".toml")?;
    is_digest(digits).then(|| format!("sha256:{digits}"))
}

/// The name of the member that is a file of evidence. Nothing of the file's own name is in it.
pub(super) fn file_name(sha256: &str) -> String {
    format!("files/sha256-{sha256}")
}

/// The SHA-256 that the name of a file of evidence says.
pub(super) fn file_of(name: &str) -> Option<String> {
    let digits = name.strip_prefix("files/sha256-")?;
    is_digest(digits).then(|| digits.to_owned())
}

fn is_digest(digits: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == 64 && digits.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_archive_is_refused_without_a_word_of_it() {
        let text = b"Selam Haile cannot serve. ".repeat(100);
        let said = unpack(&text).err().unwrap().to_string();
        assert_eq!(said, "the dossier: it is no whole archive");
        let members = Members::from([(super::super::RECORDS.to_owned(), b"words".repeat(300))]);
        let packed = pack(&members).unwrap();
        let said = unpack(&packed[..packed.len() / 3]).err().unwrap().to_string();
        assert_eq!(said, "the dossier: it claims to hold more than it does");
    }
}
