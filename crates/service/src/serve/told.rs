//! What the log hears of messages that have no answer: each reason once while it lasts.
//!
//! A mirror that halted or a log that cannot be written refuses every message with the same reason, and
//! whoever sends them would fill the disk with lines that say nothing new.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::reply::Failure;

/// A reason that was not given for so long is over: it is told again when it comes back.
const OVER_AFTER: Duration = Duration::from_mins(1);
/// So many reasons are known at once; a node has a few.
const MOST_KNOWN: usize = 64;

/// The reasons that were told. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Told {
    /// Each with the moment when it was given last.
    given: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Told {
    /// Tells the log why there is no answer, unless it says so already.
    pub(super) fn tell(&self, failure: &Failure) {
        if self.is_new(&failure.message, Instant::now()) {
            tracing::warn!(
                code = failure.code,
                reason = %failure.message,
                "no answer; the same reason is told once while it lasts"
            );
        }
    }

    fn is_new(&self, reason: &str, now: Instant) -> bool {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, last| now.saturating_duration_since(*last) < OVER_AFTER);
        if let Some(last) = given.get_mut(reason) {
            *last = now;
            return false;
        }
        if given.len() >= MOST_KNOWN {
            let oldest = given.iter().min_by_key(|(_, last)| **last);
            if let Some(oldest) = oldest.map(|(reason, _)| reason.clone()) {
                given.remove(&oldest);
            }
        }
        given.insert(reason.to_owned(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_while_it_lasts_and_again_when_it_comes_back() {
        let (told, start) = (Told::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(told.is_new("halted", start));
        // Given again and again it lasts, however long.
        for minute in 0..10 {
            assert!(!told.is_new("halted", after(minute * 50)));
        }
        assert!(told.is_new("poisoned", after(451)));
        assert!(!told.is_new("halted", after(452)));
        assert!(told.is_new("halted", after(452 + 60)));
    }

    #[test]
    fn reasons_without_number_take_no_memory_without_bound() {
        let (told, start) = (Told::default(), Instant::now());
        for number in 0..1_000 {
            assert!(told.is_new(&format!("case {number}"), start + Duration::from_millis(number)));
        }
        assert_eq!(told.given.lock().unwrap().len(), MOST_KNOWN);
    }
}
