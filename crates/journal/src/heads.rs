//! The head of every stream, in memory: what guards an acceptance rests on the log alone.

use std::sync::{PoisonError, RwLock};

use crate::directory::StreamMap;
use crate::heads_tree::StreamHead;
use crate::record::{LeafHash, Position, StreamId, Version};

/// The last durable record of a stream, as kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadEntry {
    pub(crate) version: u64,
    pub(crate) position: u64,
    /// Not kept in footers: hashed from the record when it is first asked for.
    pub(crate) leaf: Option<LeafHash>,
}

/// The heads of all streams.
#[derive(Debug, Default)]
pub(crate) struct Heads(RwLock<StreamMap<HeadEntry>>);

impl Heads {
    pub(crate) fn new(map: StreamMap<HeadEntry>) -> Heads {
        Heads(RwLock::new(map))
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<HeadEntry> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&stream).copied()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The heads of all streams, in no order.
    pub(crate) fn all(&self) -> Vec<StreamHead> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.iter()
            .map(|(stream, entry)| StreamHead {
                stream: *stream,
                version: Version(entry.version),
                position: Position(entry.position),
            })
            .collect()
    }

    pub(crate) fn set(&self, entries: impl Iterator<Item = (StreamId, HeadEntry)>) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (stream, entry) in entries {
            map.insert(stream, entry);
        }
    }
}
