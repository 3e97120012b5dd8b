//! The binary: a node, its command line and its audit tools.
//!
//! In scope: arguments, output, exit codes, and the demo. Out of scope: everything that another
//! program might want to call, which is in the libraries.

#![expect(
    clippy::doc_markdown,
    reason = "the docs of arguments are help text, in which backticks would stand"
)]

mod address;
mod arguments;
mod ask;
mod audit;
mod bench;
mod case;
mod cli;
mod clocks;
mod data_directory;
mod demo;
mod evidence;
mod files;
mod guidance;
mod health;
mod journal;
mod law;
mod output;
mod register;
mod serve;
mod signals;
mod stats;
mod submit;
mod up;
mod verifier_keys;
mod viewing;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use mimalloc::MiMalloc;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::filter::LevelFilter;

/// A command goes from thread to thread, and what one took another gives back: the system's own
/// allocator took a fifth of a busy node's and its client's processor for that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How long work that nobody waits for any more may take to end: a log that is being read when its
/// node is told to stop.
const LEFT_BEHIND: Duration = Duration::from_secs(1);

/// A log keeps two files open for each 64 MiB, and a limit of 1,024, as most systems set it for a
/// program that does not ask, would end it at 32 GiB. Where it cannot be raised it stays.
fn allow_many_files() {
    let now = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, ..now });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// What is logged. A level that this program has not, because what it would show may be somebody's words, is
/// the next one; what cannot be read is said, and is the level of who says nothing.
fn log_filter() -> tracing_subscriber::EnvFilter {
    let unsaid = || tracing_subscriber::EnvFilter::new("warn");
    let Some(wanted) = std::env::var("TEBESSA_LOG").ok().filter(|wanted| !wanted.is_empty()) else {
        return unsaid();
    };
    // Else the filter itself would tell of it, in colours of its own.
    let wanted = wanted.to_lowercase().replace("trace", "debug");
    let wanted = wanted.split(',').map(with_level).collect::<Vec<_>>().join(",");
    tracing_subscriber::EnvFilter::try_new(&wanted).unwrap_or_else(|error| {
        output::note(&format!("TEBESSA_LOG is not understood, and counts as warn: {error}"));
        unsaid()
    })
}

/// A part of what is to be logged, with its level. A target that has none means all levels, and the filter tells
/// in colours that there are fewer.
fn with_level(part: &str) -> String {
    let part = part.trim();
    let level = part.rsplit(']').next().unwrap_or(part);
    match level.rsplit_once('=') {
        Some((_, "")) => format!("{part}debug"),
        Some(_) => part.to_owned(),
        None if part.ends_with(']') => format!("{part}=debug"),
        None if part.is_empty() || part.parse::<LevelFilter>().is_ok() => part.to_owned(),
        None => format!("{part}=debug"),
    }
}

/// A picture of the memory would hold words in clear where no erasure reaches it.
fn leave_no_core() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::debug!(%error, "the limit of core files stays as it is");
    }
}

fn main() -> ExitCode {
    let filter = log_filter();
    // As all other output: colours on a terminal only, and never with NO_COLOR.
    let choice = anstream::AutoStream::choice(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // What cannot be logged is lost: to say so on standard error, which is what failed, would panic.
        .log_internal_errors(false)
        .with_ansi(choice != anstream::ColorChoice::Never)
        .init();
    allow_many_files();
    leave_no_core();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(&format!("error: the system gives no threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let exit = runtime.block_on(cli::run());
    runtime.shutdown_timeout(LEFT_BEHIND);
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_of_a_target_has_a_level() {
        for (given, meant) in [
            ("warn", "warn"),
            ("", ""),
            ("service=info", "service=info"),
            ("foo=", "foo=debug"),
            ("foo", "foo=debug"),
            ("[request]", "[request]=debug"),
            ("[request{case=1}]", "[request{case=1}]=debug"),
            ("[request{case=1}]=info", "[request{case=1}]=info"),
        ] {
            assert_eq!(with_level(given), meant, "{given}");
        }
    }
}
