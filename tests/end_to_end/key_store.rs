//! A key store that is not the log's: a node does not start beside it, and an audit tells.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use service::client::Client;
use service::node::keys_dir;
use tests::Node;
use uuid::Uuid;

use super::erasure::{NAME, accepted, command, copy};
use super::signed_access::run;
use super::{ask, register, send};

/// The exit code of `audit verify`, and what it printed.
fn audit(data: &Path) -> (Option<i32>, Value) {
    let run = Command::new(tests::binary())
        .args(["audit", "verify", "--json", "--data"])
        .arg(data)
        .output()
        .expect("the tool runs");
    (run.status.code(), serde_json::from_slice(&run.stdout).expect("JSON"))
}

async fn words(node: &Node, case: Uuid) -> Value {
    let client = Client::connect(node.url()).await.expect("the node answers");
    let history = ask(&client, "history", &json!({ "case": case, "open": true })).await;
    history["history"][0]["opened"]["name"]["words"].clone()
}

/// Starts a node, has it accept a command, and stops it.
async fn record(data: &Path, commands: &[Value]) {
    let mut node = Node::start_in(data, &[]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    for command in commands {
        accepted(&client, command).await;
    }
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_key_store_that_was_rolled_back_or_lost_no_node_starts() {
    let home = tempfile::tempdir().unwrap();
    let (data, older, newer) =
        (home.path().join("data"), home.path().join("older"), home.path().join("newer"));
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    record(&data, &[register(first, Uuid::now_v7(), NAME)]).await;
    let (_, said) = audit(&data);
    assert!(said["keys"]["about"].as_str().unwrap().starts_with("1 key that"), "{said}");
    copy(&keys_dir(&data), &older);
    // A claim that was only made has a key too, and so has the register.
    let made = command(
        second,
        "intake.make-claim",
        ("registrar-1", "registrar"),
        &json!({ "name": NAME, "profile": "EU", "channel": "border", "wish": NAME }),
    );
    record(&data, &[made]).await;
    copy(&keys_dir(&data), &newer);

    copy(&older, &keys_dir(&data));
    let refused = Node::try_start_in(&data, &[]).expect_err("a key is lost");
    assert!(refused.contains("1 in all") && refused.contains("--lost-keys"), "{refused}");
    let (code, said) = audit(&data);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said["fault"]["file"], "the key store");
    assert_eq!(said["fault"]["case"], json!(second));

    fs::remove_file(keys_dir(&data).join("slots")).unwrap();
    let refused = Node::try_start_in(&data, &[]).expect_err("all keys are lost");
    assert!(refused.contains("slots is missing"), "{refused}");
    assert!(!keys_dir(&data).join("slots").exists(), "none is made in its place");
    assert_eq!(audit(&data).0, Some(1));

    copy(&newer, &keys_dir(&data));
    let mut node = Node::start_in(&data, &[]);
    assert_eq!(words(&node, first).await, json!(NAME));
    assert_eq!(words(&node, second).await, json!(NAME));
    assert!(node.stop().success());
    assert_eq!(audit(&data).0, Some(0));

    // On purpose it goes on, with what is there and with nothing.
    copy(&older, &keys_dir(&data));
    let mut node = Node::start_in(&data, &["--lost-keys"]);
    assert_eq!(words(&node, first).await, json!(NAME));
    assert_eq!(words(&node, second).await, Value::Null);
    assert!(node.stop().success());
    fs::remove_dir_all(keys_dir(&data)).unwrap();
    let refused = Node::try_start_in(&data, &[]).expect_err("there is no key store");
    assert!(refused.contains("node.key is missing"), "{refused}");
    let mut node = Node::start_in(&data, &["--lost-keys"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    accepted(&client, &register(Uuid::new_v4(), Uuid::now_v7(), NAME)).await;
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_register_is_missed_as_well() {
    let home = tempfile::tempdir().unwrap();
    let (data, older) = (home.path().join("data"), home.path().join("older"));
    record(&data, &[register(Uuid::new_v4(), Uuid::now_v7(), NAME)]).await;
    copy(&keys_dir(&data), &older);
    let id = case::register::id_of("local").0;
    let link = json!({
        "one": Uuid::new_v4(), "other": Uuid::new_v4(), "result": "possible", "reason": "Alike.",
    });
    let by = ("registry-1", "registry");
    record(&data, &[command(id, "registry.link-persons", by, &link)]).await;
    copy(&older, &keys_dir(&data));
    let refused = Node::try_start_in(&data, &[]).expect_err("a key is lost");
    assert!(refused.contains("1 in all"), "{refused}");
    let (code, said) = audit(&data);
    assert_eq!((code, &said["fault"]["case"]), (Some(1), &json!(id)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_key_store_gives_no_key_is_not_well() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let claim = || register(Uuid::new_v4(), Uuid::now_v7(), NAME);
    accepted(&client, &claim()).await;
    let (code, said) = run(node.data(), &["health"]);
    assert_eq!(code, Some(0), "{said}");
    let state = ask(&client, "node", &json!({})).await;
    assert_eq!(state.get("no_key"), None);

    let slots = keys_dir(node.data()).join("slots");
    fs::OpenOptions::new().write(true).open(&slots).unwrap().set_len(4096).unwrap();
    // Of a key that was in reserve the slot is gone; where there is none, the file is seen to be short.
    let told = |why: &str| why.contains("cut short") || why.contains("is damaged");
    // Before anybody asks for a key, and behind it.
    for _ in 0..2 {
        let (code, said) = run(node.data(), &["health"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("the key store gives no key") && told(&said), "{said}");
        let refused = send(&client, &claim()).await.expect_err("no key").to_string();
        assert!(told(&refused), "{refused}");
    }
    let state = ask(&client, "node", &json!({})).await;
    assert!(state["no_key"].as_str().is_some_and(told), "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_open_is_a_fault_of_the_audit() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let case = Uuid::new_v4();
    record(&data, &[register(case, Uuid::now_v7(), NAME)]).await;
    let (code, said) = audit(&data);
    let about = said["keys"]["about"].as_str().unwrap();
    assert!(code == Some(0) && about.contains("each opened"), "{said}");

    // One bit within each wrapped key: the ids are as they were.
    let (slots, node_key) = (keys_dir(&data).join("slots"), keys_dir(&data).join("node.key"));
    let whole = fs::read(&slots).unwrap();
    let mut flipped = whole.clone();
    for slot in flipped[4_096..].chunks_mut(128).filter(|slot| slot.starts_with(b"KEY1")) {
        slot[44] ^= 1;
    }
    fs::write(&slots, flipped).unwrap();
    let (code, said) = audit(&data);
    assert_eq!((code, &said["fault"]["file"]), (Some(1), &json!("the key store")), "{said}");
    assert_eq!(said["fault"]["case"], json!(case));
    assert!(said["fault"]["what"].as_str().unwrap().starts_with("cannot open key"), "{said}");
    // Marks of keys that are gone, and no record asks for one.
    let mut gone = whole.clone();
    for slot in gone[4_096..].chunks_mut(128).filter(|slot| slot.starts_with(b"KEY1")) {
        slot[..4].copy_from_slice(b"GONE");
        slot[20..].fill(0);
    }
    fs::write(&slots, gone).unwrap();
    let (code, said) = audit(&data);
    assert_eq!((code, &said["fault"]["case"]), (Some(1), &json!(case)), "{said}");
    assert!(said["fault"]["what"].as_str().unwrap().starts_with("has destroyed key"), "{said}");
    let mut node = Node::start_in(&data, &[]);
    assert_eq!(words(&node, case).await, serde_json::Value::Null);
    assert!(node.stop().success());
    assert!(node.output().contains("destroyed that no record asks to be"), "{}", node.output());
    fs::write(&slots, whole).unwrap();

    // Another key of the same form, and none at all, which a node refuses too.
    let text = fs::read_to_string(&node_key).unwrap();
    let other = if text.starts_with('0') { "1" } else { "0" };
    for (wrong, why) in [(other, "another node key"), ("x", "64 hexadecimal digits")] {
        fs::write(&node_key, wrong.to_owned() + &text[1..]).unwrap();
        let (code, said) = audit(&data);
        assert_eq!((code, &said["fault"]["file"]), (Some(1), &json!("the key store")), "{said}");
        assert!(said["fault"]["what"].as_str().unwrap().contains(why), "{said}");
        let refused = Node::try_start_in(&data, &[]).expect_err("the keys do not open");
        assert!(refused.contains(why), "{refused}");
    }

    // Who was not given it checks what he can, and is told so.
    fs::remove_file(&node_key).unwrap();
    let (code, said) = audit(&data);
    let about = said["keys"]["about"].as_str().unwrap();
    assert!(code == Some(0) && about.contains("none was opened: there is no"), "{said}");
}
