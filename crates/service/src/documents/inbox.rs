//! The inbox: a `JetStream` object store into which any NATS client puts files for its commands.
//!
//! What lies there is plaintext, for the time between upload and command. It is removed when the
//! command is accepted or the file does not fit it; whatever nobody asks for, the server drops by
//! its age.
//!
//! Whoever may put a file there also writes what the store says of it: where its pieces lie, how many
//! they are, whether it is a link to another. None of that is believed. An upload is no link, names its
//! pieces by letters and digits, and all of them are there; so nothing outside it is read or removed. The
//! client library's own way to read one follows links, in a circle too.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::object_store::{Config, InfoErrorKind, ObjectInfo, ObjectStore};
use async_nats::jetstream::stream::{StorageType, Stream as JetStream};
use async_nats::jetstream::{Context, context::ContextBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use case::UploadId;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tokio_util::io::StreamReader;

/// The bucket's name.
pub const INBOX: &str = "evidence-inbox";

/// How long the server may take to answer, and to send the next piece.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A piece has so many bytes at least, but for some: clients make pieces of 128 KiB.
const LEAST_PIECE: u64 = 1 << 10;
const SMALL_PIECES: u64 = 16;

/// Why an upload cannot be read.
pub(super) enum NotRead {
    /// There is none of this name.
    Unknown,
    /// What is there is no whole file.
    Unfit(String),
    /// NATS is away or refuses.
    Away(String),
}

/// The bytes of an upload, in order.
pub(super) type Upload = StreamReader<Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>, Bytes>;

/// The inbox. Cheap to clone.
#[derive(Clone)]
pub(super) struct Inbox {
    context: Context,
    age: Duration,
}

impl Inbox {
    pub(super) fn new(client: async_nats::Client, age: Duration) -> Self {
        Self { context: ContextBuilder::new().timeout(ANSWER_LIMIT).build(client), age }
    }

    /// Makes the bucket where there is none. One that is there is left as its operator has it.
    pub(super) async fn ensure(&self) -> Result<ObjectStore, NotRead> {
        if let Ok(bucket) = self.context.get_object_store(INBOX).await {
            return Ok(bucket);
        }
        let config = Config {
            bucket: INBOX.to_owned(),
            description: Some("Files on their way to evidence.attach".to_owned()),
            max_age: self.age,
            max_bytes: -1,
            storage: StorageType::File,
            num_replicas: 1,
            ..Config::default()
        };
        let made = self.context.create_object_store(config).await;
        made.map_err(|error| NotRead::Away(crate::chain(&error)))
    }

    /// Opens an upload of a size for reading.
    pub(super) async fn open(&self, upload: UploadId, size: u64) -> Result<Upload, NotRead> {
        let bucket = self.ensure().await?;
        let info = match bucket.info(upload.to_string()).await {
            Ok(info) if info.deleted => return Err(NotRead::Unknown),
            Ok(info) => info,
            Err(error) if error.kind() == InfoErrorKind::NotFound => return Err(NotRead::Unknown),
            Err(error) => return Err(NotRead::Away(crate::chain(&error))),
        };
        let pieces = checked(&info, size).map_err(NotRead::Unfit)?;
        if pieces == 0 {
            return Ok(StreamReader::new(futures::stream::empty().boxed()));
        }
        let (stream, subject) = (self.stream().await?, pieces_of(&info.nuid));
        let there = count(&stream, &subject).await.map_err(NotRead::Away)?;
        if there != pieces {
            return Err(NotRead::Unfit(format!(
                "the upload has {pieces} pieces by its own word, and {there} are there"
            )));
        }
        let config = OrderedConfig { filter_subject: subject, ..OrderedConfig::default() };
        let away = |error: &dyn std::error::Error| NotRead::Away(crate::chain(error));
        let consumer = stream.create_consumer(config).await.map_err(|error| away(&error))?;
        let messages = consumer.messages().await.map_err(|error| away(&error))?;
        let pieces = usize::try_from(pieces).unwrap_or(usize::MAX);
        let bytes = messages.take(pieces).map(|message| {
            message.map(|message| message.message.payload).map_err(io::Error::other)
        });
        // Pieces that were there may be gone by now, and nobody says so.
        let timed = in_time(bytes.boxed());
        Ok(StreamReader::new(timed.boxed()))
    }

    /// Removes an upload. What cannot be removed now, the server drops by its age.
    pub(super) async fn remove(&self, upload: UploadId) {
        if let Err(reason) = self.try_remove(upload).await {
            tracing::info!(%upload, reason, "an upload stays in the inbox until it is too old");
        }
    }

    async fn try_remove(&self, upload: UploadId) -> Result<(), String> {
        let Ok(bucket) = self.ensure().await else { return Ok(()) };
        let Ok(stream) = self.stream().await else { return Ok(()) };
        let info = match bucket.info(upload.to_string()).await {
            Err(error) if error.kind() == InfoErrorKind::NotFound => return Ok(()),
            info => info.ok(),
        };
        let pieces = info.filter(|info| is_own(&info.nuid)).map(|info| pieces_of(&info.nuid));
        let about = format!("$O.{INBOX}.M.{}", URL_SAFE.encode(upload.to_string()));
        for subject in pieces.into_iter().chain([about]) {
            stream.purge().filter(subject).await.map_err(|error| crate::chain(&error))?;
        }
        Ok(())
    }

    async fn stream(&self) -> Result<JetStream, NotRead> {
        let found = self.context.get_stream(format!("OBJ_{INBOX}")).await;
        found.map_err(|error| NotRead::Away(crate::chain(&error)))
    }
}

/// Whether a name of pieces stands for one upload's, and for no pattern of others.
fn is_own(nuid: &str) -> bool {
    (1..=64).contains(&nuid.len()) && nuid.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn pieces_of(nuid: &str) -> String {
    format!("$O.{INBOX}.C.{nuid}")
}

/// How many pieces an upload has by its own word, where that can be so of a file of this size.
fn checked(info: &ObjectInfo, size: u64) -> Result<u64, String> {
    if info.options.as_ref().is_some_and(|options| options.link.is_some()) {
        return Err("the upload is a link to another; put the file itself there".to_owned());
    }
    let (found, pieces) = (info.size as u64, info.chunks as u64);
    if found != size {
        return Err(format!("the upload has {found} bytes, the command says {size}"));
    }
    if pieces > SMALL_PIECES + size / LEAST_PIECE || (pieces == 0) != (size == 0) {
        return Err(format!("the upload has {size} bytes in {pieces} pieces"));
    }
    if pieces > 0 && !is_own(&info.nuid) {
        return Err("the upload does not name its pieces by letters and digits".to_owned());
    }
    Ok(pieces)
}

async fn count(stream: &JetStream, subject: &str) -> Result<u64, String> {
    let listed = stream.info_with_subjects(subject).await;
    let mut listed = listed.map_err(|error| crate::chain(&error))?;
    let mut count = 0;
    while let Some((_, messages)) = listed.try_next().await.map_err(|error| crate::chain(&error))? {
        count += messages as u64;
    }
    Ok(count)
}

/// The same bytes, and an error where the next are not there in time.
fn in_time(
    bytes: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    futures::stream::try_unfold(bytes, |mut bytes| async move {
        let next = tokio::time::timeout(ANSWER_LIMIT, bytes.next()).await;
        let next = next.map_err(|_| io::Error::other("the next piece did not come"))?;
        next.transpose().map(|piece| piece.map(|piece| (piece, bytes)))
    })
}
