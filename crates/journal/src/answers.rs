//! The answers that callers wait for: of one append, or of several that were decided together.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::error::Error;
use crate::record::Appended;

type Outcome = Result<Appended, Error>;

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
type Places = Vec<OnceLock<Outcome>>;

/// A board always sends its places, see its `Drop`: there is no error.
fn outcomes(places: Result<Places, oneshot::error::RecvError>) -> Vec<Outcome> {
    let places = places.unwrap_or_default().into_iter();
    places.map(|place| place.into_inner().unwrap_or(Err(Error::Closed))).collect()
}

/// Where the answers to several appends are gathered. One wake for all of them costs the writer
/// less than one for each.
struct Board {
    places: Places,
    to: Option<oneshot::Sender<Places>>,
}

impl Drop for Board {
    /// The last answer was given or dropped.
    fn drop(&mut self) {
        if let Some(to) = self.to.take() {
            // A caller that no longer waits is no failure.
            drop(to.send(std::mem::take(&mut self.places)));
        }
    }
}

/// Where the answer to one append goes. Where it is dropped without one, the caller hears
/// [`Error::Closed`].
pub(crate) struct Answer(Kind);

enum Kind {
    One(oneshot::Sender<Outcome>),
    Part(Arc<Board>, usize),
}

impl Answer {
    /// The answer to one append.
    pub(crate) fn one() -> (Answer, Pending) {
        let (to, pending) = oneshot::channel();
        (Answer(Kind::One(to)), Pending(pending))
    }

    /// The answers to `count` appends.
    pub(crate) fn several(count: usize) -> (Vec<Answer>, PendingAll) {
        let (to, pending) = oneshot::channel();
        let places = std::iter::repeat_with(OnceLock::new).take(count).collect();
        let board = Arc::new(Board { places, to: Some(to) });
        let part = |place| Answer(Kind::Part(Arc::clone(&board), place));
        ((0..count).map(part).collect(), PendingAll(pending))
    }

    /// Gives the answer; a caller that no longer waits is no failure.
    pub(crate) fn give(self, outcome: Outcome) {
        match self.0 {
            Kind::One(to) => drop(to.send(outcome)),
            Kind::Part(board, place) => {
                if let Some(place) = board.places.get(place) {
                    // Each place has one answer.
                    drop(place.set(outcome));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_answers_come_in_their_places_when_the_last_is_given_or_dropped() {
        let (mut answers, pending) = Answer::several(3);
        let (third, second, first) =
            (answers.pop().unwrap(), answers.pop().unwrap(), answers.pop().unwrap());
        third.give(Err(Error::Busy));
        drop(first);
        let mut pending = std::pin::pin!(pending);
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(pending.as_mut().poll(&mut context).is_pending());
        second.give(Err(Error::Busy));
        let Poll::Ready(outcomes) = pending.poll(&mut context) else { panic!("all are there") };
        assert!(
            matches!(*outcomes, [Err(Error::Closed), Err(Error::Busy), Err(Error::Busy)]),
            "{outcomes:?}"
        );
    }

    #[test]
    fn no_appends_have_no_answers() {
        assert_eq!(Answer::several(0).1.wait().len(), 0);
    }
}
