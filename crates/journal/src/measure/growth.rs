//! What an append costs while the log grows from thousands of records to millions.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::Figure;
use super::load::{Appends, Tally};
use super::read::{open, wait_for_index};
use crate::error::Error;
use crate::journal::Journal;
use crate::options::Options;

/// The size of the log at the first figure.
const FIRST_RECORDS: u64 = 10_000;
/// How many appends a figure is taken over.
const SAMPLE_RECORDS: u64 = 10_000;
/// How many samples are taken at each size: the median counts.
const SAMPLES: usize = 9;

/// Lets a log grow to `records` records over a twentieth as many streams. At 10 thousand records
/// and every tenfold of that, it waits for the index and takes the median time of some more
/// appends; at the end it opens the log again.
pub fn growth(
    directory: &Path,
    records: u64,
    progress: &mut dyn FnMut(u64),
    tell: &mut dyn FnMut(Figure),
) -> Result<(), Error> {
    let options = Options::default();
    let (journal, report) = Journal::open(directory, options, Arc::new(Tally), &mut |_| {})?;
    let mut appends = Appends::new(report.last.0, (records / 20).max(1))?;
    let mut size = FIRST_RECORDS;
    while size <= records {
        let missing = size.saturating_sub(appends.number());
        appends.run(&journal, missing, progress)?;
        wait_for_index(&journal)?;
        let mut samples = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            let begin = Instant::now();
            appends.run(&journal, SAMPLE_RECORDS, progress)?;
            samples.push(begin.elapsed());
        }
        samples.sort_unstable();
        if let Some(median) = samples.get(SAMPLES / 2) {
            let mut figure = Figure::new("growth", SAMPLE_RECORDS, *median).with_memory();
            figure.us_per_append = Some(1e6 / figure.records_per_s);
            figure.records = size;
            tell(figure);
        }
        size *= 10;
    }
    journal.close()?;
    tell(open(directory)?);
    Ok(())
}
