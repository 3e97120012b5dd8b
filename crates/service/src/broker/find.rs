//! Finding a NATS server program that is new enough.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::Error;

/// Names the program to use.
const VARIABLE: &str = "TEBESSA_NATS_SERVER";

/// The oldest server that is used: older ones lack fixes of the stream's storage.
const OLDEST: [u32; 3] = [2, 14, 5];

/// The path of a NATS server of version 2.14.5 or later: the one that `TEBESSA_NATS_SERVER`
/// names, else the first on the `PATH` that is new enough. One that is named and cannot be used
/// is an error; another is not taken in its place.
pub async fn find() -> Result<PathBuf, Error> {
    search(std::env::var_os(VARIABLE), std::env::var_os("PATH")).await
}

pub(super) async fn search(
    named: Option<OsString>,
    path: Option<OsString>,
) -> Result<PathBuf, Error> {
    if let Some(named) = named.filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        return match check(&named).await {
            Ok(()) => Ok(named),
            Err(why) => Err(Error::Named { why }),
        };
    }
    let mut passed_over = Vec::new();
    for directory in std::env::split_paths(&path.unwrap_or_default()) {
        let program = directory.join("nats-server");
        if !program.is_file() {
            continue;
        }
        match check(&program).await {
            Ok(()) => return Ok(program),
            Err(why) => passed_over.push(why),
        }
    }
    Err(Error::NotFound { passed_over })
}

/// Asks a program for its version. The error is a phrase about the program.
async fn check(program: &Path) -> Result<(), String> {
    let shown = program.display();
    let output = Command::new(program)
        .arg("--version")
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("{shown} cannot be run: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let version =
        parse(&printed).ok_or_else(|| format!("{shown} tells no version that can be read"))?;
    if version < OLDEST {
        let [major, minor, patch] = version;
        return Err(format!("{shown} is {major}.{minor}.{patch}"));
    }
    Ok(())
}

/// Reads `nats-server: v2.15.1`; what follows a `-` is dropped.
fn parse(line: &str) -> Option<[u32; 3]> {
    let text = line.trim().rsplit(' ').next()?.trim_start_matches('v');
    let mut parts = text.split(['.', '-', '+']).map(str::parse::<u32>);
    let mut part = || parts.next()?.ok();
    Some([part()?, part()?, part()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_version_is_read() {
        assert_eq!(parse("nats-server: v2.15.1\n"), Some([2, 15, 1]));
        assert_eq!(parse("nats-server: v2.15.0-RC.3\n"), Some([2, 15, 0]));
        assert_eq!(parse("usage: nats-server"), None);
        assert!(parse("nats-server: v2.9.10").unwrap() < OLDEST);
    }
}
