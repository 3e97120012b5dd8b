//! Properties of the key store: what is sealed opens again in its place, and nowhere else.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::LazyLock;

use super::KeyId;
use super::Sealed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Error, KeyStore};

const CASE: Uuid = Uuid::from_u128(0x0b9f_4ce8_2c1e_4a7e_9f0a_3f1f_6f0f_7a11);
const EVENT: Uuid = Uuid::from_u128(0x0198_5d00_0000_7000_8000_0000_0000_0001);
const PATH: &str = "data.reasons";

static STORE: LazyLock<(tempfile::TempDir, KeyStore)> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(&directory.path().join("keys")).unwrap();
    (directory, store)
});

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn sealed(store: &KeyStore, text: &str) -> Sealed {
    store.seal(store.take().unwrap(), CASE, EVENT, PATH, &json(text)).unwrap()
}

fn opened(store: &KeyStore, field: &Sealed) -> String {
    store.open_sealed(field, CASE, EVENT, PATH).unwrap().as_str().to_owned()
}

fn is_damaged<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Damaged { .. }))
}

proptest! {
    #[test]
    fn what_was_sealed_opens_in_its_place(text in ".{0,300}") {
        let store = &STORE.1;
        let sealed = sealed(store, &text);
        let opened = store.open_sealed(&sealed, CASE, EVENT, PATH).unwrap();
        prop_assert_eq!(opened.as_str(), json(&text));
    }

    #[test]
    fn any_changed_byte_is_refused(text in ".{0,80}", at in any::<prop::sample::Index>(), to in 1..=255_u8) {
        let store = &STORE.1;
        let good = sealed(store, &text);
        let mut bytes = STANDARD.decode(&good.sealed_box).unwrap();
        let index = at.index(bytes.len());
        bytes[index] ^= to;
        let bad_box = Sealed { sealed_box: STANDARD.encode(bytes), ..good.clone() };
        prop_assert!(is_damaged(&store.open_sealed(&bad_box, CASE, EVENT, PATH)));

        let mut commit = good.commit.clone().into_bytes();
        let index = at.index(commit.len());
        commit[index] = if commit[index] == b'0' { b'1' } else { b'0' };
        let bad_commit = Sealed { commit: String::from_utf8(commit).unwrap(), ..good };
        prop_assert!(is_damaged(&store.open_sealed(&bad_commit, CASE, EVENT, PATH)));
    }

    #[test]
    fn lengths_show_only_in_steps_of_64_bytes(first in "[a-z]{0,62}", second in "[a-z]{0,62}") {
        let store = &STORE.1;
        prop_assert_eq!(sealed(store, &first).sealed_box.len(), sealed(store, &second).sealed_box.len());
    }
}

proptest! {
    // Each case opens three stores on the disk.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_torn_batch_loses_no_key_that_was_handed_out(
        cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = KeyStore::open(directory.path()).unwrap();
        let kept = sealed(&store, "kept");
        drop(store);
        let slots = directory.path().join("slots");
        let whole = usize::try_from(fs::metadata(&slots).unwrap().len()).unwrap();
        tear(&slots, whole, cut, &noise);
        let store = KeyStore::open(directory.path()).unwrap();
        prop_assert_eq!(opened(&store, &kept), "\"kept\"");
        // And the store goes on: what is made behind the torn batch survives the next start.
        let next = sealed(&store, "next");
        drop(store);
        let store = KeyStore::open(directory.path()).unwrap();
        prop_assert_eq!(opened(&store, &kept), "\"kept\"");
        prop_assert_eq!(opened(&store, &next), "\"next\"");
    }
}

/// Lays what a crash may leave behind the file's end: a batch written in part, in any order.
fn tear(slots: &Path, whole: usize, cut: prop::sample::Index, noise: &[(prop::sample::Index, u8)]) {
    const BATCH: usize = 8 * 4096;
    let file = OpenOptions::new().read(true).write(true).open(slots).unwrap();
    // Bytes of real slots, as a batch has them; the first page is the header.
    let mut batch = vec![0; BATCH];
    file.read_exact_at(&mut batch, 4096).unwrap();
    for (at, byte) in noise {
        let index = at.index(BATCH);
        batch[index] = *byte;
    }
    // A batch never holds an id that is there already.
    for slot in batch.chunks_mut(128) {
        slot[4..20].iter_mut().for_each(|byte| *byte = !*byte);
    }
    batch.truncate(cut.index(BATCH));
    file.write_all_at(&batch, whole as u64).unwrap();
}

#[test]
fn a_sealed_field_opens_in_no_other_place() {
    let store = &STORE.1;
    let field = sealed(store, "moved");
    let other = Uuid::from_u128(7);
    assert!(is_damaged(&store.open_sealed(&field, other, EVENT, PATH)));
    assert!(is_damaged(&store.open_sealed(&field, CASE, other, PATH)));
    assert!(is_damaged(&store.open_sealed(&field, CASE, EVENT, "data.grounds")));
    let other_key = Sealed { key: store.take().unwrap(), ..field };
    assert!(is_damaged(&store.open_sealed(&other_key, CASE, EVENT, PATH)));
}

#[test]
fn a_box_that_is_no_box_is_refused() {
    let store = &STORE.1;
    let field = sealed(store, "short");
    for text in ["", "QUJD", "not base64!", &"A".repeat(32)] {
        let bad = Sealed { sealed_box: text.to_owned(), ..field.clone() };
        assert!(is_damaged(&store.open_sealed(&bad, CASE, EVENT, PATH)), "{text:?}");
    }
}

#[test]
fn a_destroyed_key_opens_nothing_and_is_told_from_an_unknown_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let gone = sealed(&store, "gone");
    let stays = sealed(&store, "stays");
    store.destroy(gone.key).unwrap();
    store.destroy(gone.key).unwrap();
    let check = |store: &KeyStore| {
        let opened = store.open_sealed(&gone, CASE, EVENT, PATH);
        assert!(matches!(opened, Err(Error::KeyDestroyed { .. })), "{opened:?}");
        let digest = store.digest(gone.key, CASE, b"guess");
        assert!(matches!(digest, Err(Error::KeyDestroyed { .. })), "{digest:?}");
        let unknown = store.destroy(KeyId(Uuid::from_u128(9)));
        assert!(matches!(unknown, Err(Error::KeyUnknown { .. })), "{unknown:?}");
        assert!(store.open_sealed(&stays, CASE, EVENT, PATH).is_ok());
    };
    check(&store);
    drop(store);
    check(&KeyStore::open(directory.path()).unwrap());
}

#[test]
fn a_destroyed_key_leaves_none_of_its_bytes_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let key = store.take().unwrap();
    let slots = directory.path().join("slots");
    let slot_of = |bytes: &[u8]| {
        let found = bytes.windows(16).position(|window| window == key.0.as_bytes()).unwrap();
        bytes[found + 16..found + 108].to_vec()
    };
    assert!(slot_of(&fs::read(&slots).unwrap()).iter().any(|byte| *byte != 0));
    store.destroy(key).unwrap();
    assert!(slot_of(&fs::read(&slots).unwrap()).iter().all(|byte| *byte == 0));
    assert_eq!(store.census().unwrap().destroyed, 1);
}

#[test]
fn a_restart_keeps_the_keys_and_never_hands_one_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let before: Vec<Sealed> = (0..700).map(|n| sealed(&store, &n.to_string())).collect();
    drop(store);
    let store = KeyStore::open(directory.path()).unwrap();
    for (n, field) in before.iter().enumerate() {
        let opened = store.open_sealed(field, CASE, EVENT, PATH).unwrap();
        assert_eq!(opened.as_str(), format!("\"{n}\""));
    }
    for _ in 0..700 {
        let key = store.take().unwrap();
        assert!(before.iter().all(|field| field.key != key));
    }
    assert_eq!(store.census().unwrap().damaged, 0);
}

#[test]
fn a_key_given_back_is_handed_out_again_and_only_if_it_was_taken() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let key = store.take().unwrap();
    store.give_back(key);
    store.give_back(key);
    assert_eq!(store.take().unwrap(), key);
    assert_ne!(store.take().unwrap(), key);
    store.destroy(key).unwrap();
    store.give_back(key);
    assert_ne!(store.take().unwrap(), key);
    drop(store);
    let store = KeyStore::open(directory.path()).unwrap();
    let kept = KeyId(Uuid::from_u128(3));
    store.give_back(kept);
    assert_ne!(store.take().unwrap(), kept);
}

#[test]
fn keys_taken_by_many_threads_are_all_different() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let mut taken: Vec<KeyId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..1000).map(|_| store.take().unwrap()).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 4000);
}

#[test]
fn who_does_not_wait_gets_none_when_the_pool_is_empty_and_who_waits_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let mut taken = vec![store.take().unwrap()];
    taken.extend(std::iter::from_fn(|| store.try_take().unwrap()));
    taken.push(store.take().unwrap());
    let count = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), count);
}

#[test]
fn no_key_is_taken_from_a_file_that_was_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let field = sealed(&store, "words");
    fs::remove_file(directory.path().join("slots")).unwrap();
    let refused = crate::chain(&store.take().unwrap_err());
    assert!(refused.contains("slots could not be used: it was removed"), "{refused}");
    assert_eq!(opened(&store, &field), json("words"));
}

#[test]
fn no_key_is_taken_from_a_file_that_is_not_the_one_at_its_path_or_was_cut_short() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let (slots, aside) = (directory.path().join("slots"), directory.path().join("aside"));
    let refused = |why: &str| {
        // Known before anybody asks for a key.
        let failure = store.failure().expect("a failure");
        assert!(failure.contains(why), "{failure}");
        for refused in [store.take().unwrap_err(), store.try_take().unwrap_err()] {
            assert_eq!(crate::chain(&refused), failure);
        }
        assert_eq!(store.failure(), Some(failure));
    };
    // More than are made at once: those behind them are on disk too, and no more are being made.
    for _ in 0..257 {
        store.take().unwrap();
    }
    assert_eq!(store.failure(), None);

    fs::rename(&slots, &aside).unwrap();
    refused("it was removed");
    fs::copy(&aside, &slots).unwrap();
    refused("another file is in its place");
    fs::rename(&aside, &slots).unwrap();
    assert_eq!(store.failure(), None);

    OpenOptions::new().write(true).open(&slots).unwrap().set_len(4096).unwrap();
    refused("it was cut short, to 4096 bytes of ");
    // Nor were new keys written behind the hole, which would hide it.
    assert_eq!(fs::metadata(&slots).unwrap().len(), 4096);
}

#[test]
fn a_key_that_cannot_be_read_again_is_given_to_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    // Ready, so that nothing is written meanwhile.
    let first = store.take().unwrap();
    let slots = directory.path().join("slots");
    let length = fs::metadata(&slots).unwrap().len();
    let file = OpenOptions::new().write(true).open(&slots).unwrap();
    file.write_all_at(&vec![0; usize::try_from(length).unwrap() - 4096], 4096).unwrap();
    assert!(matches!(store.try_take(), Err(Error::SlotDamaged { key }) if key != first));
    assert!(store.failure().is_some_and(|why| why.contains("is damaged")));
}

#[test]
fn a_second_node_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _held = KeyStore::open(directory.path()).unwrap();
    let second = KeyStore::open(directory.path());
    assert!(matches!(&second, Err(Error::StoreRefused { why, .. }) if why.contains("in use")));
}

#[test]
fn slots_of_another_node_key_are_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(KeyStore::open(one.path()).unwrap());
    drop(KeyStore::open(two.path()).unwrap());
    fs::copy(one.path().join("slots"), two.path().join("slots")).unwrap();
    let mixed = KeyStore::open(two.path());
    assert!(matches!(&mixed, Err(Error::StoreRefused { why, .. }) if why.contains("another")));
}

#[test]
fn a_damaged_slot_is_told_from_a_destroyed_key() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let field = sealed(&store, "damaged");
    let slots = directory.path().join("slots");
    let bytes = fs::read(&slots).unwrap();
    let id = field.key.0.as_bytes();
    let found = bytes.windows(16).position(|window| window == id).unwrap();
    let file = OpenOptions::new().write(true).open(&slots).unwrap();
    file.write_all_at(&[bytes[found + 50] ^ 1], found as u64 + 50).unwrap();
    let opened = store.open_sealed(&field, CASE, EVENT, PATH);
    assert!(matches!(opened, Err(Error::SlotDamaged { .. })), "{opened:?}");
    assert_eq!(store.census().unwrap().damaged, 1);
}

#[test]
fn a_digest_is_bound_to_key_case_and_bytes() {
    let store = &STORE.1;
    let (key, other) = (store.take().unwrap(), store.take().unwrap());
    let digest = store.digest(key, CASE, b"command").unwrap();
    assert_eq!(digest, store.digest(key, CASE, b"command").unwrap());
    assert_ne!(digest, store.digest(other, CASE, b"command").unwrap());
    assert_ne!(digest, store.digest(key, EVENT, b"command").unwrap());
    assert_ne!(digest, store.digest(key, CASE, b"command ").unwrap());
}

#[test]
fn nothing_secret_is_printed() {
    let directory = tempfile::tempdir().unwrap();
    let store = KeyStore::open(directory.path()).unwrap();
    let node = fs::read_to_string(directory.path().join("node.key")).unwrap();
    let printed = format!("{store:?}");
    assert!(printed.contains("node: Key"));
    let start = u8::from_str_radix(&node[..2], 16).unwrap();
    assert!(!printed.contains(&node[..8]) && !printed.contains(&format!("[{start}, ")));
}
