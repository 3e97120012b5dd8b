//! What of a case the public statistics count: codes and a month, nothing else.

use guidance::Value;

use crate::record::Recorded;
use crate::token::Criterion;
use crate::vocabulary::Ground;
use crate::{Event, appeals, assessment, decisions};

/// The three categories of claims, by the nodes of the guidance that stand for them.
const CATEGORIES: [&str; 3] = ["C1", "C2", "C3"];

/// What the statistics count of a case beside its profile and its outcome.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// The month of the outcome that stands, such as `2024-03`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// The grounds of the decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// The categories that were met in the assessment on which the decision rests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Criterion>,
    /// The categories that were met in the latest assessment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latest: Vec<Criterion>,
}

impl Counted {
    /// Whether there is nothing yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes a record into account.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events bring no outcome")]
    pub(crate) fn apply(&mut self, record: &Recorded) {
        match &record.event {
            Event::Assessment(assessment::Event::AssessmentCompleted(completed)) => {
                let met = |name: &&str| completed.derived.get(*name) == Some(&Value::Met);
                let categories = CATEGORIES.iter().filter(|name| met(name));
                self.latest = categories.filter_map(|name| Criterion::new(name).ok()).collect();
            }
            Event::Decisions(decisions::Event::DecisionIssued(issued)) => {
                self.month = month(record);
                self.grounds.clone_from(&issued.grounds);
                self.categories.clone_from(&self.latest);
            }
            // The end of a status is a decision of its own, without grounds and on no assessment.
            Event::Decisions(decisions::Event::StatusEnded(_)) => {
                self.month = month(record);
                self.grounds.clear();
                self.categories.clear();
            }
            Event::Appeals(appeals::Event::AppealDecided(decided)) if decided.outcome.is_some() => {
                self.month = month(record);
            }
            _ => {}
        }
    }
}

fn month(record: &Recorded) -> Option<String> {
    let day = record.envelope.occurred.first_day()?;
    Some(format!("{:04}-{:02}", day.year(), day.month()))
}
