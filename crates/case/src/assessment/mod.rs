//! Assessment: people make findings, the engine derives, a second person reviews.
//!
//! After a remittal a new round begins with a new assessor (I14); the findings of the rounds
//! before stay visible.

mod decide;
mod state;

use std::collections::BTreeMap;

use guidance::{Outcome, Value};

pub(crate) use self::decide::decide;
pub use self::state::{Assessment, Exclusion, Finding, Replaced, Review, Round, State};
use crate::catalogue::{commands, events};
use crate::personal::{Personal, Words};
use crate::state::{Case, Stamp};
use crate::token::{Criterion, Pinpoint, ProfileName};
use crate::vocabulary::{ExclusionClause, FactCode, FactValue, ReviewResult, Role, UReason};
use crate::{EvidenceId, Seen, Version, WorldDate};

/// Records a finding on one criterion.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RecordFinding {
    /// The criterion: a leaf of the guidance's tree.
    pub criterion: Criterion,
    /// M (met), N (not met) or U (cannot be determined).
    #[schemars(schema_with = "crate::schema::value")]
    pub value: Value,
    /// Why it cannot be determined; with U, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u_reason: Option<UReason>,
    /// Why.
    pub reason: Personal<Words>,
    /// The items of evidence relied on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceId>,
    /// The country information relied on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub country_info: Vec<EvidenceId>,
    /// The facts relied on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FactCode>,
    /// The legal source relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Pinpoint>,
    /// The clause of article 1F: with EXC found M, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<ExclusionClause>,
    /// As of when it was found, if not at the time of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<WorldDate>,
}

/// Opens the examination of exclusion, apart from inclusion and after it (I6).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct OpenExclusion {
    /// What gave rise to it.
    pub trigger: Personal<Words>,
}

/// Completes the assessment: the engine derives from the findings and proposes.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// The day whose guidance applies; the day of the command where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<WorldDate>,
    /// The case as the assessor was shown it; as it is at the moment of the command where nothing is
    /// said. Refused where it is not the case's, or older than the findings and facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// A finding as the engine used it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FindingUsed {
    /// Its value.
    #[schemars(schema_with = "crate::schema::value")]
    pub value: Value,
    /// The event that recorded it.
    pub version: Version,
}

/// A fact as the engine used it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FactUsed {
    /// Its value.
    pub value: FactValue,
    /// The event that found it.
    pub version: Version,
}

/// The assessment was completed. It stands alone: with it and the guidance it names, the
/// derivation can be repeated bit for bit (I16).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AssessmentCompleted {
    /// The round: 1, and one more after each remittal.
    pub round: u32,
    /// The profile.
    pub profile: ProfileName,
    /// SHA-256 of the guidance file, as `sha256:` and 64 hexadecimal digits.
    pub guidance: String,
    /// The engine's version.
    pub engine: String,
    /// The day whose guidance applies.
    pub as_of: WorldDate,
    /// What is sought.
    #[schemars(schema_with = "crate::schema::sought")]
    pub sought: guidance::Sought,
    /// The findings used.
    pub findings: BTreeMap<Criterion, FindingUsed>,
    /// The facts used.
    pub facts: BTreeMap<FactCode, FactUsed>,
    /// The values of the derived nodes.
    #[schemars(schema_with = "crate::schema::values")]
    pub derived: BTreeMap<String, Value>,
    /// The leaves whose value was presumed.
    pub presumed: Vec<String>,
    /// The open leaves: the ones that can still turn the outcome.
    pub open: Vec<String>,
    /// What the engine proposes. People decide.
    #[schemars(schema_with = "crate::schema::outcome")]
    pub outcome: Outcome,
    /// The case as the assessor was shown it; absent in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// Reviews the latest completed assessment.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ReviewAssessment {
    /// What the reviewer says.
    pub result: ReviewResult,
    /// Why.
    pub reason: Personal<Words>,
    /// The version of the assessment that the reviewer looked at; refused unless it is the
    /// latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Version>,
    /// The case as the reviewer was shown it; as it is at the moment of the command where nothing is
    /// said. Refused where it is not the case's, or older than the assessment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// The latest assessment was reviewed.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AssessmentReviewed {
    /// What the reviewer says.
    pub result: ReviewResult,
    /// Why.
    pub reason: Personal<Words>,
    /// The version of the event that completed the assessment.
    pub assessment: Version,
    /// The case as the reviewer was shown it; absent in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// Opens the assessment, before its first finding.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct OpenAssessment {
    /// What is to be looked at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Words>>,
}

/// Orders that more is asked. What was completed does not hold meanwhile.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct OrderEnquiry {
    /// The criteria on which it bears.
    pub criteria: Vec<Criterion>,
    /// What is to be asked.
    pub question: Personal<Words>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<WorldDate>,
}

commands! {
    service "assessment" as Assessment;
    OpenAssessment = "open", "Opens the assessment.",
        by [Caseworker], personal [("note", Words)];
    OrderEnquiry = "order-enquiry", "Orders that more is asked.",
        by [Caseworker, Reviewer], personal [("question", Words)];
    RecordFinding = "record-finding", "Records a finding on one criterion.",
        by [Caseworker], personal [("reason", Words)];
    OpenExclusion = "open-exclusion", "Opens the examination of exclusion.",
        by [Caseworker], personal [("trigger", Words)];
    Complete = "complete", "Completes the assessment: the engine derives and proposes.",
        by [Caseworker], personal [];
    ReviewAssessment = "review", "Reviews the latest completed assessment.",
        by [Reviewer], personal [("reason", Words)];
}

/// The assessment was opened.
pub type AssessmentOpened = OpenAssessment;
/// A further enquiry was ordered.
pub type FurtherEnquiryOrdered = OrderEnquiry;
/// A finding was recorded.
pub type FindingRecorded = RecordFinding;
/// The examination of exclusion was opened.
pub type ExclusionOpened = OpenExclusion;

events! {
    service "assessment" as Assessment;
    AssessmentOpened = "opened", "The assessment was opened.";
    FurtherEnquiryOrdered = "further-enquiry-ordered", "A further enquiry was ordered.";
    FindingRecorded = "finding-recorded", "A finding was recorded.";
    ExclusionOpened = "exclusion-opened", "The examination of exclusion was opened.";
    AssessmentCompleted = "completed", "The assessment was completed.";
    AssessmentReviewed = "reviewed", "The latest assessment was reviewed.";
}

/// Applies an event of assessment.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    match event {
        Event::AssessmentOpened(_) => case.assessment.took_part(stamp.by),
        Event::FurtherEnquiryOrdered(_) => {
            if stamp.by.role == Role::Reviewer {
                case.assessment.reviewer(stamp.by);
            } else {
                case.assessment.took_part(stamp.by);
            }
            case.assessment.void(stamp.version);
        }
        Event::FindingRecorded(finding) => {
            case.assessment.took_part(stamp.by);
            case.assessment.void(stamp.version);
            let found = |code: &FactCode| Some((*code, case.evidence.facts.get(code)?.value));
            let facts = finding.facts.iter().filter_map(found).collect();
            case.assessment.record(finding, facts, stamp);
        }
        Event::ExclusionOpened(_) => {
            case.assessment.took_part(stamp.by);
            case.assessment.void(stamp.version);
            case.assessment.open_exclusion(stamp);
        }
        Event::AssessmentCompleted(completed) => {
            case.assessment.took_part(stamp.by);
            case.assessment.complete(completed, stamp);
        }
        Event::AssessmentReviewed(reviewed) => case.assessment.review(reviewed, stamp),
    }
}
