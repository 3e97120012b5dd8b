//! A client of the services: requests, with failures read from the service API's headers.

mod files;

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::context::GetStreamError;
use async_nats::service::{NATS_SERVICE_ERROR, NATS_SERVICE_ERROR_CODE};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::watch;

use crate::follower::{STREAM, Stored, Unknown, stored};
use crate::nats::{HOW_TO_GET_IN, Server, refused};
use crate::serve::{COMMAND_PREFIX, QUERY_PREFIX};

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long an answer to a command with a file may take: up to 1 GiB is read, checked and kept
/// before it.
const FILE_TIMEOUT: Duration = Duration::from_mins(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection. Is the node running, and is the URL right?
    #[error("no connection to NATS at {url}: is the node running? `tebessa up` starts one")]
    Connect {
        /// Where it was tried, without credentials.
        url: String,
        /// Why it failed.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The server does not let this client in. Say who it is.
    #[error("the NATS server at {url} does not let this in; {HOW_TO_GET_IN}")]
    Refused {
        /// Where it was tried, without credentials.
        url: String,
        /// Why.
        #[source]
        source: async_nats::ConnectError,
    },
    /// Nobody listens on the subject: the node is not running, or the service does not exist.
    #[error("nobody answers {0}: the node is not running behind this NATS server")]
    NobodyThere(String),
    /// The server takes no such message from this account. Ask whoever runs it.
    #[error("the NATS server does not let this account publish to {0}; nothing was sent")]
    Denied(String),
    /// The account may not subscribe to where answers arrive. Let it. What was asked before this was
    /// known may have been done.
    #[error(
        "the NATS server lets no answer through to this account: it needs to subscribe to _INBOX.>, \
         or to what is below the prefix that --nats-inbox says; a command may or may not have been accepted: send it again with the same id"
    )]
    Deaf,
    /// No answer in time. What became of a command is found by sending it again with the same id.
    #[error("no answer to {0} in time; {hint}", hint = after_silence(.0))]
    Timeout(String),
    /// The server has no stream of events: no node ever ran on it, or another store is open.
    #[error(
        "the NATS server has no stream {STREAM}: no node ran on it, or its store is another one"
    )]
    NoStream,
    /// The service answered that it cannot answer.
    #[error("{message} (code {code})")]
    Service {
        /// 400, 404, 409, 413 or 503.
        code: u16,
        /// What is wrong.
        message: String,
    },
    /// The file that is to be sent could not be read.
    #[error("the file could not be sent")]
    File(#[source] async_nats::Error),
    /// The connection failed meanwhile. Try again.
    #[error("the connection to NATS failed")]
    Broken(#[source] async_nats::Error),
}

/// A connection to the services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    nats: async_nats::Client,
    server: Box<Server>,
    /// How often the connection was lost.
    losses: watch::Receiver<u64>,
    /// What the server said last that was no answer, such as a denied permission.
    errors: watch::Receiver<String>,
    /// Whether the server said that no answer is let through.
    deaf: watch::Receiver<bool>,
}

/// A message of the stream.
#[derive(Debug, Clone)]
pub struct StreamMessage {
    /// Its sequence, which is the record's position.
    pub position: u64,
    /// The record's exact bytes.
    pub record: Bytes,
}

impl Client {
    /// Connects; fails at once where nobody listens.
    pub async fn connect(server: impl Into<Server>) -> Result<Self, ClientError> {
        let server: Server = server.into();
        let (lost, losses) = watch::channel(0);
        let (said, errors) = watch::channel(String::new());
        let (mute, deaf) = watch::channel(false);
        let inbox = server.inbox().map_or_else(|| "_INBOX".to_owned(), |p| p.clone().into());
        let options = async_nats::ConnectOptions::new()
            .name("tebessa")
            .event_callback(move |event| {
                if matches!(event, async_nats::Event::Disconnected) {
                    lost.send_modify(|times| *times += 1);
                }
                if let async_nats::Event::ServerError(error) = event {
                    let error = error.to_string();
                    mute.send_if_modified(|deaf| {
                        *deaf |= hinders_answers(&error, &inbox);
                        *deaf
                    });
                    said.send_replace(error);
                }
                std::future::ready(())
            })
            .connection_timeout(Duration::from_secs(5))
            .request_timeout(Some(ANSWER_TIMEOUT));
        let nats = server.connect(options).await.map_err(|source| {
            let url = server.shown();
            if refused(&source) {
                ClientError::Refused { url, source }
            } else {
                ClientError::Connect { url, source }
            }
        })?;
        Ok(Self { nats, server: Box::new(server), losses, errors, deaf })
    }

    /// Whether there is a connection now; where there is none, it is tried again and again.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.nats.connection_state() == async_nats::connection::State::Connected
    }

    /// This connection, or another where it ended for good, as it does at a message that the client library
    /// falls over.
    async fn living(&self) -> Result<Self, ClientError> {
        if self.losses.has_changed().is_err() {
            return Box::pin(Self::connect(Server::clone(&self.server))).await;
        }
        Ok(self.clone())
    }

    /// Sends a command, whose full name is such as `intake.register-claim`.
    pub async fn command(&self, name: &str, body: Vec<u8>) -> Result<Bytes, ClientError> {
        self.request(format!("{COMMAND_PREFIX}.{name}"), body).await
    }

    /// Asks a query.
    pub async fn query(&self, name: &str, body: Vec<u8>) -> Result<Bytes, ClientError> {
        self.request(format!("{QUERY_PREFIX}.{name}"), body).await
    }

    async fn request(&self, subject: String, body: Vec<u8>) -> Result<Bytes, ClientError> {
        self.request_within(subject, body, ANSWER_TIMEOUT).await
    }

    async fn request_within(
        &self,
        subject: String,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Bytes, ClientError> {
        use async_nats::RequestErrorKind as Kind;
        let most = self.nats.server_info().max_payload;
        if body.len() > most {
            return Err(ClientError::Service {
                code: 413,
                message: format!("the message has {} bytes; at most 65,535 are taken", body.len()),
            });
        }
        let request = async_nats::Request::new().payload(body.into()).timeout(Some(limit));
        let mut errors = self.errors.clone();
        errors.mark_unchanged();
        let mut deaf = self.deaf.clone();
        let sent = tokio::select! {
            // In this order: what is known to get no answer is not sent.
            biased;
            () = known(&mut deaf) => return Err(ClientError::Deaf),
            () = denied(&mut errors, &subject) => return Err(ClientError::Denied(subject)),
            sent = self.nats.send_request(subject.clone(), request) => sent,
        };
        let message = sent.map_err(|error| match error.kind() {
            Kind::NoResponders => ClientError::NobodyThere(subject.clone()),
            Kind::TimedOut => ClientError::Timeout(subject.clone()),
            Kind::InvalidSubject | Kind::MaxPayloadExceeded | Kind::Other => {
                ClientError::Broken(Box::new(error))
            }
        })?;
        match message.headers.as_ref().and_then(service_error) {
            Some(error) => Err(error),
            None => Ok(message.payload),
        }
    }

    /// Follows the stream from a position on; new messages are awaited until the connection is lost,
    /// which is the last item. Whoever goes on asks again, for the server may have forgotten the place:
    /// a library that waits for its heartbeats notices that after a minute.
    pub async fn watch(
        &self,
        from: u64,
    ) -> Result<impl Stream<Item = Result<StreamMessage, ClientError>> + use<>, ClientError> {
        let broken = |error: async_nats::Error| ClientError::Broken(error);
        let living = self.living().await?;
        let mut losses = living.losses;
        losses.mark_unchanged();
        let context = async_nats::jetstream::new(living.nats);
        let stream = context.get_stream(STREAM).await.map_err(|error| no_stream(&error))?;
        let consumer = stream
            .create_consumer(pull::OrderedConfig {
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from.max(1) },
                ..Default::default()
            })
            .await
            .map_err(|error| broken(Box::new(error)))?;
        let messages =
            consumer.messages().await.map_err(|error| ClientError::Broken(Box::new(error)))?;
        let messages = messages.map(|message| {
            let message = message.map_err(|error| ClientError::Broken(Box::new(error)))?;
            let position = message.info().map_err(ClientError::Broken)?.stream_sequence;
            Ok(StreamMessage { position, record: message.message.payload })
        });
        let lost = futures::stream::once(async { Err(ClientError::Broken("it was lost".into())) });
        Ok(messages.take_until(async move { losses.changed().await }).chain(lost))
    }

    /// The bytes at a position of the stream; `None` where it has none. They may be those of a message that
    /// [`Client::watch`] cannot give: whoever uses them proves them.
    pub async fn record(&self, position: u64) -> Result<Option<Bytes>, ClientError> {
        Ok(self.stored(position).await?.map(|message| message.payload))
    }

    /// Whether a position of the stream has a message that nobody can read, at which [`Client::watch`] ends
    /// as if the connection were lost.
    pub async fn is_unreadable(&self, position: u64) -> Result<bool, ClientError> {
        Ok(self.stored(position).await?.is_some_and(|message| !message.readable))
    }

    async fn stored(&self, position: u64) -> Result<Option<Stored>, ClientError> {
        let context = async_nats::jetstream::new(self.living().await?.nats);
        stored(&context, position).await.map_err(|error| match error {
            Unknown::NoStream => ClientError::NoStream,
            Unknown::Refused(_) | Unknown::Silent(_) => ClientError::Broken(Box::new(error)),
        })
    }

    /// The last sequence of the stream, which is the last position that it mirrors.
    pub async fn stream_position(&self) -> Result<u64, ClientError> {
        let context = async_nats::jetstream::new(self.living().await?.nats);
        let stream = context.get_stream(STREAM).await.map_err(|error| no_stream(&error))?;
        Ok(stream.cached_info().state.last_sequence)
    }
}

/// Returns when the server says that nothing may be published to the subject.
async fn denied(errors: &mut watch::Receiver<String>, subject: &str) {
    let quoted = format!("\"{subject}\"");
    let named = |said: &String| said.contains("Permissions Violation") && said.contains(&quoted);
    if errors.changed().await.is_err() || errors.wait_for(named).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Whether the server said that the library's subscription for answers is not let through.
fn hinders_answers(said: &str, inbox: &str) -> bool {
    said.contains(&format!("Permissions Violation for Subscription to \"{inbox}."))
}

/// Returns when it is so.
async fn known(it: &mut watch::Receiver<bool>) {
    if it.wait_for(|it| *it).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What to do where no answer came: a command may have been taken, a query changes nothing.
fn after_silence(subject: &str) -> &'static str {
    if subject.starts_with(QUERY_PREFIX) {
        "the node may be busy or stopped: ask again"
    } else {
        "a command may or may not have been accepted: send it again with the same id"
    }
}

/// Why the stream cannot be had: there is none, or nobody who would know.
fn no_stream(error: &GetStreamError) -> ClientError {
    use async_nats::jetstream::{ErrorCode, context::GetStreamErrorKind as Kind};
    match error.kind() {
        Kind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            ClientError::NoStream
        }
        Kind::JetStream(_) | Kind::EmptyName | Kind::Request | Kind::InvalidStreamName => {
            ClientError::NobodyThere(format!("the stream {STREAM}"))
        }
    }
}

fn service_error(headers: &HeaderMap) -> Option<ClientError> {
    let code = headers.get(NATS_SERVICE_ERROR_CODE)?;
    let message = headers.get(NATS_SERVICE_ERROR).map_or("no reason given", |m| m.as_str());
    Some(ClientError::Service {
        code: code.as_str().parse().unwrap_or(500),
        message: message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_of_a_command_it_is_said_that_it_may_have_been_accepted() {
        let said = |subject: String| ClientError::Timeout(subject).to_string();
        let of_query = said(format!("{QUERY_PREFIX}.list"));
        assert!(of_query.ends_with("ask again") && !of_query.contains("command"), "{of_query}");
        let of_command = said(format!("{COMMAND_PREFIX}.intake.register-claim"));
        assert!(of_command.ends_with("send it again with the same id"), "{of_command}");
    }
}
