//! `tebessa guidance check`: whether guidance files hold together.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Failure, files, text};
use crate::output::plain;
use ::guidance::{Fault, Library};

/// The arguments of `tebessa guidance check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of files to check; else that of --guidance; else what is built in
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Print one JSON object: `ok`, `versions`, and the faults with `file`, `line` and `reason`
    #[arg(long)]
    json: bool,
}

/// What was found, for programs.
#[derive(serde::Serialize)]
struct Found<'a> {
    ok: bool,
    versions: usize,
    faults: Vec<Place<'a>>,
}

#[derive(serde::Serialize)]
struct Place<'a> {
    file: &'a str,
    line: Option<usize>,
    reason: &'a str,
}

pub(crate) fn run(
    arguments: &Arguments,
    directory: Option<&Path>,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let directory = arguments.directory.as_deref().or(directory);
    let checked = match directory {
        None => Library::embedded(),
        Some(directory) => Library::from_files(files::read(directory)?),
    };
    if arguments.json {
        return as_json(&checked, out);
    }
    match checked {
        Ok(library) => {
            let versions = library.all().count();
            let place =
                directory.map_or_else(|| "built in".to_owned(), |path| path.display().to_string());
            let new = text::NEW;
            writeln!(out, "{new}sound{new:#}: {versions} versions of profiles ({place})")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            for fault in &faults {
                writeln!(out, "{}", plain(&fault.to_string()))?;
            }
            let (gone, count) = (text::GONE, faults.len());
            let word = if count == 1 { "fault" } else { "faults" };
            writeln!(out, "{gone}refused{gone:#}: {count} {word}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn as_json(
    checked: &Result<Library, Vec<Fault>>,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let (versions, faults) = match checked {
        Ok(library) => (library.all().count(), [].as_slice()),
        Err(faults) => (0, faults.as_slice()),
    };
    let faults = faults.iter().map(|fault| Place {
        file: &fault.file,
        line: fault.line,
        reason: &fault.reason,
    });
    let found = Found { ok: checked.is_ok(), versions, faults: faults.collect() };
    serde_json::to_writer(&mut *out, &found).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(if found.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::{Arguments, run};
    use std::path::Path;
    use std::process::ExitCode;

    fn checked(directory: Option<&Path>) -> (ExitCode, String) {
        checked_as(directory, false)
    }

    fn checked_as(directory: Option<&Path>, json: bool) -> (ExitCode, String) {
        let mut out = Vec::new();
        let code = run(&Arguments { directory: None, json }, directory, &mut out).unwrap();
        (code, String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap())
    }

    #[test]
    fn what_is_built_in_is_sound() {
        let (code, text) = checked(None);
        assert_eq!(code, ExitCode::SUCCESS);
        assert_eq!(text, "sound: 11 versions of profiles (built in)\n");
    }

    #[test]
    fn a_bad_file_is_refused_with_file_line_and_reason() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bad.toml");
        std::fs::write(&file, "kind = \"profile\"\n\nprofile = 3\n").unwrap();
        let (code, text) = checked(Some(directory.path()));
        assert_eq!(code, ExitCode::FAILURE);
        assert!(text.starts_with(&format!("{}:3: ", file.display())), "{text}");
        assert!(text.ends_with("refused: 1 fault\n"), "{text}");
    }

    #[test]
    fn programs_get_the_same_as_one_object() {
        let (_, text) = checked_as(None, true);
        assert_eq!(text, "{\"ok\":true,\"versions\":11,\"faults\":[]}\n");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("bad.toml"), "kind = \"profile\"\nprofile = 3\n")
            .unwrap();
        let (code, text) = checked_as(Some(directory.path()), true);
        assert_eq!(code, ExitCode::FAILURE);
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&found["ok"], &found["faults"][0]["line"]), (&false.into(), &2.into()));
    }
}
