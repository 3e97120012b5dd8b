//! What the evidence service knows of a case. It holds no words, not even sealed ones.

use std::collections::BTreeMap;

use crate::rejection::{Code, Rejection, refuse};
use crate::token::{ActorId, Criterion, Sha256Hex};
use crate::vocabulary::{
    Authenticity, EvidenceKind, Excuse, FactCode, FactValue, InterviewStage, Polarity, Role,
};
use crate::{EvidenceId, InterviewId, UploadId, Version, WorldDate, gist};

/// A link between an item and a criterion.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LinkState {
    /// The criterion.
    pub criterion: Criterion,
    /// Which way the item points.
    pub polarity: Polarity,
    /// The event that linked them.
    pub version: Version,
}

/// What a case knows of an item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Item {
    /// What kind of thing it is.
    pub kind: EvidenceKind,
    /// SHA-256 of its bytes.
    pub sha256: Sha256Hex,
    /// The upload with which its file came, if the file itself is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadId>,
    /// The size of that file in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The event that attached it.
    pub version: Version,
    /// Who attached it.
    pub by: ActorId,
    /// In which capacity.
    pub role: Role,
    /// Whether it is country information attached as such.
    pub country_info: bool,
    /// What was said last of its authenticity.
    pub authenticity: Option<Authenticity>,
    /// The events that added translations.
    pub translations: Vec<Version>,
    /// Its links.
    pub links: Vec<LinkState>,
    /// The event by which it was disclosed to the claimant, if it is country information.
    pub disclosed: Option<Version>,
    /// When that was, in the world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disclosed_on: Option<WorldDate>,
    /// The event by which it was withdrawn.
    pub withdrawn: Option<Version>,
}

/// Whether a role is the claimant's side.
pub(super) const fn of_the_claimant(role: Role) -> bool {
    matches!(role, Role::Applicant | Role::Representative)
}

impl Item {
    /// What it is and what became of it, such as `summons, genuine, supports C2.3, withdrawn by version 6`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let kind = if self.country_info { "country information" } else { self.kind.as_str() };
        let authenticity = self.authenticity.map_or("not assessed", Authenticity::as_str);
        let mut text = format!("{}, {}", gist::words(kind), gist::words(authenticity));
        for link in &self.links {
            text = format!("{text}, {} {}", link.polarity, link.criterion);
        }
        for (what, by) in [("disclosed", self.disclosed), ("withdrawn", self.withdrawn)] {
            if let Some(by) = by {
                text = format!("{text}, {what} by version {by}");
            }
        }
        text
    }

    /// Whether the claimant's side brought it.
    pub(super) const fn of_the_claimant(&self) -> bool {
        of_the_claimant(self.role)
    }

    /// I8: whether it is country information that the claimant's side does not know of itself, by
    /// whichever command it was attached.
    pub(super) fn to_be_disclosed(&self) -> bool {
        self.country_info || (self.kind == EvidenceKind::Coi && !self.of_the_claimant())
    }
}

/// What a case knows of a fact.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Fact {
    /// Its value.
    pub value: FactValue,
    /// The event that found it.
    pub version: Version,
    /// Who found it.
    pub by: ActorId,
}

/// What a case knows of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Transcript {
    /// SHA-256 of its bytes.
    pub sha256: Sha256Hex,
    /// The event that served it.
    pub served: Version,
    /// The events that corrected it.
    pub corrected: Vec<Version>,
}

/// What a case knows of an interview.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Interview {
    /// The event that brought it where it stands.
    pub version: Version,
    /// When it is to be held, or was held.
    pub at: WorldDate,
    /// Where it stands.
    pub stage: InterviewStage,
    /// Who held it.
    pub held_by: Option<ActorId>,
    /// Who interpreted, and who accompanied the claimant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<ActorId>,
    /// The excuse of a claimant who did not come.
    pub excuse: Option<Excuse>,
    /// The transcript, once it is served.
    pub transcript: Option<Transcript>,
}

/// What the evidence service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// The items by id.
    pub items: BTreeMap<EvidenceId, Item>,
    /// The facts by code; the newest of each.
    pub facts: BTreeMap<FactCode, Fact>,
    /// The interviews.
    pub interviews: BTreeMap<InterviewId, Interview>,
}

impl State {
    /// An item, or the refusal that there is none.
    pub(crate) fn item(&self, id: EvidenceId) -> Result<&Item, Rejection> {
        self.items.get(&id).ok_or_else(|| {
            Rejection::new(Code::UnknownEvidence, format!("the case has no evidence {id}"))
        })
    }

    /// An item on which something may rest: one that was not withdrawn.
    pub(crate) fn relied_on(&self, id: EvidenceId) -> Result<&Item, Rejection> {
        let item = self.item(id)?;
        if let Some(withdrawn) = item.withdrawn {
            return refuse(
                Code::EvidenceWithdrawn,
                format!("{id} was withdrawn at version {withdrawn}; nothing new may rest on it"),
            );
        }
        Ok(item)
    }

    pub(super) fn fresh(&self, id: EvidenceId) -> Result<(), Rejection> {
        if self.items.contains_key(&id) {
            return refuse(
                Code::EvidenceExists,
                format!("{id} names an item already; nothing is overwritten, choose a new id"),
            );
        }
        Ok(())
    }
}
