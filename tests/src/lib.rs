//! Support for the tests: a node and a NATS server, started for real.
//!
//! In scope: programs with their directories and ends. Out of scope: what a test asserts.
//!
//! *Invariant:* a test that ends, however it ends, leaves no program running.

mod copied;
mod nats;
mod node;
pub mod steps;

pub use copied::Copied;
pub use nats::NatsServer;
pub use node::{Node, Ready, binary};
