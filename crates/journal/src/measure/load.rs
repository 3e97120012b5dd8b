//! The records that are measured with, and logs full of them.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::append::answers::PendingAll;
use crate::append::draft::Draft;
use crate::append::template::{Stamp, TIME_BYTES, Template};
use crate::error::Error;
use crate::index::projection::Projection;
use crate::journal::Journal;
use crate::options::Options;
use crate::record::{Expected, LeafHash, Record, StreamId, Version};

/// The length of a record with a usual head, in bytes.
pub(super) const RECORD_BYTES: usize = 600;

/// A record of 600 bytes, or a little less where its number in the stream is short.
#[derive(Serialize)]
pub(super) struct Load<'a> {
    specversion: &'static str,
    subject: StreamId,
    time: (),
    caseversion: (),
    prev: (),
    data: &'a RawValue,
}

/// Makes drafts for a number of streams. What they have in `data` is the same for all of them, and
/// written once: how fast that goes is not what is measured.
pub(super) struct Loader {
    data: Box<RawValue>,
}

impl Loader {
    pub(super) fn new() -> Result<Loader, Error> {
        let wrong = |error: serde_json::Error| Error::Request(error.to_string());
        let empty = to_raw_value("").map_err(wrong)?;
        let (head, mut bytes) = (Loader { data: empty }, Vec::new());
        let mut template = Template::new(stream(0));
        template.encode(&head.draft(stream(0)), &mut bytes)?;
        let (prev, version, time) = (LeafHash::NONE, Version(9_999_999), &[b'0'; TIME_BYTES]);
        let mut stamped = Vec::new();
        template.stamp(&bytes, &Stamp { version, prev, time }, &mut stamped);
        let data = "x".repeat(RECORD_BYTES.saturating_sub(stamped.len()));
        Ok(Loader { data: to_raw_value(&data).map_err(wrong)? })
    }

    pub(super) fn draft(&self, stream: StreamId) -> Load<'_> {
        let data = &*self.data;
        Load { specversion: "1.0", subject: stream, time: (), caseversion: (), prev: (), data }
    }
}

/// A stream by number, with an id as scattered as a random one.
pub(super) fn stream(number: u64) -> StreamId {
    let high = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let low = (high ^ (high >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    StreamId(Uuid::from_u64_pair(low, high))
}

impl Draft for Load<'_> {
    fn stream(&self) -> StreamId {
        self.subject
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
    pub(super) fn new(number: u64, streams: u64) -> Result<Appends, Error> {
        Ok(Appends { loader: Loader::new()?, number, streams: streams.max(1) })
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
    Appends::new(report.last.0, streams)?.run(&journal, missing, progress)?;
    journal.close()
}
