//! A file goes in and comes back by a NATS client of another language and make.
//!
//! Python 3 with pip is needed: nats-py is fetched once, its bytes pinned.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use service::client::Client;
use tests::Node;
use uuid::Uuid;

const NATS_PY: &str = "nats-py==2.16.0 \
    --hash=sha256:aeb1ff123966c05833d26c7df7e1d54c1c6d32b612428b21677a2e921f1fecae\n";

/// The directory into which nats-py is installed, beside what is built.
fn nats_py() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let target = test.ancestors().nth(3).expect("the target directory");
    let installed = target.join("nats-py-2.16.0");
    if installed.join("nats/__init__.py").is_file() {
        return installed;
    }
    let fresh = target.join(format!("nats-py-{}", std::process::id()));
    std::fs::create_dir_all(&fresh).expect("a directory");
    let requirements = fresh.join("requirements.txt");
    std::fs::write(&requirements, NATS_PY).expect("requirements");
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--require-hashes", "--requirement"])
        .arg(&requirements)
        .arg("--target")
        .arg(&fresh)
        .status()
        .expect("python3 with pip is needed");
    assert!(status.success(), "nats-py could not be fetched");
    // Another run may have been faster: then its copy is as good.
    std::fs::rename(&fresh, &installed).ok();
    assert!(installed.join("nats/__init__.py").is_file());
    installed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_python_attaches_a_file_and_reads_it_back() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let case = Uuid::new_v4();
    let claim = json!({
        "id": Uuid::now_v7(), "case": case,
        "actor": { "id": "registrar-1", "role": "registrar", "basis": "test" },
        "occurred": "2024-01-01", "data": { "name": "A", "profile": "EU" },
    });
    client
        .command("intake.register-claim", claim.to_string().into_bytes())
        .await
        .expect("accepted");
    let output = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/evidence.py"))
        .args([node.url(), &case.to_string()])
        .env("PYTHONPATH", nats_py())
        .output()
        .expect("python3 is needed");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("an answer");
    assert_eq!((&answer["outcome"], &answer["version"]), (&json!("accepted"), &json!(2)));
}
