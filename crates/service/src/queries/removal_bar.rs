//! `tebessa.query.removal-bar`: may this person be removed?
//!
//! Doubt is an answer, and the answer is "barred": a case that is unknown or cannot be read whole,
//! a log that can no longer be written, a stream that contradicts it or cannot be looked at. "Not barred"
//! is said only by the rules, over every record of the case, chained from the first to the last, and over
//! every other claim of the same person: it is the person who would be removed.

use case::vocabulary::BarReason;
use case::{Bar, Case, CaseId, EventId, Instant, Reason, Recorded, Version, removal_bar};
use journal::{Position, StreamId};

use super::Asked;
use super::register::claims_of;
use crate::access::{View, Viewed, Viewer};
use crate::cases::records;
use crate::follower;
use crate::node::Node;
use crate::reply::Failure;

/// Asks whether the person of a case must not be removed.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RemovalBarQuery {
    /// The case.
    pub case: CaseId,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// An event on which a reason rests.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct RestsOn {
    /// Its number in the case.
    pub version: Version,
    /// Its position in the journal.
    pub position: u64,
    /// Its id.
    pub event: EventId,
}

/// A reason with its events.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct BarredBy {
    /// The code, for programs.
    pub code: BarReason,
    /// The sentence, for people.
    pub sentence: String,
    /// The events that it rests on.
    pub events: Vec<RestsOn>,
    /// The instant at which it ends by itself, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// Whether the person of a case must not be removed, as at the moment of the question.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct RemovalBarReply {
    /// The case.
    pub case: CaseId,
    /// Whether the person must not be removed. Only `false` is a clearance, and only at `asked`.
    pub barred: bool,
    /// Why.
    pub reasons: Vec<BarredBy>,
    /// The instant before which the bar does not end, where every reason has one: then ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// The moment of the question, by the node's clock.
    pub asked: Instant,
    /// How many events of the case were looked at.
    pub version: Version,
    /// The last durable position of the journal at that moment.
    pub position: u64,
}

/// Reasons of so many other claims are told; one is enough to bar.
const MOST_OTHERS: usize = 20;

/// Answers from the journal, and from the index what other claims there are: where that has not come as far
/// as the log was when the question came, it bars. Blocks.
pub(super) fn answer(
    node: &Node,
    follower: &follower::Status,
    asked: Asked,
    query: &RemovalBarQuery,
) -> Result<RemovalBarReply, Failure> {
    // The register has records too, and nothing in them says anything of a removal.
    let case = node.no_register(query.case).map_err(|failure| failure.message);
    let (mut bar, records) = match case.and_then(|()| whole(node, query.case)) {
        Ok(records) => {
            let case = Case::fold(&records);
            let bar = removal_bar(&case, asked.at);
            let others = if bar.barred { Vec::new() } else { others(node, &case, asked) };
            (if others.is_empty() { bar } else { Bar::of(others) }, records)
        }
        Err(why) => (Bar::of(vec![doubt(BarReason::Unreadable, why)]), Vec::new()),
    };
    if let Some(why) = not_current(node, follower) {
        let mut reasons = bar.reasons;
        reasons.push(doubt(BarReason::NotCurrent, why));
        bar = Bar::of(reasons);
    }
    // An unknown case is nobody's view; a log full of them would be the sender's to fill.
    if !records.is_empty() {
        let viewed = Viewed::unopened(View::RemovalBar, query.case, query.viewer.clone());
        node.access().record_blocking(viewed)?;
    }
    Ok(RemovalBarReply {
        case: query.case,
        barred: bar.barred,
        reasons: bar.reasons.into_iter().map(|reason| with_events(reason, &records)).collect(),
        until: bar.until,
        asked: asked.at,
        version: records.last().map(|record| record.envelope.version).unwrap_or_default(),
        position: asked.position.0,
    })
}

/// What bars in the other claims of the case's person, through all merges that hold.
fn others(node: &Node, case: &Case, asked: Asked) -> Vec<Reason> {
    let Some(person) = case.intake.person else { return Vec::new() };
    let claims = match claims_of(node, person) {
        Ok((_, reached)) if Position(reached) < asked.position => {
            let why = "the list of this person's claims is still being made; ask again";
            return vec![doubt(BarReason::NotCurrent, why.to_owned())];
        }
        Ok((claims, _)) => claims,
        Err(failure) => {
            let why = format!("the other claims of this person are not known: {failure}");
            return vec![doubt(BarReason::Unreadable, why)];
        }
    };
    let others = claims.iter().filter(|claim| Some(claim.case) != case.id);
    others.filter_map(|claim| of_other(node, claim.case, asked.at)).take(MOST_OTHERS).collect()
}

fn of_other(node: &Node, id: CaseId, at: Instant) -> Option<Reason> {
    let bar = match whole(node, id) {
        Ok(records) => removal_bar(&Case::fold(&records), at),
        Err(why) => Bar::of(vec![doubt(BarReason::Unreadable, why)]),
    };
    let why = bar.reasons.first()?;
    let sentence = format!("another claim of this person, {id}: {}", why.sentence);
    Some(Reason { until: bar.until, ..doubt(BarReason::OtherClaim, sentence) })
}

fn doubt(code: BarReason, sentence: String) -> Reason {
    Reason::new(code, sentence, Vec::new())
}

fn with_events(reason: Reason, records: &[Recorded]) -> BarredBy {
    let events = records
        .iter()
        .filter(|record| reason.versions.contains(&record.envelope.version))
        .map(|record| RestsOn {
            version: record.envelope.version,
            position: record.position,
            event: record.envelope.id,
        })
        .collect();
    BarredBy { code: reason.code, sentence: reason.sentence, events, until: reason.until }
}

/// Every record of the case, or why that is in doubt: none missing, none of another case, each
/// chained to the one before, and the last one to what the journal says of the case.
fn whole(node: &Node, id: CaseId) -> Result<Vec<Recorded>, String> {
    // Asked first: what is accepted meanwhile is behind it.
    let head = node.journal().head(StreamId(id.0)).map_err(|error| crate::chain(&error))?;
    let records = records(node.journal(), id, None).map_err(|failure| failure.to_string())?;
    let mut prev = "0".repeat(64);
    for (record, version) in records.iter().zip(1..) {
        let envelope = &record.envelope;
        if envelope.case != id || envelope.version != Version(version) || envelope.prev != prev {
            return Err(format!(
                "the record at position {} does not follow the one before",
                record.position
            ));
        }
        prev = record.leaf.to_string();
    }
    // No record follows the last one, whose bytes nothing else would hold to what was accepted.
    let at = |version: journal::Version| {
        let mut all = records.iter();
        all.find(|record| record.envelope.version.0 == version.0)
    };
    if head.is_some_and(|head| at(head.version).is_none_or(|last| last.leaf.0 != head.leaf.0)) {
        return Err("the last record of the case is not the one that was accepted".to_owned());
    }
    Ok(records)
}

fn not_current(node: &Node, follower: &follower::Status) -> Option<String> {
    if node.journal().poisoned() {
        return Some("a write to the log failed; what was accepted last may be missing".to_owned());
    }
    match follower {
        follower::Status::Halted { reason } => {
            Some(format!("the stream and the log contradict each other: {reason}"))
        }
        // A log that came back from an old copy has lost what only the stream would show; and a
        // contradiction that was found is not forgotten because the connection broke.
        follower::Status::Away => Some(
            "whether the stream contradicts the log is not known now: it cannot be reached".into(),
        ),
        follower::Status::Following { .. } | follower::Status::CatchingUp { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use case::clocks::Clocks;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::node::{Authority, GivenLaw};
    use crate::queries::{Query, wait_for_index};
    use crate::request::Request;

    async fn accepted(node: &Node, case: Uuid, name: &str, role: &str, data: Value) {
        let command = json!({
            "id": Uuid::now_v7(), "case": case, "occurred": "2026-01-05", "data": data,
            "actor": { "id": "somebody-1", "role": role, "basis": "test" },
        });
        let request = Request::read("intake", name, command.to_string().as_bytes()).unwrap();
        let reply = node.command(&request).await.unwrap();
        assert!(matches!(reply, crate::reply::Reply::Accepted { .. }), "{reply:?}");
    }

    #[tokio::test]
    async fn an_index_that_is_behind_the_question_clears_nobody_who_may_have_another_claim() {
        let home = tempfile::tempdir().unwrap();
        let library = guidance::Library::embedded().unwrap();
        let law = GivenLaw { library, clocks: Clocks::embedded().clone() };
        let authority = Authority::new("test").unwrap();
        let (node, _) = Node::open(home.path(), &authority, law, &mut |_| {}).unwrap();
        let case = Uuid::new_v4();
        let claim = json!({ "name": "Maximilian", "profile": "UNHCR", "person": Uuid::new_v4() });
        accepted(&node, case, "register-claim", "registrar", claim).await;
        let reason = json!({ "reason": "I go home." });
        accepted(&node, case, "withdraw-claim", "applicant", reason).await;
        let follower = follower::Status::Following { position: 2 };
        let query = RemovalBarQuery { case: CaseId(case), viewer: None };
        let asked = wait_for_index(&node, Query::RemovalBar).await;
        assert_eq!(asked.position, Position(2));
        let reply = answer(&node, &follower, asked, &query).unwrap();
        assert!(!reply.barred && reply.position == 2 && reply.asked == asked.at, "{reply:?}");

        let later = Asked { position: Position(3), ..asked };
        let reply = answer(&node, &follower, later, &query).unwrap();
        let [reason] = reply.reasons.as_slice() else { panic!("{reply:?}") };
        assert!(reply.barred && reason.code == BarReason::NotCurrent, "{reply:?}");
        assert!(reason.sentence.contains("still being made"), "{reply:?}");
    }
}
