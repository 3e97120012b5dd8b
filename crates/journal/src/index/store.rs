//! The sled tree of the index: its keys and values. Every call is guarded against panics.
//!
//! `m` → what the index is; `p` stream chunk → postings, 64 records a chunk; `s` first position →
//! stream and summary.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use uuid::Uuid;

use crate::draft::SummaryVisitor;
use crate::format::{Fields, put_varint};
use crate::record::{LeafHash, Position, StreamId};

/// The version of the index's keys and values.
pub(crate) const INDEX_FORMAT: u32 = 1;
/// How many records one posting chunk holds.
pub(crate) const CHUNK: u64 = 64;

/// The index cannot be used any more; the reason is for the log file only.
#[derive(Debug, Clone)]
pub(crate) struct Damage(pub(crate) String);

impl From<sled::Error> for Damage {
    fn from(error: sled::Error) -> Damage {
        Damage(error.to_string())
    }
}

/// Where a record of a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) position: u64,
    pub(crate) offset: u64,
}

/// What the index says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) format: u32,
    pub(crate) projection: u32,
    pub(crate) log: Uuid,
    pub(crate) applied: u64,
    /// The leaf hash of the record at `applied`.
    pub(crate) leaf: LeafHash,
}

/// The open index.
pub(crate) struct Store {
    db: sled::Db,
}

/// Runs one call into sled, which panics on damage, and makes an error of that.
fn guard<T>(call: impl FnOnce() -> Result<T, Damage>) -> Result<T, Damage> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(Damage("sled panicked".to_owned())))
}

fn chunk_key(stream: StreamId, chunk: u64) -> [u8; 21] {
    let mut key = [b'p'; 21];
    let (_, rest) = key.split_at_mut(1);
    let (id, number) = rest.split_at_mut(16);
    id.copy_from_slice(stream.0.as_bytes());
    number.copy_from_slice(&(chunk as u32).to_be_bytes());
    key
}

fn summary_key(first: u64) -> [u8; 9] {
    let mut key = [b's'; 9];
    key.split_at_mut(1).1.copy_from_slice(&first.to_be_bytes());
    key
}

/// Encodes postings: position (the first whole, then what is added), offset.
pub(crate) fn encode_chunk(postings: &[Posting]) -> Vec<u8> {
    let mut out = Vec::with_capacity(postings.len() * 8);
    let mut before = 0;
    for posting in postings {
        put_varint(&mut out, posting.position - before);
        put_varint(&mut out, posting.offset);
        before = posting.position;
    }
    out
}

fn decode_chunk(bytes: &[u8], into: &mut Vec<Posting>) -> Result<(), Damage> {
    let mut fields = Fields(bytes);
    let mut position = 0;
    while !fields.0.is_empty() {
        let read = fields.varint().zip(fields.varint());
        let (more, offset) = read.ok_or_else(|| Damage("a posting is damaged".to_owned()))?;
        position += more;
        into.push(Posting { position, offset });
    }
    Ok(())
}

impl Meta {
    fn encode(&self) -> Vec<u8> {
        let mut out = self.format.to_le_bytes().to_vec();
        out.extend_from_slice(&self.projection.to_le_bytes());
        out.extend_from_slice(self.log.as_bytes());
        out.extend_from_slice(&self.applied.to_le_bytes());
        out.extend_from_slice(&self.leaf.0);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Meta> {
        let mut fields = Fields(bytes);
        let (format, projection) = (fields.u32()?, fields.u32()?);
        let log = Uuid::from_bytes(fields.array()?);
        let (applied, leaf) = (fields.u64()?, LeafHash(fields.array()?));
        fields.0.is_empty().then_some(Meta { format, projection, log, applied, leaf })
    }
}

impl Store {
    /// Opens or makes the index in a directory.
    pub(crate) fn open(directory: &Path, cache_bytes: u64) -> Result<Store, Damage> {
        guard(|| {
            let db = sled::Config::new()
                .path(directory)
                .cache_capacity(cache_bytes)
                .flush_every_ms(None)
                .open()?;
            Ok(Store { db })
        })
    }

    pub(crate) fn meta(&self) -> Result<Option<Meta>, Damage> {
        guard(|| match self.db.get(b"m")? {
            None => Ok(None),
            Some(bytes) => Meta::decode(&bytes)
                .map(Some)
                .ok_or_else(|| Damage("what the index says about itself is damaged".to_owned())),
        })
    }

    /// Applies changes and the new cursor at once.
    pub(crate) fn apply(&self, changes: Changes, meta: &Meta) -> Result<(), Damage> {
        let mut batch = changes.batch;
        batch.insert(b"m", meta.encode());
        guard(|| Ok(self.db.apply_batch(batch)?))
    }

    /// The postings of one chunk.
    pub(crate) fn chunk(&self, stream: StreamId, chunk: u64) -> Result<Vec<Posting>, Damage> {
        guard(|| {
            let mut postings = Vec::new();
            if let Some(bytes) = self.db.get(chunk_key(stream, chunk))? {
                decode_chunk(&bytes, &mut postings)?;
            }
            Ok(postings)
        })
    }

    /// The postings of a stream from its first record on, at most `most`.
    pub(crate) fn postings(&self, stream: StreamId, most: u64) -> Result<Vec<Posting>, Damage> {
        let mut postings = Vec::new();
        let mut chunk = 0;
        while (postings.len() as u64) < most {
            let more = self.chunk(stream, chunk)?;
            let full = more.len() as u64 == CHUNK;
            postings.extend(more);
            if !full {
                break;
            }
            chunk += 1;
        }
        postings.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(postings)
    }

    /// The summary of the stream whose first record is at `first`.
    pub(crate) fn summary(&self, first: u64) -> Result<Option<Vec<u8>>, Damage> {
        guard(|| {
            let value = self.db.get(summary_key(first))?;
            Ok(value.and_then(|value| value.get(16..).map(<[u8]>::to_vec)))
        })
    }

    pub(crate) fn summaries(
        &self,
        after: Option<Position>,
        visit: &mut SummaryVisitor<'_>,
    ) -> Result<(), Damage> {
        let from = summary_key(after.map_or(0, |after| after.0 + 1));
        let mut entries = guard(|| Ok(self.db.range(from.as_slice()..b"t".as_slice())))?;
        // The visitor's own panics are not sled's: only the step is guarded.
        while let Some((key, value)) = guard(|| Ok(entries.next().transpose()?))? {
            let parts =
                key.get(1..).and_then(<[u8]>::first_chunk).zip(value.split_first_chunk::<16>());
            let (first, (stream, summary)) =
                parts.ok_or_else(|| Damage("a summary is damaged".to_owned()))?;
            let stream = StreamId(Uuid::from_bytes(*stream));
            if visit(stream, Position(u64::from_be_bytes(*first)), summary).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// All keys and values in order, each with its length before it.
    pub(crate) fn logical_dump(&self) -> Result<Vec<u8>, Damage> {
        guard(|| {
            let mut out = Vec::new();
            for entry in self.db.iter() {
                let (key, value) = entry?;
                for part in [&key, &value] {
                    put_varint(&mut out, part.len() as u64);
                    out.extend_from_slice(part);
                }
            }
            Ok(out)
        })
    }

    /// Hands what is buffered to the system. Durable only after the files are synced.
    pub(crate) fn flush(&self) -> Result<(), Damage> {
        guard(|| {
            self.db.flush()?;
            Ok(())
        })
    }
}

/// Changes that are applied at once.
#[derive(Default)]
pub(crate) struct Changes {
    batch: sled::Batch,
}

impl Changes {
    pub(crate) fn chunk(&mut self, stream: StreamId, chunk: u64, postings: &[Posting]) {
        self.batch.insert(chunk_key(stream, chunk).as_slice(), encode_chunk(postings));
    }

    pub(crate) fn summary(&mut self, first: u64, stream: StreamId, summary: &[u8]) {
        let mut value = stream.0.as_bytes().to_vec();
        value.extend_from_slice(summary);
        self.batch.insert(summary_key(first).as_slice(), value);
    }
}
