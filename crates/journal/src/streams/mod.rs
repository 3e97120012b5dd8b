//! What is in memory of every stream: its head, and where its records stand.

pub(crate) mod heads;
pub(crate) mod postings;
pub(crate) mod table;
