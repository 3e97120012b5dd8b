//! What is due is asked for: through all pages, and the soonest first on the command line.

use serde_json::{Value, json};
use service::client::Client;
use service::reply::Reply;
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

async fn accepted(client: &Client, command: &Value) {
    let reply = send(client, command).await.expect("an answer");
    assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
}

fn in_days(days: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days)).to_string()
}

/// A case with deadlines that are over in so many days.
async fn with_due(client: &Client, days: &[i64]) -> Uuid {
    let case = Uuid::new_v4();
    accepted(client, &register(case, Uuid::now_v7(), "A")).await;
    for days in days {
        let mut set = register(case, Uuid::now_v7(), "A");
        set["command"] = json!("deadlines.set");
        set["actor"]["role"] = json!("registry");
        set["data"] =
            json!({ "deadline": Uuid::new_v4(), "kind": "merits", "due": in_days(*days) });
        accepted(client, &set).await;
    }
    case
}

fn listed(node: &Node, arguments: &[&str]) -> Vec<Uuid> {
    let mut command = std::process::Command::new(tests::binary());
    let output = command
        .args(["case", "list", "--json", "--nats", node.url()])
        .args(arguments)
        .output()
        .expect("the tool runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let case = |line: &str| {
        let listed: Value = serde_json::from_str(line).expect("JSON");
        listed["case"].as_str().expect("an id").parse().expect("a UUID")
    };
    lines.lines().map(case).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_this_week_is_asked_for() {
    let home = tempfile::tempdir().expect("a directory");
    let mut node = Node::start_in(&home.path().join("data"), &["--no-timers"]);
    let client = Client::connect(node.url()).await.expect("the node answers");
    let days: [&[i64]; 5] = [&[3], &[], &[30, 5], &[-2, 90], &[30]];
    let mut cases = Vec::new();
    for days in days {
        cases.push(with_due(&client, days).await);
    }
    let [in_three, nothing, in_five, overdue, later] = cases.try_into().expect("five cases");

    let mut found = Vec::new();
    let mut query = json!({ "due_before": in_days(7), "limit": 1 });
    loop {
        let page = ask(&client, "list", &query).await;
        found
            .extend(page["cases"].as_array().expect("cases").iter().map(|one| one["case"].clone()));
        let Some(next) = page.get("next") else { break };
        query["cursor"] = next.clone();
    }
    assert_eq!(found, [json!(in_three), json!(in_five), json!(overdue)], "page by page");

    assert_eq!(listed(&node, &["--due-days", "7"]), [overdue, in_three, in_five]);
    assert_eq!(listed(&node, &["--due-days", "7", "--limit", "2"]), [overdue, in_three]);
    assert_eq!(listed(&node, &["--due-days", "0"]), [overdue]);
    assert_eq!(listed(&node, &["--due-days", "4000000000"]).len(), 4, "for ever");

    let mut withdrawn = register(overdue, Uuid::now_v7(), "A");
    withdrawn["command"] = json!("intake.withdraw-claim");
    withdrawn["actor"]["role"] = json!("applicant");
    withdrawn["data"] = json!({});
    accepted(&client, &withdrawn).await;
    assert_eq!(listed(&node, &["--open"]), [in_three, nothing, in_five, later]);
    assert_eq!(listed(&node, &["--open", "--due-days", "4"]), [in_three]);
    assert!(node.stop().success());
}
