//! The queue under a clock that jumps, and deadlines that move and end.

use std::time::Duration;

use case::record::{RecordStamp, Unstamped};
use case::{
    CaseId, CommandId, CorrelationId, DeadlineId, Event, EventId, Leaf, Recorded, Version,
    WorldDate,
};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::queue::Queue;

fn record(version: u64, kind: &str, data: &serde_json::Value) -> Recorded {
    let text = data.to_string();
    let event = Event::read(&format!("tebessa.deadlines.{kind}.v1"), &text).unwrap().unwrap();
    let by = json!({ "id": "registry-1", "role": "registry", "basis": "test" });
    let unstamped = Unstamped {
        id: EventId(Uuid::now_v7()),
        source: "tebessa/test".to_owned(),
        case: CaseId(Uuid::from_u128(1)),
        command: CommandId(Uuid::now_v7()),
        correlation: CorrelationId(Uuid::from_u128(2)),
        causation: None,
        digest: "0".repeat(64),
        by: serde_json::from_value(by).unwrap(),
        occurred: WorldDate::new("2024-01-01").unwrap(),
        traceparent: None,
        event,
    };
    let prev = "0".repeat(64);
    let stamp = RecordStamp { version: Version(version), prev: &prev, time: Timestamp::UNIX_EPOCH };
    unstamped.recorded(&stamp, version, Leaf::of(prev.as_bytes()))
}

fn set(version: u64, deadline: u128, due: &str) -> Recorded {
    let data = json!({ "deadline": Uuid::from_u128(deadline), "kind": "appeal", "due": due });
    record(version, "set", &data)
}

fn due(queue: &Queue, now: &str) -> Vec<u128> {
    let now: Timestamp = now.parse().unwrap();
    queue.due(now, 100).iter().map(|firing| firing.deadline.0.as_u128()).collect()
}

#[tokio::test]
async fn what_is_due_follows_the_clock_in_both_directions() {
    let mut queue = Queue::default();
    queue.apply(&set(1, 7, "2024-03-02T00:00:00Z"));
    queue.apply(&set(2, 8, "2024-03-09T00:00:00Z"));
    assert_eq!(due(&queue, "2024-03-01T23:59:59Z"), [0; 0]);
    assert_eq!(due(&queue, "2024-03-02T00:00:00Z"), [7]);
    assert_eq!(due(&queue, "2031-01-01T00:00:00Z"), [7, 8], "a week or years later");
    assert_eq!(due(&queue, "1999-01-01T00:00:00Z"), [0; 0], "the clock jumped back");
    assert_eq!(due(&queue, "2024-03-02T00:00:00Z"), [7], "and forth: nothing is lost");
}

#[tokio::test(start_paused = true)]
async fn what_was_tried_is_not_tried_again_at_once_and_not_forgotten() {
    let mut queue = Queue::default();
    queue.apply(&set(1, 7, "2024-03-02T00:00:00Z"));
    let now = "2024-03-03T00:00:00Z";
    let firing = queue.due(now.parse().unwrap(), 1)[0];
    queue.tried(firing, Duration::from_secs(5));
    assert_eq!(due(&queue, now), [0; 0]);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(due(&queue, now), [7], "its event did not come");
    let data = json!({ "deadline": Uuid::from_u128(7), "due": "2024-03-02T00:00:00Z" });
    queue.apply(&record(2, "expired", &data));
    assert_eq!((due(&queue, now), queue.len()), (vec![], 0), "its event came");
}

#[tokio::test]
async fn an_extension_moves_the_firing() {
    let mut queue = Queue::default();
    queue.apply(&set(1, 7, "2024-03-02T00:00:00Z"));
    let before = queue.due("2024-04-01T00:00:00Z".parse().unwrap(), 1)[0];
    let reason = json!({ "key": Uuid::from_u128(9), "box": "", "commit": "" });
    let data = json!({
        "deadline": Uuid::from_u128(7), "due": "2024-03-16T00:00:00Z", "reason": reason,
    });
    queue.apply(&record(2, "extended", &data));
    assert_eq!(due(&queue, "2024-03-15T00:00:00Z"), [0; 0]);
    let after = queue.due("2024-03-16T00:00:00Z".parse().unwrap(), 1)[0];
    assert_eq!(after.deadline, DeadlineId(Uuid::from_u128(7)));
    let ids = [before, after]
        .map(|firing| case::deadlines::expiry_command(firing.case, firing.deadline, firing.due));
    assert_ne!(ids[0], ids[1], "the extended deadline expires by another command");
}
