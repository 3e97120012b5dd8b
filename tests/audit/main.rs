//! The audit: replay, and the dossier that no changed byte passes.

mod card;
mod dossier;
mod replay;
