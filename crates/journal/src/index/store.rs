//! The sled tree of the index: its keys and values. Every call is guarded against panics.
//!
//! `m` → what the index is; `s` first position → stream, version and summary. One small key a
//! stream, and no more: each key costs sled a hundred times what it costs the log.

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::index::projection::SummaryVisitor;
use crate::record::{LeafHash, Position, StreamId};
use crate::segments::format::{Fields, put_varint};

/// The version of the index's keys and values.
pub(crate) const INDEX_FORMAT: u32 = 2;
/// How many keys sled takes at once. It frees what a batch replaced only behind the batch's end,
/// and for each key it copies a whole page.
const PART_KEYS: usize = 512;

/// The index cannot be used any more; the reason is for the log file only.
#[derive(Debug, Clone)]
pub(crate) struct Damage(pub(crate) String);

impl From<sled::Error> for Damage {
    fn from(error: sled::Error) -> Damage {
        Damage(error.to_string())
    }
}

/// What the index says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) format: u32,
    pub(crate) projection: u32,
    pub(crate) log: Uuid,
    /// Every record up to here is applied.
    pub(crate) applied: u64,
    /// No record behind this one is applied, but some up to it may be.
    pub(crate) seen: u64,
    /// The leaf hash of the record at `applied`.
    pub(crate) leaf: LeafHash,
}

/// A stream's summary, and after which of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) version: u64,
    pub(crate) bytes: Vec<u8>,
}

/// A summary that is to be written, where its stream's first record is at `first`.
#[derive(Debug)]
pub(crate) struct Changed<'a> {
    pub(crate) first: u64,
    pub(crate) stream: StreamId,
    pub(crate) version: u64,
    pub(crate) summary: &'a [u8],
}

/// The open index.
pub(crate) struct Store {
    db: sled::Db,
}

/// Runs one call into sled, which panics on damage, and makes an error of that.
fn guard<T>(call: impl FnOnce() -> Result<T, Damage>) -> Result<T, Damage> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(Damage("sled panicked".to_owned())))
}

fn summary_key(first: u64) -> [u8; 9] {
    let mut key = [b's'; 9];
    key.split_at_mut(1).1.copy_from_slice(&first.to_be_bytes());
    key
}

/// The stream, the version and the summary in a value.
fn parts(value: &[u8]) -> Result<(StreamId, u64, &[u8]), Damage> {
    let mut fields = Fields(value);
    let read = fields.array().zip(fields.varint());
    let (stream, version) = read.ok_or_else(|| Damage("a summary is damaged".to_owned()))?;
    Ok((StreamId(Uuid::from_bytes(stream)), version, fields.0))
}

impl Meta {
    fn encode(&self) -> Vec<u8> {
        let mut out = self.format.to_le_bytes().to_vec();
        out.extend_from_slice(&self.projection.to_le_bytes());
        out.extend_from_slice(self.log.as_bytes());
        out.extend_from_slice(&self.applied.to_le_bytes());
        out.extend_from_slice(&self.leaf.0);
        out.extend_from_slice(&self.seen.to_le_bytes());
        out
    }

    /// An index of the format before has no `seen`; it still says how far it had come.
    fn decode(bytes: &[u8]) -> Option<Meta> {
        let mut fields = Fields(bytes);
        let (format, projection) = (fields.u32()?, fields.u32()?);
        let log = Uuid::from_bytes(fields.array()?);
        let (applied, leaf) = (fields.u64()?, LeafHash(fields.array()?));
        let seen = if format == 1 { applied } else { fields.u64()? };
        fields.0.is_empty().then_some(Meta { format, projection, log, applied, seen, leaf })
    }
}

/// How long the threads of a handle that was dropped may take to let go of the directory. The
/// journal's own lock keeps other programs out, so nobody else can hold it.
const RELEASE: Duration = Duration::from_secs(5);
/// Sled tells nobody when it lets go.
const POLL: Duration = Duration::from_millis(2);

/// Whether the directory is still held; sled says so in words only.
fn is_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// Blocks until sled's threads have let go of a directory whose last handle was dropped, or have
/// taken too long for it: who closes a journal may unmount its disk.
pub(crate) fn wait_for_release(directory: &Path) {
    let Ok(file) = File::open(directory.join("db")) else { return };
    let begin = Instant::now();
    while matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && begin.elapsed() < RELEASE {
        thread::sleep(POLL);
    }
}

impl Store {
    /// Opens or makes the index in a directory.
    pub(crate) fn open(directory: &Path, cache_bytes: u64) -> Result<Store, Damage> {
        let config =
            sled::Config::new().path(directory).cache_capacity(cache_bytes).flush_every_ms(None);
        let begin = Instant::now();
        guard(|| {
            loop {
                match config.open() {
                    Err(error) if is_held(&error) && begin.elapsed() < RELEASE => {
                        thread::sleep(POLL);
                    }
                    opened => return Ok(Store { db: opened? }),
                }
            }
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

    /// Applies summaries, given in the order of their streams' first positions, and then the new
    /// cursor. Not at once: a stop in between leaves summaries that are newer than the cursor,
    /// which their versions tell.
    pub(crate) fn apply(
        &self,
        applied: u64,
        leaf: LeafHash,
        summaries: &[Changed<'_>],
        meta: &Meta,
    ) -> Result<(), Damage> {
        let coming = Meta { applied, leaf, ..*meta };
        let whole = summaries.len() <= PART_KEYS;
        if !whole {
            guard(|| Ok(self.db.insert(b"m", coming.encode()).map(drop)?))?;
        }
        let mut parts = summaries.chunks(PART_KEYS).peekable();
        while let Some(part) = parts.next() {
            let mut batch = sled::Batch::default();
            for Changed { first, stream, version, summary } in part {
                let mut value = Vec::with_capacity(summary.len() + 20);
                value.extend_from_slice(stream.0.as_bytes());
                put_varint(&mut value, *version);
                value.extend_from_slice(summary);
                batch.insert(summary_key(*first).as_slice(), value);
            }
            if parts.peek().is_none() {
                batch.insert(b"m", meta.encode());
            }
            guard(|| Ok(self.db.apply_batch(batch)?))?;
        }
        if summaries.is_empty() {
            guard(|| Ok(self.db.insert(b"m", meta.encode()).map(drop)?))?;
        }
        Ok(())
    }

    /// The summary of the stream whose first record is at `first`.
    pub(crate) fn summary(&self, first: u64) -> Result<Option<Summary>, Damage> {
        guard(|| {
            let Some(value) = self.db.get(summary_key(first))? else { return Ok(None) };
            let (_, version, bytes) = parts(&value)?;
            Ok(Some(Summary { version, bytes: bytes.to_vec() }))
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
            let first = key.get(1..).and_then(<[u8]>::first_chunk);
            let first = first.ok_or_else(|| Damage("a summary's key is damaged".to_owned()))?;
            let (stream, _, summary) = parts(&value)?;
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
