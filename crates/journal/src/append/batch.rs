//! The records of one call, or of several, on their way to the writer.

use crate::append::answers::{Answers, Outcome};
use crate::append::draft::Draft;
use crate::append::template::Template;
use crate::error::Error;
use crate::record::{Expected, StreamId};

/// Room for the first record, in bytes: most are shorter. One that grew byte by byte would be moved
/// seven times.
const FIRST_BYTES: usize = 1 << 10;
/// So much room is taken at most for the others, and kept to be used again.
const MOST_RESERVED: usize = 1 << 20;

/// A record that waits for the writer.
pub(crate) struct Waiting {
    pub(crate) record: Template,
    pub(crate) expected: Expected,
    /// Its place among the answers of its call.
    pub(crate) place: u32,
    /// Which of the batch's calls it came with.
    call: u32,
}

/// Records that wait for the writer together, in their order. They share their bytes, and those of one
/// call the way to their answers: what each has by itself is made by one thread and let go by another,
/// which costs both.
///
/// A batch that is dropped leaves what waits in it without an answer, see [`Answers`].
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    waiting: Vec<Waiting>,
    /// How many of them, from the first on, were taken.
    taken: usize,
    /// Where the answers of each call go.
    calls: Vec<Answers>,
}

impl Batch {
    /// Begins a call with so many records, whose answers go to `answers`. Nothing waits yet.
    pub(crate) fn begin(&mut self, records: usize, answers: Answers) {
        self.bytes.reserve(FIRST_BYTES);
        self.waiting.reserve(records);
        self.calls.push(answers);
    }

    /// Checks, encodes and adds a draft of the call that was begun. One that cannot be appended is
    /// answered at once.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch has a few hundred records, and no more calls"
    )]
    pub(crate) fn add(&mut self, draft: &impl Draft, expected: Expected, place: u32) {
        let record = Template::new(draft.stream());
        let call = self.calls.len().saturating_sub(1) as u32;
        let waiting = self.waiting.push_mut(Waiting { record, expected, place, call });
        if let Err(error) = waiting.record.encode(draft, &mut self.bytes) {
            self.waiting.pop();
            if let Some(answers) = self.calls.last_mut() {
                answers.give_each(std::iter::once((place, Err(error))));
            }
        } else if self.waiting.len() == 1 {
            // Most records of a call are about as long as the first.
            let rest = self.waiting.capacity().saturating_sub(1);
            self.bytes.reserve((rest * self.bytes.len()).min(MOST_RESERVED));
        }
    }

    /// Adds all that waits in another, of which nothing was taken; the other keeps its room.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch has a few hundred records, and no more calls"
    )]
    pub(crate) fn join(&mut self, other: &mut Batch) {
        let (bytes, calls) = (self.bytes.len(), self.calls.len() as u32);
        self.bytes.append(&mut other.bytes);
        self.calls.append(&mut other.calls);
        self.waiting.extend(other.waiting.drain(..).map(|waiting| Waiting {
            record: waiting.record.behind(bytes),
            call: waiting.call + calls,
            ..waiting
        }));
    }

    /// Lets go of everything but the room, unless that is large.
    pub(crate) fn clear(&mut self) {
        let large = self.bytes.capacity() > MOST_RESERVED;
        self.bytes = if large { Vec::new() } else { std::mem::take(&mut self.bytes) };
        self.bytes.clear();
        self.waiting.clear();
        self.calls.clear();
        self.taken = 0;
    }

    /// Whether it has room from what it held before.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes.capacity() > 0
    }

    /// How many records wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() - self.taken
    }

    /// The streams of the records that wait.
    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.waiting.iter().skip(self.taken).map(|waiting| waiting.record.stream)
    }

    /// The first that waits.
    pub(crate) fn first(&self) -> Option<&Waiting> {
        self.waiting.get(self.taken)
    }

    /// Takes the first: it does not wait any more, and is to be answered by who took it.
    pub(crate) fn take_first(&mut self) {
        let Some(Waiting { call, .. }) = self.first() else { return };
        let call = *call;
        self.taken += 1;
        if self.first().is_none_or(|next| next.call != call)
            && let Some(answers) = self.calls.get_mut(call as usize)
        {
            // A call has its answers when nobody else will give one.
            *answers = Answers::One(None);
        }
    }

    /// Where the answer to the first that waits goes.
    pub(crate) fn answers(&mut self) -> Option<&mut Answers> {
        let call = self.first()?.call;
        self.calls.get_mut(call as usize)
    }

    /// Refuses all that wait behind the first `most`.
    pub(crate) fn refuse_behind(&mut self, most: usize, why: impl Fn() -> Error) {
        let refused = self.waiting.drain((self.taken + most).min(self.waiting.len())..);
        for waiting in refused {
            let answer: (u32, Outcome) = (waiting.place, Err(why()));
            if let Some(answers) = self.calls.get_mut(waiting.call as usize) {
                answers.give_each(std::iter::once(answer));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::ops::Range;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::append::answers::PendingAll;
    use crate::append::template::{Stamp, TIME_BYTES};
    use crate::record::{LeafHash, Version};

    /// A record of a stream by number.
    #[derive(serde::Serialize)]
    struct Numbered {
        subject: (),
        time: (),
        caseversion: (),
        prev: (),
        number: u128,
    }

    impl Draft for Numbered {
        fn stream(&self) -> StreamId {
            StreamId(uuid::Uuid::from_u128(self.number))
        }
    }

    /// A call with records of the streams from one number to the one before another.
    pub(crate) fn call(numbers: Range<u128>) -> (Batch, PendingAll) {
        let count = numbers.clone().count();
        let (answers, pending) = Answers::several(count);
        let mut batch = Batch::default();
        batch.begin(count, answers);
        for (place, number) in (0..).zip(numbers) {
            let draft = Numbered { subject: (), time: (), caseversion: (), prev: (), number };
            batch.add(&draft, Expected::Any, place);
        }
        (batch, pending)
    }

    /// Takes the first record and tells that it was refused; returns its bytes.
    fn take(batch: &mut Batch) -> String {
        let Some(first) = batch.first() else { return String::new() };
        let (place, mut out) = (first.place, Vec::new());
        let stamp = Stamp { version: Version(1), prev: LeafHash::NONE, time: &[b'0'; TIME_BYTES] };
        first.record.stamp(&batch.bytes, &stamp, &mut out);
        let refused = std::iter::once((place, Err(Error::Busy)));
        batch.answers().unwrap().share().give_each(refused);
        batch.take_first();
        String::from_utf8(out).unwrap()
    }

    fn answered(pending: &mut PendingAll) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let poll = Future::poll(std::pin::Pin::new(pending), &mut context);
        let Poll::Ready(outcomes) = poll else { return false };
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Busy))), "{outcomes:?}");
        true
    }

    #[test]
    fn calls_that_are_joined_keep_their_records_and_are_answered_each_by_itself() {
        let (mut batch, mut first) = call(10..12);
        let ((mut more, mut second), (mut last, mut third)) = (call(12..13), call(13..15));
        for other in [&mut more, &mut last] {
            batch.join(other);
            assert_eq!((other.len(), other.bytes.len()), (0, 0));
        }
        let streams: Vec<_> = batch.streams().map(|stream| stream.0.as_u128()).collect();
        assert_eq!(streams, [10, 11, 12, 13, 14]);
        assert!(take(&mut batch).ends_with(r#""number":10}"#));
        assert!(!answered(&mut first));
        assert!(take(&mut batch).ends_with(r#""number":11}"#));
        assert!(answered(&mut first), "while others wait");
        assert!(take(&mut batch).ends_with(r#""number":12}"#));
        assert!(answered(&mut second) && !answered(&mut third));
        batch.refuse_behind(1, || Error::Busy);
        assert_eq!(batch.len(), 1);
        assert!(take(&mut batch).ends_with(r#""number":13}"#));
        assert!(answered(&mut third));
    }
}
