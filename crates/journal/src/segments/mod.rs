//! The log in its segments: their bytes, what is known of them, and how a record is found.

pub(crate) mod by_stream;
pub(crate) mod directory;
pub(crate) mod files;
pub(crate) mod footer;
pub(crate) mod format;
pub(crate) mod group;
pub(crate) mod log;
pub(crate) mod scan;
pub(crate) mod seal;
pub(crate) mod segment;
