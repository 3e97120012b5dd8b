//! Evidence: items and country information are attached, assessed and linked; facts are found.
//!
//! Evidence never votes: a link says which way an item points, and people make the findings.

use std::collections::BTreeMap;

use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::personal::{Line, Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp};
use crate::token::{ActorId, Criterion, Language, MediaType, Sha256Hex};
use crate::vocabulary::{Authenticity, EvidenceKind, FactCode, FactValue, Polarity, Standard};
use crate::{EvidenceId, Version, WorldDate};

/// Attaches an item of evidence by its digest.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    /// The item's id, chosen by the sender.
    pub evidence: EvidenceId,
    /// What kind of thing it is.
    pub kind: EvidenceKind,
    /// Who or what it comes from.
    pub source: Personal<Line>,
    /// The language it is in.
    pub language: Language,
    /// SHA-256 of the file's bytes.
    pub sha256: Sha256Hex,
    /// The file's size in bytes.
    pub size: u64,
    /// The file's media type.
    pub media_type: MediaType,
    /// The date that the item bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<WorldDate>,
    /// How it was obtained, and what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<Words>>,
}

/// Attaches country-of-origin information with its dates.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AttachCountryInfo {
    /// The item's id, chosen by the sender.
    pub evidence: EvidenceId,
    /// Title and publisher. Sealed, because a title names a country.
    pub source: Personal<Line>,
    /// When it was published.
    pub published: WorldDate,
    /// From when on what it says holds.
    pub valid_from: WorldDate,
    /// Until when it may be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<WorldDate>,
    /// The language it is in.
    pub language: Language,
    /// SHA-256 of the document's bytes.
    pub sha256: Sha256Hex,
    /// The document's size in bytes.
    pub size: u64,
    /// The document's media type.
    pub media_type: MediaType,
}

/// Says whether an item is what it claims to be.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AssessAuthenticity {
    /// The item.
    pub evidence: EvidenceId,
    /// The result.
    pub result: Authenticity,
    /// Why.
    pub reason: Personal<Words>,
}

/// Links an item to a criterion.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The item.
    pub evidence: EvidenceId,
    /// The criterion on which it bears.
    pub criterion: Criterion,
    /// Which way it points.
    pub polarity: Polarity,
    /// Why, and with what weight.
    pub reason: Personal<Words>,
}

/// Finds a fact to which findings and presumptions refer. Found again, the newer one holds and
/// the older stays in the history.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FindFact {
    /// Which fact.
    pub fact: FactCode,
    /// Its value.
    pub value: FactValue,
    /// The standard of proof applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<Standard>,
    /// Why.
    pub reason: Personal<Words>,
}

commands! {
    service "evidence" as Evidence;
    Attach = "attach", "Attaches an item of evidence by its digest.",
        by [Applicant, Representative, Registrar, Interviewer, Caseworker],
        personal [("source", Line), ("description", Words)];
    AttachCountryInfo = "attach-country-info", "Attaches country information with its dates.",
        by [CoiResearcher, Caseworker],
        personal [("source", Line)];
    AssessAuthenticity = "assess-authenticity", "Says whether an item is what it claims to be.",
        by [Caseworker],
        personal [("reason", Words)];
    Link = "link", "Links an item to a criterion.",
        by [Caseworker],
        personal [("reason", Words)];
    FindFact = "find-fact", "Finds a fact to which findings and presumptions refer.",
        by [Caseworker],
        personal [("reason", Words)];
}

/// An item was attached.
pub type Attached = Attach;
/// Country information was attached.
pub type CountryInfoAttached = AttachCountryInfo;
/// An item's authenticity was assessed.
pub type AuthenticityAssessed = AssessAuthenticity;
/// An item was linked to a criterion.
pub type Linked = Link;
/// A fact was found.
pub type FactFound = FindFact;

events! {
    service "evidence" as Evidence;
    Attached = "attached", "An item of evidence was attached.";
    CountryInfoAttached = "country-info-attached", "Country information was attached.";
    AuthenticityAssessed = "authenticity-assessed", "An item's authenticity was assessed.";
    Linked = "linked", "An item was linked to a criterion.";
    FactFound = "fact-found", "A fact was found.";
}

/// A link between an item and a criterion.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LinkState {
    /// The criterion.
    pub criterion: Criterion,
    /// Which way the item points.
    pub polarity: Polarity,
    /// The event that linked them.
    pub version: Version,
}

/// What a case knows of an item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// What kind of thing it is.
    pub kind: EvidenceKind,
    /// SHA-256 of its bytes.
    pub sha256: Sha256Hex,
    /// The event that attached it.
    pub version: Version,
    /// Whether it is country information attached as such.
    pub country_info: bool,
    /// What was said last of its authenticity.
    pub authenticity: Option<Authenticity>,
    /// Its links.
    pub links: Vec<LinkState>,
}

/// What a case knows of a fact.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fact {
    /// Its value.
    pub value: FactValue,
    /// The event that found it.
    pub version: Version,
    /// Who found it.
    pub by: ActorId,
}

/// What the evidence service knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct State {
    /// The items by id.
    pub items: BTreeMap<EvidenceId, Item>,
    /// The facts by code; the newest of each.
    pub facts: BTreeMap<FactCode, Fact>,
}

impl State {
    /// An item, or the refusal that there is none.
    pub(crate) fn item(&self, id: EvidenceId) -> Result<&Item, Rejection> {
        self.items.get(&id).ok_or_else(|| {
            Rejection::new(Code::UnknownEvidence, format!("the case has no evidence {id}"))
        })
    }

    /// An item on which something may rest.
    pub(crate) fn relied_on(&self, id: EvidenceId) -> Result<&Item, Rejection> {
        self.item(id)
    }

    fn fresh(&self, id: EvidenceId) -> Result<(), Rejection> {
        if self.items.contains_key(&id) {
            return refuse(
                Code::EvidenceExists,
                format!("{id} names an item already; nothing is overwritten, choose a new id"),
            );
        }
        Ok(())
    }
}

/// Decides a command of evidence.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    case.open()?;
    match command {
        Command::Attach(item) => {
            case.evidence.fresh(item.evidence)?;
            Ok(Event::Attached(item.clone()))
        }
        Command::AttachCountryInfo(info) => {
            case.evidence.fresh(info.evidence)?;
            Ok(Event::CountryInfoAttached(info.clone()))
        }
        Command::AssessAuthenticity(assessed) => {
            case.evidence.item(assessed.evidence)?;
            Ok(Event::AuthenticityAssessed(assessed.clone()))
        }
        Command::Link(link) => {
            case.evidence.item(link.evidence)?;
            context.law.known_criterion(case, &link.criterion)?;
            Ok(Event::Linked(link.clone()))
        }
        Command::FindFact(found) => find_fact(case, found, context),
    }
}

fn find_fact(case: &Case, found: &FindFact, context: &Context<'_>) -> Result<Event, Rejection> {
    case.undecided()?;
    case.assessment.may_assess(context.by)?;
    let values = found.fact.values();
    if !values.contains(&found.value) {
        let names: Vec<_> = values.iter().map(|value| value.as_str()).collect();
        return refuse(
            Code::FactValueUnfit,
            format!("the fact {} is one of: {}", found.fact, names.join(", ")),
        );
    }
    Ok(Event::FactFound(Box::new(found.clone())))
}

/// Applies an event of evidence.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    match event {
        Event::Attached(item) => add(case, item.evidence, item.kind, &item.sha256, stamp, false),
        Event::CountryInfoAttached(info) => {
            add(case, info.evidence, EvidenceKind::Coi, &info.sha256, stamp, true);
        }
        Event::AuthenticityAssessed(assessed) => {
            if let Some(item) = case.evidence.items.get_mut(&assessed.evidence) {
                item.authenticity = Some(assessed.result);
            }
        }
        Event::Linked(link) => {
            if let Some(item) = case.evidence.items.get_mut(&link.evidence) {
                item.links.push(LinkState {
                    criterion: link.criterion.clone(),
                    polarity: link.polarity,
                    version: stamp.version,
                });
            }
        }
        Event::FactFound(found) => {
            let fact = Fact { value: found.value, version: stamp.version, by: stamp.by.id.clone() };
            case.evidence.facts.insert(found.fact, fact);
            case.assessment.took_part(stamp.by);
        }
    }
    // I7: what is newer than a completed assessment voids its completion. After the decision it
    // belongs to the appeal.
    if case.decisions.standing().is_none() {
        case.assessment.void(stamp.version);
    }
}

fn add(
    case: &mut Case,
    id: EvidenceId,
    kind: EvidenceKind,
    sha256: &Sha256Hex,
    stamp: &Stamp<'_>,
    country_info: bool,
) {
    case.evidence.items.insert(
        id,
        Item {
            kind,
            sha256: sha256.clone(),
            version: stamp.version,
            country_info,
            authenticity: None,
            links: Vec::new(),
        },
    );
}
