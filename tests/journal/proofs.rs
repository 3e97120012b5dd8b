//! Checkpoints, keys and proofs: with a node, without one, and checked with keys alone.

use std::fs;

use service::client::Client;
use tests::Node;

use super::{done, fails, parsed, register, tebessa};

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
    for (file, field, value) in [(&record, "position", 3), (&case, "records", 1)] {
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
    for (file, old) in [("data.empty.json", 0), ("data.old.json", 5)] {
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
    }

    let whole = fs::read_to_string(path("data.old.json")).unwrap();
    let mut swapped = parsed(&whole);
    (swapped["old"], swapped["new"]) = (swapped["new"].clone(), swapped["old"].clone());
    let mut tampered = parsed(&whole);
    tampered["proof"]["path"][0] = tampered["proof"]["path"][1].clone();
    let mut short = parsed(&whole);
    short["proof"]["path"].as_array_mut().unwrap().pop();
    let mut foreign = parsed(&whole);
    foreign["old"] = notes[1].0.as_str().into();
    let mut smaller = parsed(&whole);
    smaller["proof"]["old_size"] = 4.into();
    let mut unsigned = parsed(&whole);
    unsigned["new"] = new.replace("\n7\n", "\n8\n").into();
    for (proof, why) in [
        (swapped, "they are swapped"),
        (tampered, "the hashes do not lead"),
        (short, "the hashes do not lead"),
        (foreign, "the old checkpoint is not believed: it is of the log tebessa/log/"),
        (smaller, "the proof is from 4 records to 7 records"),
        (unsigned, "a signature of the note is wrong"),
    ] {
        fs::write(path("changed.json"), proof.to_string()).unwrap();
        let said = fails(&["journal", "check-proof", &path("changed.json"), "--key", key]);
        assert!(said.contains("not proved") && said.contains(why), "{said}");
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
