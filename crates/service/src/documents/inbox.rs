//! The inbox: a `JetStream` object store into which any NATS client puts files for its commands.
//!
//! What lies there is plaintext, for the time between upload and command. It is removed when it was taken
//! whole and its command is accepted. Of a file that was not taken, because it does not fit or the case has
//! it, what is said of it is removed, so that no command finds it any more; its pieces, and whatever nobody
//! asks for, the server drops by their age.
//!
//! Whoever may put a file there also writes what the store says of it: where its pieces lie, how many
//! they are, whether it is a link to another. None of that is believed. An upload is no link, names its
//! pieces by letters and digits, and all of them are there; so nothing outside the inbox is read. The pieces
//! may still be another upload's: they are removed only where they have the size and the SHA-256 that the
//! command says, and whoever can say them has that file; what else they are is not told. The client
//! library's own way to read one follows links, in a circle too. It also makes a consumer for each,
//! of which a stream has a thousand at most, and asks for 500 pieces ahead, more than the server lets wait
//! for one connection. Here a piece is asked for when the one before is kept. Nor is anything believed of its
//! headers: they are not looked at, and one that nobody can read cuts nobody's connection (`find`).

use std::io;
use std::pin::Pin;
use std::time::Duration;

use async_nats::jetstream::object_store::{Config, ObjectStore};
use async_nats::jetstream::stream::{StorageType, Stream as JetStream};
use async_nats::jetstream::{Context, context::ContextBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use case::UploadId;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde_json::json;
use tokio_util::io::StreamReader;

use crate::follower::{Stored, find};
use crate::nats::KeptLine;

/// The bucket's name.
pub const INBOX: &str = "evidence-inbox";
/// Its stream.
const STREAM: &str = "OBJ_evidence-inbox";

/// How long the server may take to answer, also with a piece.
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

/// An upload that is open for reading.
pub(super) struct Opened {
    pub(super) bytes: Upload,
    pub(super) pieces: Pieces,
}

/// Where the pieces of an upload lie, as it said when it was opened; it may say otherwise since.
pub(super) struct Pieces(Option<String>);

/// The bytes of an upload, in order.
type Upload = StreamReader<Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>, Bytes>;

/// The inbox. Cheap to clone.
#[derive(Clone)]
pub(super) struct Inbox {
    line: KeptLine,
    age: Duration,
}

impl Inbox {
    pub(super) const fn new(line: KeptLine, age: Duration) -> Self {
        Self { line, age }
    }

    /// By the connection as it is now.
    fn context(&self) -> Context {
        ContextBuilder::new().timeout(ANSWER_LIMIT).build(self.line.client())
    }

    /// Makes the bucket where there is none. One that is there is left as its operator has it.
    pub(super) async fn ensure(&self) -> Result<ObjectStore, NotRead> {
        let context = self.context();
        if let Ok(bucket) = context.get_object_store(INBOX).await {
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
        let made = context.create_object_store(config).await;
        made.map_err(|error| NotRead::Away(crate::chain(&error)))
    }

    /// What the server says each time when somebody deleted the bucket.
    pub(super) async fn deleted(&self) -> BoxStream<'static, ()> {
        let subject = format!("$JS.EVENT.ADVISORY.STREAM.DELETED.{STREAM}");
        match self.line.client().subscribe(subject).await {
            Ok(said) => said.map(|_| ()).boxed(),
            Err(_) => futures::stream::empty().boxed(),
        }
    }

    /// Opens an upload of a size for reading.
    pub(super) async fn open(&self, upload: UploadId, size: u64) -> Result<Opened, NotRead> {
        self.ensure().await?;
        let stream = self.stream().await?;
        let context = self.context();
        let about = about(&context, upload).await?.ok_or(NotRead::Unknown)?;
        let pieces = about.pieces(size).map_err(NotRead::Unfit)?;
        if pieces == 0 {
            let bytes = StreamReader::new(futures::stream::empty().boxed());
            return Ok(Opened { bytes, pieces: Pieces(None) });
        }
        let subject = pieces_of(&about.nuid);
        let there = count(&stream, &subject).await.map_err(NotRead::Away)?;
        if there != pieces {
            return Err(NotRead::Unfit(format!(
                "the upload has {pieces} pieces by its own word, and {there} are there"
            )));
        }
        let named = Pieces(Some(subject.clone()));
        // Where to look for the next one, and how many are left.
        let bytes = futures::stream::try_unfold((0, pieces), move |(after, left)| {
            let (context, subject) = (context.clone(), subject.clone());
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let piece = next(&context, &subject, after + 1).await?;
                Ok(Some((piece.payload, (piece.sequence, left - 1))))
            }
        });
        Ok(Opened { bytes: StreamReader::new(bytes.boxed()), pieces: named })
    }

    /// Removes what is said of an upload, and those pieces of it that were taken whole. What cannot be
    /// removed now, the server drops by its age.
    pub(super) async fn remove(&self, upload: UploadId, taken: Option<Pieces>) {
        if let Err(reason) = self.try_remove(upload, taken).await {
            tracing::info!(%upload, reason, "an upload stays in the inbox until it is too old");
        }
    }

    async fn try_remove(&self, upload: UploadId, taken: Option<Pieces>) -> Result<(), String> {
        let Ok(stream) = self.stream().await else { return Ok(()) };
        let pieces = taken.and_then(|pieces| pieces.0);
        for subject in pieces.into_iter().chain([about_of(upload)]) {
            stream.purge().filter(subject).await.map_err(|error| crate::chain(&error))?;
        }
        Ok(())
    }

    async fn stream(&self) -> Result<JetStream, NotRead> {
        let found = self.context().get_stream(STREAM).await;
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

fn about_of(upload: UploadId) -> String {
    format!("$O.{INBOX}.M.{}", URL_SAFE.encode(upload.to_string()))
}

/// What an upload says of itself, as far as it is looked at; clients write it in several ways.
#[derive(serde::Deserialize)]
struct About {
    #[serde(default)]
    nuid: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    chunks: u64,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    options: Option<Options>,
}

#[derive(serde::Deserialize)]
struct Options {
    #[serde(default)]
    link: Option<serde_json::Value>,
}

impl About {
    /// How many pieces it has by its own word, where that can be so of a file of this size.
    fn pieces(&self, size: u64) -> Result<u64, String> {
        if self.options.as_ref().is_some_and(|options| options.link.is_some()) {
            return Err("the upload is a link to another; put the file itself there".to_owned());
        }
        let (found, pieces) = (self.size, self.chunks);
        if found != size {
            return Err(format!("the upload has {found} bytes, the command says {size}"));
        }
        if pieces > SMALL_PIECES + size / LEAST_PIECE || (pieces == 0) != (size == 0) {
            return Err(format!("the upload has {size} bytes in {pieces} pieces"));
        }
        if pieces > 0 && !is_own(&self.nuid) {
            return Err("the upload does not name its pieces by letters and digits".to_owned());
        }
        Ok(pieces)
    }
}

/// What is said of an upload, if one is there.
async fn about(context: &Context, upload: UploadId) -> Result<Option<About>, NotRead> {
    let asked = json!({ "last_by_subj": about_of(upload) });
    let said = find(context, STREAM, &asked).await;
    let Some(said) = said.map_err(|error| NotRead::Away(crate::chain(&error)))? else {
        return Ok(None);
    };
    match serde_json::from_slice::<About>(&said.payload) {
        Ok(about) => Ok(Some(about).filter(|about| !about.deleted)),
        Err(_) => Err(NotRead::Unfit("what is said of the upload cannot be read".to_owned())),
    }
}

/// The first piece from a sequence on.
async fn next(context: &Context, subject: &str, from: u64) -> io::Result<Stored> {
    let piece = find(context, STREAM, &json!({ "seq": from, "next_by_subj": subject })).await;
    let failed = |why: &str| io::Error::other(format!("the next piece did not come: {why}"));
    let piece = piece.map_err(|error| failed(&crate::chain(&error)))?;
    piece.ok_or_else(|| failed("it is not there any more"))
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
