//! The measures, each with its size.

use std::io::IsTerminal;
use std::path::Path;

use journal::Error;
use journal::measure::{self, Figure};

use super::report;
use crate::output::{Bar, CliError, Exit, Output, Steps};

/// A case of the log that whole cases are read from has so many records.
const CASE_RECORDS: u64 = 30;
/// More records than these would not stay in the page cache of a small machine.
const MOST_CASE_RECORDS: u64 = 1_500_000;
/// The length of a burst, in records.
const BURST_RECORDS: u64 = 200_000;

/// Something to measure; the names are those of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// Durable appends, 1, 16, 128 and 1,024 records a flush
    Append,
    /// 64 callers at once, one record each, with expected versions
    AppendContended,
    /// A burst of 200,000 records with an index, and without
    IndexBurst,
    /// Appends until the index has them all
    Sustained,
    /// Reading whole cases of 30 records, on one core and on two
    Rebuild,
    /// Opening a log with a clean index
    Open,
    /// Verifying a whole log
    Verify,
    /// Building the index anew
    Index,
    /// The cost of an append while the log grows
    Growth,
    /// Filling the log that others read
    #[value(hide = true)]
    Fill,
}

impl Measure {
    /// Those that can be asked for, in their order.
    pub(super) const ALL: [Self; 9] = [
        Self::Append,
        Self::AppendContended,
        Self::IndexBurst,
        Self::Sustained,
        Self::Rebuild,
        Self::Open,
        Self::Verify,
        Self::Index,
        Self::Growth,
    ];

    /// The name in a figure.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::AppendContended => "append_contended",
            Self::IndexBurst => "index_burst",
            Self::Sustained => "sustained",
            Self::Rebuild => "rebuild",
            Self::Open => "open",
            Self::Verify => "verify",
            Self::Index => "index",
            Self::Growth => "growth",
            Self::Fill => "fill",
        }
    }

    /// Whether it reads a log that was filled before.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Open | Self::Verify | Self::Index)
    }

    /// Measures in a directory, and prints each figure as a line of JSON.
    pub(super) fn run(self, directory: &Path, records: u64) -> Result<Exit, CliError> {
        let mut told = Told::new();
        match self {
            Self::Append => {
                for group in [1, 16, 128, 1_024] {
                    let records = (group * 10_000).min(600_000);
                    let place = directory.join(group.to_string());
                    told.take(&format!("append, {group} a flush"), || {
                        std::fs::create_dir(&place).map_err(CliError::other)?;
                        measure::append(&place, group, records).map_err(failed)
                    })?;
                    std::fs::remove_dir_all(&place).map_err(CliError::other)?;
                }
            }
            Self::AppendContended => {
                let run = || measure::append_contended(directory, 64, 200_000).map_err(failed);
                told.take("append, 64 callers", run)?;
            }
            Self::IndexBurst => {
                let run = || measure::index_burst(directory, BURST_RECORDS).map_err(failed);
                told.take("bursts with and without an index", run)?;
            }
            Self::Sustained => {
                let mut bar = Bar::new("Appending");
                let mut show = |done| bar.show(done, records, "records");
                told.print(&measure::sustained(directory, records, &mut show).map_err(failed)?)?;
            }
            Self::Rebuild => {
                let records = records.min(MOST_CASE_RECORDS);
                let streams = (records / CASE_RECORDS).max(1);
                fill(directory, records, streams)?;
                for threads in [1, 2] {
                    told.take(&format!("reading whole cases, {threads} at once"), || {
                        measure::rebuild(directory, streams, threads).map_err(failed)
                    })?;
                }
            }
            Self::Open => told.take("opening", || measure::open(directory).map_err(failed))?,
            Self::Verify => {
                told.take("verifying", || measure::verify(directory).map_err(failed))?;
            }
            Self::Index => told.take("indexing", || measure::index(directory).map_err(failed))?,
            Self::Fill => fill(directory, records, records / 20)?,
            Self::Growth => {
                let mut bar = Bar::new("Growing");
                let mut show = |done| bar.show(done, records, "records");
                let mut printed = Ok(());
                measure::growth(directory, records, &mut show, &mut |figure| {
                    if printed.is_ok() {
                        printed = told.print(&figure);
                    }
                })
                .map_err(failed)?;
                printed?;
            }
        }
        Ok(Exit::Done)
    }
}

fn fill(directory: &Path, records: u64, streams: u64) -> Result<(), CliError> {
    let mut bar = Bar::new("Filling a log");
    measure::fill(directory, records, streams, &mut |done| bar.show(done, records, "records"))
        .map_err(failed)
}

fn failed(error: Error) -> CliError {
    CliError::other(error)
}

/// Tells of figures: to a program on standard output, to a person who waits on standard error.
struct Told {
    steps: Steps,
    out: Output,
}

impl Told {
    fn new() -> Self {
        Self { steps: Steps::new(!std::io::stderr().is_terminal()), out: Output::stdout() }
    }

    fn take(
        &mut self,
        step: &str,
        measure: impl FnOnce() -> Result<Figure, CliError>,
    ) -> Result<(), CliError> {
        self.steps.begin(step);
        let figure = measure()?;
        self.steps.done(&report::rate(figure.records_per_s));
        self.print(&figure)
    }

    fn print(&mut self, figure: &Figure) -> Result<(), CliError> {
        self.out.json(figure)?;
        self.out.flush()
    }
}
