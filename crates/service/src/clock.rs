//! The machine's clock beside the record: the alarm when the two do not fit.
//!
//! The order of records is that of the log, whatever the clock says, and their times never go back: a
//! clock that was ahead for a moment stands in every later record until it is there again. Time limits
//! run by the clock. So a clock that was set is told of; nothing is refused for it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use journal::Journal;
use tokio::time::Instant;

use crate::node::Node;

/// By so much a clock may be wrong, as one that is put right by a time server is at times.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);
/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// By how much the clock is behind the last record, if it is by more than may be.
pub(crate) fn behind(journal: &Journal) -> Result<Option<SignedDuration>, journal::Error> {
    let last = journal.durable_position();
    let record = journal.read(last, 1)?.pop();
    Ok(record.and_then(|record| lag(record.time, Timestamp::now())))
}

fn lag(last: Timestamp, now: Timestamp) -> Option<SignedDuration> {
    Some(last.duration_since(now)).filter(|lag| *lag > TOLERANCE)
}

/// How much further the clock went than time passed, if that is more than may be.
fn leap(clock: SignedDuration, passed: Duration) -> Option<SignedDuration> {
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    Some(clock.saturating_sub(passed)).filter(|leap| leap.abs() > TOLERANCE)
}

/// Looks at the clock for ever, and raises the alarm once for each change.
pub(crate) async fn watch(node: Node) {
    let mut was_behind = false;
    let mut seen = (Timestamp::now(), Instant::now());
    loop {
        let is_behind = look(&node, was_behind).await;
        was_behind = is_behind.unwrap_or(was_behind);
        tokio::time::sleep(EVERY).await;
        let now = (Timestamp::now(), Instant::now());
        if let Some(leap) = leap(now.0.duration_since(seen.0), now.1.duration_since(seen.1)) {
            tracing::warn!(
                seconds = leap.as_secs(),
                alarm = true,
                "the clock was set, or the machine slept: time limits run by it"
            );
        }
        seen = now;
    }
}

/// Whether the clock is behind the record; none where the log does not say.
async fn look(node: &Node, was_behind: bool) -> Option<bool> {
    let journal = node.journal().clone();
    let found = tokio::task::spawn_blocking(move || behind(&journal)).await.ok()?.ok()?;
    match found {
        Some(lag) if !was_behind => tracing::error!(
            seconds = lag.as_secs(),
            alarm = true,
            "the clock is behind the last record: put it right, or every record has that time until \
             the clock is there"
        ),
        None if was_behind => tracing::warn!("the clock is past the last record again"),
        Some(_) | None => {}
    }
    Some(found.is_some())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(serde::Serialize)]
    struct Note {
        subject: journal::StreamId,
        time: (),
        caseversion: (),
        prev: (),
    }

    impl journal::Draft for Note {
        fn stream(&self) -> journal::StreamId {
            self.subject
        }
    }

    #[test]
    fn a_clock_that_went_back_is_told_by_how_much() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Arc::new(journal::disk::RealDisk::new(directory.path().to_owned()));
        let mut options = journal::Options::small();
        options.clock = Arc::new(|| Timestamp::now() + SignedDuration::from_hours(1));
        let (journal, _) = Journal::open_on(disk, options).unwrap();
        assert_eq!(behind(&journal).unwrap(), None, "there is no record yet");
        let subject = journal::StreamId(uuid::Uuid::from_u128(1));
        let note = Note { subject, time: (), caseversion: (), prev: () };
        journal.append(&note, journal::Expected::Any).wait().unwrap();
        let lag = behind(&journal).unwrap().unwrap();
        assert!(lag > TOLERANCE && lag <= SignedDuration::from_hours(1), "{lag}");
    }

    #[test]
    fn only_what_is_more_than_a_minute_is_told() {
        let now: Timestamp = "2026-01-05T12:00:00Z".parse().unwrap();
        let seconds = SignedDuration::from_secs;
        assert_eq!(lag(now, now), None);
        assert_eq!(lag(now, now + seconds(3600)), None, "the record is old");
        assert_eq!(lag(now + seconds(60), now), None);
        assert_eq!(lag(now + seconds(61), now), Some(seconds(61)));

        assert_eq!(leap(seconds(5), Duration::from_secs(5)), None);
        assert_eq!(leap(seconds(65), Duration::from_secs(5)), None);
        assert_eq!(leap(seconds(66), Duration::from_secs(5)), Some(seconds(61)));
        assert_eq!(leap(seconds(-3600), Duration::from_secs(5)), Some(seconds(-3605)));
    }
}
