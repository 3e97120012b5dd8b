//! The services over NATS: commands, queries, the follower, the broker and the key store.
//!
//! In scope: everything between a message and the journal. Commands are parsed, sealed, decided
//! and made durable; queries are answered from the journal and its index; the follower mirrors
//! the journal into the stream.
//!
//! Out of scope: the rules (`case`), the law (`guidance`), the disk format (`journal`), and the
//! command line.
//!
//! *Invariant:* plaintext of personal fields exists only between a message and the seal, and
//! between opening and a reply; it is in no log line, error, subject or file.
//! *Invariant:* a command is answered as accepted only after its record is durable.
//! *Invariant:* no type of async-nats is needed to use this crate. Errors have some as their causes.

pub mod access;
mod alone;
pub mod asyncapi;
pub mod audit;
mod authority;
mod blocking;
pub mod broker;
mod cases;
pub mod checkpoints;
pub mod client;
mod clock;
pub mod documents;
mod draft;
pub mod erasure;
pub mod follower;
pub mod keys;
mod lasting;
pub mod logs;
pub mod nats;
pub mod node;
mod overheard;
pub mod personal;
mod private;
pub mod queries;
mod rectification;
mod registers;
mod regular;
mod replace;
pub mod reply;
pub mod request;
pub mod schemas;
pub mod serve;
pub mod standalone;
mod summaries;
pub mod timers;

pub use summaries::Summaries;

/// An error with the whole chain of its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many libraries repeat their cause in their own sentence.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
