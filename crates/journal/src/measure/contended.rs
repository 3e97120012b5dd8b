//! How fast many callers append at once, one record each.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::append::Limit;
use super::load::{Loader, stream};
use super::watched::Watched;
use super::{Figure, TURNS, p99_us, per_second};
use crate::disk::Disk;
use crate::error::{Error, disk_error};
use crate::journal::Journal;
use crate::options::Options;
use crate::record::{Expected, Version};

/// The streams that the callers share out.
const STREAMS: u64 = 1_000;

/// Appends one record at a time from each of `callers` tasks, with expected versions, over 1,000
/// streams. Each caller has streams of its own, so that no append is refused, and awaits its answer
/// before it appends again. The log alone, as in [`super::append()`]. The tasks share the threads of a
/// runtime, as those of a service do. The limit is a bare loop that writes a record of each caller with
/// every flush.
pub fn append_contended(directory: &Path, callers: u64, records: u64) -> Result<Figure, Error> {
    let options = Options::default();
    let disk = Watched::new(directory);
    let (journal, _) = Journal::open_on(Arc::clone(&disk) as Arc<dyn Disk>, options)?;
    let loader = Arc::new(Loader::new()?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .map_err(disk_error("the runtime", "starting"))?;
    let each = (records / callers / TURNS).max(1);
    let mut limit = Limit::new(directory, callers, each)?;
    let (mut took, mut waits, mut bare, mut bare_waits) =
        (Duration::ZERO, Vec::new(), Duration::ZERO, Vec::new());
    for turn in 0..TURNS {
        let begin = Instant::now();
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for caller in 0..callers {
                let numbers = turn * each..(turn + 1) * each;
                let own = (STREAMS / callers).max(1);
                let caller = Caller { first: caller * own, own, numbers };
                tasks.spawn(caller.run(journal.clone(), Arc::clone(&loader)));
            }
            while let Some(ended) = tasks.join_next().await {
                waits.append(&mut ended.unwrap_or(Err(Error::Closed))?);
            }
            Ok::<(), Error>(())
        })?;
        took += begin.elapsed();
        disk.wait_until_quiet();
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

/// One of the callers: its streams and the numbers of its appends.
struct Caller {
    first: u64,
    own: u64,
    numbers: Range<u64>,
}

impl Caller {
    /// Appends one record after the other; returns how long each took.
    async fn run(self, journal: Journal, loader: Arc<Loader>) -> Result<Vec<Duration>, Error> {
        let mut waits = Vec::new();
        for number in self.numbers {
            let begin = Instant::now();
            let expected = Expected::Exactly(Version(number / self.own));
            let draft = loader.draft(stream(self.first + number % self.own));
            journal.append(&draft, expected).await?;
            waits.push(begin.elapsed());
        }
        Ok(waits)
    }
}
