//! The records of one call, on their way to the writer.

use crate::answers::{Answers, Outcome};
use crate::draft::Draft;
use crate::error::Error;
use crate::record::{Expected, StreamId};
use crate::template::Template;

/// Room for the first record, in bytes: most are shorter. One that grew byte by byte would be moved
/// seven times.
const FIRST_BYTES: usize = 1 << 10;
/// So much room is taken at most for the others.
const MOST_RESERVED: usize = 1 << 20;

/// A record that waits for the writer.
pub(crate) struct Waiting {
    pub(crate) record: Template,
    pub(crate) expected: Expected,
    /// Its place among the answers.
    pub(crate) place: u32,
}

/// Records that wait for the writer together, in their order. They share their bytes and the way to
/// their answers: what each has by itself is made by one thread and let go by another, which costs
/// both.
///
/// A batch that is dropped leaves what waits in it without an answer, see [`Answers`].
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    waiting: Vec<Waiting>,
    /// How many of them, from the first on, were taken.
    taken: usize,
    answers: Answers,
}

impl Batch {
    /// With room for so many records, whose answers go to `answers`.
    pub(crate) fn new(records: usize, answers: Answers) -> Batch {
        let (bytes, waiting) = (Vec::with_capacity(FIRST_BYTES), Vec::with_capacity(records));
        Batch { bytes, waiting, taken: 0, answers }
    }

    /// Checks, encodes and adds a draft. One that cannot be appended is answered at once.
    pub(crate) fn add(&mut self, draft: &impl Draft, expected: Expected, place: u32) {
        match Template::of(draft, &mut self.bytes) {
            Ok(record) => {
                if self.waiting.is_empty() {
                    // Most records of a call are about as long as the first.
                    let rest = self.waiting.capacity().saturating_sub(1);
                    self.bytes.reserve((rest * self.bytes.len()).min(MOST_RESERVED));
                }
                self.waiting.push(Waiting { record, expected, place });
            }
            Err(error) => self.answers.give_each(std::iter::once((place, Err(error)))),
        }
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
        self.taken += 1;
    }

    /// Where the answers go.
    pub(crate) fn answers(&mut self) -> &mut Answers {
        &mut self.answers
    }

    /// Refuses all that wait behind the first `most`.
    pub(crate) fn refuse_behind(&mut self, most: usize, why: impl Fn() -> Error) {
        let refused = self.waiting.drain((self.taken + most).min(self.waiting.len())..);
        let answer = |waiting: Waiting| -> (u32, Outcome) { (waiting.place, Err(why())) };
        self.answers.give_each(refused.map(answer));
    }
}
