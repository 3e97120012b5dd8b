//! The answers that callers wait for: of one append, or of several that were decided together.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::error::Error;
use crate::record::Appended;

pub(crate) type Outcome = Result<Appended, Error>;

/// An append on its way. Await it, or [`Pending::wait`] for it on a thread of its own.
///
/// Dropping it does not take the append back.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Outcome>);

impl Pending {
    /// Blocks until the append is durable or refused. Not to be called on an async thread.
    pub fn wait(self) -> Result<Appended, Error> {
        self.0.blocking_recv().unwrap_or(Err(Error::Closed))
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Closed)))
    }
}

/// Several appends on their way. Await them, or [`PendingAll::wait`] for them on a thread of its
/// own: the answers come together, when the last append is durable or refused, each in the place of
/// its draft.
///
/// Dropping it does not take the appends back.
#[derive(Debug)]
pub struct PendingAll(oneshot::Receiver<Places>);

impl PendingAll {
    /// Blocks until every append is durable or refused. Not to be called on an async thread.
    #[must_use = "an append may have been refused"]
    pub fn wait(self) -> Vec<Result<Appended, Error>> {
        outcomes(self.0.blocking_recv())
    }
}

impl Future for PendingAll {
    type Output = Vec<Outcome>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(outcomes)
    }
}

/// The places of several answers; one that stays empty means that nobody was there to answer.
type Places = Vec<Option<Outcome>>;

/// A board always sends its places, see its `Drop`: there is no error.
fn outcomes(places: Result<Places, oneshot::error::RecvError>) -> Vec<Outcome> {
    let places = places.unwrap_or_default().into_iter();
    places.map(|place| place.unwrap_or(Err(Error::Closed))).collect()
}

/// Where the answers to several appends are gathered. One wake for all of them costs the writer
/// less than one for each.
pub(crate) struct Board {
    places: Mutex<Places>,
    to: Option<oneshot::Sender<Places>>,
}

impl Board {
    fn give_each(&self, answers: impl Iterator<Item = (u32, Outcome)>) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, outcome) in answers {
            if let Some(place) = places.get_mut(place as usize) {
                *place = Some(outcome);
            }
        }
    }
}

impl Drop for Board {
    /// The last answer was given or dropped.
    fn drop(&mut self) {
        if let Some(to) = self.to.take() {
            let places = self.places.get_mut().unwrap_or_else(PoisonError::into_inner);
            // A caller that no longer waits is no failure.
            drop(to.send(std::mem::take(places)));
        }
    }
}

/// Where the answers to appends of one call go, by their places in it. Where all that have it drop it
/// and a place has no answer, the caller hears [`Error::Closed`] there. A caller that no longer waits
/// is no failure.
pub(crate) enum Answers {
    /// To one append.
    One(Option<oneshot::Sender<Outcome>>),
    /// To several.
    Several(Arc<Board>),
}

impl Answers {
    /// The answer to one append, in place 0.
    pub(crate) fn one() -> (Answers, Pending) {
        let (to, pending) = oneshot::channel();
        (Answers::One(Some(to)), Pending(pending))
    }

    /// The answers to `count` appends.
    pub(crate) fn several(count: usize) -> (Answers, PendingAll) {
        let (to, pending) = oneshot::channel();
        let places = Mutex::new(std::iter::repeat_with(|| None).take(count).collect());
        (Answers::Several(Arc::new(Board { places, to: Some(to) })), PendingAll(pending))
    }

    /// The same for another who gives some of the answers. Where there is one answer only, the other
    /// has it from now on.
    pub(crate) fn share(&mut self) -> Answers {
        match self {
            Answers::One(to) => Answers::One(to.take()),
            Answers::Several(board) => Answers::Several(Arc::clone(board)),
        }
    }

    /// Whether the answers go to the same several places.
    pub(crate) fn are_those_of(&self, other: &Answers) -> bool {
        match (self, other) {
            (Answers::Several(own), Answers::Several(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }

    /// Gives some answers, each with its place.
    pub(crate) fn give_each(&mut self, mut answers: impl Iterator<Item = (u32, Outcome)>) {
        match self {
            Answers::One(to) => {
                if let Some((_, outcome)) = answers.next()
                    && let Some(to) = to.take()
                {
                    drop(to.send(outcome));
                }
            }
            Answers::Several(board) => board.give_each(answers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_answers_come_in_their_places_when_the_last_is_given_or_dropped() {
        let (mut first, pending) = Answers::several(4);
        let mut second = first.share();
        assert!(first.are_those_of(&second) && !first.are_those_of(&Answers::several(4).0));
        first.give_each([(2, Err(Error::Busy))].into_iter());
        drop(first);
        let mut pending = std::pin::pin!(pending);
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(pending.as_mut().poll(&mut context).is_pending());
        second.give_each([(3, Err(Error::Busy)), (1, Err(Error::Busy))].into_iter());
        assert!(pending.as_mut().poll(&mut context).is_pending(), "others may be given yet");
        drop(second);
        let Poll::Ready(outcomes) = pending.poll(&mut context) else { panic!("all are there") };
        assert!(
            matches!(
                *outcomes,
                [Err(Error::Closed), Err(Error::Busy), Err(Error::Busy), Err(Error::Busy)]
            ),
            "{outcomes:?}"
        );
    }

    #[test]
    fn one_answer_goes_with_who_has_it() {
        let (mut first, pending) = Answers::one();
        let mut second = first.share();
        first.give_each([(0, Err(Error::Closed))].into_iter());
        second.give_each(std::iter::empty());
        second.give_each([(0, Err(Error::Busy))].into_iter());
        assert!(matches!(pending.wait(), Err(Error::Busy)));
        let (answers, pending) = Answers::one();
        drop(answers);
        assert!(matches!(pending.wait(), Err(Error::Closed)));
    }

    #[test]
    fn no_appends_have_no_answers() {
        let (answers, pending) = Answers::several(0);
        drop(answers);
        assert_eq!(pending.wait().len(), 0);
    }
}
