//! The decision card: who decided what and when, on what evidence, criterion by criterion.
//!
//! It holds no words: where words belong, it says in which event's field they are, so that who may
//! open them shows them beside it.

use guidance::{Guidance, Kind, Value};
use jiff::Timestamp;

use crate::appeals::Appeal;
use crate::assessment::{self, AssessmentCompleted, Round};
use crate::decide::Actor;
use crate::decisions::{self, DecisionIssued, Notified};
use crate::record::Recorded;
use crate::replay::Shelf;
use crate::state::Case;
use crate::vocabulary::{AppealStanding, DecisionOutcome, EvidenceKind, ReviewResult, UReason};
use crate::{AppealId, CaseId, Event, EvidenceId, Seen, Version, WorldDate, gist};

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Deed {
    /// The event.
    pub version: Version,
    /// The position of its record.
    pub position: u64,
    /// Who.
    pub by: Actor,
    /// When, in the world.
    pub occurred: WorldDate,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// The case as its maker was shown it; absent in records from before it was kept.
    pub seen: Option<Seen>,
}

/// A finding as the decision rests on it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Found {
    /// The event; the reason is its field `reason`.
    pub version: Version,
    /// Who found it.
    pub by: String,
    /// Why it could not be determined.
    pub u_reason: Option<&'static str>,
    /// The items relied on, country information last.
    pub evidence: Vec<EvidenceId>,
}

/// One criterion.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct CriterionLine {
    /// Its id.
    pub id: String,
    /// Its title in the guidance.
    pub title: String,
    /// Its value: M, N or U.
    #[schemars(schema_with = "crate::schema::value")]
    pub value: Value,
    /// Whether the engine derived it.
    pub derived: bool,
    /// Whether it counts as met by a presumption.
    pub presumed: bool,
    /// Whether it was open: it could still have turned the outcome.
    pub open: bool,
    /// Its place among the findings on the onus, if the decision has one; the reason is the field
    /// `onus[place].reason` of the decision.
    pub onus: Option<usize>,
    /// The finding, of a leaf.
    pub found: Option<Found>,
    /// Where the criterion comes from.
    pub sources: Vec<String>,
}

/// An item of evidence and whether it was before the decision-maker.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ShownItem {
    /// Its id.
    pub evidence: EvidenceId,
    /// What kind of thing it is.
    pub kind: EvidenceKind,
    /// Whether it is country information.
    pub country_info: bool,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// The event that attached it.
    pub version: Version,
    /// The event by which it was disclosed to the claimant, of country information.
    pub disclosed: Option<Version>,
    /// The event by which it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Version>,
    /// Whether it was before the decision-maker: attached, and not withdrawn again; unknown where the
    /// record does not say what was shown.
    pub before: Option<bool>,
}

impl ShownItem {
    /// What kind of thing it is, such as `summons` or `expert report, country information`.
    #[must_use]
    pub fn kind_in_words(&self) -> String {
        let country_info = if self.country_info { ", country information" } else { "" };
        format!("{}{country_info}", gist::words(self.kind.as_str()))
    }

    /// Which events brought and took it, such as `version 5, withdrawn by version 6`.
    #[must_use]
    pub fn events_in_words(&self) -> String {
        let withdrawn = self.withdrawn.map(|by| format!(", withdrawn by version {by}"));
        format!("version {}{}", self.version, withdrawn.unwrap_or_default())
    }

    /// Whether it was before the decision-maker.
    #[must_use]
    pub const fn before_in_words(&self) -> &'static str {
        match self.before {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not recorded",
        }
    }
}

/// An appeal against the decision, in a few words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Appealed {
    /// The appeal.
    pub appeal: AppealId,
    /// The event that filed it.
    pub filed: Version,
    /// The event of the last ruling.
    pub decided: Option<Version>,
    /// What was ruled last.
    pub result: Option<&'static str>,
    /// The outcome that now stands.
    pub outcome: Option<DecisionOutcome>,
    /// Where it stands; absent while it waits for its first ruling.
    #[serde(skip_serializing_if = "AppealStanding::is_pending")]
    pub stands: AppealStanding,
    /// The event that ended it without a ruling: it was withdrawn or rejected as late, or has nothing
    /// left to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Version>,
}

impl Appealed {
    /// An appeal in a few words.
    #[must_use]
    pub fn of(appeal: &Appeal) -> Self {
        let ruling = appeal.ruling.as_ref();
        Self {
            appeal: appeal.id,
            filed: appeal.version,
            decided: ruling.map(|ruling| ruling.version),
            result: ruling.map(|ruling| ruling.result.as_str()),
            outcome: ruling.and_then(|ruling| ruling.outcome),
            stands: appeal.stands(),
            ended: appeal.ended_without_ruling(),
        }
    }

    /// What was ruled and where it stands, such as `allowed: refugee` or `withdrawn by version 12`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut parts = Vec::new();
        if let Some(result) = self.result {
            let outcome =
                self.outcome.map(|outcome| format!(": {}", gist::words(outcome.as_str())));
            parts.push(format!("{}{}", gist::words(result), outcome.unwrap_or_default()));
        }
        if self.stands != AppealStanding::Ruled {
            let by = self.ended.map(|version| format!(" by version {version}"));
            parts.push(format!("{}{}", self.stands.in_words(), by.unwrap_or_default()));
        }
        parts.join(", ")
    }
}

/// A decision on one card.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Card {
    /// The case.
    pub case: CaseId,
    /// Who decided, and when; the reasons are its fields `reasons` and `departure`.
    pub decided: Deed,
    /// The outcome.
    pub outcome: DecisionOutcome,
    /// The grounds of the Convention.
    pub grounds: Vec<&'static str>,
    /// What the engine had proposed.
    pub proposal: &'static str,
    /// Whether the decision departs from it.
    pub departs: bool,
    /// Whether it does so without a word, which no decision may (I10).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub departure_undeclared: bool,
    /// Who completed the assessment.
    pub assessed: Deed,
    /// Who agreed to it; the reason is its field `reason`.
    pub reviewed: Deed,
    /// What the review said.
    pub review: ReviewResult,
    /// The profile of guidance.
    pub profile: String,
    /// Its title, where the guidance is known.
    pub title: Option<String>,
    /// SHA-256 of the guidance.
    pub guidance: String,
    /// The engine's version.
    pub engine: String,
    /// The day whose guidance applied.
    pub as_of: WorldDate,
    /// What was sought.
    pub sought: &'static str,
    /// Criterion by criterion, in the order of the guidance.
    pub criteria: Vec<CriterionLine>,
    /// The criteria that could still have turned the outcome.
    pub open: Vec<String>,
    /// The criteria that stayed undetermined and did not matter.
    pub unresolved: Vec<String>,
    /// Every item of the case when the card was made.
    pub evidence: Vec<ShownItem>,
    /// How the decision was served.
    pub notified: Option<Notified>,
    /// The event that set it aside.
    pub set_aside: Option<Version>,
    /// The appeals against it.
    pub appeals: Vec<Appealed>,
}

impl Card {
    /// How the decision stands to the proposal.
    #[must_use]
    pub const fn follows_in_words(&self) -> &'static str {
        match (self.departs, self.departure_undeclared) {
            (false, _) => "the decision follows it",
            (true, false) => "the decision departs from it",
            (true, true) => "the decision departs from it and does not say so",
        }
    }
}

/// The cards of all decisions of a case, in order. The records are the case's, from version 1.
#[must_use]
pub fn cards(records: &[Recorded], known: Shelf<'_>) -> Vec<Card> {
    let whole = Case::fold(records);
    let mut so_far = Case::default();
    let mut cards = Vec::new();
    for record in records {
        if let Event::Decisions(decisions::Event::DecisionIssued(issued)) = &record.event {
            cards.extend(card(records, record, issued, (&so_far, &whole), known));
        }
        so_far.evolve(record);
    }
    cards
}

fn card(
    records: &[Recorded],
    record: &Recorded,
    issued: &DecisionIssued,
    (before, whole): (&Case, &Case),
    known: Shelf<'_>,
) -> Option<Card> {
    let at = |version: Version| {
        let index = usize::try_from(version.0.checked_sub(1)?).ok()?;
        records.get(index)
    };
    let completed = at(issued.assessment)?;
    let Event::Assessment(assessment::Event::AssessmentCompleted(assessment)) = &completed.event
    else {
        return None;
    };
    let reviewed = at(issued.review)?;
    let Event::Assessment(assessment::Event::AssessmentReviewed(review)) = &reviewed.event else {
        return None;
    };
    let guidance = known.find(&assessment.guidance);
    let decision = whole.decisions.all.iter().find(|one| one.version == record.envelope.version)?;
    Some(Card {
        case: record.envelope.case,
        decided: deed(record, issued.seen),
        outcome: issued.outcome,
        grounds: issued.grounds.iter().map(|ground| ground.as_str()).collect(),
        proposal: issued.proposal.as_str(),
        departs: issued.departs(),
        departure_undeclared: issued.departs() && issued.departure.is_none(),
        assessed: deed(completed, assessment.seen),
        reviewed: deed(reviewed, review.seen),
        review: review.result,
        profile: assessment.profile.as_str().to_owned(),
        title: guidance.map(|guidance| guidance.title().to_owned()),
        guidance: assessment.guidance.clone(),
        engine: assessment.engine.clone(),
        as_of: assessment.as_of.clone(),
        sought: assessment.sought.as_str(),
        criteria: criteria(assessment, issued, before.assessment.round()?, guidance),
        open: assessment.open.clone(),
        unresolved: issued.unresolved.iter().map(ToString::to_string).collect(),
        evidence: evidence(whole, issued.seen),
        notified: decision.notified.clone(),
        set_aside: decision.set_aside,
        appeals: appeals(whole, record.envelope.version),
    })
}

fn deed(record: &Recorded, seen: Option<Seen>) -> Deed {
    let envelope = &record.envelope;
    Deed {
        version: envelope.version,
        position: record.position,
        by: envelope.by.clone(),
        occurred: envelope.occurred.clone(),
        recorded: envelope.time,
        seen,
    }
}

/// The lines in the order of the guidance; without it, findings and nodes in the order of their ids.
fn criteria(
    assessment: &AssessmentCompleted,
    issued: &DecisionIssued,
    round: &Round,
    guidance: Option<&Guidance>,
) -> Vec<CriterionLine> {
    let value_of = |id: &str| {
        let found = assessment.findings.iter().find(|(criterion, _)| criterion.as_str() == id);
        let found = found.map(|(_, finding)| finding.value);
        found.or_else(|| assessment.derived.get(id).copied())
    };
    let line = |id: &str, title: &str, derived: bool, sources: Vec<String>| {
        let finding = round.findings.iter().find(|(criterion, _)| criterion.as_str() == id);
        Some(CriterionLine {
            id: id.to_owned(),
            title: title.to_owned(),
            value: value_of(id)?,
            derived,
            presumed: assessment.presumed.iter().any(|leaf| leaf == id),
            open: assessment.open.iter().any(|leaf| leaf == id),
            onus: issued.onus.iter().position(|onus| onus.criterion.as_str() == id),
            found: finding.map(|(_, finding)| Found {
                version: finding.version,
                by: finding.by.as_str().to_owned(),
                u_reason: finding.u_reason.map(UReason::as_str),
                evidence: [finding.evidence.as_slice(), &finding.country_info].concat(),
            }),
            sources,
        })
    };
    let Some(guidance) = guidance else {
        let leaves = assessment.findings.keys().map(|id| (id.as_str(), false));
        let nodes = assessment.derived.keys().map(|id| (id.as_str(), true));
        return leaves.chain(nodes).filter_map(|(id, node)| line(id, "", node, vec![])).collect();
    };
    let all = guidance.criteria().iter().filter_map(|criterion| {
        let sources = criterion.sources.iter().map(ToString::to_string).collect();
        let derived = matches!(criterion.kind, Kind::Node(_));
        line(&criterion.id, &criterion.title, derived, sources)
    });
    all.collect()
}

fn evidence(case: &Case, seen: Option<Seen>) -> Vec<ShownItem> {
    let items = case.evidence.items.iter();
    let mut items: Vec<_> = items
        .map(|(id, item)| ShownItem {
            evidence: *id,
            kind: item.kind,
            country_info: item.country_info,
            sha256: item.sha256.as_str().to_owned(),
            version: item.version,
            disclosed: item.disclosed,
            withdrawn: item.withdrawn,
            before: seen.map(|seen| {
                let there_by = |version: Version| version <= seen.version;
                there_by(item.version) && !item.withdrawn.is_some_and(there_by)
            }),
        })
        .collect();
    items.sort_by_key(|item| item.version);
    items
}

fn appeals(case: &Case, decision: Version) -> Vec<Appealed> {
    let against = case.appeals.all.iter().filter(|appeal| appeal.decision == decision);
    against.map(Appealed::of).collect()
}
