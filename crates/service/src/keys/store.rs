//! The store: which key is where, handing out, taking back, destroying.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::KeyId;
use uuid::Builder;

use super::Error;
use super::node_key;
use super::pool::Pool;
use super::secret::{Key, random};
use super::slots::{self, Content, SLOTS_PER_PAGE, SlotNumber, Slots};
use crate::private;

/// The first batch after a start is small, because what is left of it at the end is never used;
/// every further one doubles, up to 1,024 keys or 128 KiB.
const FIRST_BATCH: u32 = 8 * SLOTS_PER_PAGE;
const LARGEST_BATCH: u32 = 32 * SLOTS_PER_PAGE;

/// What is known of a key without opening its slot.
#[derive(Clone, Copy, Debug)]
struct Entry {
    place: SlotNumber,
    state: KeyState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyState {
    /// On disk and in the pool; nothing was sealed with it.
    Fresh,
    /// Handed out in this run of the node.
    Taken,
    /// On disk from an earlier run. Whether it was handed out is not known, so it never is again.
    Kept,
    /// Destroyed on purpose.
    Gone,
}

/// How many slots of the store hold what, for tests.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) destroyed: u64,
    /// Slots whose content is not what was written. A crash while keys were made ahead leaves
    /// such slots too; no key in them was ever handed out.
    pub(super) damaged: u64,
}

/// The keys of one node. Locked against a second node; shared by reference between threads.
#[derive(Debug)]
pub struct KeyStore {
    inner: Arc<Inner>,
    maker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    node: Key,
    slots: Slots,
    entries: RwLock<HashMap<KeyId, Entry>>,
    pool: Pool,
    /// Why the last key that was asked for could not be given, if so.
    failure: Mutex<Option<String>>,
}

impl KeyStore {
    /// Opens the store in `directory`, or makes a new one with a new node key where there is
    /// none. Reads the whole file of slots, 128 bytes a key.
    ///
    /// Fails when another node holds it, when the node key is missing, readable by others or not
    /// the one that the slots were made with.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        private::make(directory).map_err(Error::io(directory, "created"))?;
        let node = node_key::load(directory, !Slots::exist(directory)?)?;
        let slots = Slots::open(directory, &node)?;
        let mut entries = HashMap::new();
        let end = slots.scan(|place, content| {
            let (id, state) = match content {
                Content::Key(id) => (id, KeyState::Kept),
                Content::Gone(id) => (id, KeyState::Gone),
                Content::Empty | Content::Damaged => return,
            };
            entries.insert(id, Entry { place, state });
        })?;
        let inner = Arc::new(Inner {
            node,
            slots,
            entries: RwLock::new(entries),
            pool: Pool::default(),
            failure: Mutex::default(),
        });
        let making = Arc::clone(&inner);
        let maker = std::thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || making.make_ahead(end))
            .map_err(Error::io(directory, "given a thread"))?;
        Ok(Self { inner, maker: Some(maker) })
    }

    /// The first of its files that is not there, so that opening the store would make it.
    pub(crate) fn missing(directory: &Path) -> Result<Option<PathBuf>, Error> {
        for path in [directory.join(node_key::NAME), directory.join(slots::NAME)] {
            if !path.try_exists().map_err(Error::io(&path, "looked for"))? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Hands out a fresh key that is on disk, synced; none where the last was taken and the next
    /// are still being made. Never waits.
    pub fn try_take(&self) -> Result<Option<KeyId>, Error> {
        let given = self.inner.give_at_once();
        match &given {
            Ok(Some(_)) => self.inner.note(None),
            Ok(None) => {}
            Err(error) => self.inner.note(Some(error)),
        }
        given
    }

    /// The same, but where there is none it blocks the thread for the time of an fsync, until
    /// there is one or it is known why there will be none.
    pub fn take(&self) -> Result<KeyId, Error> {
        let given = self.inner.give();
        self.inner.note(given.as_ref().err());
        given
    }

    /// Why no key can be given, if so: what the last who asked for one was told. Asks for one itself,
    /// which goes back unused, so that it is known before and after there is a claim. Never waits.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match self.try_take() {
            Ok(Some(id)) => self.give_back(id),
            Ok(None) => {
                if let Some(failure) = self.inner.pool.failure() {
                    self.inner.note(Some(&Error::NoFreshKey(failure)));
                }
            }
            // Noted.
            Err(_) => {}
        }
        self.inner.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes back a key of [`KeyStore::try_take`] or [`KeyStore::take`] that no record names and none
    /// ever will: the rules rejected the command or were only asked what they would say, another
    /// record came first, or the record was too long. Must not be called when the outcome of an
    /// append is not known. A key that was not taken in this run, or was destroyed, is left as it is.
    pub fn give_back(&self, id: KeyId) {
        if self.inner.change_state(id, KeyState::Taken, KeyState::Fresh) {
            self.inner.pool.give_back(id);
        }
    }

    /// Destroys a key for good; when this returns, its slot is overwritten and synced. Destroying
    /// it again changes nothing. Copies of the slot file made before still hold the wrapped key:
    /// they go with the node key.
    pub fn destroy(&self, id: KeyId) -> Result<(), Error> {
        // Marked first: from here on nobody seals or opens with it, whatever the disk says. One
        // that was marked before is written again: that write may have failed.
        let place = self.inner.mark_gone(id)?;
        self.inner.slots.erase(place, id)
    }

    /// Whether the store holds a key that was not destroyed.
    #[must_use]
    pub fn holds(&self, id: KeyId) -> bool {
        self.inner.entry(id).is_ok()
    }

    /// Whether the store ever had the key: it holds it, or it was destroyed here. Else the store is not
    /// the one that the key was made in, or an older copy of that.
    #[must_use]
    pub fn knows(&self, id: KeyId) -> bool {
        !matches!(self.inner.entry(id), Err(Error::KeyUnknown { .. }))
    }

    /// Whether the key was destroyed here.
    #[must_use]
    pub fn is_destroyed(&self, id: KeyId) -> bool {
        self.knows(id) && !self.holds(id)
    }

    /// The file with the keys.
    pub(crate) fn slots(&self) -> PathBuf {
        self.inner.slots.path().to_owned()
    }

    /// Reads every slot and opens every key.
    #[cfg(test)]
    pub(super) fn census(&self) -> Result<Census, Error> {
        let mut census = Census::default();
        self.inner.slots.scan(|place, content| match content {
            Content::Empty => {}
            Content::Gone(_) => census.destroyed += 1,
            Content::Key(id) if self.inner.slots.read(place, id, &self.inner.node).is_ok() => {}
            Content::Key(_) | Content::Damaged => census.damaged += 1,
        })?;
        Ok(census)
    }

    /// The key itself, for sealing and opening.
    pub(super) fn key(&self, id: KeyId) -> Result<Key, Error> {
        let entry = self.inner.entry(id)?;
        self.inner.slots.read(entry.place, id, &self.inner.node)
    }
}

impl Drop for KeyStore {
    fn drop(&mut self) {
        self.inner.pool.close();
        if let Some(maker) = self.maker.take() {
            // It can only have panicked, and then it has said so already.
            drop(maker.join());
        }
    }
}

impl Inner {
    /// The thread that makes keys ahead, until the store is dropped.
    fn make_ahead(&self, mut next: SlotNumber) {
        let mut size = FIRST_BATCH;
        while self.pool.wanted() {
            let Some(end) = next.plus(size) else {
                self.pool.add(Err(Error::TooLong));
                continue;
            };
            let batch = self.make_batch(next, size);
            // After a failure the same places are written again: no key there was handed out.
            if batch.is_ok() {
                next = end;
                size = (size * 2).min(LARGEST_BATCH);
            }
            self.pool.add(batch);
        }
    }

    fn make_batch(&self, place: SlotNumber, size: u32) -> Result<Vec<KeyId>, Error> {
        let mut keys = Vec::with_capacity(size as usize);
        for _ in 0..size {
            let id = KeyId(Builder::from_random_bytes(random()?).into_uuid());
            keys.push((id, Key::new(random()?)));
        }
        self.slots.append(place, &keys, &self.node)?;
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for (number, (id, _)) in (0..).zip(&keys) {
            let place = place.plus(number).ok_or(Error::TooLong)?;
            entries.insert(*id, Entry { place, state: KeyState::Fresh });
        }
        Ok(keys.into_iter().map(|(id, _)| id).collect())
    }

    fn entry(&self, id: KeyId) -> Result<Entry, Error> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        match entries.get(&id) {
            None => Err(Error::KeyUnknown { key: id }),
            Some(entry) if entry.state == KeyState::Gone => Err(Error::KeyDestroyed { key: id }),
            Some(entry) => Ok(*entry),
        }
    }

    fn mark_gone(&self, id: KeyId) -> Result<SlotNumber, Error> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get_mut(&id).ok_or(Error::KeyUnknown { key: id })?;
        entry.state = KeyState::Gone;
        Ok(entry.place)
    }

    fn give_at_once(&self) -> Result<Option<KeyId>, Error> {
        self.slots.check_place()?;
        while let Some(id) = self.pool.try_take() {
            if self.hand_out(id) {
                return self.check_kept(id).map(Some);
            }
        }
        Ok(None)
    }

    fn give(&self) -> Result<KeyId, Error> {
        self.slots.check_place()?;
        loop {
            let id = self.pool.take()?;
            if self.hand_out(id) {
                return self.check_kept(id);
            }
        }
    }

    /// Refuses a key that cannot be read from its slot any more: it is given to nobody.
    fn check_kept(&self, id: KeyId) -> Result<KeyId, Error> {
        let place = self.entry(id)?.place;
        self.slots.read(place, id, &self.node).map(|_| id)
    }

    fn note(&self, failure: Option<&Error>) {
        let failure = failure.map(|error| crate::chain(error));
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Marks a key of the pool as taken; not one that was destroyed while it lay there.
    fn hand_out(&self, id: KeyId) -> bool {
        self.change_state(id, KeyState::Fresh, KeyState::Taken)
    }

    /// Changes the state of a key that is in state `from`; false when it is in another.
    fn change_state(&self, id: KeyId, from: KeyState, to: KeyState) -> bool {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        match entries.get_mut(&id) {
            Some(entry) if entry.state == from => {
                entry.state = to;
                true
            }
            Some(_) | None => false,
        }
    }
}
