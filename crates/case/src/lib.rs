//! The rules of a case: commands, events, decide and evolve, and the record's exact bytes.
//!
//! In scope: what may happen in a case and what follows from it, as pure functions; the types
//! that records and messages consist of, with their checks and schemas.
//!
//! Out of scope: clocks, random ids, disks, networks, keys and plaintext. Time and ids come in
//! with the command; personal fields arrive sealed.
//!
//! *Invariant:* `decide` is deterministic, and `evolve` never fails on an event that `decide`
//! produced.
//! *Invariant:* a folded [`Case`] holds no words, not even sealed ones.
//! *Invariant:* every event type that was ever written can be read; a new version stands beside
//! the old.

pub mod appeals;
pub mod assessment;
pub mod card;
mod catalogue;
pub mod clocks;
mod command;
mod counted;
mod date;
pub mod deadlines;
mod decide;
pub mod decisions;
pub mod evidence;
pub mod gist;
mod ids;
pub mod intake;
mod invariant;
mod invariant_page;
mod law;
mod personal;
pub mod picture;
pub mod record;
pub mod register;
pub mod registry;
mod rejection;
mod removal;
pub mod replay;
mod schema;
mod seen;
mod state;
pub mod strict;
mod summary;
pub mod time_limits;
mod times;
pub mod token;
pub mod vocabulary;
pub mod what_if;

pub use catalogue::{CommandEntry, EventEntry};
pub use command::{Command, Event, Head, SERVICES, admit, catalogue_entry, commands, events};
pub use counted::Counted;
pub use date::{BadDate, Instant, WorldDate, whole_day};
pub use decide::{Actor, Context, decide};
pub use ids::{
    AppealId, BadId, BarId, CaseId, CausationId, CommandId, CorrelationId, DeadlineId, EventId,
    EvidenceId, HearingId, InterviewId, KeyId, MergeId, PersonId, SubmissionId, TransferId,
    UploadId, Version,
};
pub use invariant::Invariant;
pub use invariant_page::invariants_page;
pub use law::Law;
pub use personal::{Content, ContentKind, Line, Personal, PrivateDate, Sealed, Words};
pub use record::Recorded;
pub use rejection::{Code, Rejection};
pub use removal::{Bar, Reason, removal_bar};
pub use schema::{bound_integers, schemas};
pub use seen::{Leaf, Seen};
pub use state::{Answer, Case, Part, Stamp};
pub use summary::Summary;
