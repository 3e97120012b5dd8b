//! Progress on standard error, and only where somebody watches it on a terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::{ASIDE, GOOD};
use super::terminal::note;

/// A step that is over sooner than this needs no bar.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar that appears when a step takes a while, and leaves nothing behind.
pub(crate) struct Bar {
    drawn: ProgressBar,
    label: &'static str,
    begun: Instant,
    shown: bool,
}

impl Bar {
    /// A bar that is not shown yet; never shown where standard error is no terminal.
    pub(crate) fn new(label: &'static str) -> Self {
        Self { drawn: ProgressBar::hidden(), label, begun: Instant::now(), shown: false }
    }

    /// How far the step is, in bytes where `bytes` is set; a total of 0 means that it is unknown.
    pub(crate) fn show(&mut self, done: u64, total: u64, unit: &str) {
        if !self.shown {
            if self.begun.elapsed() < PATIENCE {
                return;
            }
            self.shown = true;
            self.drawn = ProgressBar::with_draw_target(Some(total), target());
            self.drawn.set_style(style(total, unit));
            self.drawn.set_message(self.label);
        }
        if total > 0 {
            self.drawn.set_length(total);
        }
        self.drawn.set_position(done);
    }

    /// Says something behind the bar.
    pub(crate) fn tell(&self, text: String) {
        self.drawn.set_message(text);
    }

    /// Begins a step of another name.
    pub(crate) fn next(&mut self, label: &'static str) {
        self.finish();
        *self = Self::new(label);
    }

    /// The step's name.
    pub(crate) fn label(&self) -> &'static str {
        self.label
    }

    /// Writes something else while the bar is out of the way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.drawn.suspend(write)
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.drawn.finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    }
}

fn style(total: u64, unit: &str) -> ProgressStyle {
    let amount = match (unit, total) {
        ("bytes", 0) => "{bytes}".to_owned(),
        ("bytes", _) => "{wide_bar} {percent} % of {total_bytes}, {eta} left".to_owned(),
        (unit, 0) => format!("{{human_pos}} {unit}"),
        (unit, _) => format!("{{wide_bar}} {{percent}} % of {{human_len}} {unit}, {{eta}} left"),
    };
    ProgressStyle::with_template(&format!("{{spinner}} {{msg}} {amount}"))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Progress while a journal is opened.
pub(crate) struct OpenProgress {
    bar: Bar,
}

impl OpenProgress {
    /// Nothing is shown yet.
    pub(crate) fn new() -> Self {
        Self { bar: Bar::new(READING) }
    }

    /// Shows how far the opening is.
    pub(crate) fn show(&mut self, step: journal::Progress) {
        match step {
            journal::Progress::Log { done, total } => self.bar.show(done, total, "bytes"),
            journal::Progress::Index { done, total } => {
                if self.bar.label() != INDEXING {
                    self.bar.next(INDEXING);
                }
                self.bar.show(done.0, total.0, "records");
            }
            // A newer journal may have further steps; they pass without a bar.
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish();
    }
}

const READING: &str = "Reading the log";
const INDEXING: &str = "Building the index";

/// The steps of a longer work, each told in a line on standard error when it is done.
pub(crate) struct Steps {
    quiet: bool,
    begun: Instant,
    step: String,
    spinner: ProgressBar,
}

impl Steps {
    /// Without a word where `quiet` is set.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, begun: Instant::now(), step: String::new(), spinner: ProgressBar::hidden() }
    }

    /// A step begins.
    pub(crate) fn begin(&mut self, step: &str) {
        step.clone_into(&mut self.step);
        self.begun = Instant::now();
        if !self.quiet {
            self.spinner = ProgressBar::with_draw_target(None, target());
            self.spinner.set_message(self.step.clone());
            self.spinner.enable_steady_tick(Duration::from_millis(120));
        }
    }

    /// The step is done; `result` says how it ended in a few words.
    pub(crate) fn done(&mut self, result: &str) {
        self.spinner.finish_and_clear();
        if !self.quiet {
            let time_ms = self.begun.elapsed().as_millis();
            note(&format!(
                "{GOOD}✓{GOOD:#} {}: {} {ASIDE}({time_ms} ms){ASIDE:#}",
                self.step,
                super::text::plain(result),
            ));
        }
    }
}
