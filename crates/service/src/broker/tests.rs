//! The broker with a real server.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::net::TcpListener;

use super::{Broker, Error, Port, Settings, State, find};

fn settings(directory: &Path) -> Settings {
    Settings { directory: directory.join("nats"), port: Port::Free, private: false }
}

fn pid(state: State) -> Pid {
    match state {
        State::Running { pid } => Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(),
        State::Away { .. } | State::Stopped => panic!("not running: {state:?}"),
    }
}

async fn connect(url: &str) -> async_nats::Client {
    async_nats::ConnectOptions::new().retry_on_initial_connect().connect(url).await.unwrap()
}

#[tokio::test]
async fn a_started_server_takes_connections_and_a_stopped_one_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let broker = Broker::start(settings(directory.path())).await.unwrap();
    let pid = pid(*broker.state().borrow());
    let client = async_nats::connect(broker.server().url()).await.unwrap();
    assert!(client.server_info().jetstream);
    assert_eq!(client.server_info().max_payload, 1024 * 1024);
    drop(client);
    broker.stop().await;
    assert!(test_kill_process(pid).is_err());
}

#[tokio::test]
async fn a_private_server_lets_in_who_has_its_url_and_keeps_it_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let private = || Settings { private: true, ..settings(directory.path()) };
    let broker = Broker::start(private()).await.unwrap();
    let server = broker.server().clone();
    assert!(async_nats::connect(&server.shown()).await.is_err());
    let client = server.connect(async_nats::ConnectOptions::new()).await.unwrap();
    client.flush().await.unwrap();
    let mode = |name: &str| {
        let file = directory.path().join("nats").join(name);
        std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(file).unwrap()) & 0o777
    };
    assert_eq!((mode("nats.conf"), mode("password")), (0o600, 0o600));
    drop(client);
    broker.stop().await;
    let port = server.url().rsplit(':').next().unwrap().parse().unwrap();
    let broker = Broker::start(Settings { port: Port::Exactly(port), ..private() }).await.unwrap();
    assert_eq!(*broker.server(), server);
    broker.stop().await;
}

#[tokio::test]
async fn a_server_that_dies_is_started_again_on_its_port() {
    let directory = tempfile::tempdir().unwrap();
    let broker = Broker::start(settings(directory.path())).await.unwrap();
    let mut state = broker.state();
    let first = pid(*state.borrow_and_update());
    kill_process(first, Signal::KILL).unwrap();
    let again = |state: &State| matches!(state, State::Running { .. }) && pid(*state) != first;
    let second = pid(*state.wait_for(again).await.unwrap());
    assert_ne!(first, second);
    let client = connect(broker.server().url()).await;
    client.flush().await.unwrap();
    broker.stop().await;
    assert_eq!(*state.borrow(), State::Stopped);
}

#[tokio::test]
async fn a_server_that_runs_and_answers_nobody_is_started_again() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let broker = Broker::start_looking(settings, Duration::from_millis(200)).await.unwrap();
    let mut state = broker.state();
    let first = pid(*state.borrow_and_update());
    kill_process(first, Signal::STOP).unwrap();
    let again = |state: &State| matches!(state, State::Running { .. }) && pid(*state) != first;
    state.wait_for(again).await.unwrap();
    assert!(test_kill_process(first).is_err(), "the first is gone");
    let client = connect(broker.server().url()).await;
    client.flush().await.unwrap();
    broker.stop().await;
}

#[tokio::test]
async fn a_server_that_a_killed_node_left_behind_is_ended_first() {
    let directory = tempfile::tempdir().unwrap();
    let broker = Broker::start(settings(directory.path())).await.unwrap();
    broker.stop().await;
    // The same command line as the killed node's, without a node.
    let path = directory.path().canonicalize().unwrap().join("nats/nats.conf");
    let mut left = tokio::process::Command::new(find().await.unwrap())
        .arg("--config")
        .arg(&path)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let broker = Broker::start(settings(directory.path())).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), left.wait()).await;
    assert!(ended.is_ok(), "the server that was left behind still runs");
    broker.stop().await;
}

#[tokio::test]
async fn another_nodes_server_is_left_alone() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Broker::start(settings(one.path())).await.unwrap();
    let second = Broker::start(settings(two.path())).await.unwrap();
    assert!(matches!(*first.state().borrow(), State::Running { .. }));
    assert_ne!(first.server(), second.server());
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_or_passed_over_and_the_last_is_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let held = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = held.local_addr().unwrap().port();
    let exactly = Settings { port: Port::Exactly(port), ..settings(directory.path()) };
    let refused = Broker::start(exactly).await;
    assert!(matches!(refused, Err(Error::PortTaken { .. })), "{refused:?}");
    std::fs::write(directory.path().join("nats/port"), port.to_string()).unwrap();
    let as_before = || Settings { port: Port::AsBefore, ..settings(directory.path()) };
    let broker = Broker::start(as_before()).await.unwrap();
    let other = broker.server().clone();
    assert!(!other.url().ends_with(&format!(":{port}")));
    broker.stop().await;
    drop(held);
    for _ in 0..2 {
        let broker = Broker::start(as_before()).await.unwrap();
        assert_eq!(*broker.server(), other, "it is remembered");
        broker.stop().await;
        // A server for a moment changes nothing of it.
        Broker::start(settings(directory.path())).await.unwrap().stop().await;
    }
    std::fs::write(directory.path().join("nats/port"), "none").unwrap();
    Broker::start(as_before()).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let nats = directory.path().join("nats");
    std::fs::create_dir(&nats).unwrap();
    std::fs::write(nats.join("jetstream"), "a file where the store should be").unwrap();
    let failure = Broker::start(settings(directory.path())).await.unwrap_err();
    assert!(matches!(&failure, Error::EndedAtStart { .. }), "{failure:?}");
    assert!(failure.to_string().contains("JetStream"), "{failure}");
}

#[tokio::test]
async fn without_a_server_the_error_says_how_to_get_one() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = super::find::search(None, Some(directory.path().into())).await.unwrap_err();
    assert!(nowhere.to_string().contains("cargo xtask nats"), "{nowhere}");
    let named = super::find::search(Some("/nowhere/nats-server".into()), None).await.unwrap_err();
    assert!(named.to_string().contains("/nowhere/nats-server cannot be run"), "{named}");
}

#[tokio::test]
async fn a_server_that_is_too_old_is_passed_over_by_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("nats-server");
    std::fs::write(&program, "#!/bin/sh\necho 'nats-server: v2.9.10'\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let failure = super::find::search(None, Some(directory.path().into())).await.unwrap_err();
    assert!(failure.to_string().contains("is 2.9.10"), "{failure}");
}
