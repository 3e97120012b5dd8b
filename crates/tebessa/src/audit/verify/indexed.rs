//! How far the index beside a log has seen it: where no node can be asked, it alone may know of records that
//! the log has lost.

use std::path::Path;

use journal::{Position, Reader, seen_by_index};

use super::Stop;
use crate::output::CliError;

/// The last position that the index has seen, or why that is not known.
pub(super) struct Indexed(Result<Position, String>);

impl Indexed {
    /// Reads it in a copy: nothing is changed in the data directory.
    pub(super) fn read(directory: &Path) -> Result<Self, Stop> {
        let id = Reader::id_in(directory)?;
        let scratch = tempfile::tempdir()
            .map_err(|error| CliError::caused("no directory for a copy of the index", error));
        Ok(Self(match scratch {
            Ok(scratch) => {
                seen_by_index(directory, id, scratch.path()).map_err(|error| service::chain(&error))
            }
            Err(error) => Err(service::chain(&error)),
        }))
    }

    /// What the log must have; 0 where that is not known.
    pub(super) fn position(&self) -> u64 {
        self.0.as_ref().map_or(0, |position| position.0)
    }

    pub(super) const fn known(&self) -> bool {
        self.0.is_ok()
    }

    /// What was found without a fault.
    pub(super) fn words(&self) -> String {
        match &self.0 {
            Ok(position) => format!(
                "it has seen position {position}, which the log has; its list of cases is compared \
                 where a node runs"
            ),
            Err(why) => {
                format!("{why}; whether the log has all that was acknowledged, it cannot say")
            }
        }
    }
}
