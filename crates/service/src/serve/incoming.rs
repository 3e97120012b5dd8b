//! What comes in at an endpoint: whether it may be answered, and what of it is kept.

use std::sync::Once;

use async_nats::service::Request as Message;
use async_nats::service::endpoint::Endpoint;
use async_nats::{HeaderMap, HeaderName};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::watch;

use crate::request::MAX_COMMAND_BYTES;

/// The one header that is looked at.
const TRACE_PARENT: &str = "traceparent";
/// The longest one that is kept, in bytes; longer than any that means something.
const MOST_TRACE: usize = 512;

/// What comes in at an endpoint, until the node stops.
pub(super) struct Incoming {
    endpoint: Endpoint,
    stopping: watch::Receiver<bool>,
    stopped: bool,
}

impl Incoming {
    pub(super) fn of(endpoint: Endpoint, stopping: watch::Receiver<bool>) -> Self {
        Self { endpoint, stopping, stopped: false }
    }

    /// The next message that may be answered. `None` when the node stops and all that came before was
    /// taken.
    pub(super) async fn next(&mut self) -> Option<Message> {
        loop {
            let message = self.any().await?;
            if is_answerable(&message) {
                return Some(own(message));
            }
        }
    }

    async fn any(&mut self) -> Option<Message> {
        if !self.stopped {
            tokio::select! {
                message = self.endpoint.next() => return message,
                () = stopped(&mut self.stopping) => self.stopped = true,
            }
            // The library's own way gives up where the connection has much to send, and never ends then.
            if let Err(error) = self.endpoint.stop().await {
                tracing::debug!(%error, "the connection was gone before the services");
            }
        }
        self.endpoint.next().await
    }
}

/// Whether the answer goes to who asked. The subject for it is the sender's choice, and the server takes
/// the answer with the node's rights and not with the sender's: who may only ask could have it delete the
/// stream, write into it, or send a command. Such a message is not looked at.
fn is_answerable(message: &Message) -> bool {
    static TOLD: Once = Once::new();
    let Some(reply) = &message.message.reply else { return true };
    let answerable = !reply.starts_with("tebessa.") && !reply.starts_with('$');
    if !answerable {
        TOLD.call_once(|| {
            tracing::warn!(
                "somebody wants an answer on a subject of the node's or the server's own: who sends \
                 such a message has none, and this line comes once"
            );
        });
    }
    answerable
}

/// Returns when the node stops. A sender that is gone has stopped as well.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A message without what nobody reads, and a short payload with memory of its own: as it came it is a
/// piece of what the connection read with it, and would keep that, of a size that others choose, as long
/// as it waits. Headers may be as long as a message.
fn own(mut message: Message) -> Message {
    let came = &mut message.message;
    if came.payload.len() <= MAX_COMMAND_BYTES {
        came.payload = Bytes::copy_from_slice(&came.payload);
    }
    came.headers = came.headers.take().and_then(|headers| trace_of(&headers));
    came.description = None;
    message
}

fn trace_of(headers: &HeaderMap) -> Option<HeaderMap> {
    let is_it = |name: &HeaderName| {
        let name: &str = name.as_ref();
        name.eq_ignore_ascii_case(TRACE_PARENT)
    };
    let (_, values) = headers.iter().find(|(name, _)| is_it(name))?;
    let value = values.first().filter(|value| value.as_str().len() <= MOST_TRACE)?;
    let mut kept = HeaderMap::new();
    kept.insert(TRACE_PARENT, value.clone());
    Some(kept)
}

/// The trace that a message belongs to. The header's name is not case-sensitive, and one that cannot
/// be read is as if there were none (W3C Trace Context, 3.2 and 4.3): a command does not fail by it.
pub(super) fn trace(message: &Message) -> Option<case::token::TraceParent> {
    let headers = message.message.headers.as_ref()?;
    case::token::TraceParent::of_header(headers.get(TRACE_PARENT)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_headers_the_trace_is_kept_unless_it_is_too_long() {
        let mut headers = HeaderMap::new();
        headers.insert("X-Other", "a".repeat(100_000));
        assert!(trace_of(&headers).is_none());
        headers.insert("TraceParent", "00-a-b-01");
        let kept = trace_of(&headers).unwrap();
        assert_eq!((kept.len(), kept.get(TRACE_PARENT).unwrap().as_str()), (1, "00-a-b-01"));
        headers.insert("TraceParent", "0".repeat(MOST_TRACE + 1));
        assert!(trace_of(&headers).is_none());
    }
}
