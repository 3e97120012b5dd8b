//! A case as it was: at a version, a position and a time, over many segments.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use common::{Counting, note, stream};
use jiff::Timestamp;
use journal::{AsOf, Expected, Journal, Options, Position, Reader, Record, Version};

fn at(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap()
}

#[test]
fn a_stream_is_read_as_it_was_at_any_version_position_and_time() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(1_000_000));
    let mut options = Options::small();
    options.segment_bytes = 16 << 10;
    let told = Arc::clone(&clock);
    options.clock = Arc::new(move || at(told.load(Ordering::Acquire)));
    let (journal, _) =
        Journal::open(directory.path(), options, Arc::new(Counting), &mut |_| {}).unwrap();
    for round in 0..600_u128 {
        // Sometimes several records have the same time, sometimes an hour goes by.
        clock.fetch_add(
            [0, 1, 7, 3_600_000_000][usize::try_from(round % 4).unwrap()],
            Ordering::AcqRel,
        );
        journal.append(&note(round * 7 % 23, &"x".repeat(100)), Expected::Any).wait().unwrap();
    }
    let all = journal.read(Position(1), usize::MAX).unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let expect = |number: u128, as_of: AsOf, there: &dyn Fn(&Record) -> bool| {
        let mut wanted = all.clone();
        wanted.retain(|record| record.stream == stream(number) && there(record));
        assert_eq!(journal.read_stream_at(stream(number), as_of).unwrap(), wanted, "{as_of:?}");
        assert_eq!(reader.read_stream_at(stream(number), as_of).unwrap(), wanted, "{as_of:?}");
    };
    let mut times = vec![at(0), at(999_999), all[599].time, at(i64::MAX / 1_000_000)];
    for record in all.iter().step_by(17) {
        times.extend([record.time, at(record.time.as_microsecond() - 1)]);
    }
    for time in times {
        let last = all.iter().filter(|record| record.time <= time).count() as u64;
        assert_eq!(journal.position_at(time).unwrap(), Position(last), "{time}");
        assert_eq!(reader.position_at(time).unwrap(), Position(last), "{time}");
        for number in [0, 5, 22, 99] {
            expect(number, AsOf::Time(time), &|record| record.time <= time);
        }
    }
    for position in [0, 1, 22, 23, 24, 300, 599, 600, u64::MAX] {
        for number in [0, 7, 22] {
            let as_of = AsOf::Position(Position(position));
            expect(number, as_of, &|record| record.position.0 <= position);
        }
    }
    for version in [0, 1, 5, 26, 27, 1000] {
        expect(3, AsOf::Version(Version(version)), &|record| record.version.0 <= version);
    }
}
