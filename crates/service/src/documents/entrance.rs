//! How many commands with files are worked on at once, and how many wait for it.
//!
//! Each holds one of the places that all commands share (`serve`) until it has its answer, and a file may
//! be long. So only few may be here: whoever finds no place is told so at once, and at the stop those who
//! only wait are told that the node stops.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::reply::Failure;

/// How many documents are taken in at once; each holds some 20 MiB at the most.
const MOST_AT_ONCE: usize = 4;
/// How many more may wait for it: together a sixty-fourth of the places that commands share.
const MOST_WAITING: usize = 60;

/// The entrance. Cheap to clone.
#[derive(Clone)]
pub(super) struct Entrance {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// A place, until it is dropped.
pub(super) struct Place {
    _place: OwnedSemaphorePermit,
    turns: Arc<Semaphore>,
}

impl Entrance {
    pub(super) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_AT_ONCE + MOST_WAITING)),
            turns: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        }
    }

    /// A place; 503 where all are taken, or the node stops. Never waits.
    pub(super) fn enter(&self) -> Result<Place, Failure> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Ok(Place { _place: place, turns: Arc::clone(&self.turns) }),
            Err(TryAcquireError::Closed) => Err(stops()),
            Err(TryAcquireError::NoPermits) => Err(Failure::unavailable(format!(
                "the node is busy: {MOST_AT_ONCE} files are taken in at once, and {MOST_WAITING} wait \
                 already; send it again, with the same id"
            ))),
        }
    }

    /// Refuses whoever waits for a turn and whoever comes. Those who have one keep it.
    pub(super) fn close(&self) {
        self.places.close();
        self.turns.close();
    }
}

impl Place {
    /// Waits for the turn, which lasts until it is dropped; 503 where the node stops.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.turns).acquire_owned().await.map_err(|_| stops())
    }
}

fn stops() -> Failure {
    Failure::unavailable("the node stops; send it again, with the same id, when it is back")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn who_finds_no_place_is_told_so_and_who_waits_at_the_stop_as_well() {
        let entrance = Entrance::new();
        let places: Vec<_> = (0..64).map(|_| entrance.enter().unwrap()).collect();
        let busy = entrance.enter().err().unwrap();
        assert_eq!(busy.code, 503);
        assert_eq!(
            busy.message,
            "the node is busy: 4 files are taken in at once, and 60 wait already; send it again, with the \
             same id"
        );
        let mut turns: Vec<_> = places.iter().map(|place| Box::pin(place.turn())).collect();
        let mut now: Vec<_> = turns.iter_mut().map(FutureExt::now_or_never).collect();
        assert_eq!(now.iter().filter(|turn| turn.is_some()).count(), 4);
        entrance.close();
        for turn in turns.iter_mut().skip(4) {
            let refused = turn.now_or_never().unwrap().unwrap_err();
            assert!(refused.code == 503 && refused.message.contains("the node stops"), "{refused}");
        }
        assert!(now.drain(..4).all(|turn| turn.unwrap().is_ok()), "who has a turn keeps it");
        assert!(entrance.enter().err().unwrap().message.contains("the node stops"));
    }
}
