//! A message of the stream as the server keeps it, whether a client can read it or not.
//!
//! The server takes headers of any form, and the client library gives no message whose headers it cannot
//! read: its error looks as if there were no answer. So a message is asked for here, and read in two steps.

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
    /// Its bytes without the headers.
    pub(crate) payload: Bytes,
    /// Whether clients can read it. One that cannot be is none of ours, whatever its bytes are.
    pub(crate) readable: bool,
}

/// Why it is not known what stands there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    /// There is no stream.
    #[error("there is no stream {STREAM}")]
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

/// The message at a sequence, from the stream's leader; none when it holds none there.
pub(crate) async fn stored(context: &Context, sequence: u64) -> Result<Option<Stored>, Unknown> {
    let subject = format!("STREAM.MSG.GET.{STREAM}");
    let asked = context.request(subject, &serde_json::json!({ "seq": sequence })).await;
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
    match STANDARD.decode(&message.payload) {
        Ok(payload) => {
            let readable = StreamMessage::try_from(message).is_ok();
            Stored { payload: payload.into(), readable }
        }
        Err(_) => Stored { payload: Bytes::new(), readable: false },
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
        ] {
            let stored = Stored { payload: "{}".into(), readable };
            assert_eq!(read(message(headers, &payload)), stored, "{headers:?}");
        }
        assert!(!read(message(None, "no base64")).readable);
    }
}
