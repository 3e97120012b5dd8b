//! The way of a record from whoever appends it to the writer, and of the answer back.

pub(crate) mod answers;
pub(crate) mod batch;
pub(crate) mod draft;
mod object;
pub(crate) mod queue;
pub(crate) mod template;
