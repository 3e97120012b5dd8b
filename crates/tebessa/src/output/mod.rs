//! What people and programs see: the terminal, colours, tables, progress, errors and exit codes.
//!
//! *Invariant:* answers go to standard output, everything about the way to them to standard error.
//! *Invariant:* no control character of a record or a message reaches a terminal.

mod error;
mod progress;
mod style;
mod table;
mod terminal;
mod text;

pub(crate) use error::{CliError, Exit};
pub(crate) use progress::{Bar, OpenProgress, Steps};
pub(crate) use style::{ASIDE, BAD, GOOD, NAME, of_outcome, of_status};
pub(crate) use table::Table;
pub(crate) use terminal::{NO_WIDTH, Output, Screen, line, note, terminal_width, width};
pub(crate) use text::{bytes, count, grouped, hanging, plain, words, wrapped};
