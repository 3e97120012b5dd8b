//! The log carried elsewhere and back: backups, imports, tiles.

mod aside;
pub(crate) mod backup;
pub(crate) mod import;
pub(crate) mod tiles;
