//! Many callers, one writer: conflicts, following, and the clock.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use common::{Counting, note, open, stream};
use journal::{Error, Expected, Journal, Options, PendingAll, Position, Reader, Version, verify};

#[test]
fn of_many_threads_that_expect_the_same_version_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let wins: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut wins = 0;
                    for _ in 0..50 {
                        let version = journal
                            .head(stream(1))
                            .unwrap()
                            .map_or(Version(0), |head| head.version);
                        match journal.append(&note(1, "x"), Expected::Exactly(version)).wait() {
                            Ok(appended) => {
                                assert_eq!(appended.version, version.next());
                                wins += 1;
                            }
                            Err(Error::Conflict { actual, .. }) => assert!(actual > version),
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    wins
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let records = journal.read_stream(stream(1), None).unwrap();
    assert_eq!(records.len() as u64, wins.iter().sum::<u64>());
    journal.close().unwrap();
    verify(directory.path(), &mut |_| {}).unwrap();
}

#[tokio::test]
async fn a_follower_sees_every_record_once_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let writing = journal.clone();
    let writer = tokio::spawn(async move {
        for number in 0..500_u32 {
            writing.append(&note(u128::from(number % 5), "x"), Expected::Any).await.unwrap();
        }
    });
    let mut durable = journal.durable();
    let mut next = Position(1);
    while next <= Position(500) {
        if *durable.borrow_and_update() < next {
            durable.changed().await.unwrap();
            continue;
        }
        for record in journal.read(next, 64).unwrap() {
            assert_eq!(record.position, next);
            next = next.next();
        }
    }
    writer.await.unwrap();
}

#[test]
fn a_reader_and_a_verification_work_beside_a_live_writer() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    journal.append(&note(0, "first"), Expected::Any).wait().unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..3000_u32 {
                drop(
                    journal.append(&note(u128::from(number % 5), &"x".repeat(200)), Expected::Any),
                );
            }
            journal.append(&note(1, "last"), Expected::Any).wait().unwrap();
        });
        while !writer.is_finished() {
            let before = journal.durable_position();
            let reader = Reader::open(directory.path()).unwrap();
            assert!(reader.last() >= before);
            let records = reader.read(Position(1), usize::MAX).unwrap();
            assert_eq!(records.len() as u64, reader.last().0);
            let report = verify(directory.path(), &mut |_| {}).unwrap();
            assert!(Position(report.records) >= before);
        }
    });
}

#[test]
fn recorded_time_never_runs_backwards_even_when_the_clock_does() {
    let directory = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(0));
    let open = || {
        let mut options = Options::small();
        let now = Arc::clone(&now);
        let start = jiff::Timestamp::now().as_microsecond();
        options.clock = Arc::new(move || {
            let jump = [0, -3_000_000_000, 5, -315_360_000_000_000, 1_000_000, -1];
            let tick = usize::try_from(now.fetch_add(1, Ordering::Relaxed)).unwrap();
            jiff::Timestamp::from_microsecond(start + jump[tick % jump.len()]).unwrap()
        });
        Journal::open(directory.path(), options, Arc::new(Counting), &mut |_| {}).unwrap().0
    };
    let mut before = jiff::Timestamp::MIN;
    for _ in 0..3 {
        let journal = open();
        for _ in 0..7 {
            let appended = journal.append(&note(1, "x"), Expected::Any).wait().unwrap();
            assert!(appended.time >= before);
            before = appended.time;
        }
        journal.close().unwrap();
    }
    verify(directory.path(), &mut |_| {}).unwrap();
}

#[test]
fn large_groups_of_few_streams_on_their_way_at_once_form_sound_chains() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path()).unwrap();
    let mut versions = [0_u64; 3];
    let on_the_way: Vec<_> = (0..40_u64)
        .map(|part| {
            let drafts: Vec<_> = (0..150_u64)
                .map(|number| {
                    let stream = (part + number * 7) % 3;
                    let expected = Expected::Exactly(Version(versions[stream as usize]));
                    versions[stream as usize] += 1;
                    (note(u128::from(stream), "x"), expected)
                })
                .collect();
            journal.append_all(drafts)
        })
        .collect();
    let told: Vec<_> = on_the_way.into_iter().flat_map(PendingAll::wait).collect();
    let records = journal.read(Position(1), 6_000).unwrap();
    assert_eq!((told.len(), records.len()), (6_000, 6_000));
    for (record, appended) in records.iter().zip(&told) {
        let appended = appended.as_ref().unwrap();
        let told = (appended.position, appended.version, appended.leaf);
        assert_eq!((record.position, record.version, record.leaf()), told);
    }
    let root = journal.root();
    journal.close().unwrap();
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert_eq!((root.0, root.1), (6_000, report.root));
}

/// What is refused takes no place in a group: more than a group has may be looked at for one.
#[test]
fn of_many_in_small_groups_each_hears_its_own_answer() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::small();
    options.group_records = 3;
    let (journal, _) =
        Journal::open(directory.path(), options, Arc::new(Counting), &mut |_| {}).unwrap();
    // Of every five that follow each other in a stream, the third and the fifth are right.
    let expected = [7, 9, 0, 0, 1].map(Version);
    let drafts = (0..200_u32).flat_map(|number| {
        expected.map(|version| (note(u128::from(number), "x"), Expected::Exactly(version)))
    });
    let outcomes = journal.append_all(drafts).wait();
    assert_eq!(outcomes.len(), 1000);
    for (five, number) in outcomes.as_chunks::<5>().0.iter().zip(0..) {
        let actual = |outcome: &Result<_, Error>| match outcome {
            Err(Error::Conflict { actual, .. }) => actual.0,
            other => panic!("{other:?}"),
        };
        assert_eq!([&five[0], &five[1], &five[3]].map(actual), [0, 0, 1], "stream {number}");
        let [first, second] = [&five[2], &five[4]].map(|outcome| outcome.as_ref().unwrap());
        assert_eq!((first.position.0, first.version.0), (number * 2 + 1, 1));
        assert_eq!((second.position.0, second.version.0), (number * 2 + 2, 2));
    }
    journal.close().unwrap();
    assert_eq!(verify(directory.path(), &mut |_| {}).unwrap().records, 400);
}
