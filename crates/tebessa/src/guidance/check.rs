//! `tebessa guidance check`: whether guidance files hold together.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Failure, files, text};
use ::guidance::Library;

/// The arguments of `tebessa guidance check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of files to check; else that of --guidance; else what is built in
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
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
                writeln!(out, "{fault}")?;
            }
            let (gone, count) = (text::GONE, faults.len());
            let word = if count == 1 { "fault" } else { "faults" };
            writeln!(out, "{gone}refused{gone:#}: {count} {word}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, run};
    use std::path::Path;
    use std::process::ExitCode;

    fn checked(directory: Option<&Path>) -> (ExitCode, String) {
        let mut out = Vec::new();
        let code = run(&Arguments { directory: None }, directory, &mut out).unwrap();
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
}
