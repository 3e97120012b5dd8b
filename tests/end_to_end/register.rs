//! The authority's register: persons are merged and un-merged, and no case changes.

use serde_json::{Value, json};
use service::client::{Client, ClientError};
use service::reply::Reply;
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

fn of_register(node: &str, name: &str, data: &Value) -> Value {
    json!({
        "command": name, "id": Uuid::now_v7(), "case": node,
        "actor": { "id": "registry-1", "role": "registry", "basis": "test" },
        "occurred": "2024-01-02", "data": data,
    })
}

async fn claims(client: &Client, person: Uuid) -> Vec<Uuid> {
    let reply = ask(client, "person", &json!({ "person": person })).await;
    let claims = reply["claims"].as_array().expect("claims").iter();
    let mut claims: Vec<Uuid> =
        claims.map(|claim| claim["case"].as_str().unwrap().parse().unwrap()).collect();
    claims.sort();
    claims
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_joins_the_claims_of_a_person_and_its_reversal_parts_them() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let mut cases = [Uuid::new_v4(), Uuid::new_v4()];
    cases.sort();
    for (case, person) in cases.iter().zip([one, other]) {
        let mut claim = register(*case, Uuid::now_v7(), "Selam Haile");
        claim["data"]["person"] = json!(person);
        assert!(matches!(send(&client, &claim).await.unwrap(), Reply::Accepted { .. }));
    }
    let link = json!({
        "command": "intake.link-family", "id": Uuid::now_v7(), "case": cases[0],
        "actor": { "id": "registrar-1", "role": "registrar", "basis": "test" },
        "occurred": "2024-01-02", "data": { "relation": "sibling", "own_claim": cases[1] },
    });
    assert!(matches!(send(&client, &link).await.unwrap(), Reply::Accepted { .. }));
    let family = ask(&client, "family", &json!({ "case": cases[1] })).await;
    assert_eq!(family["links"], json!([]));
    assert_eq!(family["linked_by"][0]["case"], json!(cases[0]));
    assert_eq!(claims(&client, one).await, [cases[0]]);

    let id = ask(&client, "register", &json!({})).await["register"].as_str().unwrap().to_owned();
    let merge = json!({
        "merge": Uuid::new_v4(), "from": one, "into": other, "reason": "The same fingerprints.",
        "approver": "registry-2",
    });
    let astray = of_register(&cases[0].to_string(), "registry.merge-persons", &merge);
    match send(&client, &astray).await.unwrap() {
        Reply::Rejected { message, .. } => assert!(message.contains(&id), "{message}"),
        Reply::Accepted { .. } => panic!("a case takes no command of the register"),
    }
    let command = of_register(&id, "registry.merge-persons", &merge);
    for _ in 0..2 {
        let reply = send(&client, &command).await.unwrap();
        assert!(matches!(reply, Reply::Accepted { version, .. } if version.0 == 1), "{reply:?}");
    }
    assert_eq!(claims(&client, one).await, cases);
    assert_eq!(claims(&client, other).await, cases);
    let list = ask(&client, "list", &json!({ "person": one })).await;
    assert_eq!(list["cases"].as_array().unwrap().len(), 2, "the register is no case");
    assert_eq!(ask(&client, "list", &json!({})).await["cases"].as_array().unwrap().len(), 2);
    let history = ask(&client, "history", &json!({ "case": id, "open": true })).await;
    assert_eq!(history["history"][0]["opened"]["reason"]["words"], "The same fingerprints.");

    let reversal = json!({ "merge": merge["merge"], "reason": "Two sisters." });
    let reply =
        send(&client, &of_register(&id, "registry.reverse-merge", &reversal)).await.unwrap();
    assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    assert_eq!(claims(&client, one).await, [cases[0]]);
    assert_eq!(claims(&client, other).await, [cases[1]]);

    let verify = std::process::Command::new(tests::binary())
        .args(["audit", "verify", "--data"])
        .arg(&node.ready().data)
        .output()
        .expect("the tool runs");
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    let text = String::from_utf8_lossy(&verify.stdout);
    let streams = text.matches("of 2 cases and the register").count();
    assert!(streams == 1 && text.contains("folded into 2 cases and the register\n"), "{text}");
    assert!(node.stop().success());
}

/// Who takes the register for a case is told what it is, and is shown no case without a claim.
#[tokio::test(flavor = "multi_thread")]
async fn the_register_is_shown_as_no_case() {
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let id = ask(&client, "register", &json!({})).await["register"].as_str().unwrap().to_owned();
    let enrolled = json!({ "officer": "caseworker-7", "roles": ["caseworker"], "name": "Q" });
    let command = of_register(&id, "registry.enrol-officer", &enrolled);
    assert!(matches!(send(&client, &command).await.unwrap(), Reply::Accepted { .. }));
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("an answer");

    let said = format!("{id} is the authority's register: tebessa register show");
    let all = json!(["all"]);
    for (query, body, says) in [
        ("case", json!({ "case": id }), said.as_str()),
        ("case", json!({ "case": id, "at_version": 0 }), &said),
        ("audit.as-of", json!({ "case": id, "at": "now" }), &said),
        ("audit.diff", json!({ "case": id, "from": "version:1", "to": "now" }), &said),
        ("audit.decisions", json!({ "case": id }), &said),
        ("audit.disclosures", json!({ "case": id, "fields": all }), &said),
        ("case", json!({ "case": case, "at_version": 0 }), "the case has versions 1 to 1, not 0"),
        ("case", json!({ "case": case, "at_version": 2 }), "the case has versions 1 to 1, not 2"),
    ] {
        match client.query(query, body.to_string().into_bytes()).await {
            Err(ClientError::Service { code, message }) => {
                assert_eq!((code, message.as_str()), (404, says), "{query} {body}");
            }
            other => panic!("{query} {body}: {other:?}"),
        }
    }
    let data = node.ready().data.clone();
    let dossier = data.join("register.dossier");
    for arguments in [
        ["case", "show", &id].as_slice(),
        &["audit", "as-of", "--case", &id],
        &["audit", "dossier", "--case", &id, "--out", dossier.to_str().expect("a path")],
        &["audit", "replay", "--case", &id],
        &["audit", "time-limits", "--case", &id],
        &["audit", "what-if", "--case", &id, "--set", "C2.4=M"],
        &["case", "family", &id],
    ] {
        let mut command = std::process::Command::new(tests::binary());
        let output = command.args(arguments).arg("--data").arg(&data).output().expect("runs");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&said) && output.stdout.is_empty(), "{arguments:?}: {told}");
    }
    assert!(!dossier.exists());
    // Doubt bars, and says what the id is.
    let bar = ask(&client, "removal-bar", &json!({ "case": id })).await;
    assert_eq!((&bar["barred"], &bar["reasons"][0]["sentence"]), (&json!(true), &json!(said)));
    assert!(node.stop().success());
}

/// A register that is longer than a message comes page by page, and whole on the command line.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_register_comes_in_pages() {
    const LINKS: usize = 7_000;
    let mut node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let id = ask(&client, "register", &json!({})).await["register"].as_str().unwrap().to_owned();
    let link = |_| {
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let data = json!({ "one": one, "other": other, "result": "possible", "reason": "Alike." });
        of_register(&id, "registry.link-persons", &data).to_string() + "\n"
    };
    let commands: String = (0..LINKS).map(link).collect();
    let file = node.data().join("links.jsonl");
    std::fs::write(&file, commands).expect("written");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(tests::binary());
        let output = command.args(arguments).args(["--nats", node.url()]).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    run(&["submit", file.to_str().expect("a path")]);

    let first = ask(&client, "register", &json!({})).await;
    let next = first["next"].as_u64().expect("more pages");
    let second = ask(&client, "register", &json!({ "after": next })).await;
    let links = |page: &Value| page["state"]["links"].as_array().expect("links").clone();
    assert_eq!(second["next"], Value::Null);
    assert_eq!(links(&first).last().unwrap()["version"], json!(next));
    assert_eq!(links(&second)[0]["version"], json!(next + 1));
    let shown: Value = serde_json::from_slice(&run(&["register", "show", "--json"])).expect("JSON");
    assert_eq!(links(&shown), [links(&first), links(&second)].concat());
    assert_eq!(links(&shown).len(), LINKS);
    assert_eq!(shown["next"], Value::Null);
    assert!(node.stop().success());
}

/// Under another name the node would ask another register, in which nobody is merged: a start that was given
/// a mistyped name, or none, has to fail, and the right one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_served_under_the_name_of_its_authority_only() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    let mut node = Node::start_in(&data, &["--authority", "bamf"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let id = ask(&client, "register", &json!({})).await["register"].as_str().unwrap().to_owned();
    let case = Uuid::new_v4();
    send(&client, &register(case, Uuid::now_v7(), "A")).await.expect("an answer");
    assert!(node.stop().success());
    for given in [["--authority", "bmaf"].as_slice(), &[]] {
        let refused = Node::try_start_in(&data, given).expect_err("another authority's log");
        assert!(refused.contains("was made by the authority `bamf`"), "{refused}");
        assert!(refused.contains("--authority bamf"), "{refused}");
    }
    let mut node = Node::start_in(&data, &["--authority", "bamf"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    assert_eq!(ask(&client, "register", &json!({})).await["register"], json!(id));
    assert!(node.stop().success());
    let verified = std::process::Command::new(tests::binary())
        .args(["audit", "verify", "--json", "--data"])
        .arg(&data)
        .output()
        .expect("runs");
    let said: Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    assert_eq!(said["records"]["sources"], json!(["tebessa/bamf"]));
    assert_eq!(said["records"]["registers"], json!([]));
}
