//! The head of every stream, in memory: what guards an acceptance rests on the log alone.

use std::sync::{PoisonError, RwLock};

use crate::proofs::heads_tree::StreamHead;
use crate::record::{LeafHash, Position, StreamId, Version};
use crate::streams::table::StreamTable;

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
pub(crate) struct Heads(RwLock<StreamTable<HeadEntry>>);

impl Heads {
    pub(crate) fn new(table: StreamTable<HeadEntry>) -> Heads {
        Heads(RwLock::new(table))
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<HeadEntry> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(stream).copied()
    }

    /// Adds the heads of some streams to `out`, in their order. Where they are far away in memory the
    /// processor fetches many at once, as nothing else is done in between.
    pub(crate) fn get_each(
        &self,
        streams: impl Iterator<Item = StreamId>,
        out: &mut Vec<Option<HeadEntry>>,
    ) {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        out.extend(streams.map(|stream| table.get(stream).copied()));
    }

    pub(crate) fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The heads of all streams, in no order.
    pub(crate) fn all(&self) -> Vec<StreamHead> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table
            .iter()
            .map(|(stream, entry)| StreamHead {
                stream: *stream,
                version: Version(entry.version),
                position: Position(entry.position),
            })
            .collect()
    }

    pub(crate) fn set(&self, entries: impl Iterator<Item = (StreamId, HeadEntry)>) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (stream, entry) in entries {
            table.insert(stream, entry);
        }
    }
}
