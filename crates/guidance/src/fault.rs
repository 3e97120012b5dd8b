//! What is wrong with a guidance file, and where.

use std::ops::Range;

/// A reason to refuse a guidance file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file's name as the caller gave it.
    pub file: String,
    /// The line, from 1; `None` when the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong, as a sentence for the one who writes the file.
    pub reason: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for Fault {}

/// The faults of one file, collected so that its author sees all of them at once.
#[derive(Debug)]
pub struct Faults<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Fault>,
}

impl<'a> Faults<'a> {
    /// None yet, of a file with this name and text.
    #[must_use]
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Notes a fault at a place of the file.
    pub fn at(&mut self, place: &Range<usize>, reason: impl Into<String>) {
        let line = line_of(self.text, place.start);
        self.found.push(Fault {
            file: self.file.to_owned(),
            line: Some(line),
            reason: reason.into(),
        });
    }

    /// Notes a fault of the file as a whole.
    pub fn whole(&mut self, reason: impl Into<String>) {
        self.found.push(Fault { file: self.file.to_owned(), line: None, reason: reason.into() });
    }

    /// Notes what the TOML parser refused.
    pub fn parser(&mut self, error: &toml::de::Error) {
        match error.span() {
            Some(place) => self.at(&place, error.message().trim()),
            None => self.whole(error.message().trim()),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them.
    #[must_use]
    pub fn into_vec(self) -> Vec<Fault> {
        self.found
    }
}

/// The line, from 1, of a byte of the text.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, line_of};

    #[test]
    fn lines_count_from_one() {
        assert_eq!([0, 1, 2, 3].map(|byte| line_of("a\nb\n", byte)), [1, 1, 2, 2]);
    }

    #[test]
    fn a_fault_names_file_line_and_reason() {
        let mut faults = Faults::new("x.toml", "a\nb");
        assert!(faults.is_empty());
        faults.at(&(2..3), "wrong");
        faults.whole("empty");
        let texts: Vec<String> = faults.into_vec().iter().map(Fault::to_string).collect();
        assert_eq!(texts, ["x.toml:2: wrong", "x.toml: empty"]);
    }
}
