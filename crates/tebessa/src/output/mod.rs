//! What the binary prints: lines, errors with their causes, progress, and exit codes.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

/// How a command ended, as programs see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done, everything accepted.
    Done,
    /// 1: a failure, or damage found.
    Failed,
    /// 3: some commands were rejected.
    Rejected,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::Rejected => Self::from(3),
        }
    }
}

/// Why a command gave up.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    usage: bool,
    closed: bool,
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl CliError {
    /// An error with a sentence of its own.
    pub(crate) fn message(message: impl Into<String>) -> Self {
        Self { message: message.into(), usage: false, closed: false }
    }

    /// Wrong use: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { usage: true, ..Self::message(message) }
    }

    /// Another error, with the whole chain of its causes.
    pub(crate) fn other(error: impl std::error::Error) -> Self {
        Self::message(service::chain(&error))
    }

    /// A sentence and the error behind it.
    pub(crate) fn caused(message: impl std::fmt::Display, error: impl std::error::Error) -> Self {
        Self::message(format!("{message}: {}", service::chain(&error)))
    }

    /// Tells the error on standard error and gives the exit code. A reader that went away
    /// (`| head`) is no failure.
    pub(crate) fn report(&self) -> ExitCode {
        if self.closed {
            return ExitCode::SUCCESS;
        }
        // Where standard error is closed too, the exit code alone must tell.
        let _ = writeln!(anstream::stderr(), "tebessa: {}", self.message);
        ExitCode::from(if self.usage { 2 } else { 1 })
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        let closed = error.kind() == io::ErrorKind::BrokenPipe;
        Self { closed, ..Self::message(format!("the output could not be written: {error}")) }
    }
}

/// Prints a line and flushes it, so that a reader behind a pipe has it at once.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// The width of the terminal in columns; 80 where there is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)).max(40)
}

/// Words as they may be shown: nothing in them can steer a terminal.
pub(crate) fn plain(words: &str) -> String {
    words
        .chars()
        .map(|c| match c {
            '\n' | '\t' | '\r' => ' ',
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                '\u{fffd}'
            }
            c => c,
        })
        .collect()
}

/// Breaks words into lines of at most `width` characters, each behind `indent`.
pub(crate) fn wrapped(words: &str, indent: usize, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent).max(20);
    let mut lines = vec![String::new()];
    for word in plain(words).split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.into_iter().map(|line| format!("{}{line}", " ".repeat(indent))).collect()
}

/// A progress bar on a terminal; nothing elsewhere.
pub(crate) fn bar(unit: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let template = format!("{{elapsed}} {{wide_bar}} {{pos}} of {{len}} {unit}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// Shows how far opening a journal is.
pub(crate) struct OpenProgress {
    bar: ProgressBar,
}

impl OpenProgress {
    pub(crate) fn new() -> Self {
        Self { bar: bar("records indexed") }
    }

    pub(crate) fn show(&mut self, step: journal::Progress) {
        if let journal::Progress::Index { done, total } = step {
            self.bar.set_length(total.0);
            self.bar.set_position(done.0);
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Steps of a longer work, told on standard error as they end.
pub(crate) struct Steps {
    quiet: bool,
}

impl Steps {
    pub(crate) const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    pub(crate) fn begin(&mut self, what: &str) {
        if !self.quiet {
            let _ = write!(anstream::stderr(), "{what} … ");
        }
    }

    pub(crate) fn done(&mut self, result: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{result}");
        }
    }
}
