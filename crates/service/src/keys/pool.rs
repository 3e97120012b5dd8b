//! Keys made ahead, so that no command waits for the key store's disk.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::KeyId;

use super::Error;

/// Below this many fresh keys new ones are made ready.
const LOW: usize = 256;

/// Fresh keys that are on disk already, and the bell for the thread that makes more.
#[derive(Debug, Default)]
pub(super) struct Pool {
    state: Mutex<State>,
    /// Rung when fresh keys came, when making them failed, and when there is work or an end.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    fresh: VecDeque<KeyId>,
    /// Why the last batch failed; cleared when it is time to try again.
    failure: Option<Arc<Error>>,
    closed: bool,
}

impl Pool {
    /// Takes a fresh key if there is one.
    pub(super) fn try_take(&self) -> Option<KeyId> {
        self.pop(&mut self.lock())
    }

    /// Takes a fresh key. Blocks for the disk when keys are taken faster than they are made.
    pub(super) fn take(&self) -> Result<KeyId, Error> {
        let mut state = self.lock();
        loop {
            if let Some(id) = self.pop(&mut state) {
                return Ok(id);
            }
            if let Some(failure) = state.failure.take() {
                // Having been told, the maker tries again for the next one.
                self.changed.notify_all();
                return Err(Error::NoFreshKey(failure));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Why none is there and none could be made, if so. Having been told, the maker tries again.
    pub(super) fn failure(&self) -> Option<Arc<Error>> {
        let mut state = self.lock();
        if !state.fresh.is_empty() {
            return None;
        }
        let failure = state.failure.take()?;
        self.changed.notify_all();
        Some(failure)
    }

    fn pop(&self, state: &mut State) -> Option<KeyId> {
        let id = state.fresh.pop_front()?;
        if state.fresh.len() < LOW {
            // The disk may have recovered: better tried now than when none is left.
            state.failure = None;
            self.changed.notify_all();
        }
        Some(id)
    }

    /// Puts a key back that was taken and not used.
    pub(super) fn give_back(&self, id: KeyId) {
        self.lock().fresh.push_front(id);
        self.changed.notify_all();
    }

    /// Brings the outcome of a batch.
    pub(super) fn add(&self, batch: Result<Vec<KeyId>, Error>) {
        let mut state = self.lock();
        match batch {
            Ok(ids) => state.fresh.extend(ids),
            Err(error) => state.failure = Some(Arc::new(error)),
        }
        self.changed.notify_all();
    }

    /// Waits until more keys are wanted: true, or the store is closed: false.
    pub(super) fn wanted(&self) -> bool {
        let mut state = self.lock();
        while !state.closed && (state.fresh.len() >= LOW || state.failure.is_some()) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.closed
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// No code panics while it holds the lock with the state half changed, so a poisoned lock's
    /// state is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
