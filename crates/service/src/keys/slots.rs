//! The slot file: fixed places for wrapped keys, so that one key can be overwritten where it is.
//!
//! The first page holds the header, then follow pages of 32 slots of 128 bytes. A slot never
//! straddles a sector, and a batch of new slots starts on a page of its own, so that a torn write
//! of a batch cannot touch a key that was handed out.
//!
//! ```text
//! header  "TEBESSA KEYS" 0 0 0 1 ‖ check of the node key (32) ‖ zeros
//! key     "KEY1" ‖ id (16) ‖ nonce (24) ‖ XChaCha20-Poly1305 of the key (48) ‖ zeros
//! gone    "GONE" ‖ id (16) ‖ zeros
//! empty   zeros
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::KeyId;
use chacha20poly1305::aead::{Aead as _, Payload};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Error;
use super::secret::{KEY_LENGTH, Key, random};
use crate::replace::replace;

/// The file's name in the store's directory.
pub(super) const NAME: &str = "slots";
const MAGIC: &[u8; 16] = b"TEBESSA KEYS\0\0\0\x01";
const CHECK_LABEL: &[u8] = b"tebessa node key check v1";

const SLOT: usize = 128;
const PAGE: usize = 4096;
/// How many slots share a page; batches are multiples of it.
pub(super) const SLOTS_PER_PAGE: u32 = 32;
const _: () = assert!(SLOTS_PER_PAGE as usize * SLOT == PAGE);

const KEY: [u8; 4] = *b"KEY1";
const GONE: [u8; 4] = *b"GONE";
const NONCE_LENGTH: usize = 24;
const WRAPPED_LENGTH: usize = KEY_LENGTH + 16;

/// The place of a slot: its number from the start of the file, the header's page counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotNumber(u32);

impl SlotNumber {
    fn offset(self) -> u64 {
        u64::from(self.0) * SLOT as u64
    }

    /// The place `count` slots further on; none when the file would pass 512 GiB.
    pub(super) fn plus(self, count: u32) -> Option<Self> {
        self.0.checked_add(count).map(Self)
    }
}

/// What a slot says it holds. A key's wrapping is checked only when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Empty,
    Key(KeyId),
    Gone(KeyId),
    Damaged,
}

/// The file of slots, locked for this process.
#[derive(Debug)]
pub(super) struct Slots {
    file: File,
    path: PathBuf,
    /// The file is at least so long, in bytes: as it was when it was opened, or up to what was written.
    least: AtomicU64,
}

impl Slots {
    /// Whether a slot file is there at all.
    pub(super) fn exist(directory: &Path) -> Result<bool, Error> {
        let path = directory.join(NAME);
        path.try_exists().map_err(Error::io(&path, "looked for"))
    }

    /// Opens the slot file, or creates it whole, and locks it against other processes.
    pub(super) fn open(directory: &Path, node: &Key) -> Result<Self, Error> {
        let path = directory.join(NAME);
        if !Self::exist(directory)? {
            create(&path, node)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(Error::io(&path, "opened"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::StoreRefused { path, why: "is in use by another node" });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io(&path, "locked")(error)),
        }
        let slots = Self::of(file, path)?;
        slots.check_header(node)?;
        Ok(slots)
    }

    /// Opens the slot file only to see which keys are in it: without the node key, and beside the process
    /// that holds it. None where there is no such file.
    pub(super) fn look(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(NAME);
        // Not to wait, should it be a pipe.
        let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(&path, how, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(Error::io(&path, "opened")(error.into())),
        };
        let slots = Self::of(file, path)?;
        slots.read_header()?;
        Ok(Some(slots))
    }

    fn of(file: File, path: PathBuf) -> Result<Self, Error> {
        let least = file.metadata().map_err(Error::io(&path, "read"))?.len().into();
        Ok(Self { file, path, least })
    }

    /// Refuses slots that were made with another node key.
    pub(super) fn check_header(&self, node: &Key) -> Result<(), Error> {
        if bool::from(self.read_header()?.ct_eq(&header(node))) {
            return Ok(());
        }
        let why = "was made with another node key than the one beside it";
        Err(Error::StoreRefused { path: self.path.clone(), why })
    }

    fn read_header(&self) -> Result<[u8; SLOT], Error> {
        let refuse = |why| Error::StoreRefused { path: self.path.clone(), why };
        if !self.file.metadata().map_err(Error::io(&self.path, "read"))?.is_file() {
            return Err(refuse("is no file"));
        }
        let mut found = [0; SLOT];
        self.file.read_exact_at(&mut found, 0).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                return refuse("is no key store: it has no header");
            }
            Error::io(&self.path, "read")(error)
        })?;
        if found.first_chunk() != Some(MAGIC) {
            return Err(refuse("is no key store of a version that is known here"));
        }
        Ok(found)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Visits every slot, and returns the first place behind them that starts a page.
    pub(super) fn scan(
        &self,
        mut visit: impl FnMut(SlotNumber, Content),
    ) -> Result<SlotNumber, Error> {
        let length = self.file.metadata().map_err(Error::io(&self.path, "read"))?.len();
        let pages = u32::try_from(length.div_ceil(PAGE as u64)).map_err(|_| Error::TooLong)?;
        let mut place = SlotNumber(SLOTS_PER_PAGE);
        let mut page = [0; PAGE];
        for _ in 1..pages {
            // A page that the file's end cuts reads as zeros behind it: its slots are torn.
            page.fill(0);
            read_what_is_there(&self.file, &mut page, place.offset())
                .map_err(Error::io(&self.path, "read"))?;
            for slot in page.as_chunks::<SLOT>().0 {
                visit(place, content(slot));
                place = place.plus(1).ok_or(Error::TooLong)?;
            }
        }
        Ok(place)
    }

    /// Writes new keys at `place`, which must start a page, and syncs them. After an error it is
    /// not known what the disk holds there; the places can be written again. Refuses, as
    /// [`Slots::check_place`], where they would hide that the file was cut short.
    pub(super) fn append(
        &self,
        place: SlotNumber,
        keys: &[(KeyId, Key)],
        node: &Key,
    ) -> Result<(), Error> {
        self.check_place()?;
        let mut bytes = Vec::with_capacity(keys.len() * SLOT);
        for (id, key) in keys {
            bytes.extend_from_slice(&wrap(*id, key, node)?);
        }
        self.file
            .write_all_at(&bytes, place.offset())
            .and_then(|()| self.file.sync_data())
            .map_err(Error::io(&self.path, "written"))?;
        self.least.fetch_max(place.offset() + bytes.len() as u64, Ordering::AcqRel);
        Ok(())
    }

    /// Refuses when the file is not the whole file at its path any more. One that was removed while it
    /// is open is gone with the program, one that was replaced is not what the next start opens: with
    /// it goes every key that is taken now. One that was cut short has lost keys.
    pub(super) fn check_place(&self) -> Result<(), Error> {
        self.find_out_of_place().map_err(Error::io(&self.path, "used"))
    }

    fn find_out_of_place(&self) -> io::Result<()> {
        // Read first: it only grows.
        let least = self.least.load(Ordering::Acquire);
        let own = self.file.metadata()?;
        let removed = || {
            let what = "it was removed; before the node stops it can be copied from /proc/PID/fd";
            io::Error::new(io::ErrorKind::NotFound, what)
        };
        if own.nlink() == 0 {
            return Err(removed());
        }
        if own.len() < least {
            let length = own.len();
            return Err(io::Error::other(format!(
                "it was cut short, to {length} bytes of {least}: restore it from a copy"
            )));
        }
        let found = fs::metadata(&self.path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound { removed() } else { error }
        })?;
        if (found.dev(), found.ino()) == (own.dev(), own.ino()) {
            return Ok(());
        }
        let what = "another file is in its place; before the node stops the one in use can be copied \
                    from /proc/PID/fd";
        Err(io::Error::other(what))
    }

    /// Reads and unwraps the key at a place.
    pub(super) fn read(&self, place: SlotNumber, id: KeyId, node: &Key) -> Result<Key, Error> {
        let mut slot = Zeroizing::new([0; SLOT]);
        self.file
            .read_exact_at(slot.as_mut_slice(), place.offset())
            .map_err(Error::io(&self.path, "read"))?;
        unwrap(id, &slot, node).ok_or(Error::SlotDamaged { key: id })
    }

    /// Whether the slot at a place holds the key as it was wrapped, or a mark that it is gone.
    pub(super) fn is_sound(&self, place: SlotNumber, id: KeyId, node: &Key) -> Result<bool, Error> {
        let mut slot = [0; SLOT];
        self.file
            .read_exact_at(&mut slot, place.offset())
            .map_err(Error::io(&self.path, "read"))?;
        Ok(content(&slot) == Content::Gone(id) || unwrap(id, &slot, node).is_some())
    }

    /// Overwrites the key at a place by a mark that it is gone, and syncs it.
    ///
    /// On a disk or file system that writes elsewhere instead of over (copy on write, flash), an
    /// old block may survive: there only the node key's change destroys it too.
    pub(super) fn erase(&self, place: SlotNumber, id: KeyId) -> Result<(), Error> {
        let mut slot = [0; SLOT];
        fill(&mut slot, &[&GONE, id.0.as_bytes()]);
        self.file
            .write_all_at(&slot, place.offset())
            .and_then(|()| self.file.sync_data())
            .map_err(Error::io(&self.path, "written"))
    }
}

fn create(path: &Path, node: &Key) -> Result<(), Error> {
    let mut page = [0; PAGE];
    fill(&mut page, &[&header(node)]);
    replace(path, &page).map_err(Error::io(path, "created"))
}

fn header(node: &Key) -> [u8; SLOT] {
    let mut header = [0; SLOT];
    fill(&mut header, &[MAGIC, &node.authenticate(&[CHECK_LABEL])]);
    header
}

fn content(slot: &[u8; SLOT]) -> Content {
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let Some((mark, rest)) = slot.split_first_chunk::<4>() else { return Content::Damaged };
    let Some((id, rest)) = rest.split_first_chunk::<16>() else { return Content::Damaged };
    let id = KeyId(Uuid::from_bytes(*id));
    match *mark {
        KEY => Content::Key(id),
        GONE if is_zero(rest) => Content::Gone(id),
        _ if is_zero(slot) => Content::Empty,
        _ => Content::Damaged,
    }
}

fn wrap(id: KeyId, key: &Key, node: &Key) -> Result<[u8; SLOT], Error> {
    let nonce: [u8; NONCE_LENGTH] = random()?;
    let payload = Payload { msg: key.bytes(), aad: id.0.as_bytes() };
    let wrapped = node.cipher().encrypt(&nonce.into(), payload).map_err(|_| Error::TooLong)?;
    let mut slot = [0; SLOT];
    fill(&mut slot, &[&KEY, id.0.as_bytes(), &nonce, &wrapped]);
    Ok(slot)
}

fn unwrap(id: KeyId, slot: &[u8; SLOT], node: &Key) -> Option<Key> {
    let (mark, rest) = slot.split_first_chunk::<4>()?;
    let (written_id, rest) = rest.split_first_chunk::<16>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LENGTH>()?;
    let (wrapped, _) = rest.split_first_chunk::<WRAPPED_LENGTH>()?;
    if *mark != KEY || written_id != id.0.as_bytes() {
        return None;
    }
    let payload = Payload { msg: wrapped, aad: id.0.as_bytes() };
    let bytes = Zeroizing::new(node.cipher().decrypt(&(*nonce).into(), payload).ok()?);
    Some(Key::new(*bytes.first_chunk::<KEY_LENGTH>()?))
}

/// Lays the parts one after the other into a block of zeros.
fn fill(block: &mut [u8], parts: &[&[u8]]) {
    for (to, from) in block.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
}

fn read_what_is_there(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.read_at(buffer, offset) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                offset += count as u64;
                buffer = buffer.get_mut(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
