//! Which keys a store has, for those who compare it with the log: without giving out its secrets, and beside
//! its node.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use super::node_key;
use super::secret::Key;
use super::slots::{Content, SlotNumber, Slots};
use super::{Error, KeyId};

/// The ids of the keys of a store, as its file of slots has them at one moment, and where it can be read the
/// node key, which tells whether they open.
#[derive(Debug)]
pub struct KeyList {
    slots: Slots,
    /// Where each key is; none for one that was destroyed.
    known: HashMap<KeyId, Option<SlotNumber>>,
    /// The node key, or why it is not at hand.
    node: Result<Key, String>,
}

impl KeyList {
    /// Reads the file of slots in a key store's directory; none where there is none. Locks nothing.
    ///
    /// Fails where the slots were made with another node key than the one beside them, or that cannot be one.
    /// That it is not here, or not for this account, is no failure: see [`KeyList::why_not_opened`].
    pub fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let Some(slots) = Slots::look(directory)? else { return Ok(None) };
        let node = node_at_hand(directory)?;
        if let Ok(node) = &node {
            slots.check_header(node)?;
        }
        let mut known = HashMap::new();
        slots.scan(|place, content| match content {
            Content::Key(id) => {
                known.insert(id, Some(place));
            }
            Content::Gone(id) => {
                known.insert(id, None);
            }
            Content::Empty | Content::Damaged => {}
        })?;
        Ok(Some(Self { slots, known, node }))
    }

    /// Whether the store ever had the key: it holds it, or it was destroyed there.
    #[must_use]
    pub fn knows(&self, id: KeyId) -> bool {
        self.known.contains_key(&id)
    }

    /// Whether the key was destroyed in the store.
    #[must_use]
    pub fn is_destroyed(&self, id: KeyId) -> bool {
        matches!(self.known.get(&id), Some(None))
    }

    /// Why no key can be opened here, where the node key is not at hand.
    #[must_use]
    pub fn why_not_opened(&self) -> Option<&str> {
        self.node.as_ref().err().map(String::as_str)
    }

    /// Whether the slot of a key holds what the node key opens. Not so only where that was tried: one that
    /// was destroyed, also since the list was read, need not open.
    pub fn is_sound(&self, id: KeyId) -> Result<bool, Error> {
        match (self.known.get(&id), &self.node) {
            (Some(Some(place)), Ok(node)) => self.slots.is_sound(*place, id, node),
            (Some(_) | None, _) => Ok(true),
        }
    }
}

/// The node key for who may read it: who checks the log need not be its node.
fn node_at_hand(directory: &Path) -> Result<Result<Key, String>, Error> {
    match node_key::load(directory, false) {
        Ok(node) => Ok(Ok(node)),
        Err(Error::NodeKeyMissing { path }) => Ok(Err(format!("there is no {}", path.display()))),
        Err(Error::Io { source, path, .. }) if source.kind() == ErrorKind::PermissionDenied => {
            Ok(Err(format!("{} is not for this account", path.display())))
        }
        Err(Error::NodeKeyRefused { path, why: node_key::FOREIGN }) => {
            Ok(Err(format!("{} {}", path.display(), node_key::FOREIGN)))
        }
        Err(error) => Err(error),
    }
}
