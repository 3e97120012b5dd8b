//! The summaries that the index keeps, one a case: how they are made, and the one way to read them.

use std::ops::ControlFlow;

use case::{Recorded, Summary};
use journal::{Journal, Position, Projection, Record, StreamId};

use crate::reply::Failure;

/// Keeps a [`Summary`] per case in the journal's index.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summaries;

impl Projection for Summaries {
    /// To be raised with each change after which a record gives other bytes, or bytes from before would be
    /// read otherwise or not at all: a field of [`Summary`] or of what it holds, its name, its meaning,
    /// when it changes, how it is written. Only then the index is built anew; else old summaries stay
    /// beside new ones, and those that cannot be read any more are refused by whoever visits them.
    fn version(&self) -> u32 {
        10
    }

    /// A record that cannot be read leaves the summary as it was: reading the case itself reports
    /// it, with its position.
    fn project(&self, prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
        let before = prior.unwrap_or_default();
        let Ok(recorded) = Recorded::decode(&record.bytes, record.position.0) else {
            return before.to_vec();
        };
        let summary = serde_json::from_slice::<Summary>(before).ok();
        match Summary::after(summary, &recorded).and_then(|after| serde_json::to_vec(&after).ok()) {
            Some(bytes) => bytes,
            None => before.to_vec(),
        }
    }
}

/// Visits the summaries of the cases in the order in which the cases were first recorded, each with the
/// position of its first record, behind the case that was first recorded at `after`; until it is told to
/// stop. They are as new as the index is. Blocks.
///
/// Passed over is what has no summary: the register, and a case of which no record can be read. One
/// that is there and cannot be read is a failure, for whoever asks must not take the rest for all:
/// a key that is to be destroyed would stay, a case would be missing from a list.
pub(crate) fn visit_summaries(
    journal: &Journal,
    after: Option<Position>,
    visit: &mut dyn FnMut(Position, Summary) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut unreadable = None;
    let visited = journal.summaries(after, &mut |stream, first, bytes| {
        if bytes.is_empty() {
            return ControlFlow::Continue(());
        }
        match serde_json::from_slice(bytes) {
            Ok(summary) => visit(first, summary),
            Err(error) => {
                unreadable = Some((stream, error));
                ControlFlow::Break(())
            }
        }
    });
    visited.map_err(|error| Failure::because(&error))?;
    unreadable.map_or(Ok(()), |(stream, error)| {
        Err(Failure::unavailable(format!(
            "the summary of case {stream} in the index cannot be read ({error}): stop the node, remove \
             the directory `index` beside the log's segments, and start it; the index is made anew"
        )))
    })
}

/// The streams that have no summary, each with the position of its first record. Blocks.
pub(crate) fn without_summary(journal: &Journal) -> Result<Vec<(StreamId, Position)>, Failure> {
    let mut found = Vec::new();
    let visited = journal.summaries(None, &mut |stream, first, bytes| {
        if bytes.is_empty() {
            found.push((stream, first));
        }
        ControlFlow::Continue(())
    });
    visited.map_err(|error| Failure::because(&error))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use case::clocks::Clocks;
    use journal::{Draft, Expected, Options};
    use uuid::Uuid;

    use super::*;
    use crate::node::{Authority, GivenLaw, Node, journal_dir, keys_dir};

    /// Summaries that this version cannot read, of a version that says it can: as if somebody had forgotten
    /// to raise it. The stream 1 has none.
    struct Unreadable;

    impl Projection for Unreadable {
        fn version(&self) -> u32 {
            Summaries.version()
        }

        fn project(&self, _prior: Option<&[u8]>, record: &Record) -> Vec<u8> {
            if record.stream.0.as_u128() == 1 { Vec::new() } else { b"{}".to_vec() }
        }
    }

    #[derive(serde::Serialize)]
    struct Event {
        subject: StreamId,
        time: (),
        caseversion: (),
        prev: (),
    }

    impl Draft for Event {
        fn stream(&self) -> StreamId {
            self.subject
        }
    }

    async fn journal_of(directory: &Path, streams: &[u128]) -> Journal {
        let none = &mut |_: journal::Progress| {};
        let opened = Journal::open(directory, Options::default(), Arc::new(Unreadable), none);
        let (journal, _) = opened.unwrap();
        for stream in streams {
            let subject = StreamId(Uuid::from_u128(*stream));
            let event = Event { subject, time: (), caseversion: (), prev: () };
            journal.append(&event, Expected::Any).await.unwrap();
        }
        let last = journal.durable_position();
        journal.index_caught_up().wait_for(|applied| *applied >= last).await.unwrap();
        journal
    }
    fn visited(journal: &Journal) -> Result<usize, Failure> {
        let mut count = 0;
        visit_summaries(journal, None, &mut |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    #[tokio::test]
    async fn what_has_no_summary_is_passed_over_and_what_cannot_be_read_is_not() {
        let home = tempfile::tempdir().unwrap();
        let journal = journal_of(home.path(), &[1]).await;
        assert_eq!(visited(&journal), Ok(0));
        journal.close().unwrap();
        let journal = journal_of(home.path(), &[2]).await;
        let refused = visited(&journal).unwrap_err();
        assert_eq!(refused.code, 503);
        assert!(refused.message.contains("00000000-0000-0000-0000-000000000002"), "{refused}");
    }

    #[tokio::test]
    async fn a_node_that_cannot_know_which_keys_are_to_be_destroyed_says_so_and_answers_no_list() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path();
        journal_of(&journal_dir(data), &[2]).await.close().unwrap();
        drop(crate::keys::KeyStore::open(&keys_dir(data)).unwrap());
        let authority = Authority::new("test").unwrap();
        let library = guidance::Library::embedded().unwrap();
        let law = GivenLaw { library, clocks: Clocks::embedded().clone() };
        let (node, _) = Node::open(data, &authority, law, &mut |_| {}).unwrap();
        let refused = node.settle_keys(false).await;
        assert!(
            matches!(refused, Err(crate::erasure::KeysUnsettled::Unsure(why)) if why.code == 503)
        );
        let person = r#"{"person":"00000000-0000-0000-0000-000000000009"}"#;
        for (query, body) in [
            ("list", "{}"),
            ("search", r#"{"reference":"X-1"}"#),
            ("statistics", "{}"),
            ("person", person),
            ("audit.what-if-cases", r#"{"profile":"UNHCR"}"#),
        ] {
            let answer = crate::queries::answer(
                &node,
                &crate::follower::Status::Away,
                query,
                body.as_bytes(),
            );
            let failure = answer.unwrap_err();
            assert!(failure.message.contains("index"), "{query}: {failure}");
        }
    }
}
