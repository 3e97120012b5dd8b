//! Answers on their way out, as far as the server takes them.

use std::sync::Mutex;
use std::time::Instant;

use async_nats::service::Request as Message;
use async_nats::service::error::Error as ServiceError;
use bytes::Bytes;

use super::LEAST_PAYLOAD;
use crate::nats::is_due;
use crate::reply::Failure;

/// What the headers of an answer may take in a message, in bytes.
const HEADER_ROOM: usize = 512;

/// The most bytes that the server takes in a message, where that is less than the node needs.
pub(super) fn short_messages(client: &async_nats::Client) -> Option<u64> {
    let most = client.server_info().max_payload;
    (most < LEAST_PAYLOAD).then_some(most as u64)
}

pub(super) async fn send(
    client: &async_nats::Client,
    message: &Message,
    result: Result<Bytes, Failure>,
) {
    if message.message.reply.is_none() {
        // Nobody waits for it.
        return;
    }
    let result = result.and_then(|answer| fitting(client.server_info().max_payload, answer));
    let response = result.map_err(|failure| ServiceError {
        status: one_line(&failure.message),
        code: failure.code.into(),
    });
    if let Err(error) = message.respond(response).await {
        // The sender finds out by sending the command again with the same id. One line for all: with a
        // connection that ended everything is lost that was taken from it.
        static LAST: Mutex<Option<Instant>> = Mutex::new(None);
        if is_due(&LAST) {
            tracing::warn!(reason = %crate::chain(&error), "answers could not be sent");
        }
    }
}

/// An answer that the server takes. Its limit was looked at when the node started, and may have become another
/// since.
pub(super) fn fitting(most: usize, answer: Bytes) -> Result<Bytes, Failure> {
    if answer.len().saturating_add(HEADER_ROOM) <= most {
        return Ok(answer);
    }
    Err(Failure::too_large(format!(
        "the answer has {} bytes, and the NATS server takes {most}: its operator must set max_payload to 1MB, \
         as it is by default",
        answer.len()
    )))
}

/// A header holds one line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_the_server_does_not_take_any_more_is_a_failure_that_says_so() {
        let answer = Bytes::from(vec![b'a'; 19_600]);
        assert_eq!(fitting(1_048_576, answer.clone()).unwrap(), answer);
        let refused = fitting(20_000, answer).unwrap_err();
        assert_eq!(refused.code, 413);
        assert!(refused.message.contains("takes 20000"), "{}", refused.message);
    }
}
