//! What is signed about the log, by which keys, and what was signed before.

pub(crate) mod checkpoint;
pub(crate) mod checkpoints;
pub(crate) mod log_keys;
pub mod note;
