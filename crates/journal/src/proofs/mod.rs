//! The Merkle trees over records and heads, and what is proved with them: no file and no key.

pub(crate) mod hashes;
pub(crate) mod heads_tree;
pub(crate) mod lanes;
pub(crate) mod proof;
pub(crate) mod prover;
pub(crate) mod stream_proof;
pub(crate) mod tlog_proof;
pub mod tree;
