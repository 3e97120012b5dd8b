//! Backup beside a running node, restore, lines out and in: the same log each time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use service::client::Client;
use tests::Node;

use super::{done, fails, parsed, register, tebessa};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_the_same_after_a_backup_and_after_lines() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    register(&client, 30).await;
    done(&data, &["journal", "backup", "--out", &path("backup")]);
    let mode = fs::metadata(path("backup")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "a backup is for who made it, as the data directory");
    for inside in ["data/journal", "data/keys/new/er", "backup/../data/access"] {
        for form in [["backup", "--out"], ["export", "--tiles"], ["export", "--jsonl"]] {
            let [what, option] = form;
            let data = data.to_str().unwrap();
            let said = fails(&["journal", what, "--data", data, option, &path(inside)]);
            assert!(said.contains("which the node keeps"), "{said}");
        }
    }
    register(&client, 5).await;
    let saved = done(&data, &["journal", "backup", "--out", &path("backup"), "--json"]);
    assert_eq!(parsed(&saved)["last"], 35);
    register(&client, 1).await;
    let signed = parsed(&done(&data, &["journal", "checkpoint", "--json"]));
    let court = path("court.checkpoint");
    fs::write(&court, signed["note"].as_str().unwrap()).unwrap();
    let tiles = parsed(&done(&data, &["journal", "export", "--tiles", &path("tiles"), "--json"]));
    assert_eq!(tiles["size"], 36);
    assert_eq!(fs::read_to_string(path("tiles") + "/checkpoint").unwrap(), signed["note"]);
    let lines = path("records.jsonl");
    done(&data, &["journal", "export", "--jsonl", &lines]);
    assert!(node.stop().success());

    let log = signed["origin"].as_str().unwrap().rsplit('/').next().unwrap();
    let imported = home.path().join("imported");
    let fresh = parsed(&done(&imported, &["journal", "import", &lines, "--log", log, "--json"]));
    assert_eq!(fresh["records"], 36);
    fs::create_dir(imported.join("keys")).unwrap();
    for file in ["log.keys", "node.key", "slots"] {
        fs::copy(data.join("keys").join(file), imported.join("keys").join(file)).unwrap();
    }
    let report = parsed(&done(&imported, &["audit", "verify", "--checkpoint", &court, "--json"]));
    assert_eq!((&report["log"]["root"], &report["ok"]), (&fresh["root"], &true.into()));

    let refused = Node::try_start_in(Path::new(&path("backup")), &[]).expect_err("no data");
    assert!(refused.contains("is a backup and no data directory"), "{refused}");
    assert!(!Path::new(&path("backup")).join("journal").exists());
    let foreign = path("foreign.checkpoint");
    let other = uuid::Uuid::new_v4().to_string();
    fs::write(&foreign, signed["note"].as_str().unwrap().replace(log, &other)).unwrap();
    let wrong = path("wrong");
    let args = ["--from", &path("backup"), "--data", &wrong, "--checkpoint", &foreign];
    let said = fails(&[&["journal", "restore"], args.as_slice()].concat());
    assert!(said.contains("is of another log"), "{said}");
    assert!(!Path::new(&wrong).join("journal").exists());

    // The backup has 35 records and the court has seen 36: it is restored, and not served.
    let restored = path("restored");
    let behind = [
        "journal",
        "restore",
        "--from",
        &path("backup"),
        "--data",
        &restored,
        "--checkpoint",
        &court,
    ];
    let said = fails(&behind);
    assert!(said.contains("no node serves"), "{said}");
    fs::rename(imported.join("keys"), home.path().join("restored/keys")).unwrap();
    let refused = Node::try_start_in(&home.path().join("restored"), &[]).expect_err("behind");
    assert!(refused.contains("the log has lost records"), "{refused}");
    let from = data.to_str().unwrap();
    let mended = tebessa(&["journal", "repair", "--data", &restored, "--from", from]);
    assert!(mended.status.success(), "{mended:?}");
    let mut node = Node::start_in(&home.path().join("restored"), &[]);
    assert!(node.stop().success());
}

/// A log in a node's directory beside the node's own: nobody could restore from either.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_into_no_nodes_directory_and_no_data_directory_into_a_copy() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let mut nodes = Vec::new();
    for name in ["data", "other"] {
        let node = Node::start_in(&home.path().join(name), &["--checkpoint-every", "0"]);
        let client = Client::connect(node.url()).await.expect("the node answers");
        register(&client, 2).await;
        nodes.push(node);
    }
    std::os::unix::fs::symlink(path("other"), path("link")).unwrap();
    let data = path("data");
    let refused = |form: [&str; 2], out: &str| {
        let said = fails(&["journal", form[0], "--data", &data, form[1], &path(out)]);
        let one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains("the data directory of a node"), "{one_line}");
        assert!(one_line.contains("elsewhere"), "{one_line}");
    };
    for running in [true, false] {
        for out in ["data", "data/new", "other", "link", "link/new", "new/../other", "."] {
            for form in [["backup", "--out"], ["export", "--tiles"]] {
                refused(form, out);
            }
        }
        if running {
            for node in &mut nodes {
                assert!(node.stop().success());
            }
        }
    }
    for (node, none) in [("data", "log"), ("other", "lock"), ("other", "tile"), (".", "log")] {
        assert!(!home.path().join(node).join(none).exists(), "{node}/{none}");
    }

    done(home.path().join("data").as_path(), &["journal", "backup", "--out", &path("backup")]);
    done(home.path().join("data").as_path(), &["journal", "export", "--jsonl", &path("lines")]);
    let backup = path("backup");
    for into in ["backup", "backup/new"] {
        for from in [&["restore", "--from", &backup], &["import", &path("lines")][..]] {
            let said = fails(&[&["journal"], from, &["--data", &path(into)]].concat());
            assert!(said.contains("keeps a log already"), "{said}");
        }
    }
    assert!(!home.path().join("backup/journal").exists());
    assert!(!home.path().join("backup/new").exists());
    let restored = ["journal", "restore", "--from", &backup, "--data", &path("restored")];
    assert!(tebessa(&restored).status.success());
}

#[test]
fn lines_that_are_no_records_are_refused_by_their_number_however_long_and_nothing_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    for (what, bytes, reason) in [
        ("cut", b"{\"specversion\":\"1.0\"".to_vec(), "not JSON"),
        ("crlf", b"{\"specversion\":\"1.0\"}\r\n".to_vec(), "carriage return"),
        ("endless", vec![0; 64 << 20], "longer than the 65535 bytes"),
    ] {
        let (file, data) = (path(what), path("data"));
        fs::write(&file, bytes).unwrap();
        let said = fails(&["journal", "import", &file, "--data", &data]);
        assert!(said.contains(&format!("line 1 of {file} is refused")), "{said}");
        assert!(said.contains(reason) && !said.contains("damaged"), "{said}");
        assert!(!home.path().join("data/journal/log").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_from_elsewhere_must_be_what_was_signed_and_by_whom_is_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--checkpoint-every", "0"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    register(&client, 4).await;
    let (lines, court, keys) = (path("records.jsonl"), path("court"), path("keys.txt"));
    let signed = parsed(&done(&data, &["journal", "checkpoint", "--json"]));
    fs::write(&court, signed["note"].as_str().unwrap()).unwrap();
    done(&data, &["journal", "export", "--jsonl", &lines]);
    done(&data, &["journal", "backup", "--out", &path("backup")]);
    fs::write(&keys, done(&data, &["journal", "key", "show"])).unwrap();
    assert!(node.stop().success());
    let import = |lines: &str, to: &str, more: &[&str]| {
        let (to, fixed) = (path(to), ["journal", "import", lines, "--checkpoint", &court]);
        tebessa(&[&fixed[..], &["--data", &to], more].concat())
    };
    let said = |output: &std::process::Output| {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };

    // Whole, and by the checkpoint of the log that it says it is.
    let whole = import(&lines, "whole", &["--key", &keys, "--json"]);
    assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
    let log = parsed(&String::from_utf8_lossy(&whole.stdout))["log"].clone();
    assert!(signed["origin"].as_str().unwrap().ends_with(log.as_str().unwrap()));
    let kept = path("whole/journal/checkpoints/00000000000000000004.checkpoint");
    assert_eq!(fs::read_to_string(kept).unwrap(), signed["note"].as_str().unwrap());

    // Less than was signed: kept, and no node serves from it.
    let text = fs::read_to_string(&lines).unwrap();
    let first: String = text.split_inclusive('\n').take(3).collect();
    fs::write(path("less"), &first).unwrap();
    let less = import(&path("less"), "behind", &[]);
    assert_eq!(less.status.code(), Some(1));
    assert!(said(&less).contains("behind a checkpoint"), "{}", said(&less));
    assert!(said(&less).contains("signatures of the checkpoints were not checked"));
    Node::try_start_in(Path::new(&path("behind")), &[]).expect_err("less than was signed");

    // Another case in the last place: nothing is kept.
    let (kept, last) = (first.trim_end(), text.lines().nth(3).unwrap());
    let at = last.find("\"subject\":\"").unwrap() + 11;
    let changed = format!("{kept}\n{}{}{}\n", &last[..at], uuid::Uuid::new_v4(), &last[at + 36..]);
    fs::write(path("changed"), changed).unwrap();
    let other = import(&path("changed"), "other", &[]);
    assert_eq!(other.status.code(), Some(1));
    assert!(!Path::new(&path("other")).join("journal/log").exists(), "{}", said(&other));
    assert!(said(&other).contains("line 4 of"), "{}", said(&other));
    // A pipe that brought nothing.
    fs::write(path("empty"), "").unwrap();
    assert!(said(&import(&path("empty"), "none", &[])).contains("holds no record"));
    assert!(!Path::new(&path("none")).join("journal/log").exists());

    // Whoever names a key wants what it signed.
    let forged = path("forged");
    fs::write(&forged, signed["note"].as_str().unwrap().replacen("\n4\n", "\n5\n", 1)).unwrap();
    let (backup, to) = (path("backup"), path("restored"));
    let fixed = ["journal", "restore", "--from", &backup, "--data", &to, "--checkpoint", &forged];
    let refused = fails(&[&fixed[..], &["--key", &keys]].concat());
    assert!(refused.contains("not to be believed"), "{refused}");
    assert!(!Path::new(&to).join("journal").exists());
}
