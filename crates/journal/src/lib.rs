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
#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths and offsets of the format are 32 bits wide and limited before they are cast"
)]

mod answers;
mod aside;
mod background;
mod backup;
mod batch;
mod by_stream;
mod checkpoint;
mod checkpoints;
mod direct;
mod directory;
pub mod disk;
mod draft;
mod envelope;
mod error;
mod footer;
mod footers;
mod format;
mod hashes;
mod heads;
mod heads_tree;
mod import;
mod index;
mod journal;
mod lanes;
mod large_pages;
mod lock;
mod log;
mod log_keys;
pub mod measure;
pub mod note;
mod object;
mod options;
mod postings;
mod proof;
mod prover;
mod queue;
mod reader;
mod record;
mod recover;
mod repair;
mod scan;
mod seal;
mod shelf;
mod stream_proof;
mod stream_table;
mod template;
mod tiles;
mod tlog_proof;
mod travel;
pub mod tree;
mod upkeep;
mod verify;
mod writer;
mod zeros;

pub use answers::{Pending, PendingAll};
pub use backup::{CopyReport, backup, restore};
pub use checkpoint::Checkpoint;
pub use checkpoints::{Checkpoints, StoredCheckpoint};
pub use draft::{Draft, EncodeError, NoProjection, Projection, SummaryVisitor};
pub use envelope::Envelope;
pub use error::{Error, Fault};
pub use heads_tree::{HeadsRoot, StreamHead};
pub use import::Import;
pub use journal::Journal;
pub use lock::Lock;
pub use log_keys::{KnownKey, LogKeys};
pub use options::{IndexRebuild, OpenReport, Options, Progress, TornTail};
pub use proof::{ConsistencyProof, InclusionProof};
pub use reader::Reader;
pub use record::{
    Appended, Expected, Head, LeafHash, MAX_RECORD_BYTES, Position, Record, StreamId, Version,
};
pub use repair::{
    Evidence, RepairOptions, RepairReport, RepairedSegment, Restored, Source, repair,
};
pub use stream_proof::{ProofError, StreamProof};
pub use tiles::{TilesReport, export_tiles};
pub use tlog_proof::{TlogProof, TlogProofError};
pub use travel::AsOf;
pub use verify::{
    Seen, VerifyProgress, VerifyReport, verify, verify_against, verify_at_least, verify_on,
};
