//! A document comes back as it was, or not at all.

use std::io;
use std::path::{Path, PathBuf};

use case::{CaseId, KeyId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::store::{Expected, NotKept, Store, StorePlace, parts};
use super::{Documents, Error, directory};
use crate::keys::KeyStore;

struct World {
    home: tempfile::TempDir,
    keys: KeyStore,
    key: KeyId,
    case: CaseId,
    store: Store,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let keys = KeyStore::open(&home.path().join("keys")).unwrap();
        let key = keys.take().unwrap();
        let store = Store::open(&StorePlace::Data, home.path()).unwrap();
        Self { home, keys, key, case: CaseId(Uuid::new_v4()), store }
    }

    fn name(&self, sha256: &str) -> String {
        self.keys.document_name(self.key, self.case, sha256).unwrap()
    }

    /// Keeps what comes under the size and digest that are said.
    async fn keep(&self, size: u64, sha256: &str, mut came: &[u8]) -> Result<(), NotKept> {
        let (cipher, salt) = self.keys.fresh_document(self.key, self.case, sha256).unwrap();
        let expected = Expected { size, sha256 };
        self.store.keep(&self.name(sha256), &cipher, &salt, &expected, &mut came).await
    }

    async fn read(&self, size: u64, sha256: &str) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        for part in 0..parts(size) {
            let cipher =
                |salt: &_| Ok(self.keys.document_cipher(self.key, self.case, sha256, salt)?);
            let bytes = self.store.part(&self.name(sha256), size, part, cipher).await?;
            whole.extend_from_slice(&bytes);
        }
        Ok(whole)
    }

    /// Every file of the store with its bytes.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for folder in std::fs::read_dir(directory(self.home.path())).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                files.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
        files
    }
}

fn document(size: usize) -> (Vec<u8>, String) {
    let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
    let sha256 = hex::encode(Sha256::digest(&bytes));
    (bytes, sha256)
}

fn why(result: Result<(), NotKept>) -> String {
    match result {
        Ok(()) => "kept".to_owned(),
        Err(NotKept::Unfit(why)) => why,
        Err(NotKept::Source(error)) => error.to_string(),
        Err(NotKept::Failed(error)) => crate::chain(&error),
    }
}

#[test]
fn no_credentials_are_taken_from_a_url_nor_shown() {
    let home = tempfile::tempdir().unwrap();
    for (url, shown) in [
        ("s3://AKIA:s3cr3t@bucket/pre@fix", "s3://bucket/pre@fix"),
        ("s3://s3cr3t@bucket", "s3://bucket"),
        ("s3://AKIA:s3@cr3t@", "s3://"),
    ] {
        let error = Store::open(&StorePlace::Bucket(url.to_owned()), home.path()).unwrap_err();
        let said = crate::chain(&error);
        assert!(said.contains(&format!("kept at {shown}: ")), "{said}");
        assert!(!said.contains("cr3t") && !format!("{error:?}").contains("cr3t"), "{said}");
    }
    let error = Store::open(&StorePlace::Bucket("s3://".to_owned()), home.path()).unwrap_err();
    assert!(crate::chain(&error).contains("kept at s3://: "), "{error}");
}

#[test]
fn only_a_bucket_of_s3_is_a_url() {
    for unfit in ["ftp://b/p", "file:///srv/documents", "S3://b/p", "s3:/b/p", "https://b", ""] {
        assert!(StorePlace::of(unfit).is_err(), "{unfit}");
    }
    assert_eq!(StorePlace::of("s3://b/p").unwrap(), StorePlace::Bucket("s3://b/p".to_owned()));
    for directory in ["/srv/documents", "documents", "./ftp://b/p", "a:b", "x:/y"] {
        assert_eq!(StorePlace::of(directory).unwrap(), StorePlace::Directory(directory.into()));
    }
}

#[tokio::test]
async fn a_document_of_any_size_comes_back_as_it_was() {
    let world = World::new();
    for size in [0, 1, 65_535, 65_536, 65_537, 524_288, 524_289, 1_100_001] {
        let (bytes, sha256) = document(size);
        assert_eq!(why(world.keep(size as u64, &sha256, &bytes).await), "kept", "{size}");
        assert!(world.store.holds(&world.name(&sha256)).await.unwrap());
        assert!(world.read(size as u64, &sha256).await.unwrap() == bytes, "{size} bytes");
    }
}

#[tokio::test]
async fn of_a_document_that_does_not_fit_nothing_is_kept() {
    let world = World::new();
    for size in [10, 1_100_000] {
        let (bytes, sha256) = document(size);
        let said = size as u64;
        let (_, other) = document(size + 1);
        let another = why(world.keep(said, &other, &bytes).await);
        assert!(another.contains("another SHA-256") && !another.contains(&sha256), "{another}");
        assert!(why(world.keep(said + 1, &sha256, &bytes).await).contains("the command says"));
        assert!(why(world.keep(said - 1, &sha256, &bytes).await).contains("more than"));
        assert!(!world.store.holds(&world.name(&sha256)).await.unwrap());
        assert!(!world.store.holds(&world.name(&other)).await.unwrap());
    }
    let torn =
        world.files().iter().filter(|(path, _)| !path.to_string_lossy().contains('#')).count();
    assert_eq!(torn, 0, "no whole document is there");
    Store::open(&StorePlace::Data, world.home.path()).unwrap();
    assert_eq!(world.files().len(), 0, "what was torn is gone at the next start");
}

/// A disk that fails to sync the directory of documents as long as a mark lies beside it.
fn failing(directory: &Path) -> io::Result<()> {
    if directory.with_file_name("fails").exists() {
        return Err(io::Error::from_raw_os_error(5));
    }
    Ok(())
}

#[tokio::test]
async fn no_document_is_kept_below_a_directory_whose_name_was_never_synced() {
    let mut world = World::new();
    world.store.names.as_mut().unwrap().sync = failing;
    let mark = world.home.path().join("fails");
    std::fs::write(&mark, "").unwrap();
    let (bytes, sha256) = document(100);
    // The second time its directory is there: the library syncs only that one.
    for _ in 0..2 {
        let refused = why(world.keep(100, &sha256, &bytes).await);
        assert!(refused.contains("Input/output error"), "{refused}");
    }
    // Nor is one relied on that was put there before.
    let name = world.name(&sha256);
    world.store.check_length(&name, 100).await.unwrap();
    assert!(world.store.make_names_durable(&name).await.is_err());
    std::fs::remove_file(&mark).unwrap();
    world.store.make_names_durable(&name).await.unwrap();
    assert_eq!(why(world.keep(100, &sha256, &bytes).await), "kept");
}

#[tokio::test]
async fn a_changed_document_is_found_out_wherever_it_was_changed() {
    let world = World::new();
    let (bytes, sha256) = document(150_000);
    assert_eq!(why(world.keep(150_000, &sha256, &bytes).await), "kept");
    let (path, whole) = world.files().pop().unwrap();
    assert!(!whole.windows(16).any(|window| window == &bytes[..16]), "it is sealed");
    let chunk = 65_536 + 16;
    let mut swapped = whole[..48].to_vec();
    swapped.extend_from_slice(&whole[48 + chunk..48 + 2 * chunk]);
    swapped.extend_from_slice(&whole[48..48 + chunk]);
    swapped.extend_from_slice(&whole[48 + 2 * chunk..]);
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let last = whole.len() - 1;
    let rows = [swapped, flipped(0), flipped(20), flipped(48), flipped(70_000), flipped(last)];
    for damaged in rows.into_iter().chain([whole[..48 + chunk].to_vec(), Vec::new()]) {
        std::fs::write(&path, damaged).unwrap();
        assert!(world.read(150_000, &sha256).await.is_err());
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(world.read(150_000, &sha256).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_document_is_erased_with_its_key() {
    let world = World::new();
    let (bytes, sha256) = document(1_000);
    assert_eq!(why(world.keep(1_000, &sha256, &bytes).await), "kept");
    let name = world.name(&sha256);
    assert!(!name.contains(&sha256), "a name does not tell the digest");
    world.keys.destroy(world.key).unwrap();
    let cipher = |salt: &_| Ok(world.keys.document_cipher(world.key, world.case, &sha256, salt)?);
    let erased = world.store.part(&name, 1_000, 0, cipher).await;
    assert!(matches!(erased, Err(Error::Key(crate::keys::Error::KeyDestroyed { .. }))));
}

#[tokio::test]
async fn a_slip_that_cannot_be_read_goes_only_where_there_is_no_document() {
    let world = World::new();
    let (bytes, sha256) = document(1_000);
    world.keep(1_000, &sha256, &bytes).await.map_err(|_| ()).unwrap();
    let (there, missing) = (world.name(&sha256), world.name(&"0".repeat(64)));
    let documents = Documents::open(&StorePlace::Data, world.home.path()).unwrap();
    let pending = directory(world.home.path()).join("pending");
    for name in [&there, &missing] {
        std::fs::write(pending.join(name), "").unwrap();
        documents.settle_unread(name, "a slip cannot be read").await;
    }
    assert!(pending.join(&there).exists() && !pending.join(&missing).exists());
    assert_eq!(world.read(1_000, &sha256).await.unwrap(), bytes);
}
