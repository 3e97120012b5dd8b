//! Why a command ended: exit codes, and errors with the whole chain of their causes.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use super::style::BAD;
use super::terminal::note;
use super::text::plain;

/// How a command ended. The numbers are a promise to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done; of commands that were sent, all were accepted.
    Done,
    /// 1: a failure: no answer, damage, input or output.
    Failed,
    /// 3: the rules rejected some commands; the others were accepted.
    Rejected,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Rejected => 3,
        })
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum CliError {
    /// Whoever read standard output went away, as `head` does.
    Closed,
    /// The arguments do not fit together: exit code 2, as for arguments that are not known.
    Usage(String),
    /// Anything else: a sentence and perhaps its cause.
    Failed {
        /// What failed, and what to do.
        message: String,
        /// Why.
        cause: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl CliError {
    /// A failure in a sentence.
    pub(crate) fn message(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), cause: None }
    }

    /// A failure in a sentence, with its cause.
    pub(crate) fn caused(
        message: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Failed { message: message.into(), cause: Some(cause.into()) }
    }

    /// A failure that another error says all about.
    pub(crate) fn other(error: impl Error) -> Self {
        Self::Failed { message: service::chain(&error), cause: None }
    }

    /// Arguments that do not fit together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Standard output could not be written.
    pub(crate) fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        Self::caused("standard output could not be written", error)
    }

    /// Says on standard error why the command failed, and gives the exit code. Of a command that only shows
    /// something, a reader who went away is no failure: its caller asks for that first.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Usage(_) => {
                tell(self);
                ExitCode::from(2)
            }
            Self::Closed | Self::Failed { .. } => {
                tell(self);
                Exit::Failed.into()
            }
        }
    }
}

fn tell(error: &CliError) {
    note(&format!("{BAD}error:{BAD:#} {}", plain(&service::chain(error))));
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str(
                "standard output was closed before everything was said: this exit code is no verdict",
            ),
            Self::Usage(message) | Self::Failed { message, .. } => f.write_str(message),
        }
    }
}

impl Error for CliError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { cause: Some(cause), .. } => Some(cause.as_ref()),
            Self::Failed { cause: None, .. } | Self::Closed | Self::Usage(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_whole_chain_once() {
        let disk = io::Error::other("no space left on device");
        let error = CliError::caused("standard output could not be written", disk);
        let text = service::chain(&error);
        assert_eq!(text, "standard output could not be written: no space left on device");
        assert_eq!(service::chain(&CliError::other(error)), text);
    }

    #[test]
    fn a_reader_that_went_away_is_told_from_a_full_disk() {
        let gone = CliError::output(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(gone, CliError::Closed));
        let full = CliError::output(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, CliError::Failed { .. }));
    }
}
