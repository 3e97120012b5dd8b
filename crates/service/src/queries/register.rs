//! `tebessa.query.register`, `.person` and `.family`: what crosses cases.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use case::intake::FamilyMember;
use case::vocabulary::FamilyRelation;
use case::{CaseId, PersonId, Summary, Version, register};

use super::MOST_REPLY_BYTES;
use crate::access::{View, Viewed, Viewer};
use crate::cases::load;
use crate::node::Node;
use crate::reply::Failure;
use crate::summaries::visit_summaries;

/// Asks for the authority's register.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RegisterQuery {
    /// Only what was recorded behind this version, and what was known before and reversed, retired or
    /// enrolled again behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Version>,
}

/// The authority's register, or a page of it. It holds no words; the history of its id shows them.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct RegisterReply {
    /// Its id, to which its commands go and under which its history is read.
    pub register: CaseId,
    /// How many events it has.
    pub version: Version,
    /// What it knows, of a page only the entries whose last event is on it: a merge that was reversed is on
    /// the page of its reversal. Who goes through all pages has each entry once; one that changes meanwhile
    /// comes again.
    pub state: register::State,
    /// Where to go on with `after`; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Version>,
}

/// Asks which claims a person has, through all merges that hold.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PersonQuery {
    /// The person, by any of the ids that mean them.
    pub person: PersonId,
}

/// A person's claims.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct PersonReply {
    /// The id that leads.
    pub person: PersonId,
    /// All ids that mean the person, the leading one first.
    pub ids: Vec<PersonId>,
    /// The claims, each as it names the person; the one that was recorded first before the others.
    pub claims: Vec<Summary>,
    /// The journal's position that the answer takes into account.
    pub position: u64,
}

/// Asks which claims are linked with a case as family, in both directions.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct FamilyQuery {
    /// The case.
    pub case: CaseId,
    /// Who asks; recorded in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewer: Option<Viewer>,
}

/// A link from one case to another.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FamilyLink {
    /// The other case.
    pub case: CaseId,
    /// How its claimant stands to the claimant of the case that links.
    pub relation: FamilyRelation,
    /// The event in the case that links.
    pub version: Version,
}

/// The family of a case.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FamilyReply {
    /// The case.
    pub case: CaseId,
    /// The claims that it links.
    pub links: Vec<FamilyLink>,
    /// The claims that link it. `relation` says how this claimant stands to theirs.
    pub linked_by: Vec<FamilyLink>,
    /// The journal's position that the answer takes into account.
    pub position: u64,
}

/// The register as it stands; empty before its first event.
pub(crate) fn state(node: &Node) -> Result<(Version, register::State), Failure> {
    let folded = load(node.journal(), node.register(), None)?;
    Ok((folded.version, folded.register))
}

/// A page ends where the message would grow too long.
pub(crate) fn register(node: &Node, query: &RegisterQuery) -> Result<RegisterReply, Failure> {
    let (version, whole) = state(node)?;
    let after = query.after.unwrap_or_default();
    let entries = entry_lengths(&whole).map_err(|error| Failure::because(&error))?;
    let next = page_end(entries.into_iter().filter(|(version, _)| *version > after));
    let state = whole.between(after, next.unwrap_or(version));
    Ok(RegisterReply { register: node.register(), version, state, next })
}

/// How many bytes each entry takes, by the event that changed it last and in that order.
fn entry_lengths(state: &register::State) -> Result<BTreeMap<Version, usize>, serde_json::Error> {
    fn length(entry: &impl serde::Serialize) -> Result<usize, serde_json::Error> {
        serde_json::to_vec(entry).map(|bytes| bytes.len() + 1)
    }
    let mut lengths = BTreeMap::new();
    for link in &state.links {
        lengths.insert(link.version, length(link)?);
    }
    for merge in &state.merges {
        lengths.insert(merge.changed(), length(merge)?);
    }
    for published in &state.guidance {
        lengths.insert(published.changed(), length(published)?);
    }
    for officer in &state.officers {
        lengths.insert(officer.1.changed(), length(&officer)?);
    }
    Ok(lengths)
}

/// The last version that a page takes in, if there are more.
fn page_end(entries: impl Iterator<Item = (Version, usize)>) -> Option<Version> {
    // For what stands around the entries.
    let mut length = 1_000;
    let mut last = None;
    for (version, more) in entries {
        length += more;
        if length > MOST_REPLY_BYTES && last.is_some() {
            return last;
        }
        last = Some(version);
    }
    None
}

pub(crate) fn person(node: &Node, query: &PersonQuery) -> Result<PersonReply, Failure> {
    let (claims, position) = claims_of(node, query.person)?;
    let ids = node.same_person(query.person)?;
    let person = ids.first().copied().unwrap_or(query.person);
    Ok(PersonReply { person, ids, claims, position })
}

/// The claims of a person through all merges that hold, from the index, and the position that it has
/// reached.
pub(super) fn claims_of(node: &Node, person: PersonId) -> Result<(Vec<Summary>, u64), Failure> {
    let ids = node.same_person(person)?;
    matching(node, |summary| summary.person.is_some_and(|person| ids.contains(&person)))
}

pub(crate) fn family(node: &Node, query: &FamilyQuery) -> Result<FamilyReply, Failure> {
    node.no_register(query.case)?;
    let case = load(node.journal(), query.case, None)?;
    if case.id.is_none() {
        return Err(Failure::no_case(query.case));
    }
    let links = case.intake.family.iter().map(|member| link(member.own_claim, member)).collect();
    let (others, position) = matching(node, |summary| summary.family.contains(&query.case))?;
    let mut linked_by = Vec::new();
    for other in others {
        let folded = load(node.journal(), other.case, None)?;
        let back = folded.intake.family.iter().filter(|member| member.own_claim == query.case);
        linked_by.extend(back.map(|member| link(other.case, member)));
    }
    node.access().record_blocking(Viewed::unopened(
        View::Family,
        query.case,
        query.viewer.clone(),
    ))?;
    Ok(FamilyReply { case: query.case, links, linked_by, position })
}

fn link(case: CaseId, member: &FamilyMember) -> FamilyLink {
    FamilyLink { case, relation: member.relation, version: member.version }
}

/// The summaries that fit, from the index, and the position that it has reached.
fn matching(node: &Node, fits: impl Fn(&Summary) -> bool) -> Result<(Vec<Summary>, u64), Failure> {
    let position = node.journal().index_position().0;
    let mut found = Vec::new();
    visit_summaries(node.journal(), None, &mut |_, summary| {
        found.extend(Some(summary).filter(&fits));
        ControlFlow::Continue(())
    })?;
    Ok((found, position))
}
