//! Messages that get no answer of the rules: told one after the other, beside those who take messages.
//!
//! Whoever takes messages must not wait until one can be sent: what comes in meanwhile would gather in
//! the connection, which counts messages and not their bytes, and loses those behind the last that fits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_nats::service::Request as Message;
use bytes::Bytes;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinHandle;

use super::sending::send;
use crate::lasting::Part;
use crate::reply::Failure;

/// How many wait to be told. Of each is kept where it goes and a sentence: under 1 KB, and 5 KB where a
/// sender chose the longest subject for the answer that a server takes; so 160 MB at the most.
const MOST_UNTOLD: usize = 32_768;

/// The way to those who are refused. Cheap to clone.
#[derive(Clone)]
pub(super) struct Refusals {
    untold: Sender<(Message, Failure)>,
    /// Whether the log says already that somebody is not told: once.
    lost: Arc<AtomicBool>,
}

impl Refusals {
    /// With the task that tells them, which ends once all clones are gone and all are told.
    pub(super) fn start(client: async_nats::Client) -> (Self, JoinHandle<()>, Part) {
        let (untold, mut waiting) = channel::<(Message, Failure)>(MOST_UNTOLD);
        let work = async move {
            while let Some((message, failure)) = waiting.recv().await {
                send(&client, &message, Err(failure)).await;
            }
        };
        let (telling, part) = Part::spawn("what tells who is refused", work);
        (Self { untold, lost: Arc::default() }, telling, part)
    }

    /// Has a sender told why there is no answer, without a line in the log for each. Never waits; when
    /// too many are still to be told, this one is not: its sender's time runs out.
    pub(super) fn tell(&self, mut message: Message, failure: Failure) {
        let came = &mut message.message;
        came.payload = Bytes::new();
        came.headers = None;
        if let Some(reply) = &came.reply {
            // Only where the answer goes is still needed.
            came.subject = reply.clone();
        }
        if self.untold.try_send((message, failure)).is_err()
            && !self.lost.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                MOST_UNTOLD,
                "more messages are refused than can be told: those behind have no answer, and this \
                 line comes once"
            );
        }
    }
}
