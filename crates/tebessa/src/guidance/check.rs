//! `tebessa guidance check`: whether guidance files hold together.

use std::path::{Path, PathBuf};

use ::guidance::{Fault, Library};

use crate::law;
use crate::output::{BAD, CliError, Exit, GOOD, Output, Screen, count, plain};

/// The arguments of `tebessa guidance check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    args: &Args,
    directory: Option<&Path>,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let directory = args.directory.as_deref().or(directory);
    let checked = law::checked(directory)?;
    if args.json {
        let mut out = Output::stdout();
        out.json(&found(&checked))?;
        out.flush()?;
    } else {
        show(&checked, directory, screen)?;
        screen.flush()?;
    }
    Ok(if checked.is_ok() { Exit::Done } else { Exit::Failed })
}

fn show(
    checked: &Result<Library, Vec<Fault>>,
    directory: Option<&Path>,
    screen: &mut Screen,
) -> Result<(), CliError> {
    match checked {
        Ok(library) => {
            let versions = count(library.all().count() as u64, "version", "versions");
            let place =
                directory.map_or_else(|| "built in".to_owned(), |path| path.display().to_string());
            let place = plain(&place);
            screen.line(&format!("{GOOD}sound{GOOD:#}: {versions} of profiles ({place})"))
        }
        Err(faults) => {
            for fault in faults {
                // In one line each, as compilers do: editors find the place.
                screen.line(&plain(&fault.to_string()))?;
            }
            let faults = count(faults.len() as u64, "fault", "faults");
            screen.line(&format!("{BAD}refused{BAD:#}: {faults}"))
        }
    }
}

fn found(checked: &Result<Library, Vec<Fault>>) -> Found<'_> {
    let (versions, faults) = match checked {
        Ok(library) => (library.all().count(), [].as_slice()),
        Err(faults) => (0, faults.as_slice()),
    };
    let faults = faults.iter().map(|fault| Place {
        file: &fault.file,
        line: fault.line,
        reason: &fault.reason,
    });
    Found { ok: checked.is_ok(), versions, faults: faults.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(directory: Option<&Path>) -> (Exit, String) {
        let (mut screen, shown) = Screen::for_test(80);
        let args = Args { directory: None, json: false };
        let exit = run(&args, directory, &mut screen).unwrap();
        (exit, shown.text())
    }

    fn as_json(directory: Option<&Path>) -> String {
        serde_json::to_string(&found(&law::checked(directory).unwrap())).unwrap()
    }

    #[test]
    fn what_is_built_in_is_sound() {
        let (exit, text) = shown(None);
        assert_eq!(exit, Exit::Done);
        assert_eq!(text, "sound: 14 versions of profiles (built in)\n");
    }

    #[test]
    fn a_bad_file_is_refused_with_file_line_and_reason() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bad.toml");
        std::fs::write(&file, "kind = \"profile\"\n\nprofile = 3\n").unwrap();
        let (exit, text) = shown(Some(directory.path()));
        assert_eq!(exit, Exit::Failed);
        assert!(text.starts_with(&format!("{}:3: ", file.display())), "{text}");
        assert!(text.ends_with("refused: 1 fault\n"), "{text}");
    }

    #[test]
    fn programs_get_the_same_as_one_object() {
        assert_eq!(as_json(None), r#"{"ok":true,"versions":14,"faults":[]}"#);
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("bad.toml"), "kind = \"profile\"\nprofile = 3\n")
            .unwrap();
        let found: serde_json::Value =
            serde_json::from_str(&as_json(Some(directory.path()))).unwrap();
        assert_eq!((&found["ok"], &found["faults"][0]["line"]), (&false.into(), &2.into()));
    }

    /// What a node would not start with is not called sound.
    #[test]
    fn what_up_refuses_is_refused_here() {
        let directory = tempfile::tempdir().unwrap();
        let long = directory.path().join("long.toml");
        std::fs::write(&long, "#".repeat((1 << 20) + 1)).unwrap();
        let (mut screen, _) = Screen::for_test(80);
        let args = Args { directory: Some(directory.path().to_owned()), json: false };
        let checked = run(&args, None, &mut screen).unwrap_err();
        let started = law::library(Some(directory.path())).unwrap_err();
        assert_eq!(service::chain(&checked), service::chain(&started));
        assert!(service::chain(&checked).contains("longer than the 1048576 bytes"));
        std::fs::remove_file(&long).unwrap();
        std::fs::create_dir(directory.path().join("folder.toml")).unwrap();
        assert!(run(&args, None, &mut screen).is_err());
    }
}
