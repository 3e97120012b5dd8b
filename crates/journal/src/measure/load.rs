//! The records that are measured with, and logs full of them.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::draft::{Draft, EncodeError, NoProjection};
use crate::error::Error;
use crate::journal::Journal;
use crate::options::Options;
use crate::queue::Pending;
use crate::record::{Expected, Position, Slot, StreamId};

/// The length of a record with a usual head, in bytes.
pub(super) const RECORD_BYTES: usize = 600;

/// A record of 600 bytes.
pub(super) struct Load {
    stream: StreamId,
    filler: Arc<str>,
}

/// Makes drafts for a number of streams.
pub(super) struct Loader {
    filler: Arc<str>,
}

impl Loader {
    pub(super) fn new() -> Loader {
        Loader { filler: "x".repeat(RECORD_BYTES).into() }
    }

    pub(super) fn draft(&self, stream: StreamId) -> Box<dyn Draft> {
        Box::new(Load { stream, filler: Arc::clone(&self.filler) })
    }
}

/// A stream by number, with an id as scattered as a random one.
pub(super) fn stream(number: u64) -> StreamId {
    let high = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let low = (high ^ (high >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    StreamId(Uuid::from_u64_pair(low, high))
}

impl Draft for Load {
    fn stream(&self) -> StreamId {
        self.stream
    }

    fn encode(&self, slot: &Slot, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        use std::io::Write;
        write!(
            out,
            "{{\"specversion\":\"1.0\",\"subject\":\"{}\",\"time\":\"{}\",\"caseversion\":{},\"prev\":\"{}\",\"data\":\"",
            self.stream, slot.time, slot.version, slot.prev
        )
        .map_err(|error| EncodeError(error.to_string()))?;
        let rest = RECORD_BYTES.saturating_sub(out.len() + 2);
        out.extend_from_slice(self.filler.as_bytes().get(..rest).unwrap_or_default());
        out.extend_from_slice(b"\"}");
        Ok(())
    }
}

/// Fills the journal in a directory up to `records` records over `streams` streams, each stream's
/// records scattered over the whole log, and closes it.
pub fn fill(
    directory: &Path,
    records: u64,
    streams: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let (journal, report) =
        Journal::open(directory, Options::default(), Arc::new(NoProjection), &mut |_| {})?;
    let loader = Loader::new();
    let mut waiting: Option<Vec<Pending>> = None;
    let Position(mut number) = report.last;
    while number < records {
        let end = records.min(number + 2048);
        let drafts = (number..end).map(|number| {
            // A stride that is prime to most numbers of streams visits all of them in turn.
            (loader.draft(stream(number.wrapping_mul(7_919) % streams.max(1))), Expected::Any)
        });
        let next = journal.append_all(drafts);
        for pending in waiting.replace(next).into_iter().flatten() {
            pending.wait()?;
        }
        number = end;
        progress(number);
    }
    for pending in waiting.into_iter().flatten() {
        pending.wait()?;
    }
    journal.close()
}
