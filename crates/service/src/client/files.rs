//! Files of evidence from a client's side: into the inbox, and back out part by part.

use async_nats::jetstream::object_store::PutErrorKind;
use bytes::Bytes;
use case::UploadId;
use futures::{Stream, StreamExt as _};
use tokio::io::AsyncRead;

use super::{Client, ClientError, FILE_TIMEOUT};
use crate::documents::{FileCheckQuery, FileCheckReply, FileQuery, FileReply, INBOX, PartQuery};
use crate::serve::{COMMAND_PREFIX, QUERY_PREFIX};

/// How many parts are asked for ahead of the one that is awaited.
const AHEAD: usize = 4;

impl Client {
    /// Puts a file into the inbox, for a command that names it. Holds a chunk of it at a time.
    pub async fn upload(
        &self,
        upload: UploadId,
        file: &mut (impl AsyncRead + Unpin),
    ) -> Result<(), ClientError> {
        let context = async_nats::jetstream::new(self.nats.clone());
        let bucket = context
            .get_object_store(INBOX)
            .await
            .map_err(|_| ClientError::NobodyThere(format!("the inbox {INBOX}")))?;
        let name = upload.to_string();
        bucket.put(name.as_str(), file).await.map(|_| ()).map_err(|error| match error.kind() {
            PutErrorKind::ReadChunks => ClientError::File(Box::new(error)),
            PutErrorKind::InvalidName
            | PutErrorKind::PublishChunks
            | PutErrorKind::PublishMetadata
            | PutErrorKind::PurgeOldChunks
            | PutErrorKind::TimedOut
            | PutErrorKind::Other => ClientError::Broken(Box::new(error)),
        })
    }

    /// Sends a command that comes with a file; the answer may take as long as reading the file.
    pub async fn command_with_file(&self, name: &str, body: Vec<u8>) -> Result<Bytes, ClientError> {
        self.request_within(format!("{COMMAND_PREFIX}.{name}"), body, FILE_TIMEOUT).await
    }

    /// Opens the file of an item of evidence for reading.
    pub async fn open_file(&self, query: &FileQuery) -> Result<FileReply, ClientError> {
        let body = serde_json::to_vec(query).map_err(|e| ClientError::Broken(Box::new(e)))?;
        let reply = self.query("evidence-file", body).await?;
        serde_json::from_slice(&reply).map_err(|error| ClientError::Broken(Box::new(error)))
    }

    /// Has the node read a kept file to its end; the answer may take as long as that.
    pub async fn check_file(&self, query: &FileCheckQuery) -> Result<FileCheckReply, ClientError> {
        let body = serde_json::to_vec(query).map_err(|e| ClientError::Broken(Box::new(e)))?;
        let subject = format!("{QUERY_PREFIX}.evidence-check");
        let reply = self.request_within(subject, body, FILE_TIMEOUT).await?;
        serde_json::from_slice(&reply).map_err(|error| ClientError::Broken(Box::new(error)))
    }

    /// The bytes of an open file in order, some parts asked for ahead. Whoever reads them compares
    /// their digest with the file's.
    pub fn parts(
        &self,
        file: &FileReply,
    ) -> impl Stream<Item = Result<Bytes, ClientError>> + use<> {
        let client = self.clone();
        let ticket = file.ticket;
        futures::stream::iter(0..file.parts)
            .map(move |part| {
                let client = client.clone();
                async move {
                    let body = serde_json::to_vec(&PartQuery { ticket, part })
                        .map_err(|error| ClientError::Broken(Box::new(error)))?;
                    client.query("evidence-part", body).await
                }
            })
            .buffered(AHEAD)
    }
}
