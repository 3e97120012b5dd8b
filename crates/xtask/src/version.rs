//! Which versions of the NATS server are new enough.

use std::path::Path;
use std::process::Command;

/// The oldest server the product runs with: older ones lack fixes of the stream's storage.
const OLDEST: Version = Version(2, 14, 5);

/// A version: major, minor, patch. Suffixes such as `-RC.1` are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32, u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Reads what `nats-server --version` prints: `nats-server: v2.15.1`.
fn parse(line: &str) -> Option<Version> {
    let text = line.trim().rsplit(' ').next()?.trim_start_matches('v');
    let mut parts = text.split(['.', '-', '+']).map(str::parse::<u32>);
    let mut part = || parts.next()?.ok();
    Some(Version(part()?, part()?, part()?))
}

/// The version of the server at `path`, or a sentence saying why it cannot be used.
pub(crate) fn check(path: &Path) -> Result<Version, String> {
    let output = Command::new(path)
        .arg("--version")
        .output()
        .map_err(|error| format!("{} cannot be run: {error}", path.display()))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let version = parse(&printed).ok_or_else(|| {
        format!("{} does not tell its version: it printed {:?}", path.display(), printed.trim())
    })?;
    if version < OLDEST {
        return Err(format!("{} is {version}; {OLDEST} or later is needed", path.display()));
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_version_is_read() {
        assert_eq!(parse("nats-server: v2.15.1\n"), Some(Version(2, 15, 1)));
        assert_eq!(parse("nats-server: v2.14.5-RC.2"), Some(Version(2, 14, 5)));
        assert_eq!(parse("nats-server: v2.15"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn an_older_minor_version_is_older_whatever_its_patch() {
        assert!(Version(2, 9, 10) < OLDEST);
        assert!(Version(2, 14, 4) < OLDEST);
        assert!(Version(2, 15, 0) > OLDEST);
    }
}
