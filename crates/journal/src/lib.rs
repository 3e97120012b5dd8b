//! The embedded event store: log segments, index, Merkle tree and verification.
//!
//! In scope: appending records to streams so that an acknowledged record is never lost; reading
//! them by position and by stream; following the log; proving that it is whole. Out of scope: what
//! the records mean. Of a record the journal reads `subject`, `caseversion`, `prev` and `time`.
//!
//! ```no_run
//! # fn main() -> Result<(), journal::Error> {
//! use std::sync::Arc;
//! use journal::{Journal, NoProjection, Options, Position};
//!
//! let directory = std::path::Path::new("data");
//! let options = Options::default();
//! let (journal, report) =
//!     Journal::open(directory, options, Arc::new(NoProjection), &mut |_| {})?;
//! println!("{} records", report.last);
//! for record in journal.read(Position(1), 100)? {
//!     println!("{} {}", record.position, record.leaf());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! *Invariant:* the log is the truth; footers and index follow from it and can be thrown away.
//! *Invariant:* a group is written only after the group before it is durable.
//! *Invariant:* only what is durable is visible, to callers, followers and readers alike.
//! *Invariant:* after a failed write nothing more is written until the log is opened again.
//! *Invariant:* no type of sled leaves this crate.
#![cfg_attr(
    test,
    expect(clippy::cast_possible_truncation, reason = "tests cast numbers that they have chosen")
)]

mod append;
mod background;
mod copies;
pub mod disk;
mod envelope;
mod error;
mod index;
mod journal;
pub mod measure;
mod options;
mod proofs;
mod reader;
mod record;
mod recover;
mod repair;
mod segments;
mod shared;
mod signed;
mod streams;
mod travel;
mod upkeep;
mod verify;
mod writer;

pub use append::answers::{Pending, PendingAll};
pub use append::draft::{Draft, EncodeError};
pub use copies::backup::{CopyReport, backup, restore};
pub use copies::import::Import;
pub use copies::tiles::{TilesReport, export_tiles};
pub use disk::lock::Lock;
pub use envelope::Envelope;
pub use error::{Error, Fault};
pub use index::projection::{NoProjection, Projection, SummaryVisitor};
pub use index::seen::{Unseen, seen_by_index};
pub use journal::Journal;
pub use options::{IndexRebuild, OpenReport, Options, Progress, TornTail};
pub use proofs::heads_tree::{HeadsRoot, StreamHead};
pub use proofs::proof::{ConsistencyProof, InclusionProof};
pub use proofs::stream_proof::{ProofError, StreamProof};
pub use proofs::tlog_proof::{TlogProof, TlogProofError};
pub use proofs::tree;
pub use reader::Reader;
pub use record::{
    Appended, Expected, Head, LeafHash, MAX_RECORD_BYTES, Position, Record, StreamId, Version,
};
pub use repair::{
    ProvedBy, RepairOptions, RepairReport, RepairedCheckpoint, RepairedSegment, Restored, Source,
    repair,
};
pub use signed::checkpoint::Checkpoint;
pub use signed::checkpoints::{Checkpoints, StoredCheckpoint};
pub use signed::log_keys::{KnownKey, LogKeys};
pub use signed::note;
pub use travel::AsOf;
pub use verify::{
    Seen, VerifyProgress, VerifyReport, verify, verify_against, verify_at_least, verify_on,
};
