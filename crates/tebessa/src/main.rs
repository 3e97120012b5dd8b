//! The binary: a node, its command line and its audit tools.
//!
//! In scope: arguments, output, exit codes, and the demo. Out of scope: everything that another
//! program might want to call, which is in the libraries.

#![expect(
    clippy::doc_markdown,
    reason = "the docs of arguments are help text, in which backticks would stand"
)]

mod address;
mod audit;
mod audit_verify;
mod bench;
mod case_view;
mod cli;
mod clocks;
mod demo;
mod evidence;
mod guidance;
mod health;
mod journal;
mod law;
mod output;
mod register_view;
mod serve;
mod stats;
mod submit;
mod up;
mod viewing;
mod watch;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TEBESSA_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    cli::run().await
}
