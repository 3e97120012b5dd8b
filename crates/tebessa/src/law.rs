//! The guidance and the clocks that a command works with: built in, or from a directory.

use std::path::Path;

use ::guidance::{Fault, Library};
use case::clocks::Clocks;

use crate::output::CliError;

/// The built-in guidance, or all `*.toml` files of a directory. All or nothing: every fault of
/// every file is told.
pub(crate) fn library(directory: Option<&Path>) -> Result<Library, CliError> {
    checked(directory)?.map_err(|faults| refused("guidance", &faults))
}

/// As [`library`], with the faults one by one; what is not read at all is an error.
pub(crate) fn checked(directory: Option<&Path>) -> Result<Result<Library, Vec<Fault>>, CliError> {
    Ok(match directory {
        None => Library::embedded(),
        Some(directory) => Library::from_files(files(directory)?),
    })
}

/// The built-in clocks, or all `*.toml` files of a directory. All or nothing, as the guidance.
pub(crate) fn clocks(directory: Option<&Path>) -> Result<Clocks, CliError> {
    let Some(directory) = directory else { return Ok(Clocks::embedded().clone()) };
    let files = files(directory)?;
    let (mut texts, mut faults) = (Vec::new(), Vec::new());
    for (file, bytes) in files {
        match String::from_utf8(bytes) {
            Ok(text) => texts.push((file, text)),
            Err(_) => faults.push(Fault { file, line: None, reason: "is not UTF-8".to_owned() }),
        }
    }
    if !faults.is_empty() {
        return Err(refused("clocks", &faults));
    }
    Clocks::from_files(texts).map_err(|faults| refused("clocks", &faults))
}

fn refused(what: &str, faults: &[Fault]) -> CliError {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    CliError::message(format!("the {what} cannot be used:\n{}", lines.join("\n")))
}

/// The paths and bytes of the `*.toml` files of a directory, which must have some: a node without any
/// law was started by a mistyped name.
pub(crate) fn files(directory: &Path) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let failed =
        |error| CliError::caused(format!("{} could not be read", directory.display()), error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let bytes = crate::files::read(&path, crate::files::SMALL)?;
            files.push((path.display().to_string(), bytes));
        }
    }
    if files.is_empty() {
        return Err(CliError::message(format!("{} has no *.toml file", directory.display())));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_any_law_is_refused() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("README"), "nothing").unwrap();
        for refused in [
            library(Some(place.path())).err(),
            clocks(Some(place.path())).err(),
            files(place.path()).err(),
        ] {
            let said = refused.unwrap().to_string();
            assert!(said.ends_with(" has no *.toml file"), "{said}");
        }
    }
}
