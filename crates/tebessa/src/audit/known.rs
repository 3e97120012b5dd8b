//! What every audit of a data directory needs: its log, and guidance old and new.

use std::path::PathBuf;

use ::guidance::Library;
use service::logs::Log;

use crate::data_directory;
use crate::law;
use crate::output::CliError;

/// Which log, and with which guidance beside the built-in.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Source {
    /// The data directory; its node may run or be stopped.
    #[arg(long, value_name = "DIR", default_value = "tebessa-data", env = "TEBESSA_DATA")]
    pub(super) data: PathBuf,
    /// A directory with guidance files beside the built-in ones, such as old versions; may be given
    /// several times.
    #[arg(long, value_name = "DIR")]
    pub(super) guidance: Vec<PathBuf>,
}

impl Source {
    /// The journal's directory, if there is a log in it.
    pub(super) fn journal(&self) -> Result<PathBuf, CliError> {
        data_directory::record(&self.data, Log::Cases)
    }

    /// The built-in guidance, and that of every directory.
    pub(super) fn libraries(&self) -> Result<Vec<Library>, CliError> {
        let given = self.guidance.iter().map(|directory| law::library(Some(directory)));
        std::iter::once(law::library(None)).chain(given).collect()
    }
}
