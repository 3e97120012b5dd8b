//! `tebessa guidance evaluate`: findings in, values and outcome out, one JSON object a line.

mod expected;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ::guidance::{Evaluation, Fixture, FixtureId, Library};

use crate::law;
use crate::output::{CliError, Exit, Output, Screen, count, note, plain};

/// A longer line is no case; it is refused before it fills the memory.
const LONGEST_LINE_BYTES: usize = 1 << 20;
/// So many letters of a reason are shown: it may quote a value of any length.
const LONGEST_REASON: usize = 500;

const HELP: &str = "\
A line names profile, as_of and sought, and lists findings as \"C2.4\":\"M\", N or U. The form is that of
decided cases: leaves that are not listed count as not met, and some, which the criteria name, as met.
--explain says which. --check compares each answer with what the line says under expect: some values
of derived, presumed where it is there, and outcome.

Exit code 1: some line was refused, or came out otherwise than expected; the others are answered.

Examples:
  head -1 tests/fixtures/jurisprudence.jsonl |
      tebessa guidance evaluate --explain
  tebessa guidance evaluate --check tests/fixtures/jurisprudence.jsonl";

/// The arguments of `tebessa guidance evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// A file of cases, one JSON object a line with profile, as_of, sought, facts and findings;
    /// `-` or none: standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print why, as text, in place of JSON
    #[arg(long)]
    explain: bool,
    /// Compare each answer with what its line expects
    #[arg(long)]
    check: bool,
    /// Taken as everywhere: without --explain the answers are lines of JSON
    #[arg(long, conflicts_with = "explain")]
    json: bool,
}

/// Where answers go, and in which form.
enum Answers {
    Json(Output),
    Explained(Screen),
}

/// What is compared with what the lines expect.
#[derive(Default)]
struct Check {
    wanted: bool,
    compared: u64,
    differ: u64,
}

pub(crate) fn run(args: &Args, directory: Option<&Path>, screen: Screen) -> Result<Exit, CliError> {
    let library = law::library(directory)?;
    let mut answers =
        if args.explain { Answers::Explained(screen) } else { Answers::Json(Output::stdout()) };
    let mut check = Check { wanted: args.check, ..Check::default() };
    let all_good = match args.file.as_deref() {
        Some(path) if path != Path::new("-") => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| unreadable(&name, error))?;
            lines(&library, (&name, file), &mut answers, &mut check, &mut note)?
        }
        _ => {
            let input = ("standard input", io::stdin().lock());
            lines(&library, input, &mut answers, &mut check, &mut note)?
        }
    };
    if check.wanted {
        let as_expected = check.compared - check.differ;
        note(&format!(
            "{as_expected} of {} came out as expected",
            count(check.compared, "case", "cases")
        ));
    }
    Ok(if all_good && check.differ == 0 { Exit::Done } else { Exit::Failed })
}

fn unreadable(name: &str, error: io::Error) -> CliError {
    CliError::caused(format!("{name} could not be read"), error)
}

/// Evaluates line by line what an input of this name holds. Of a bad line, its number is told and
/// what is wrong; the rest is evaluated. Returns whether all lines were good.
fn lines(
    library: &Library,
    (name, input): (&str, impl Read),
    answers: &mut Answers,
    check: &mut Check,
    tell: &mut dyn FnMut(&str),
) -> Result<bool, CliError> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let (mut line, mut answer) = (Vec::new(), Vec::new());
    let mut number: u64 = 0;
    let mut all_good = true;
    loop {
        line.clear();
        let read = read_line(&mut input, &mut line).map_err(|error| unreadable(name, error))?;
        if read == Line::End {
            break;
        }
        number += 1;
        let text = trimmed(&line);
        let answered = match read {
            Line::TooLong => Err(format!("longer than {LONGEST_LINE_BYTES} bytes")),
            Line::Whole | Line::End if text.is_empty() => continue,
            Line::Whole | Line::End => answers.give(library, text, check, &mut answer)?,
        };
        match answered {
            Ok(given) => {
                if !given.lists_findings {
                    tell(&format!(
                        "line {number}: it has no findings, so that its leaves count as not met, or \
                         as met where the criteria say so"
                    ));
                }
                for difference in given.differences {
                    tell(&format!("line {number}: {}", shown(&difference)));
                }
            }
            Err(reason) => {
                all_good = false;
                tell(&format!("line {number}: {}", shown(&reason)));
            }
        }
        // Whoever sends one case and waits for its answer gets it.
        if input.buffer().is_empty() {
            answers.flush()?;
        }
    }
    answers.flush()?;
    Ok(all_good)
}

#[derive(PartialEq, Eq)]
enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads a line without growing past the longest one; what is too long is skipped to its end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    let limit = LONGEST_LINE_BYTES as u64 + 1;
    let count = input.by_ref().take(limit).read_until(b'\n', line)?;
    if count == 0 {
        return Ok(Line::End);
    }
    if count <= LONGEST_LINE_BYTES || line.last() == Some(&b'\n') {
        return Ok(Line::Whole);
    }
    loop {
        line.clear();
        let count = input.by_ref().take(limit).read_until(b'\n', line)?;
        if count == 0 || line.last() == Some(&b'\n') {
            return Ok(Line::TooLong);
        }
    }
}

/// The line without blanks around it, and without the mark some editors put before a file: where
/// files were joined, it stands before any line.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}

/// What is to be said of a case that was answered.
struct Given {
    lists_findings: bool,
    differences: Vec<String>,
}

impl Answers {
    /// Answers one case; the inner error is the reason to refuse its line. The buffer is empty before
    /// and after.
    fn give(
        &mut self,
        library: &Library,
        line: &[u8],
        check: &mut Check,
        buffer: &mut Vec<u8>,
    ) -> Result<Result<Given, String>, CliError> {
        let fixture: Fixture<'_> = match serde_json::from_slice(line) {
            Ok(fixture) => fixture,
            Err(error) => return Ok(Err(reason(&error, line))),
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
        let mut differences = Vec::new();
        if check.wanted {
            match expected::differences(line, &evaluation) {
                Ok(found) => differences = found,
                Err(reason) => return Ok(Err(reason)),
            }
            check.compared += 1;
            check.differ += u64::from(!differences.is_empty());
        }
        match self {
            Self::Json(out) => {
                write_json(&fixture.id, &evaluation, buffer)?;
                out.line(buffer)?;
                buffer.clear();
            }
            Self::Explained(screen) => {
                match &fixture.id {
                    FixtureId::None => {}
                    FixtureId::Text(id) => screen.line(&format!("== {}", plain(id)))?,
                    FixtureId::Number(id) => screen.line(&format!("== {id}"))?,
                }
                let told = fixture.explain(&evaluation).to_text(screen.width);
                screen.line(&plain(&told))?;
            }
        }
        Ok(Ok(Given { lists_findings: !fixture.findings.is_empty(), differences }))
    }

    fn flush(&mut self) -> Result<(), CliError> {
        match self {
            Self::Json(out) => out.flush(),
            Self::Explained(screen) => screen.flush(),
        }
    }
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

/// What serde says, without "at line 1": the line's number is told before. Where the line is no
/// object, as a comment or a part of one that takes several lines, it is told what belongs there.
fn reason(error: &serde_json::Error, line: &[u8]) -> String {
    const EXPECTED: &str = "expected one JSON object a line";
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        // What our own checks refuse names its field; what is no JSON has only its column.
        Some(words) if error.is_data() && line.starts_with(b"{") => words.to_owned(),
        Some(words) if error.is_data() => {
            let found = words.rsplit_once(", expected ").map_or(words, |(found, _)| found);
            format!("{found}; {EXPECTED}")
        }
        Some(words) => format!("{words} at column {}; {EXPECTED}", error.column()),
        None => text,
    }
}

/// Writes an answer by hand: ids are letters, digits and dots, so that nothing needs escaping.
fn write_json(
    id: &FixtureId<'_>,
    evaluation: &Evaluation<'_>,
    out: &mut Vec<u8>,
) -> Result<(), CliError> {
    out.extend_from_slice(b"{\"id\":");
    match id {
        FixtureId::None => out.extend_from_slice(b"null"),
        FixtureId::Text(id) => serde_json::to_writer(&mut *out, id).map_err(CliError::other)?,
        FixtureId::Number(id) => out.extend_from_slice(id.to_string().as_bytes()),
    }
    out.extend_from_slice(b",\"derived\":{");
    let mut comma: &[u8] = b"\"";
    for (id, value) in evaluation.derived() {
        out.extend_from_slice(comma);
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(match value {
            ::guidance::Value::Met => b"\":\"M\"",
            ::guidance::Value::NotMet => b"\":\"N\"",
            ::guidance::Value::Undetermined => b"\":\"U\"",
        });
        comma = b",\"";
    }
    out.extend_from_slice(b"},\"presumed\":[");
    write_ids(evaluation.presumed().map(|presumed| presumed.leaf), out);
    out.extend_from_slice(b"],\"outcome\":\"");
    out.extend_from_slice(evaluation.outcome().as_str().as_bytes());
    out.extend_from_slice(b"\",\"open\":[");
    write_ids(evaluation.open(), out);
    out.extend_from_slice(b"]}");
    Ok(())
}

fn write_ids<'a>(ids: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    let mut before: &[u8] = b"\"";
    for id in ids {
        out.extend_from_slice(before);
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b"\"");
        before = b",\"";
    }
}

#[cfg(test)]
mod tests;
