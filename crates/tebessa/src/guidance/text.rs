//! Text for a terminal of 80 columns.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::output::plain;

/// The width of everything that is wrapped, in columns.
pub(crate) const WIDTH: usize = 80;

/// The style of ids and names.
pub(crate) const NAME: Style = Style::new().bold();
/// The style of what is beside the point.
pub(crate) const ASIDE: Style = Style::new().dimmed();
/// The style of what is gone.
pub(crate) const GONE: Style = AnsiColor::Red.on_default();
/// The style of what is new.
pub(crate) const NEW: Style = AnsiColor::Green.on_default();

/// Writes a text without its control characters in lines of [`WIDTH`], each behind an indent; further
/// lines stand deeper.
pub(crate) fn paragraph(
    out: &mut dyn Write,
    style: Style,
    text: &str,
    indent: usize,
    deeper: usize,
) -> io::Result<()> {
    let lines = wrapped(&plain(text), WIDTH.saturating_sub(indent + deeper));
    for (place, line) in lines.iter().enumerate() {
        let indent = if place == 0 { indent } else { indent + deeper };
        writeln!(out, "{:indent$}{style}{line}{style:#}", "")?;
    }
    Ok(())
}

/// Breaks a text at blanks into lines; a word that is longer than a line stands alone.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{NAME, paragraph, wrapped};

    #[test]
    fn lines_break_at_blanks_only() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable x", 3), ["unbreakable", "x"]);
        assert_eq!(wrapped(" ", 3), Vec::<String>::new());
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut out = anstream::StripStream::new(Vec::new());
        paragraph(&mut out, NAME, &"word ".repeat(60), 6, 4).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        assert!(text.lines().count() > 3);
        assert!(text.lines().all(|line| line.len() <= 80 && line.starts_with("      ")));
    }
}
