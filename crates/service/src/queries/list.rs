//! `tebessa.query.list`: cases by status, profile, age and what is due, the oldest first, page by page.

use std::ops::ControlFlow;

use case::token::ProfileName;
use case::vocabulary::Status;
use case::{Instant, PersonId, Summary};
use jiff::Timestamp;
use jiff::civil::Date;
use journal::Position;

use crate::node::Node;
use crate::reply::Failure;
use crate::summaries::visit_summaries;

/// The cases of a page where nothing is said.
const DEFAULT_LIMIT: u32 = 100;
/// The most cases of a page.
const MOST_LIMIT: u32 = 1_000;

/// Asks for cases.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only cases of these statuses; of all where the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<Status>,
    /// Only cases of this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// Only cases of this person, by any of the ids that mean them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Only cases that were registered at least so many days ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_age_days: Option<i64>,
    /// Only cases that were registered at most so many days ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_days: Option<i64>,
    /// Only cases with a deadline that runs and is over before this instant; one that is overdue
    /// counts as well. The order stays that of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_before: Option<Instant>,
    /// Go on behind the page that gave this cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// At most so many cases, 1 to 1,000; 100 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// A case in a list.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct ListedCase {
    /// The case in a few words.
    #[serde(flatten)]
    pub summary: Summary,
    /// Days since registration.
    pub age_days: i64,
}

/// A page of cases.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct ListReply {
    /// The cases, the one that was recorded first before the others.
    pub cases: Vec<ListedCase>,
    /// The cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// The journal's position that the list takes into account.
    pub position: u64,
}

/// Answers from the index, which follows the journal by moments; see `wait_for_index`.
pub(crate) fn answer(node: &Node, query: &ListQuery) -> Result<ListReply, Failure> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST_LIMIT).contains(&limit) {
        return Err(Failure::malformed(format!("limit: is {limit}; expected 1 to {MOST_LIMIT}")));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let position = node.journal().index_position().0;
    let mut reply = ListReply { cases: Vec::new(), next: None, position };
    let mut last = query.cursor.unwrap_or(0);
    let ids = match query.person {
        Some(person) => Some(super::register::state(node)?.1.same_person(person)),
        None => None,
    };
    let of_person = |summary: &Summary| {
        ids.as_ref().is_none_or(|ids| summary.person.is_some_and(|person| ids.contains(&person)))
    };
    let after = query.cursor.map(Position);
    visit_summaries(node.journal(), after, &mut |first, summary| {
        let age_days = age_days(summary.registered, today);
        if matches(query, &summary, age_days) && of_person(&summary) {
            if reply.cases.len() == limit {
                reply.next = Some(last);
                return ControlFlow::Break(());
            }
            reply.cases.push(ListedCase { summary, age_days });
            last = first.0;
        }
        ControlFlow::Continue(())
    })?;
    Ok(reply)
}

fn age_days(registered: Date, today: Date) -> i64 {
    today.since(registered).map_or(0, |span| i64::from(span.get_days()))
}

fn matches(query: &ListQuery, summary: &Summary, age_days: i64) -> bool {
    (query.status.is_empty() || query.status.contains(&summary.status))
        && query.profile.as_ref().is_none_or(|profile| *profile == summary.profile)
        && query.min_age_days.is_none_or(|least| age_days >= least)
        && query.max_age_days.is_none_or(|most| age_days <= most)
        && query.due_before.is_none_or(|before| summary.deadlines.iter().any(|d| d.due < before))
}
