//! The stream as the server has it: its configuration, state and messages.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{
    Context, ContextBuilder, CreateStreamErrorKind, DeleteStreamErrorKind, GetStreamErrorKind,
    PublishAckFuture,
};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType};
use bytes::Bytes;

use super::STREAM;
use super::error::Trouble;
use super::message::{Addressed, SUBJECTS};
use super::stored::{Unknown, stored};

/// How long an answer of the server may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A record of at most 65,535 bytes and its headers.
const MAX_MESSAGE_BYTES: i32 = 65_535 + 4_096;

/// Repeated publishes are recognised within this time by their id. The expected sequence guards
/// the order for ever; this only gives a repeated publish a kinder answer.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// The stream on the server.
#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) context: Context,
}

impl Mirror {
    pub(super) fn new(client: Client) -> Self {
        Self { context: ContextBuilder::new().timeout(ANSWER_LIMIT).build(client) }
    }

    pub(super) fn client(&self) -> Client {
        self.context.client()
    }

    /// What the server says about the stream; none when there is no stream.
    pub(super) async fn info(&self) -> Result<Option<Info>, Trouble> {
        match self.context.get_stream(STREAM).await {
            Ok(stream) => Ok(Some(stream.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(answer)
                    if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                GetStreamErrorKind::JetStream(_)
                | GetStreamErrorKind::Request
                | GetStreamErrorKind::EmptyName
                | GetStreamErrorKind::InvalidStreamName => Err(Trouble::away(
                    "the stream cannot be asked for (has the server JetStream?)",
                    &error,
                )),
            },
        }
    }

    pub(super) async fn create(&self) -> Result<(), Trouble> {
        let mut config = Config { name: STREAM.to_owned(), num_replicas: 1, ..Config::default() };
        require(&mut config);
        match self.context.create_stream(config).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Trouble::away("the stream cannot be created", &error)),
        }
    }

    /// Puts right what of the stream's configuration this mirror depends on, and reads it back.
    /// What an operator may choose (replicas, placement, compression) is left as it is. False when
    /// the server does not let it be put right.
    pub(super) async fn conform(&self, info: &Info) -> Result<bool, Trouble> {
        let mut wanted = info.config.clone();
        require(&mut wanted);
        if wanted == info.config {
            return Ok(true);
        }
        tracing::warn!(stream = STREAM, "the stream's configuration was changed; putting it right");
        match self.context.update_stream(&wanted).await {
            // The server says what it has now, not what it was asked for.
            Ok(now) => {
                let mut wanted = now.config.clone();
                require(&mut wanted);
                Ok(wanted == now.config)
            }
            // The server refuses, for example because a sealed stream stays sealed.
            Err(error) if matches!(error.kind(), CreateStreamErrorKind::JetStream(_)) => Ok(false),
            Err(error) => {
                Err(Trouble::away("the stream's configuration cannot be put right", &error))
            }
        }
    }

    /// The bytes at a sequence, from the stream's leader; none when it holds none there. A message that
    /// cannot be read is no answer that failed: it is there, and it is not the journal's.
    pub(super) async fn message(&self, sequence: u64) -> Result<Option<Bytes>, Trouble> {
        match stored(&self.context, sequence).await {
            Ok(Some(message)) if !message.readable => Err(Trouble::Halt(format!(
                "the stream holds other bytes than the journal at position {sequence}: a message that \
                 cannot be read"
            ))),
            Ok(found) => Ok(found.map(|message| message.payload)),
            Err(Unknown::NoStream) => Err(Trouble::Moved("the stream was deleted".to_owned())),
            Err(error @ (Unknown::Refused(_) | Unknown::Silent(_))) => {
                Err(Trouble::away("the stream cannot be read", &error))
            }
        }
    }

    /// Deletes the stream, its consumers with it.
    pub(super) async fn delete(&self) -> Result<(), Trouble> {
        match self.context.delete_stream(STREAM).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                DeleteStreamErrorKind::JetStream(answer)
                    if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(())
                }
                DeleteStreamErrorKind::JetStream(_)
                | DeleteStreamErrorKind::Request
                | DeleteStreamErrorKind::EmptyName
                | DeleteStreamErrorKind::InvalidStreamName => {
                    Err(Trouble::away("the stream cannot be deleted", &error))
                }
            },
        }
    }

    /// Sends one record without waiting for its acknowledgement.
    pub(super) async fn publish(
        &self,
        addressed: Addressed,
        payload: Bytes,
    ) -> Result<PublishAckFuture, Trouble> {
        let message = PublishMessage::build().headers(addressed.headers).payload(payload);
        self.context
            .send_publish(addressed.subject, message)
            .await
            .map_err(|error| Trouble::away("a record cannot be sent", &error))
    }
}

/// What this mirror depends on. Everything that could drop, rewrite, delay or reorder a message,
/// or let it in by another way than its subject's permission, is off.
fn require(config: &mut Config) {
    config.subjects = vec![SUBJECTS.to_owned()];
    config.retention = RetentionPolicy::Limits;
    config.storage = StorageType::File;
    config.discard = DiscardPolicy::New;
    config.discard_new_per_subject = false;
    config.max_bytes = -1;
    config.max_messages = -1;
    config.max_messages_per_subject = -1;
    config.max_consumers = -1;
    config.max_age = Duration::ZERO;
    config.max_message_size = MAX_MESSAGE_BYTES;
    config.duplicate_window = DUPLICATE_WINDOW;
    config.no_ack = false;
    config.sealed = false;
    config.deny_delete = true;
    config.deny_purge = true;
    config.allow_direct = true;
    config.allow_rollup = false;
    config.allow_message_ttl = false;
    config.allow_message_schedules = false;
    config.allow_message_counter = false;
    config.subject_delete_marker_ttl = None;
    config.subject_transform = None;
    config.republish = None;
    config.mirror = None;
    config.sources = None;
    config.persist_mode = None;
}
