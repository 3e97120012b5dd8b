//! What every audit of a data directory needs: its log, and guidance old and new.

use std::path::{Path, PathBuf};

use ::guidance::Library;

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
        journal(&self.data)
    }

    /// The built-in guidance, and that of every directory.
    pub(super) fn libraries(&self) -> Result<Vec<Library>, CliError> {
        let given = self.guidance.iter().map(|directory| law::library(Some(directory)));
        std::iter::once(law::library(None)).chain(given).collect()
    }
}

fn journal(data: &Path) -> Result<PathBuf, CliError> {
    let directory = service::node::journal_dir(data);
    if directory.join("log").is_dir() {
        return Ok(directory);
    }
    Err(CliError::message(format!(
        "{} holds no record; --data names the data directory of a node",
        data.display()
    )))
}
