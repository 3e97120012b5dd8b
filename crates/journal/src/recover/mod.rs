//! Opening a log: what is read, what is cut, what is refused.
//!
//! Everything is read and judged before anything is changed.

mod footers;
mod fresh;
mod state;
mod tail;

use std::sync::Arc;

use uuid::Uuid;

use crate::disk::Disk;
use crate::error::Error;
use crate::options::{OpenReport, Options, Progress};
use crate::proofs::prover::Prover;
use crate::proofs::tree::Tree;
use crate::record::Position;
use crate::recover::fresh::begin;
use crate::recover::state::{State, find_segments};
use crate::segments::log::Log;
use crate::segments::segment::Segment;
use crate::signed::checkpoints::Promised;
use crate::streams::heads::HeadEntry;
use crate::streams::postings::Lists;
use crate::streams::table::StreamTable;

pub(crate) use fresh::name_spare;

/// A log that was read and may be written on.
pub(crate) struct Recovered {
    pub(crate) log: Log,
    pub(crate) heads: StreamTable<HeadEntry>,
    pub(crate) postings: Lists,
    pub(crate) tree: Tree,
    pub(crate) last_time_us: i64,
    /// The segment to write on, and where.
    pub(crate) tail: Tail,
    pub(crate) report: OpenReport,
}

/// The segment that groups are written to.
pub(crate) struct Tail {
    pub(crate) segment: Arc<Segment>,
    /// Where the next group begins.
    pub(crate) end: u64,
    /// The number of the tile that was unfinished when the segment began.
    pub(crate) first_tile: u64,
}

/// Reads the log on a disk and makes it ready for writing; `seen` is which log the index has seen,
/// and up to which position; `promised` is what the checkpoints beside it say.
pub(crate) fn recover(
    disk: &Arc<dyn Disk>,
    options: &Options,
    seen: Option<(Uuid, Position)>,
    promised: &Promised,
    progress: &mut dyn FnMut(Progress),
) -> Result<Recovered, Error> {
    let signed = promised.up_to;
    let found = find_segments(disk.as_ref())?;
    let Some(last) = found.last() else {
        return begin(disk, options, seen.map_or(signed, |(_, position)| position.max(signed)));
    };
    let total = found.len() as u64;
    let mut state = State::of(last.header()?.log);
    let mut end = None;
    for (done, segment) in found.iter().enumerate() {
        let next = found.get(done + 1).map(|next| next.first);
        end = state.take_in(segment, next)?;
        progress(Progress::Log { done: done as u64 + 1, total });
    }
    state.take_streams()?;
    state.complete_tree()?;
    promised.compare(&Prover { log: &state.log, tree: state.tree.clone() })?;
    // The index of another log says nothing about this one.
    let seen =
        seen.filter(|(log, _)| *log == state.log.id).map_or(signed, |(_, at)| at.max(signed));
    state.judge_and_mend(disk, options, seen, end)
}
