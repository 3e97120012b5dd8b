//! The records that are measured with, and logs full of them.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::answers::PendingAll;
use crate::draft::{Draft, EncodeError, Projection};
use crate::error::Error;
use crate::journal::Journal;
use crate::options::Options;
use crate::record::{Expected, Record, Slot, StreamId};

/// The length of a record with a usual head, in bytes.
pub(super) const RECORD_BYTES: usize = 600;

/// A record of 600 bytes.
pub(super) struct Load {
    stream: StreamId,
    rest: Arc<Rest>,
}

/// What stands behind the stream in a record, with the slot that it was written for: that is the
/// same for all of them, and how fast it is written is not what is measured.
type Rest = OnceLock<(Slot, Vec<u8>)>;

/// Makes drafts for a number of streams.
#[derive(Default)]
pub(super) struct Loader {
    rest: Arc<Rest>,
}

impl Loader {
    pub(super) fn draft(&self, stream: StreamId) -> Box<dyn Draft> {
        Box::new(Load { stream, rest: Arc::clone(&self.rest) })
    }
}

/// What stands before the stream.
const BEGIN: &[u8] = b"{\"specversion\":\"1.0\",\"subject\":\"";

/// Writes what stands behind the stream.
fn rest(slot: &Slot) -> Vec<u8> {
    let mut rest = format!(
        "\",\"time\":\"{}\",\"caseversion\":{},\"prev\":\"{}\",\"data\":\"",
        slot.time, slot.version, slot.prev
    );
    let length = RECORD_BYTES - BEGIN.len() - Hyphenated::LENGTH;
    rest.extend(std::iter::repeat_n('x', length.saturating_sub(rest.len() + 2)));
    rest.push_str("\"}");
    rest.into_bytes()
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
        let mut room = Uuid::encode_buffer();
        out.extend_from_slice(BEGIN);
        out.extend_from_slice(self.stream.0.hyphenated().encode_lower(&mut room).as_bytes());
        let (known, bytes) = self.rest.get_or_init(|| (*slot, rest(slot)));
        if known == slot {
            out.extend_from_slice(bytes);
        } else {
            out.extend_from_slice(&rest(slot));
        }
        Ok(())
    }
}

/// A projection with summaries as long as those of a case, and as cheap as can be: what is
/// measured is the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally;

/// The length of a summary in bytes.
const SUMMARY_BYTES: usize = 300;

impl Projection for Tally {
    fn version(&self) -> u32 {
        1
    }

    fn project(&self, _prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
        let mut summary = record.version.0.to_le_bytes().to_vec();
        summary.extend_from_slice(&record.time.as_microsecond().to_le_bytes());
        summary.resize(SUMMARY_BYTES, b's');
        summary
    }
}

/// Records that are appended to streams in turn, each stream's scattered over the whole log.
pub(super) struct Appends {
    loader: Loader,
    number: u64,
    streams: u64,
}

impl Appends {
    /// Begins behind `number` records.
    pub(super) fn new(number: u64, streams: u64) -> Appends {
        Appends { loader: Loader::default(), number, streams: streams.max(1) }
    }

    /// How many records there are.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Appends some more records, with several thousand on their way at any time, and waits until
    /// all are durable.
    pub(super) fn run(
        &mut self,
        journal: &Journal,
        records: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        let end = self.number + records;
        let mut on_the_way: VecDeque<PendingAll> = VecDeque::new();
        while self.number < end || !on_the_way.is_empty() {
            if self.number < end {
                let part = self.number..end.min(self.number + 2048);
                self.number = part.end;
                let drafts = part.map(|number| {
                    // A stride that is prime to most numbers of streams visits all in turn.
                    let stream = stream(number.wrapping_mul(7_919) % self.streams);
                    (self.loader.draft(stream), Expected::Any)
                });
                on_the_way.push_back(journal.append_all(drafts));
            }
            if on_the_way.len() >= 3 || self.number >= end {
                for outcome in on_the_way.pop_front().into_iter().flat_map(PendingAll::wait) {
                    outcome?;
                }
                progress(self.number);
            }
        }
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
    let options = Options::default();
    let (journal, report) = Journal::open(directory, options, Arc::new(Tally), &mut |_| {})?;
    let missing = records.saturating_sub(report.last.0);
    Appends::new(report.last.0, streams).run(&journal, missing, progress)?;
    journal.close()
}
