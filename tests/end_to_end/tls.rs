//! A NATS server that speaks TLS, wants to see a certificate, and lets in by files of credentials.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair as Nkey;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::nats::{Certificate, Server};
use tests::{NatsServer, Node};
use uuid::Uuid;

use super::{register, send};

/// Whoever signs certificates for one test, with the files that it wrote.
struct Authority {
    home: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(home.path().join("ca.pem"), wanted.self_signed(&key).unwrap().pem()).unwrap();
        Self { home, issuer: Issuer::new(wanted, key) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Signs a certificate for a host or a name.
    fn sign(&self, name: &str) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let wanted = CertificateParams::new([name.to_owned()]).unwrap();
        let signed = wanted.signed_by(&key, &self.issuer).unwrap();
        let files = Certificate {
            chain: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
        };
        fs::write(&files.chain, signed.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    /// The settings of a server with a certificate; `verify` has it ask each client for one.
    fn settings(&self, verify: bool) -> String {
        let shown = self.sign("127.0.0.1");
        format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: {verify} }}\n",
            path(&shown.chain),
            path(&shown.key),
            path(&self.file("ca.pem"))
        )
    }
}

fn path(file: &Path) -> &str {
    file.to_str().expect("UTF-8")
}

/// A node and a client come together on the server, and so does who has the data directory only.
async fn works(server: Server, arguments: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let url = server.url().to_owned();
    let arguments: Vec<&str> =
        ["--nats", &url].into_iter().chain(arguments.iter().copied()).collect();
    let mut node = Node::start_in(&home.path().join("data"), &arguments);
    let client = Client::connect(server).await.expect("it is let in");
    send(&client, &register(Uuid::new_v4(), Uuid::now_v7(), "A")).await.expect("accepted");
    let output = Command::new(tests::binary())
        .args(["audit", "verify", "--data"])
        .arg(node.data())
        .output()
        .expect("the command line");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(node.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_certificate_of_ones_own_is_believed_where_it_is_named() {
    let authority = Authority::new();
    let ca = authority.file("ca.pem");
    for scheme in ["tls://", "nats://"] {
        let nats = NatsServer::start_with(&authority.settings(false));
        let url = nats.url().replace("nats://", scheme);
        let stranger = Client::connect(&url).await.expect_err("nobody believes it");
        assert!(matches!(stranger, ClientError::Connect { .. }), "{stranger:?}");
        let server = Server::new(url).with_roots(Some(ca.clone()));
        works(server, &["--nats-ca", path(&ca)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let authority = Authority::new();
    let nats = NatsServer::start_with(&authority.settings(true));
    let (ca, shown) = (authority.file("ca.pem"), authority.sign("node.example"));
    let server = Server::new(nats.url()).with_roots(Some(ca.clone()));
    assert!(Client::connect(server.clone()).await.is_err(), "without one nobody is let in");
    let arguments = ["--nats-ca", path(&ca), "--nats-cert", path(&shown.chain)];
    let arguments = [arguments.as_slice(), &["--nats-key", path(&shown.key)]].concat();
    works(server.with_certificate(Some(shown.clone())), &arguments).await;
    let output = Command::new(tests::binary())
        .args(["health", "--nats", &nats.url(), "--nats-cert", path(&shown.chain)])
        .output()
        .expect("the command line");
    assert_eq!(output.status.code(), Some(2), "the key is missing");
}

/// A JWT of NATS's own kind: signed by an nkey, about the holder of another.
fn token(issuer: &Nkey, about: &Nkey, name: &str, nats: &Value) -> String {
    let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let body = json!({
        "jti": Uuid::new_v4(), "iat": 1_700_000_000, "iss": issuer.public_key(),
        "sub": about.public_key(), "name": name, "nats": nats,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&body));
    let signature = URL_SAFE_NO_PAD.encode(issuer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn account(operator: &Nkey, account: &Nkey, name: &str) -> String {
    let all = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let all = if name == "system" {
        json!({ "conn": -1, "subs": -1, "data": -1, "payload": -1 })
    } else {
        all
    };
    token(operator, account, name, &json!({ "type": "account", "version": 2, "limits": all }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_credentials_lets_in_where_accounts_are_signed_by_an_operator() {
    let (operator, cases) = (Nkey::new_operator(), Nkey::new_account());
    let (system, user) = (Nkey::new_account(), Nkey::new_user());
    let of_operator = json!({ "type": "operator", "version": 2 });
    let settings = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {}, {}: {} }}\n",
        token(&operator, &operator, "operator", &of_operator),
        system.public_key(),
        system.public_key(),
        account(&operator, &system, "system"),
        cases.public_key(),
        account(&operator, &cases, "cases"),
    );
    let nats = NatsServer::start_with(&settings);
    let of_user = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("node.creds");
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        token(&cases, &user, "node", &of_user),
        user.seed().unwrap(),
    );
    fs::write(&file, text).unwrap();
    let stranger = Client::connect(&nats.url()).await.expect_err("nobody is there");
    assert!(matches!(stranger, ClientError::Refused { .. }), "{stranger:?}");
    let server = Server::new(nats.url()).with_credentials(Some(file.clone()));
    works(server, &["--nats-creds", path(&file)]).await;
}
