//! Checkpoints, keys and proofs: with a node, without one, and checked with keys alone.

use std::fs;

use serde_json::Value;
use service::client::Client;
use tests::Node;

use super::{done, fails, other_checker, parsed, register, tebessa};

#[tokio::test(flavor = "multi_thread")]
async fn a_court_checks_a_record_and_a_case_with_nothing_but_a_key() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let cases = register(&client, 5).await;
    let signed = done(&data, &["journal", "checkpoint"]);
    assert!(signed.contains("\n5\n") && signed.contains("\nheads 5 "), "{signed}");
    let key = parsed(&done(&data, &["journal", "key", "show", "--json"]))["key"].clone();
    let key = key.as_str().unwrap();

    let record = home.path().join("record.tlog-proof");
    fs::write(&record, done(&data, &["journal", "prove", "--position", "3"])).unwrap();
    let case = home.path().join("case.json");
    let whole = done(&data, &["journal", "prove", "--case", &cases[3].to_string()]);
    fs::write(&case, &whole).unwrap();
    let known = home.path().join("known.txt");
    fs::write(&known, done(&data, &["journal", "key", "show"])).unwrap();
    for (file, field, value) in [(&record, "position", 3), (&case, "records", 1)] {
        let other = other_checker(file, &known);
        assert!(other.status.success(), "{other:?}");
        assert_eq!(parsed(&String::from_utf8(other.stdout).unwrap())[field], value);
        let file = file.to_str().unwrap();
        let output = tebessa(&["journal", "check-proof", file, "--key", key, "--json"]);
        assert!(output.status.success(), "{output:?}");
        let checked = parsed(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(
            (checked["proved"].as_bool(), checked[field].as_u64()),
            (Some(true), Some(value))
        );
    }
    let changed = whole.replace("2024-01-01", "2024-01-02");
    assert_ne!(changed, whole);
    fs::write(&case, changed).unwrap();
    let other = String::from_utf8(other_checker(&case, &known).stderr).unwrap();
    assert!(other.contains("not those that were signed"), "{other}");
    let said = fails(&["journal", "check-proof", case.to_str().unwrap(), "--key", key]);
    assert!(said.contains("not proved"), "{said}");

    // A rotation beside the running node: both sign, then only the new one.
    let new = done(&data, &["journal", "key", "rotate"]).trim().to_owned();
    register(&client, 1).await;
    let both = done(&data, &["journal", "checkpoint"]);
    assert_eq!(both.matches('\u{2014}').count(), 2, "{both}");
    done(&data, &["journal", "key", "retire"]);
    register(&client, 1).await;
    assert!(node.stop().success());

    // The stop signed again; a stopped node's directory is signed and proved just so.
    let last = done(&data, &["journal", "checkpoint", "--latest"]);
    assert_eq!(last, done(&data, &["journal", "checkpoint"]));
    assert_eq!(last.matches('\u{2014}').count(), 1, "{last}");
    let proof = done(&data, &["journal", "prove", "--position", "7"]);
    fs::write(&record, proof).unwrap();
    let record = record.to_str().unwrap();
    assert!(tebessa(&["journal", "check-proof", record, "--key", &new]).status.success());
    let said = fails(&["journal", "check-proof", record, "--key", key]);
    assert!(said.contains("no known key"), "{said}");

    let report = parsed(&done(&data, &["audit", "verify", "--json"]));
    assert_eq!(report["checkpoints"]["checked"], true, "{report}");
    assert_eq!(report["checkpoints"]["position"], 7, "{report}");

    // The old key is found to be stolen: nothing that it signed counts, and whoever has a list that
    // still believes it is told by the new one.
    let old_list = home.path().join("old.txt");
    fs::write(&old_list, format!("signs {key}\n")).unwrap();
    done(&data, &["journal", "key", "distrust", key]);
    let now = home.path().join("keys.txt");
    fs::write(&now, done(&data, &["journal", "key", "show"])).unwrap();
    let (now, before) = (now.to_str().unwrap(), old_list.to_str().unwrap());
    let report = parsed(&done(&data, &["audit", "verify", "--json"]));
    assert_eq!(report["checkpoints"]["checked"], true, "{report}");
    assert!(report["checkpoints"].to_string().contains("by no key that is believed"), "{report}");
    let first = home.path().join("first.checkpoint");
    fs::write(&first, &signed).unwrap();
    let first = first.to_str().unwrap();
    let data_dir = data.to_str().unwrap();
    let verify = ["audit", "verify", "--data", data_dir, "--checkpoint", first];
    let said = fails(&verify);
    assert!(said.contains("only a distrusted key signed it"), "{said}");
    assert!(tebessa(&[&verify, ["--key", before].as_slice()].concat()).status.success());
    fails(&[&verify, ["--key", before, "--key", now].as_slice()].concat());
    assert!(tebessa(&["journal", "check-proof", record, "--key", now]).status.success());
    // The list has one key of each word now.
    assert!(other_checker(record.as_ref(), now.as_ref()).status.success());
    let struck = fs::read_to_string(now).unwrap().replace("signs ", "distrusted ");
    fs::write(now, struck).unwrap();
    let other = other_checker(record.as_ref(), now.as_ref());
    assert!(
        String::from_utf8_lossy(&other.stderr).contains("no key that is believed"),
        "{other:?}"
    );
}

/// A proof from 5 records to 7 in all forms that are to be refused, each with the reason.
fn changed(whole: &str, foreign_note: &str) -> [(Value, &'static str); 6] {
    let mut swapped = parsed(whole);
    (swapped["old"], swapped["new"]) = (swapped["new"].clone(), swapped["old"].clone());
    let mut tampered = parsed(whole);
    tampered["proof"]["path"][0] = tampered["proof"]["path"][1].clone();
    let mut short = parsed(whole);
    short["proof"]["path"].as_array_mut().unwrap().pop();
    let mut foreign = parsed(whole);
    foreign["old"] = foreign_note.into();
    let mut smaller = parsed(whole);
    smaller["proof"]["old_size"] = 4.into();
    let mut unsigned = parsed(whole);
    unsigned["new"] = unsigned["new"].as_str().unwrap().replace("\n7\n", "\n8\n").into();
    [
        (swapped, "they are swapped"),
        (tampered, "the hashes do not lead"),
        (short, "the hashes do not lead"),
        (foreign, "the old checkpoint is not believed: it is of the log tebessa/log/"),
        (smaller, "the proof is from 4 records to 7 records"),
        (unsigned, "a signature of the note is wrong"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_court_that_kept_a_checkpoint_is_shown_that_nothing_was_changed_since() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let mut notes = Vec::new();
    let mut keys = Vec::new();
    for name in ["data", "other"] {
        let data = home.path().join(name);
        let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
        let client = Client::connect(node.url()).await.expect("the node answers");
        let sign = || done(&data, &["journal", "checkpoint"]);
        let empty = sign();
        register(&client, 5).await;
        let old = sign();
        register(&client, 2).await;
        for (file, note) in [("empty", &empty), ("old", &old)] {
            fs::write(path(&format!("{name}.{file}")), note).unwrap();
            // Beside the running node: what is signed now.
            let since = path(&format!("{name}.{file}"));
            let proof = done(&data, &["journal", "prove", "--since", &since]);
            fs::write(path(&format!("{name}.{file}.json")), proof).unwrap();
        }
        keys.push(parsed(&done(&data, &["journal", "key", "show", "--json"]))["key"].clone());
        assert!(node.stop().success());
        notes.push((old, sign()));
    }
    let (data, key) = (home.path().join("data"), keys[0].as_str().unwrap());
    let check = |file: &str, more: &[&str]| {
        tebessa(&[&["journal", "check-proof", &path(file), "--key", key], more].concat())
    };
    let known = home.path().join("known.txt");
    fs::write(&known, done(&data, &["journal", "key", "show"])).unwrap();
    let other = |file: &str| other_checker(path(file).as_ref(), &known);
    for (file, old) in [("data.empty.json", 0), ("data.old.json", 5)] {
        let said = other(file);
        assert!(said.status.success(), "{said:?}");
        assert_eq!(parsed(&String::from_utf8(said.stdout).unwrap())["old_size"], old);
        let output = check(file, &["--json"]);
        assert!(output.status.success(), "{output:?}");
        let checked = parsed(&String::from_utf8(output.stdout).unwrap());
        assert_eq!((&checked["old_size"], &checked["size"]), (&old.into(), &7.into()), "{checked}");
    }
    let said = String::from_utf8(check("data.old.json", &[]).stdout).unwrap();
    let words = "the log of the old checkpoint is the beginning of the log of the new one: \
                 5 records then, 7 now, nothing was changed or taken back\n";
    assert!(said.contains(words), "{said}");

    // Between two that were kept, and none made now; also the same twice.
    let (old, new) = notes[0].clone();
    fs::write(path("new"), &new).unwrap();
    for (since, now, size) in
        [("data.old", "new", 7), ("new", "new", 7), ("data.old", "data.old", 5)]
    {
        let two = ["journal", "prove", "--since", &path(since), "--checkpoint", &path(now)];
        let proof = done(&data, &two);
        fs::write(path("two.json"), &proof).unwrap();
        let said = String::from_utf8(check("two.json", &[]).stdout).unwrap();
        assert!(said.contains(&format!(" then, {size} now, nothing ")), "{said}");
        assert!(other("two.json").status.success());
    }

    let whole = fs::read_to_string(path("data.old.json")).unwrap();
    for (proof, why) in changed(&whole, &notes[1].0) {
        fs::write(path("changed.json"), proof.to_string()).unwrap();
        let said = fails(&["journal", "check-proof", &path("changed.json"), "--key", key]);
        assert!(said.contains("not proved") && said.contains(why), "{said}");
        assert_eq!(other("changed.json").status.code(), Some(1));
    }
    let said = fails(&["journal", "check-proof", &path("other.old.json"), "--key", key]);
    assert!(said.contains("it is of the log tebessa/log/"), "{said}");
    let said = fails(&["journal", "check-proof", &path("data.old"), "--key", key]);
    assert!(said.contains("this is no proof"), "{said}");

    // Nor is one made that would not hold.
    let data = data.to_str().unwrap();
    let prove = |since: &str, now: &str| {
        let now = path(now);
        let more: &[&str] = if now.ends_with("none") { &[] } else { &["--checkpoint", &now] };
        let prove = ["journal", "prove", "--data", data, "--since", &path(since)];
        fails(&[prove.as_slice(), more].concat())
    };
    let said = prove("new", "data.old");
    assert!(said.contains("they are swapped"), "{said}");
    let said = prove("other.old", "none");
    assert!(said.contains("not believed: it is of the log tebessa/log/"), "{said}");
    fs::write(path("forged"), old.replace("\n5\n", "\n4\n")).unwrap();
    let said = prove("forged", "none");
    assert!(said.contains("a signature of the note is wrong"), "{said}");
    let both = ["journal", "prove", "--since", &path("new"), "--position", "1"];
    assert_eq!(tebessa(&both).status.code(), Some(2));
}
