//! Lines of input: read by a thread of their own, whole, and never more than a command may have.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use service::request::MAX_COMMAND_BYTES;
use tokio::sync::mpsc;

use crate::output::{CliError, note};

/// How many lines the thread reads ahead of whoever takes them.
const LINES_AHEAD: usize = 64;

/// A line as it stands in the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number in the input, from 1.
    pub(super) number: u64,
    /// Its bytes, without the line break; of a line that is too long only the beginning.
    pub(super) bytes: Vec<u8>,
    /// Its length in the input in bytes, with the line break.
    pub(super) length: u64,
}

impl Line {
    /// Whether the line is longer than a command may be.
    pub(super) fn too_long(&self) -> bool {
        self.bytes.len() > MAX_COMMAND_BYTES
    }
}

/// Where the lines come from.
pub(super) struct Input {
    reader: Box<dyn Read + Send>,
    /// How many bytes there are, where that is known; else 0.
    pub(super) total_bytes: u64,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(file: &Path) -> Result<Self, CliError> {
        if file.as_os_str() == "-" {
            if io::stdin().is_terminal() {
                note("reading commands from the terminal, one a line; Ctrl-D ends");
            }
            return Ok(Self { reader: Box::new(io::stdin()), total_bytes: 0 });
        }
        let unreadable =
            |error| CliError::caused(format!("{} cannot be read", file.display()), error);
        let opened = File::open(file).map_err(unreadable)?;
        let about = opened.metadata().map_err(unreadable)?;
        if about.is_dir() {
            return Err(CliError::message(format!("{} is a directory", file.display())));
        }
        Ok(Self { reader: Box::new(opened), total_bytes: about.len() })
    }

    /// Starts reading. Blank lines are skipped but counted. The thread ends with the input, or
    /// when nobody takes lines any more; a failure to read is the last item.
    pub(super) fn lines(self) -> mpsc::Receiver<io::Result<Line>> {
        let (lines, taken) = mpsc::channel(LINES_AHEAD);
        std::thread::spawn(move || {
            let mut reader = BufReader::with_capacity(256 * 1024, self.reader);
            let mut number = 0;
            loop {
                let read = read_line(&mut reader, &mut number);
                let Some(item) = read.transpose() else { return };
                let failed = item.is_err();
                if lines.blocking_send(item).is_err() || failed {
                    return;
                }
            }
        });
        taken
    }
}

/// The next line that is not blank; `None` at the end. Of a line that is too long one byte more
/// is kept than may be, and the rest is passed over.
fn read_line(reader: &mut impl BufRead, number: &mut u64) -> io::Result<Option<Line>> {
    loop {
        let mut bytes = Vec::new();
        let mut length = 0;
        let ended = loop {
            let chunk = match reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break true;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let content = end.unwrap_or(chunk.len());
            let room = (MAX_COMMAND_BYTES + 1).saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(content.min(room)));
            let used = end.map_or(chunk.len(), |end| end + 1);
            length += used as u64;
            reader.consume(used);
            if end.is_some() {
                break false;
            }
        };
        if ended && length == 0 {
            return Ok(None);
        }
        *number += 1;
        if !bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Line { number: *number, bytes, length }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<Line> {
        let mut reader = BufReader::with_capacity(16, text);
        let mut number = 0;
        std::iter::from_fn(|| read_line(&mut reader, &mut number).unwrap()).collect()
    }

    #[test]
    fn blank_lines_are_skipped_and_counted() {
        let lines = all(b"one\n\n  \t\r\nfour\r\nlast without a break");
        let seen: Vec<_> = lines.iter().map(|line| (line.number, &line.bytes[..])).collect();
        assert_eq!(seen, [(1, &b"one"[..]), (4, b"four\r"), (5, b"last without a break")]);
    }

    #[test]
    fn bytes_that_are_no_text_pass_unchanged() {
        assert_eq!(all(b"\xff\0\n")[0].bytes, b"\xff\0");
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let mut text = vec![b'x'; 3 * MAX_COMMAND_BYTES];
        text.extend_from_slice(b"\nnext\n");
        let lines = all(&text);
        assert!(lines[0].too_long());
        assert_eq!(lines[0].bytes.len(), MAX_COMMAND_BYTES + 1);
        assert_eq!(lines[0].length, 3 * MAX_COMMAND_BYTES as u64 + 1);
        assert_eq!(lines[1].bytes, b"next");
    }

    #[test]
    fn the_longest_command_is_not_too_long() {
        let mut text = vec![b'x'; MAX_COMMAND_BYTES];
        text.push(b'\n');
        assert!(!all(&text)[0].too_long());
    }
}
