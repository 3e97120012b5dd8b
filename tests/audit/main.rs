//! The audit: replay, and the dossier that no changed byte passes.

mod as_of;
mod card;
mod dossier;
mod replay;
mod time_limits;
mod what_if;
