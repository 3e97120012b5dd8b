//! The store of sealed documents: a local directory, or a bucket that speaks S3.
//!
//! ```text
//! document  "TEBESSA DOC" 0 0 0 0 1 ‖ salt (32) ‖ sealed chunks
//! chunk     65,536 bytes of plaintext, the last one 0 to 65,536, each with a tag of 16 bytes
//! ```
//! A document appears in the store whole or not at all, and on a local disk it is synced, with its
//! directory, before anyone is told that it is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::Error;
use super::names::Names;
use crate::keys::{CHUNK_OVERHEAD, DOCUMENT_SALT, DocumentCipher};

const MAGIC: &[u8; 16] = b"TEBESSA DOC\0\0\0\0\x01";
const HEADER: u64 = (MAGIC.len() + DOCUMENT_SALT) as u64;
/// The plaintext of a chunk, in bytes.
const CHUNK: usize = 64 * 1024;
const SEALED_CHUNK: u64 = (CHUNK + CHUNK_OVERHEAD) as u64;
/// How many chunks are read at once: 512 KiB, half of what a message may hold.
const CHUNKS_OF_A_PART: u64 = 8;
/// The plaintext of a part, in bytes.
pub(super) const PART: u64 = CHUNKS_OF_A_PART * CHUNK as u64;
/// What is gathered before it is written, in bytes. S3 takes no parts below 5 MiB.
const GATHERED_ON_DISK: usize = 1024 * 1024;
const GATHERED_FOR_A_BUCKET: usize = 6 * 1024 * 1024;
/// How many gathered pieces are under way at once.
const UNDER_WAY: usize = 2;
/// How long the source of a document may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Where documents are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StorePlace {
    /// In the data directory.
    #[default]
    Data,
    /// In a directory of the operator's own.
    Directory(PathBuf),
    /// In a bucket, `s3://bucket/prefix`; endpoint, region and credentials come from the usual
    /// `AWS_…` variables.
    Bucket(String),
}

impl StorePlace {
    /// Reads a setting: a URL that begins with `s3://`, else a directory. Another URL is no
    /// directory: the files would lie where nobody looks for them.
    pub fn of(setting: &str) -> Result<Self, BadStorePlace> {
        if setting.starts_with("s3://") {
            return Ok(Self::Bucket(setting.to_owned()));
        }
        if is_url(setting) || setting.is_empty() {
            return Err(BadStorePlace);
        }
        Ok(Self::Directory(PathBuf::from(setting)))
    }
}

/// A text says no place for documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a directory or s3://BUCKET/PREFIX; ./ before a directory's name makes it plain")]
pub struct BadStorePlace;

/// Whether a text begins as a URL does: a scheme of two letters at least, a colon and a slash, of
/// which `s3:/bucket` is short by one.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "+-".contains(letter);
    scheme.len() > 1 && scheme.chars().all(fits) && rest.starts_with('/')
}

/// A URL without the user and password that may stand before its host, and whether they do.
fn without_credentials(url: &str) -> (String, bool) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("s3", url));
    let host_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(host_ends);
    match host.rsplit_once('@') {
        Some((_, host)) => (format!("{scheme}://{host}{path}"), true),
        None => (url.to_owned(), false),
    }
}

/// What a document must be, to be kept.
pub(super) struct Expected<'a> {
    pub(super) size: u64,
    pub(super) sha256: &'a str,
}

/// Why a document was not kept.
pub(super) enum NotKept {
    /// It is not what it was said to be.
    Unfit(String),
    /// It could not be read to its end.
    Source(std::io::Error),
    /// The store or the key.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotKept {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The store.
#[derive(Debug, Clone)]
pub(super) struct Store {
    objects: Arc<dyn ObjectStore>,
    gathered: usize,
    /// None of a bucket, which has no directories.
    pub(super) names: Option<Names>,
}

impl Store {
    /// Opens the store; a local directory is made when missing.
    pub(super) fn open(place: &StorePlace, data: &Path) -> Result<Self, Error> {
        let directory = match place {
            StorePlace::Data => super::directory(data),
            StorePlace::Directory(directory) => directory.clone(),
            StorePlace::Bucket(url) => return Self::bucket(url),
        };
        let wrong = |why: String| Error::Place { place: directory.display().to_string(), why };
        let names = Names::open(&directory).map_err(|error| wrong(error.to_string()))?;
        remove_torn(&directory).map_err(|error| wrong(error.to_string()))?;
        let local = LocalFileSystem::new_with_prefix(&directory)
            .map_err(|error| wrong(crate::chain(&error)))?
            .with_fsync(true);
        Ok(Self { objects: Arc::new(local), gathered: GATHERED_ON_DISK, names: Some(names) })
    }

    fn bucket(url: &str) -> Result<Self, Error> {
        let (shown, credentials) = without_credentials(url);
        let wrong = |why: String| Error::Place { place: shown.clone(), why };
        if credentials {
            // They were not looked at, and whatever the library says of the URL has them in it.
            let why = "a URL is no place for credentials: give them by the AWS_… variables";
            return Err(wrong(why.to_owned()));
        }
        // Whoever came first has set one, and any of them will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bucket = object_store::aws::AmazonS3Builder::from_env()
            .with_url(url)
            .build()
            .map_err(|error| wrong(crate::chain(&error)))?;
        let path = url.trim_start_matches("s3://").split_once('/').map_or("", |(_, path)| path);
        let prefix = Name::parse(path).map_err(|error| wrong(crate::chain(&error)))?;
        let objects = Arc::new(PrefixStore::new(bucket, prefix));
        Ok(Self { objects, gathered: GATHERED_FOR_A_BUCKET, names: None })
    }

    /// Whether a document is there, whole.
    pub(super) async fn holds(&self, name: &str) -> Result<bool, Error> {
        match self.objects.head(&at(name)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(Error::store("asked")(error)),
        }
    }

    /// Whether a document of this size is there, and is as long as it must be when sealed.
    pub(super) async fn check_length(&self, name: &str, size: u64) -> Result<(), Error> {
        let named = || name.to_owned();
        match self.objects.head(&at(name)).await {
            Ok(found) if found.size == sealed_length(size) => Ok(()),
            Ok(_) => Err(Error::Damaged { name: named(), why: "it has another length" }),
            Err(object_store::Error::NotFound { .. }) => Err(Error::Missing { name: named() }),
            Err(error) => Err(Error::store("asked")(error)),
        }
    }

    /// Removes a document. One that is not there is removed already.
    pub(super) async fn remove(&self, name: &str) -> Result<(), Error> {
        match self.objects.delete(&at(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::store("cleared of a document")(error)),
        }
    }

    /// Reads a document to its end, seals it chunk by chunk, and keeps it if it has the size and
    /// digest that it should have; if not, nothing of it stays. Holds some 20 MiB at the most,
    /// however long the document is.
    pub(super) async fn keep(
        &self,
        name: &str,
        cipher: &DocumentCipher,
        salt: &[u8; DOCUMENT_SALT],
        expected: &Expected<'_>,
        source: &mut (impl AsyncRead + Unpin),
    ) -> Result<(), NotKept> {
        let mut writer =
            BufWriter::with_capacity(Arc::clone(&self.objects), at(name), self.gathered)
                .with_max_concurrency(UNDER_WAY);
        let copied = copy(&mut writer, cipher, salt, expected, source).await;
        if copied.is_err() {
            if let Err(error) = writer.abort().await {
                let reason = crate::chain(&error);
                tracing::warn!(reason, "an upload to the document store stays behind");
            }
            return copied;
        }
        writer.shutdown().await.map_err(written)?;
        Ok(self.make_names_durable(name).await?)
    }

    /// Makes durable that a document lies where it does; to be called before one that was found there is
    /// relied on, for whoever put it there may have failed at this.
    pub(super) async fn make_names_durable(&self, name: &str) -> Result<(), Error> {
        match &self.names {
            Some(names) => names.make_durable(folder(name)).await,
            None => Ok(()),
        }
    }

    /// Reads one part of a document's plaintext, numbered from 0.
    pub(super) async fn part(
        &self,
        name: &str,
        size: u64,
        part: u64,
        cipher: impl FnOnce(&[u8; DOCUMENT_SALT]) -> Result<DocumentCipher, Error>,
    ) -> Result<Bytes, Error> {
        let chunks = chunks(size);
        let first = part.saturating_mul(CHUNKS_OF_A_PART);
        let end = chunks.min(first.saturating_add(CHUNKS_OF_A_PART));
        let head = self.read(name, 0..HEADER).await?;
        let damaged = |why| Error::Damaged { name: name.to_owned(), why };
        let salt = head.strip_prefix(MAGIC).and_then(|salt| salt.first_chunk());
        let cipher = cipher(salt.ok_or_else(|| damaged("it has no header"))?)?;
        let range =
            HEADER + first * SEALED_CHUNK..sealed_length(size).min(HEADER + end * SEALED_CHUNK);
        let wanted = range.end.saturating_sub(range.start);
        let sealed = self.read(name, range).await?;
        if sealed.len() as u64 != wanted {
            return Err(damaged("its end is missing"));
        }
        let mut plain = BytesMut::with_capacity(sealed.len());
        for (chunk, sealed) in (first..end).zip(sealed.chunks(CHUNK + CHUNK_OVERHEAD)) {
            let number = u32::try_from(chunk).map_err(|_| damaged("it is too long"))?;
            let opened = cipher.open(number, chunk + 1 == chunks, sealed);
            plain.extend_from_slice(&opened.ok_or_else(|| damaged("a chunk does not open"))?);
        }
        Ok(plain.freeze())
    }

    async fn read(&self, name: &str, range: std::ops::Range<u64>) -> Result<Bytes, Error> {
        match self.objects.get_range(&at(name), range).await {
            Ok(bytes) => Ok(bytes),
            Err(object_store::Error::NotFound { .. }) => {
                Err(Error::Missing { name: name.to_owned() })
            }
            Err(error) => Err(Error::store("read")(error)),
        }
    }
}

/// How many chunks a document of this size has; an empty one has one.
const fn chunks(size: u64) -> u64 {
    if size == 0 { 1 } else { size.div_ceil(CHUNK as u64) }
}

/// How long a document of this size is when it is sealed, in bytes.
const fn sealed_length(size: u64) -> u64 {
    HEADER + size + chunks(size) * CHUNK_OVERHEAD as u64
}

/// How many parts a document of this size has.
pub(super) const fn parts(size: u64) -> u64 {
    if size == 0 { 1 } else { size.div_ceil(PART) }
}

/// Two levels, because a directory with a million files is slow to list.
fn at(name: &str) -> Name {
    Name::from_iter([folder(name), name])
}

fn folder(name: &str) -> &str {
    name.get(..2).unwrap_or("00")
}

async fn copy(
    writer: &mut BufWriter,
    cipher: &DocumentCipher,
    salt: &[u8; DOCUMENT_SALT],
    expected: &Expected<'_>,
    source: &mut (impl AsyncRead + Unpin),
) -> Result<(), NotKept> {
    let header = Bytes::from([MAGIC.as_slice(), salt].concat());
    writer.put(header).await.map_err(Error::store("written"))?;
    let mut digest = Sha256::new();
    let mut left = expected.size;
    let mut plain = Zeroizing::new(vec![0; CHUNK]);
    for chunk in 0..chunks(expected.size) {
        let length = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let buffer = plain.get_mut(..length).unwrap_or_default();
        let found = fill(source, buffer).await.map_err(unread)?;
        if found < length {
            return Err(NotKept::Unfit(format!(
                "the upload has {} bytes, the command says {}",
                expected.size - left + found as u64,
                expected.size
            )));
        }
        left -= length as u64;
        digest.update(&*buffer);
        let number = u32::try_from(chunk).map_err(|_| crate::keys::Error::TooLong)?;
        let sealed = cipher.seal(number, left == 0, buffer)?;
        writer.put(sealed.into()).await.map_err(Error::store("written"))?;
    }
    if fill(source, &mut [0]).await.map_err(unread)? > 0 {
        return Err(NotKept::Unfit(format!(
            "the upload has more than the {} bytes that the command says",
            expected.size
        )));
    }
    let digest = hex::encode(digest.finalize());
    if digest != expected.sha256 {
        // Not which: the bytes may be another's, and a digest of few possible ones tells them.
        return Err(NotKept::Unfit(
            "the upload has another SHA-256 than the command says".to_owned(),
        ));
    }
    Ok(())
}

/// Reads until the buffer is full or the source ends.
async fn fill(
    source: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
) -> Result<usize, std::io::Error> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let read = tokio::time::timeout(SILENCE, source.read(rest));
        let count = read.await.map_err(|_| std::io::ErrorKind::TimedOut)??;
        if count == 0 {
            break;
        }
        filled += count;
    }
    Ok(filled)
}

fn unread(error: std::io::Error) -> NotKept {
    // The client library compares with the digest that the uploader noted.
    if error.kind() == std::io::ErrorKind::InvalidData {
        return NotKept::Unfit("the upload is not what its uploader noted".to_owned());
    }
    NotKept::Source(error)
}

fn written(error: std::io::Error) -> NotKept {
    let source = object_store::Error::Generic { store: "documents", source: Box::new(error) };
    NotKept::Failed(Error::store("written")(source))
}

/// Removes what an upload to a local directory left behind when the node was killed: the library
/// names such files `<name>#<number>` and never lists them.
fn remove_torn(directory: &Path) -> std::io::Result<()> {
    for folder in std::fs::read_dir(directory)? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() || folder.file_name().len() != 2 {
            continue;
        }
        for file in std::fs::read_dir(folder.path())? {
            let file = file?;
            if file.file_name().to_string_lossy().contains('#') {
                std::fs::remove_file(file.path())?;
            }
        }
    }
    Ok(())
}
