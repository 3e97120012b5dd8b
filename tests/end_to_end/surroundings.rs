//! What surrounds the process: outputs that nobody reads, and a limit on the size of its files.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use service::client::Client;
use tests::{Node, Ready};
use uuid::Uuid;

use super::{register, send};

/// A pipe whose reader is gone, so that every write into it fails.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// An exit code is a verdict only where everything was said: a bar that nobody read is no clearance.
#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_nobody_read_is_not_good() {
    let mut node = Node::start();
    let case = Uuid::new_v4().to_string();
    let ended = |arguments: &[&str]| {
        let mut command = Command::new(tests::binary());
        command.args(arguments).args(["--nats", node.url()]);
        command.stdout(unread()).output().expect("the command line")
    };
    let bar = ended(&["case", "removal-bar", &case]);
    assert_eq!(bar.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bar.stderr).contains("no verdict"), "{bar:?}");
    assert_eq!(ended(&["case", "removal-bar", &case, "--json"]).status.code(), Some(1));
    assert_eq!(ended(&["health"]).status.code(), Some(1));
    // Whoever reads a list may stop.
    assert_eq!(ended(&["case", "list"]).status.code(), Some(0));
    assert!(node.stop().success());
}

/// What cannot be logged ends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_goes_on_whose_log_nobody_reads() {
    let own = tempfile::tempdir().expect("a directory");
    let mut child = Command::new(tests::binary())
        .args(["up", "--json", "--data"])
        .arg(own.path().join("data"))
        .env("TEBESSA_LOG", "debug")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(unread())
        .spawn()
        .expect("the node's start");
    let ready = first_line(&mut child);
    let client = Client::connect(&ready.nats).await.expect("the node answers");
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("accepted");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).expect("the signal");
    assert!(child.wait().expect("its end").success());
}

fn first_line(child: &mut Child) -> Ready {
    let mut line = String::new();
    let output = child.stdout.as_mut().expect("its stdout");
    BufReader::new(output).read_line(&mut line).expect("a line");
    serde_json::from_str(&line).expect("the node is ready")
}

/// A file that may not grow is a write that fails, and is said; no signal ends the program without a word.
#[test]
fn a_limit_on_the_size_of_files_is_said() {
    let own = tempfile::tempdir().expect("a directory");
    let ended = Command::new("sh")
        .args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(tests::binary())
        .args(["up", "--data"])
        .arg(own.path().join("data"))
        .output()
        .expect("the node's end");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("File too large"), "{said}");
}

/// Whoever waits for the line that the node is ready waits in vain: it stops as it does when it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_say_that_it_is_ready_stops_in_order() {
    let own = tempfile::tempdir().expect("a directory");
    let data = own.path().join("data");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
    let output = Command::new(tests::binary())
        .args(["up", "--data"])
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .expect("the node");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("No space left"), "{said}");
    assert!(!data.join("node.json").exists(), "nobody is sent to a node that is gone");
}

#[test]
fn port_zero_and_a_server_without_a_name_are_no_arguments() {
    for arguments in [["up", "--port", "0"].as_slice(), &["health", "--nats", ""]] {
        let output = Command::new(tests::binary()).args(arguments).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
}
