//! Items of evidence and country information: attached, translated, assessed, linked, disclosed,
//! withdrawn.

use guidance::Value;

use super::state::of_the_claimant;
use super::{Item, LinkState, State};
use crate::decide::Context;
use crate::personal::{Line, Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp};
use crate::token::{ActorId, Criterion, Language, MediaType, Sha256Hex};
use crate::vocabulary::{Authenticity, EvidenceKind, Polarity, ServiceMethod};
use crate::{EvidenceId, UploadId, WorldDate};

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
    /// The object of the inbox that holds the file. Where it is given, the command is accepted
    /// only after the file was checked against digest and size and is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadId>,
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
    /// The object of the inbox that holds the document. Where it is given, the command is
    /// accepted only after the document was checked against digest and size and is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadId>,
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

/// Adds a translation of an item. The item itself stays what it is.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Translate {
    /// The item.
    pub evidence: EvidenceId,
    /// The language of the translation.
    pub language: Language,
    /// SHA-256 of the translation's bytes.
    pub sha256: Sha256Hex,
    /// The translation's size in bytes.
    pub size: u64,
    /// The translation's media type.
    pub media_type: MediaType,
    /// Who translated, by the id under which they act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translator: Option<ActorId>,
}

/// Withdraws an item: it stays in the record, and nothing new may rest on it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The item.
    pub evidence: EvidenceId,
    /// Why.
    pub reason: Personal<Words>,
}

/// Records that country information was disclosed to the claimant, so that it can be answered (I8).
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DiscloseCountryInfo {
    /// The items.
    pub evidence: Vec<EvidenceId>,
    /// How.
    pub method: ServiceMethod,
    /// In which language.
    pub language: Language,
}

/// I8: the country information that was not disclosed to the claimant and had to be.
pub(crate) fn undisclosed(case: &Case, context: &Context<'_>) -> Vec<EvidenceId> {
    let all = to_be_disclosed(case, context);
    all.filter(|(_, item)| item.disclosed.is_none()).map(|(id, _)| *id).collect()
}

/// I8: when the country information that had to be was disclosed to the claimant.
pub(crate) fn disclosed_on<'a>(
    case: &'a Case,
    context: &Context<'_>,
) -> impl Iterator<Item = &'a WorldDate> {
    to_be_disclosed(case, context).filter_map(|(_, item)| item.disclosed_on.as_ref())
}

/// The country information on which the findings of the current round rest, or that was linked to a criterion
/// against the claimant.
fn to_be_disclosed<'a>(
    case: &'a Case,
    context: &Context<'_>,
) -> impl Iterator<Item = (&'a EvidenceId, &'a Item)> {
    let against = |item: &Item| {
        item.links.iter().any(|link| Some(link.polarity) == against(case, &link.criterion, context))
    };
    let held = case.evidence.items.iter().filter(|(_, item)| item.withdrawn.is_none());
    let linked = held.filter(|(_, item)| against(item)).map(|(id, _)| *id);
    let mut all = relied_on_now(case);
    all.extend(linked);
    let items = case.evidence.items.iter();
    items.filter(move |(id, item)| item.to_be_disclosed() && all.contains(id))
}

/// How an item stands to a criterion that is against the claimant: what supports that they are excluded,
/// or find protection at home, is; and what undermines anything else.
fn against(case: &Case, criterion: &Criterion, context: &Context<'_>) -> Option<Polarity> {
    Some(match context.law.adverse(case, criterion).ok()? {
        Value::Met => Polarity::Supports,
        Value::NotMet | Value::Undetermined => Polarity::Undermines,
    })
}

/// The withdrawn items on which findings of the current round still rest.
pub(crate) fn withdrawn_but_relied_on(case: &Case) -> Vec<EvidenceId> {
    let gone =
        |id: &EvidenceId| case.evidence.items.get(id).is_some_and(|item| item.withdrawn.is_some());
    relied_on_now(case).into_iter().filter(gone).collect()
}

fn relied_on_now(case: &Case) -> std::collections::BTreeSet<EvidenceId> {
    let findings = case.assessment.round().into_iter().flat_map(|round| round.findings.values());
    findings
        .flat_map(|finding| finding.evidence.iter().chain(&finding.country_info))
        .copied()
        .collect()
}

pub(super) fn link(case: &Case, link: &Link, context: &Context<'_>) -> Result<(), Rejection> {
    let item = case.evidence.relied_on(link.evidence)?;
    // I21
    let against = against(case, &link.criterion, context);
    if item.kind == EvidenceKind::IrregularEntry && Some(link.polarity) == against {
        return super::entry_undermines(link.criterion.as_str());
    }
    context.law.known_criterion(case, &link.criterion)
}

/// What the claimant's side brought, it alone withdraws; and so the authority.
pub(super) fn withdraw(
    case: &Case,
    withdrawn: &Withdraw,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let item = case.evidence.relied_on(withdrawn.evidence)?;
    if item.of_the_claimant() != of_the_claimant(context.by.role) {
        return refuse(
            Code::NotYoursToWithdraw,
            format!(
                "{} was brought by the other side, which alone may withdraw it",
                withdrawn.evidence
            ),
        );
    }
    Ok(())
}

pub(super) fn disclose(case: &Case, disclosed: &DiscloseCountryInfo) -> Result<(), Rejection> {
    if disclosed.evidence.is_empty() {
        return refuse(Code::NotCountryInfo, "evidence names no item");
    }
    disclosed.evidence.iter().try_for_each(|id| {
        if case.evidence.relied_on(*id)?.to_be_disclosed() { Ok(()) } else { no_country_info(*id) }
    })
}

/// An item that may be relied on as country information.
pub(crate) fn country_info(case: &Case, id: EvidenceId) -> Result<(), Rejection> {
    if case.evidence.relied_on(id)?.country_info {
        return Ok(());
    }
    no_country_info(id)
}

fn no_country_info(id: EvidenceId) -> Result<(), Rejection> {
    refuse(
        Code::NotCountryInfo,
        format!("{id} is no country information; attach it with evidence.attach-country-info"),
    )
}

pub(super) fn attached(state: &mut State, item: &Attach, stamp: &Stamp<'_>) {
    let fresh = fresh(item.kind, &item.sha256, stamp);
    let kept = Item { upload: item.upload, size: item.upload.map(|_| item.size), ..fresh };
    state.items.insert(item.evidence, kept);
}

pub(super) fn country_info_attached(
    state: &mut State,
    info: &AttachCountryInfo,
    stamp: &Stamp<'_>,
) {
    let fresh = Item { country_info: true, ..fresh(EvidenceKind::Coi, &info.sha256, stamp) };
    let kept = Item { upload: info.upload, size: info.upload.map(|_| info.size), ..fresh };
    state.items.insert(info.evidence, kept);
}

fn fresh(kind: EvidenceKind, sha256: &Sha256Hex, stamp: &Stamp<'_>) -> Item {
    Item {
        kind,
        sha256: sha256.clone(),
        upload: None,
        size: None,
        version: stamp.version,
        by: stamp.by.id.clone(),
        role: stamp.by.role,
        country_info: false,
        authenticity: None,
        translations: Vec::new(),
        links: Vec::new(),
        disclosed: None,
        disclosed_on: None,
        withdrawn: None,
    }
}

pub(super) fn linked(state: &mut State, link: &Link, stamp: &Stamp<'_>) {
    if let Some(item) = state.items.get_mut(&link.evidence) {
        item.links.push(LinkState {
            criterion: link.criterion.clone(),
            polarity: link.polarity,
            version: stamp.version,
        });
    }
}

pub(super) fn disclosed(state: &mut State, disclosed: &DiscloseCountryInfo, stamp: &Stamp<'_>) {
    for id in &disclosed.evidence {
        if let Some(item) = state.items.get_mut(id) {
            item.disclosed.get_or_insert(stamp.version);
            item.disclosed_on.get_or_insert_with(|| stamp.occurred.clone());
        }
    }
}
