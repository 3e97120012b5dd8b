//! The inbox: a `JetStream` object store into which any NATS client puts files for its commands.
//!
//! What lies there is plaintext, for the time between upload and command. It is removed when the
//! command is accepted or the file does not fit it; whatever nobody asks for, the server drops by
//! its age.

use std::time::Duration;

use async_nats::jetstream::object_store::{
    Config, GetErrorKind, InfoErrorKind, Object, ObjectStore,
};
use async_nats::jetstream::stream::StorageType;
use async_nats::jetstream::{Context, context::ContextBuilder};
use case::UploadId;

/// The bucket's name.
pub const INBOX: &str = "evidence-inbox";

/// How long the server may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Why an upload cannot be read.
pub(super) enum NotRead {
    /// There is none of this name.
    Unknown,
    /// NATS is away or refuses.
    Away(String),
}

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

    /// Opens an upload for reading.
    pub(super) async fn open(&self, upload: UploadId) -> Result<Object, NotRead> {
        let bucket = self.ensure().await?;
        bucket.get(upload.to_string()).await.map_err(|error| match error.kind() {
            GetErrorKind::NotFound | GetErrorKind::BucketLink => NotRead::Unknown,
            GetErrorKind::InvalidName
            | GetErrorKind::ConsumerCreate
            | GetErrorKind::TimedOut
            | GetErrorKind::Other => NotRead::Away(crate::chain(&error)),
        })
    }

    /// Removes an upload. What cannot be removed now, the server drops by its age.
    pub(super) async fn remove(&self, upload: UploadId) {
        let Ok(bucket) = self.ensure().await else { return };
        match bucket.info(upload.to_string()).await {
            Ok(info) if info.deleted => return,
            Err(error) if error.kind() == InfoErrorKind::NotFound => return,
            Ok(_) | Err(_) => {}
        }
        if let Err(error) = bucket.delete(upload.to_string()).await {
            let reason = crate::chain(&error);
            tracing::info!(%upload, reason, "an upload stays in the inbox until it is too old");
        }
    }
}
