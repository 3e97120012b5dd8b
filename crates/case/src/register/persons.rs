//! Persons: which ids are one person. A merge is always reversible and copies no record: cases go on
//! naming the id that they named.

use super::State;
use crate::decide::Context;
use crate::personal::{Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, need};
use crate::token::ActorId;
use crate::vocabulary::PersonMatch;
use crate::{MergeId, PersonId, Version};

/// Links two persons: they may be one, or they are alike and were found to be two.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct LinkPersons {
    /// The one.
    pub one: PersonId,
    /// The other.
    pub other: PersonId,
    /// What is held of them.
    pub result: PersonMatch,
    /// Why.
    pub reason: Personal<Words>,
}

/// Merges a person into another: from now on both ids mean one person. Nothing is copied and
/// nothing is lost; [`ReverseMerge`] undoes it. Who asks is the actor; somebody else approves.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct MergePersons {
    /// The merge's id, chosen by the sender.
    pub merge: MergeId,
    /// The id that is no longer led.
    pub from: PersonId,
    /// The id that is.
    pub into: PersonId,
    /// Why they are one person.
    pub reason: Personal<Words>,
    /// Who approved; not the one who asks.
    pub approver: ActorId,
}

/// Reverses a merge: the two are two again, and each case belongs to whom it named.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ReverseMerge {
    /// The merge.
    pub merge: MergeId,
    /// Why it was wrong.
    pub reason: Personal<Words>,
}

/// What the register knows of a link.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct PersonLink {
    /// The one.
    pub one: PersonId,
    /// The other.
    pub other: PersonId,
    /// What is held of them.
    pub result: PersonMatch,
    /// The event.
    pub version: Version,
}

/// What the register knows of a merge.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Merge {
    /// Its id.
    pub merge: MergeId,
    /// The id that is no longer led.
    pub from: PersonId,
    /// The id that is.
    pub into: PersonId,
    /// The event that merged them.
    pub version: Version,
    /// The event that reversed it.
    pub reversed: Option<Version>,
}

impl Merge {
    /// The event that changed it last.
    #[must_use]
    pub fn changed(&self) -> Version {
        self.reversed.unwrap_or(self.version)
    }
}

impl State {
    /// The id that leads, through all merges that hold.
    #[must_use]
    pub fn leading(&self, person: PersonId) -> PersonId {
        let next =
            |id| self.merges.iter().find(|merge| merge.reversed.is_none() && merge.from == id);
        let mut leading = person;
        // An id is merged into another at most once at a time and never into its own, so the way
        // ends; the bound only says so to the reader.
        for _ in 0..=self.merges.len() {
            match next(leading) {
                Some(merge) => leading = merge.into,
                None => break,
            }
        }
        leading
    }

    /// All ids that mean the same person, the leading one first.
    #[must_use]
    pub fn same_person(&self, person: PersonId) -> Vec<PersonId> {
        let leading = self.leading(person);
        let mut ids = vec![leading];
        for merge in &self.merges {
            if self.leading(merge.from) == leading && !ids.contains(&merge.from) {
                ids.push(merge.from);
            }
        }
        ids
    }

    /// What was held last of two persons, or of ids that mean them.
    fn held_of(&self, one: PersonId, other: PersonId) -> Option<&PersonLink> {
        let (one, other) = (self.leading(one), self.leading(other));
        self.links.iter().rev().find(|link| {
            let (a, b) = (self.leading(link.one), self.leading(link.other));
            (a, b) == (one, other) || (b, a) == (one, other)
        })
    }
}

pub(super) fn link(case: &Case, link: &LinkPersons) -> Result<(), Rejection> {
    if case.register.leading(link.one) == case.register.leading(link.other) {
        return refuse(Code::SamePerson, "both ids mean one person already");
    }
    Ok(())
}

pub(super) fn merge(
    case: &Case,
    merge: &MergePersons,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let register = &case.register;
    if register.merges.iter().any(|known| known.merge == merge.merge) {
        return refuse(Code::MergeExists, "the id names a merge already; choose a new one");
    }
    if register.leading(merge.from) == register.leading(merge.into) {
        return refuse(Code::SamePerson, "both ids mean one person already");
    }
    if register.leading(merge.from) != merge.from {
        return refuse(
            Code::SamePerson,
            format!(
                "{} was merged already; merge the leading id {}, or reverse that merge first",
                merge.from,
                register.leading(merge.from)
            ),
        );
    }
    if let Some(link) = register.held_of(merge.from, merge.into)
        && link.result == PersonMatch::Distinct
    {
        return refuse(
            Code::DistinctPersons,
            format!("version {} found that they are two; link them anew first", link.version),
        );
    }
    if merge.approver == context.by.id {
        return refuse(Code::ApproverUnfit, "who asks does not approve: another person must");
    }
    Ok(())
}

pub(super) fn reverse(case: &Case, reversed: &ReverseMerge) -> Result<(), Rejection> {
    let found = case.register.merges.iter().find(|merge| merge.merge == reversed.merge);
    let merge =
        need(found, Code::UnknownMerge, &format!("the register has no merge {}", reversed.merge))?;
    match merge.reversed {
        None => Ok(()),
        Some(version) => {
            refuse(Code::MergeReversed, format!("the merge was reversed at version {version}"))
        }
    }
}
