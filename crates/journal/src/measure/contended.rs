//! How fast many callers append at once, one record each.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::append::Limit;
use super::load::{Loader, stream};
use super::{Figure, TURNS, p99_us, per_second};
use crate::draft::NoProjection;
use crate::error::Error;
use crate::journal::Journal;
use crate::options::Options;
use crate::record::{Expected, Version};

/// The streams that the callers share out.
const STREAMS: u64 = 1_000;

/// Appends one record at a time from each of `callers` threads, with expected versions, over 1,000
/// streams. Each caller has streams of its own, so that no append is refused. The limit is a bare
/// loop that writes a record of each caller with every flush.
pub fn append_contended(directory: &Path, callers: u64, records: u64) -> Result<Figure, Error> {
    let options = Options::default();
    let (journal, _) = Journal::open(directory, options, Arc::new(NoProjection), &mut |_| {})?;
    let loader = Loader::new();
    let each = (records / callers / TURNS).max(1);
    let mut limit = Limit::new(directory, callers, each)?;
    let (mut took, mut waits, mut bare, mut bare_waits) =
        (Duration::ZERO, Vec::new(), Duration::ZERO, Vec::new());
    for turn in 0..TURNS {
        let begin = Instant::now();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..callers)
                .map(|caller| {
                    let (journal, loader) = (&journal, &loader);
                    let numbers = turn * each..(turn + 1) * each;
                    scope.spawn(move || {
                        let own = (STREAMS / callers).max(1);
                        let mut waits = Vec::new();
                        for number in numbers {
                            let begin = Instant::now();
                            let expected = Expected::Exactly(Version(number / own));
                            let draft = loader.draft(stream(caller * own + number % own));
                            journal.append(draft, expected).wait()?;
                            waits.push(begin.elapsed());
                        }
                        Ok(waits)
                    })
                })
                .collect();
            for thread in threads {
                waits.append(&mut thread.join().unwrap_or(Err(Error::Closed))?);
            }
            Ok::<(), Error>(())
        })?;
        took += begin.elapsed();
        bare += limit.run(each, &mut bare_waits)?;
    }
    journal.close()?;
    let total = each * callers * TURNS;
    let limit = per_second(total, bare);
    let mut figure = Figure::new("append_contended", total, took).with_limit(limit);
    figure.group = Some(callers);
    figure.p99_us = p99_us(&mut waits);
    figure.limit_p99_us = p99_us(&mut bare_waits);
    Ok(figure)
}
