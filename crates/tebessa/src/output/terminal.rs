//! Standard output and standard error: colours only on a terminal, closed streams told apart.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;

use anstyle::Style;

use super::error::CliError;
use super::style::ASIDE;
use super::text;

/// The width of a terminal that does not say it, in columns.
const USUAL_WIDTH: u16 = 80;
/// The width where nothing is wrapped: a pipe, a file.
pub(crate) const NO_WIDTH: usize = u16::MAX as usize;
/// No line is made narrower than this, in columns.
const LEAST_WIDTH: usize = 40;

/// Writes one line to standard output at once. Its styles are dropped where nobody looks.
pub(crate) fn line(line: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(CliError::output)
}

/// Tells a person something on standard error, wrapped where that is a terminal. Where it is closed,
/// there is nobody to tell.
pub(crate) fn note(line: &str) {
    let wrapped = columns_of(&io::stderr()).map(|width| text::flowed(line, width));
    let _ = writeln!(anstream::stderr().lock(), "{}", wrapped.as_deref().unwrap_or(line));
}

/// What is written for people, with its styles.
pub(crate) struct Screen {
    out: Box<dyn Write + Send>,
    /// The width of a line in columns.
    pub(crate) width: usize,
}

impl Screen {
    /// Standard output. On anything but a terminal, or with `NO_COLOR`, styles are dropped.
    pub(crate) fn stdout() -> Self {
        let out = BufWriter::new(anstream::stdout());
        Self { out: Box::new(out), width: width() }
    }

    /// Writes a line; it is expected to hold no control characters but its styles.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), CliError> {
        writeln!(self.out, "{line}").map_err(CliError::output)
    }

    /// Writes a text without its control characters, in lines behind an indent.
    pub(crate) fn indented(&mut self, indent: usize, text: &str) -> Result<(), CliError> {
        for line in text::wrapped(&text::plain(text), self.width.saturating_sub(indent)) {
            self.line(format!("{:indent$}{line}", "").trim_end())?;
        }
        Ok(())
    }

    /// Writes a text in a style and without its control characters, in lines behind an indent; all but
    /// the first stand deeper. Of a text without words, nothing.
    pub(crate) fn paragraph(
        &mut self,
        style: Style,
        text: &str,
        indent: usize,
        deeper: usize,
    ) -> Result<(), CliError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let room = self.width.saturating_sub(indent + deeper);
        for (place, line) in text::wrapped(&text::plain(text), room).iter().enumerate() {
            let indent = if place == 0 { indent } else { indent + deeper };
            self.line(format!("{:indent$}{style}{line}{style:#}", "").trim_end())?;
        }
        Ok(())
    }

    /// Writes a word and a text beside it that may take several lines.
    pub(crate) fn labelled(
        &mut self,
        indent: usize,
        room: usize,
        label: &str,
        text: &str,
    ) -> Result<(), CliError> {
        let left = indent + room;
        let lines = text::wrapped(&text::plain(text), self.width.saturating_sub(left));
        for (place, line) in lines.iter().enumerate() {
            let label = if place == 0 { label } else { "" };
            let line = format!("{:indent$}{ASIDE}{label:<room$}{ASIDE:#}{line}", "");
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Sends out what was written.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        self.out.flush().map_err(CliError::output)
    }
}

/// What is written for programs: exact bytes, line by line.
pub(crate) struct Output {
    out: BufWriter<Box<dyn Write + Send>>,
}

impl Output {
    /// Standard output as it is.
    pub(crate) fn stdout() -> Self {
        Self::to(io::stdout())
    }

    fn to(out: impl Write + Send + 'static) -> Self {
        Self { out: BufWriter::with_capacity(64 * 1024, Box::new(out)) }
    }

    /// Writes exactly these bytes.
    pub(crate) fn exact(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.out.write_all(bytes).map_err(CliError::output)
    }

    /// Writes a line of exactly these bytes.
    pub(crate) fn line(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.out.write_all(bytes).and_then(|()| self.out.write_all(b"\n")).map_err(CliError::output)
    }

    /// Writes a value as a line of JSON.
    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let bytes = serde_json::to_vec(value).map_err(CliError::other)?;
        self.line(&bytes)
    }

    /// Sends out what was written.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        self.out.flush().map_err(CliError::output)
    }
}

/// The width of the terminal on standard output; `COLUMNS` where there is none, and without it
/// [`NO_WIDTH`]: who looks for a word in lines does not find one that was broken.
pub(crate) fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_width().or_else(columns).unwrap_or(NO_WIDTH).max(LEAST_WIDTH)
}

/// The width of the terminal on standard output; none where there is none.
pub(crate) fn terminal_width() -> Option<usize> {
    columns_of(&io::stdout())
}

fn columns_of(stream: &(impl IsTerminal + AsFd)) -> Option<usize> {
    let terminal = stream.is_terminal().then(|| terminal_size::terminal_size_of(stream));
    let (width, _) =
        terminal?.unwrap_or((terminal_size::Width(USUAL_WIDTH), terminal_size::Height(0)));
    Some(usize::from(width.0).max(LEAST_WIDTH))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a screen was told to show, without styles.
    #[derive(Clone, Default)]
    pub(crate) struct Shown(Arc<Mutex<Vec<u8>>>);

    impl Shown {
        pub(crate) fn text(&self) -> String {
            let bytes = self.0.lock().unwrap().clone();
            anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string()
        }
    }

    impl Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Output {
        /// An output, and what it writes.
        pub(crate) fn for_test() -> (Self, Shown) {
            let shown = Shown::default();
            (Self::to(shown.clone()), shown)
        }
    }

    impl Screen {
        /// A screen of a width, and what it shows, without styles.
        pub(crate) fn for_test(width: usize) -> (Self, Shown) {
            let shown = Shown::default();
            (Self { out: Box::new(shown.clone()), width }, shown)
        }
    }

    #[test]
    fn a_paragraph_fits_the_width_and_its_further_lines_stand_deeper() {
        let (mut screen, shown) = Screen::for_test(80);
        screen.paragraph(ASIDE, &"word ".repeat(60), 6, 4).unwrap();
        screen.paragraph(ASIDE, " ", 6, 4).unwrap();
        let text = shown.text();
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("      word")));
        assert!(lines.clone().count() > 2);
        assert!(lines.all(|line| line.len() <= 80 && line.starts_with("          word")), "{text}");
    }
}
