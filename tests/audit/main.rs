//! The audit: replay, and the dossier that no changed byte passes.

mod dossier;
mod replay;
