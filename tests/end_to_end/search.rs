//! A case is found by the tribunal's number and by its thread; the public sees no small number.

use serde_json::json;
use service::client::Client;
use service::reply::Reply;
use tests::Node;
use uuid::Uuid;

use super::{ask, register, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_found_by_another_bodys_number_and_by_its_thread() {
    let node = Node::start();
    let client = Client::connect(node.url()).await.expect("the node answers");
    let (case, other, thread) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let mut last = 0;
    for case in [case, other] {
        let mut claim = register(case, Uuid::now_v7(), "A");
        claim["correlation"] = json!(thread);
        send(&client, &claim).await.expect("accepted");
        let mut number = register(case, Uuid::now_v7(), "A");
        number["command"] = json!("intake.record-reference");
        number["data"] = json!({ "holder": "tribunal", "reference": format!("EA/{case}") });
        let reply = send(&client, &number).await.expect("an answer");
        let Reply::Accepted { position, .. } = reply else { panic!("{reply:?}") };
        last = position;
    }
    // At once: who was told that it was accepted finds it.
    let found = ask(&client, "search", &json!({ "reference": format!("EA/{case}") })).await;
    assert_eq!(found["cases"].as_array().expect("cases").len(), 1);
    assert_eq!(found["cases"][0]["case"], json!(case));
    assert_eq!(found["position"], json!(last));
    let nothing = ask(&client, "search", &json!({ "reference": "EA/1" })).await;
    assert_eq!(nothing["cases"], json!([]));
    let thread = ask(&client, "search", &json!({ "correlation": thread })).await;
    let cases: Vec<_> =
        thread["cases"].as_array().expect("cases").iter().map(|c| &c["case"]).collect();
    assert_eq!(cases, [&json!(case), &json!(other)], "the one that was recorded first before");
    let error = client.query("search", b"{}".to_vec()).await.expect_err("by what?");
    assert!(error.to_string().contains("by one of them"), "{error}");
    let statistics = ask(&client, "statistics", &json!({})).await;
    assert_eq!((&statistics["cases"], &statistics["outcomes"]), (&json!(0), &json!({})));
}
