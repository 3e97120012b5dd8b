//! A message of a stream as the server keeps it, whether a client can read it or not.
//!
//! The server takes headers of any form. At a message whose headers it cannot read the client library gives
//! up the whole connection, or its task of it falls: a reader that asked for it as it is would do so again and
//! again, and others on the same connection with it. So a message is asked for here in the form in which its
//! headers are a text within the answer, and read in two steps.

use async_nats::jetstream::context::{Context, RequestError};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::RawMessage;
use async_nats::jetstream::{Error, ErrorCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::STREAM;

/// What stands at a sequence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its sequence.
    pub(crate) sequence: u64,
    /// Its bytes without the headers.
    pub(crate) payload: Bytes,
    /// Whether clients can read it. One that cannot be is none of ours, whatever its bytes are.
    pub(crate) readable: bool,
}

/// Why it is not known what stands there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    /// There is no stream.
    #[error("there is no such stream")]
    NoStream,
    /// The server says why not.
    #[error("the server gives no message")]
    Refused(#[source] Error),
    /// The server does not answer.
    #[error("the server does not answer")]
    Silent(#[source] RequestError),
}

#[derive(serde::Deserialize)]
struct Answer {
    message: RawMessage,
}

/// The message of [`STREAM`] at a sequence, from the stream's leader; none when it holds none there.
pub(crate) async fn stored(context: &Context, sequence: u64) -> Result<Option<Stored>, Unknown> {
    find(context, STREAM, &serde_json::json!({ "seq": sequence })).await
}

/// The message of a stream that a question to the server names, from the stream's leader.
pub(crate) async fn find(
    context: &Context,
    stream: &str,
    asked: &serde_json::Value,
) -> Result<Option<Stored>, Unknown> {
    let asked = context.request(format!("STREAM.MSG.GET.{stream}"), asked).await;
    let answer: Response<Answer> = asked.map_err(Unknown::Silent)?;
    match answer {
        Response::Ok(answer) => Ok(Some(read(answer.message))),
        Response::Err { error } if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => Ok(None),
        Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            Err(Unknown::NoStream)
        }
        Response::Err { error } => Err(Unknown::Refused(error)),
    }
}

fn read(message: RawMessage) -> Stored {
    let sequence = message.sequence;
    match STANDARD.decode(&message.payload) {
        Ok(payload) => {
            let readable = StreamMessage::try_from(message).is_ok();
            Stored { sequence, payload: payload.into(), readable }
        }
        Err(_) => Stored { sequence, payload: Bytes::new(), readable: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: Option<&str>, payload: &str) -> RawMessage {
        serde_json::from_value(serde_json::json!({
            "subject": "tebessa.case.a.b.c", "seq": 7, "data": payload,
            "hdrs": headers.map(|headers| STANDARD.encode(headers)),
            "time": "2024-03-12T09:41:27.000001Z",
        }))
        .unwrap()
    }

    #[test]
    fn a_message_that_no_client_can_read_is_told_from_one_that_can_be() {
        let payload = STANDARD.encode("{}");
        for (headers, readable) in [
            (None, true),
            (Some("NATS/1.0\r\nNats-Msg-Id: 1\r\n\r\n"), true),
            (Some("NATS/1.0\r\nbad line without colon\r\n\r\n"), false),
            (Some("HTTP/1.0\r\n\r\n"), false),
            (Some("NATS/1.0\r\nA: a\rb\r\n\r\n"), false),
        ] {
            let stored = Stored { sequence: 7, payload: "{}".into(), readable };
            assert_eq!(read(message(headers, &payload)), stored, "{headers:?}");
        }
        assert!(!read(message(None, "no base64")).readable);
    }
}
