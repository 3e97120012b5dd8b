//! `tebessa guidance evaluate`: findings in, values and outcome out, one JSON object a line.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::guidance::{Evaluation, Fixture, FixtureId, Library};

use super::{Failure, files, text};
use crate::output::plain;

/// A longer line is no case; it is refused before it fills the memory.
const LONGEST_LINE_BYTES: usize = 1 << 20;
/// So many letters of a reason are shown: it may quote a value of any length.
const LONGEST_REASON: usize = 500;

/// The arguments of `tebessa guidance evaluate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A file of cases, one JSON object a line with profile, `as_of`, sought, facts and findings;
    /// `-` or none: standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print why, as text, in place of JSON
    #[arg(long)]
    explain: bool,
    /// Taken as everywhere: without --explain the answers are lines of JSON
    #[arg(long, conflicts_with = "explain")]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments, directory: Option<&Path>) -> Result<ExitCode, Failure> {
    let library = files::library(directory)?;
    let out = io::stdout().lock();
    let problems = io::stderr();
    let form = if arguments.explain { Form::Explanation } else { Form::Json };
    let all_good = match arguments.file.as_deref() {
        Some(path) if path != Path::new("-") => {
            let failed = |source| Failure::Read { path: path.display().to_string(), source };
            let file = std::fs::File::open(path).map_err(failed)?;
            lines(&library, file, out, problems, form)?
        }
        _ => lines(&library, io::stdin().lock(), out, problems, form)?,
    };
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What to print for a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Explanation,
}

/// Evaluates line by line. A bad line goes to `problems` with its number; the rest is evaluated.
/// Returns whether all lines were good.
fn lines(
    library: &Library,
    input: impl Read,
    out: impl Write,
    mut problems: impl Write,
    form: Form,
) -> Result<bool, Failure> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut line = Vec::new();
    let mut number: u64 = 0;
    let mut all_good = true;
    loop {
        line.clear();
        let read = read_line(&mut input, &mut line)?;
        if read == Line::End {
            break;
        }
        number += 1;
        let text = trimmed(&line, number == 1);
        let answered = match read {
            Line::TooLong => Err(format!("longer than {LONGEST_LINE_BYTES} bytes")),
            Line::Whole | Line::End if text.is_empty() => continue,
            Line::Whole | Line::End => answer(library, text, form, &mut out)?,
        };
        if let Err(reason) = answered {
            all_good = false;
            writeln!(problems, "line {number}: {}", shown(&reason))?;
        }
        // Whoever sends one case and waits for its answer gets it.
        if input.buffer().is_empty() {
            out.flush()?;
        }
    }
    out.flush()?;
    Ok(all_good)
}

#[derive(PartialEq, Eq)]
enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads a line without growing past the longest one; what is too long is skipped to its end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Line, Failure> {
    let failed = |source| Failure::Read { path: "the input".to_owned(), source };
    let limit = LONGEST_LINE_BYTES as u64 + 1;
    let count = input.by_ref().take(limit).read_until(b'\n', line).map_err(failed)?;
    if count == 0 {
        return Ok(Line::End);
    }
    if count <= LONGEST_LINE_BYTES || line.last() == Some(&b'\n') {
        return Ok(Line::Whole);
    }
    loop {
        line.clear();
        let count = input.by_ref().take(limit).read_until(b'\n', line).map_err(failed)?;
        if count == 0 || line.last() == Some(&b'\n') {
            return Ok(Line::TooLong);
        }
    }
}

/// The line without blanks around it, and without the mark some editors put before a file.
fn trimmed(line: &[u8], first: bool) -> &[u8] {
    let line = if first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    line.trim_ascii()
}

/// Answers one case; the inner error is the reason to refuse its line.
fn answer(
    library: &Library,
    line: &[u8],
    form: Form,
    out: &mut impl Write,
) -> Result<Result<(), String>, Failure> {
    let fixture: Fixture<'_> = match serde_json::from_slice(line) {
        Ok(fixture) => fixture,
        Err(error) => return Ok(Err(reason(&error))),
    };
    let guidance = match library.require(&fixture.profile, fixture.as_of) {
        Ok(guidance) => guidance,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let question = match fixture.question(guidance) {
        Ok(question) => question,
        Err(reason) => return Ok(Err(reason)),
    };
    let evaluation = guidance.evaluate(&question);
    match form {
        Form::Json => write_json(&fixture.id, &evaluation, out)?,
        Form::Explanation => {
            let told = fixture.explain(&evaluation).to_text(text::WIDTH);
            match &fixture.id {
                FixtureId::None => {}
                FixtureId::Text(id) => writeln!(out, "== {}", plain(id))?,
                FixtureId::Number(id) => writeln!(out, "== {id}")?,
            }
            writeln!(out, "{}", plain(&told))?;
        }
    }
    Ok(Ok(()))
}

/// A reason as it is shown: it may quote what stands in the line.
fn shown(reason: &str) -> String {
    let one_line = plain(reason).replace('\n', " ");
    let mut letters = one_line.chars();
    let mut shown: String = letters.by_ref().take(LONGEST_REASON).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// What serde says, without "at line 1": the line's number is told before.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        // What our own checks refuse names its field; what is no JSON has only its column.
        Some(words) if error.is_data() => words.to_owned(),
        Some(words) => format!("{words} at column {}", error.column()),
        None => text,
    }
}

/// Writes an answer by hand: ids are letters, digits and dots, so that nothing needs escaping.
fn write_json(
    id: &FixtureId<'_>,
    evaluation: &Evaluation<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    out.write_all(b"{\"id\":")?;
    match id {
        FixtureId::None => out.write_all(b"null")?,
        FixtureId::Text(id) => serde_json::to_writer(&mut *out, id)?,
        FixtureId::Number(id) => write!(out, "{id}")?,
    }
    out.write_all(b",\"derived\":{")?;
    let mut comma: &[u8] = b"\"";
    for (id, value) in evaluation.derived() {
        out.write_all(comma)?;
        out.write_all(id.as_bytes())?;
        out.write_all(match value {
            ::guidance::Value::Met => b"\":\"M\"",
            ::guidance::Value::NotMet => b"\":\"N\"",
            ::guidance::Value::Undetermined => b"\":\"U\"",
        })?;
        comma = b",\"";
    }
    out.write_all(b"},\"presumed\":[")?;
    write_ids(evaluation.presumed().map(|presumed| presumed.leaf), out)?;
    out.write_all(b"],\"outcome\":\"")?;
    out.write_all(evaluation.outcome().as_str().as_bytes())?;
    out.write_all(b"\",\"open\":[")?;
    write_ids(evaluation.open(), out)?;
    out.write_all(b"]}\n")
}

fn write_ids<'a>(ids: impl Iterator<Item = &'a str>, out: &mut impl Write) -> io::Result<()> {
    let mut before: &[u8] = b"\"";
    for id in ids {
        out.write_all(before)?;
        out.write_all(id.as_bytes())?;
        out.write_all(b"\"")?;
        before = b",\"";
    }
    Ok(())
}

#[cfg(test)]
mod tests;
