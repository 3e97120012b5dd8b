//! The tasks that build and run: `demo` and `test`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::{nats, say};

/// The task `demo`: builds the binary and runs its demo with a server that works.
pub(crate) fn demo(arguments: &[String]) -> Result<ExitCode, String> {
    let server = nats::ensure()?;
    run(cargo()?
        .args(["run", "--quiet", "--package", "tebessa", "--", "demo"])
        .args(arguments)
        .env(nats::VARIABLE, server))
}

/// The task `test`: builds the binaries, which some tests start, and runs every test.
pub(crate) fn test(arguments: &[String]) -> Result<ExitCode, String> {
    let server = nats::ensure()?;
    // `cargo test` alone does not build a binary that only another package's tests start.
    let built = run(cargo()?.args(["build", "--workspace", "--bins"]))?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    run(cargo()?.args(["test", "--workspace"]).args(arguments).env(nats::VARIABLE, server))
}

/// The directory that cargo builds into.
pub(crate) fn target_dir() -> Result<PathBuf, String> {
    let output = cargo()?
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .output()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // The one field that is wanted does not pay for a JSON parser: on the systems that the pinned
    // server is for, a path with a quote or a backslash in it is refused instead of misread.
    let path = text
        .split_once("\"target_directory\":\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(path, _)| path)
        .filter(|path| !path.contains('\\'))
        .ok_or("cargo metadata names no target directory that can be used")?;
    Ok(PathBuf::from(path))
}

/// The cargo that runs this task, at the workspace's root.
fn cargo() -> Result<Command, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or("start it as `cargo xtask`: CARGO_MANIFEST_DIR is not set")?;
    let mut command = Command::new(program);
    command.current_dir(PathBuf::from(package).join("../.."));
    Ok(command)
}

/// Runs to the end and hands on the exit code, so that a script sees the tests' own.
fn run(command: &mut Command) -> Result<ExitCode, String> {
    say(&format!("xtask: {}", line(command)));
    let status = command.status().map_err(|error| format!("could not be started: {error}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn line(command: &Command) -> String {
    let mut words = vec!["cargo".to_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
