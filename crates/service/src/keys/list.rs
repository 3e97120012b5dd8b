//! Which keys a store has, for those who compare it with the log: without its secrets, and beside its node.

use std::collections::HashSet;
use std::path::Path;

use super::slots::{Content, Slots};
use super::{Error, KeyId};

/// The ids of the keys of a store, as its file of slots has them at one moment.
#[derive(Debug)]
pub struct KeyList {
    known: HashSet<KeyId>,
}

impl KeyList {
    /// Reads the file of slots in a key store's directory; none where there is none. Locks nothing, opens
    /// no key, and does not need the node key.
    pub fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let Some(slots) = Slots::look(directory)? else { return Ok(None) };
        let mut known = HashSet::new();
        slots.scan(|_, content| match content {
            Content::Key(id) | Content::Gone(id) => {
                known.insert(id);
            }
            Content::Empty | Content::Damaged => {}
        })?;
        Ok(Some(Self { known }))
    }

    /// Whether the store ever had the key: it holds it, or it was destroyed there.
    #[must_use]
    pub fn knows(&self, id: KeyId) -> bool {
        self.known.contains(&id)
    }
}
