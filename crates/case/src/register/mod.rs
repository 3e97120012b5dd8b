//! The authority's register: what concerns no single case. Persons are linked, merged and un-merged;
//! guidance is published and retired; officers come and go.
//!
//! It is a stream of its own, of the same shape as a case, and its id follows from the authority's
//! name. No rule of a case looks into it, so that a case can be decided and replayed alone.

mod persons;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

pub use self::persons::{LinkPersons, Merge, MergePersons, PersonLink, ReverseMerge};
use crate::catalogue::{commands, events};
use crate::decide::Context;
use crate::personal::{Line, Personal, Words};
use crate::rejection::{Code, Rejection, refuse};
use crate::state::{Case, Stamp, need};
use crate::token::{ActorId, GuidanceId, ProfileName};
use crate::vocabulary::Role;
use crate::{CaseId, KeyId, Version, WorldDate};

/// The id of an authority's register: a `UUIDv8` of the first 16 bytes of
/// SHA-256("tebessa/register/v1/" and the authority's name).
#[must_use]
pub fn id_of(authority: &str) -> CaseId {
    let mut hash = Sha256::new();
    hash.update(b"tebessa/register/v1/");
    hash.update(authority.as_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    CaseId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Publishes guidance: the authority adopts a version for its assessments.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct PublishGuidance {
    /// SHA-256 of the guidance file, as `sha256:` and 64 hexadecimal digits.
    pub guidance: GuidanceId,
    /// Its profile.
    pub profile: ProfileName,
    /// From when on it is applied.
    pub effective_from: WorldDate,
    /// What led to it.
    pub reason: Personal<Words>,
}

/// Retires guidance: it is applied to no new assessment. Replay goes on using it.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RetireGuidance {
    /// SHA-256 of the guidance file.
    pub guidance: GuidanceId,
    /// From when on it is no longer applied.
    pub retired_from: WorldDate,
    /// Why.
    pub reason: Personal<Words>,
}

/// Enrols an officer, or changes the roles of one.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct EnrolOfficer {
    /// The id under which the officer acts.
    pub officer: ActorId,
    /// In which capacities.
    pub roles: Vec<Role>,
    /// The officer's name and post.
    pub name: Personal<Line>,
}

/// Retires an officer. What the officer did stays what it is.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RetireOfficer {
    /// The officer.
    pub officer: ActorId,
    /// Why.
    pub reason: Personal<Words>,
}

commands! {
    service "registry" as Register;
    LinkPersons = "link-persons", "Links two persons of the register.",
        by [Registrar, Registry], personal [("reason", Words)];
    MergePersons = "merge-persons", "Merges a person into another, reversibly.",
        by [Registrar, Registry], personal [("reason", Words)];
    ReverseMerge = "reverse-merge", "Reverses a merge of persons.",
        by [Registrar, Registry, Dpo], personal [("reason", Words)];
    PublishGuidance = "publish-guidance", "Publishes guidance: the authority adopts a version.",
        by [Registry], personal [("reason", Words)];
    RetireGuidance = "retire-guidance", "Retires guidance.",
        by [Registry], personal [("reason", Words)];
    EnrolOfficer = "enrol-officer", "Enrols an officer, or changes the roles of one.",
        by [Registry], personal [("name", Line)];
    RetireOfficer = "retire-officer", "Retires an officer.",
        by [Registry], personal [("reason", Words)];
}

/// Two persons were linked.
pub type PersonsLinked = LinkPersons;
/// A person was merged into another.
pub type PersonsMerged = MergePersons;
/// A merge was reversed.
pub type MergeReversed = ReverseMerge;
/// Guidance was published.
pub type GuidancePublished = PublishGuidance;
/// Guidance was retired.
pub type GuidanceRetired = RetireGuidance;
/// An officer was enrolled.
pub type OfficerEnrolled = EnrolOfficer;
/// An officer was retired.
pub type OfficerRetired = RetireOfficer;

events! {
    service "register" as Register;
    PersonsLinked = "persons-linked", "Two persons were linked.";
    PersonsMerged = "persons-merged", "A person was merged into another.";
    MergeReversed = "merge-reversed", "A merge was reversed.";
    GuidancePublished = "guidance-published", "Guidance was published.";
    GuidanceRetired = "guidance-retired", "Guidance was retired.";
    OfficerEnrolled = "officer-enrolled", "An officer was enrolled.";
    OfficerRetired = "officer-retired", "An officer was retired.";
}

/// What the register knows of published guidance.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Published {
    /// SHA-256 of the guidance file.
    pub guidance: GuidanceId,
    /// Its profile.
    pub profile: ProfileName,
    /// From when on it is applied.
    pub effective_from: WorldDate,
    /// From when on it is no longer applied.
    pub retired_from: Option<WorldDate>,
    /// The event that published it.
    pub version: Version,
    /// The event that retired it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Version>,
}

impl Published {
    /// The event that changed it last.
    #[must_use]
    pub fn changed(&self) -> Version {
        self.retired.unwrap_or(self.version)
    }
}

/// What the register knows of an officer.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Officer {
    /// In which capacities.
    pub roles: Vec<Role>,
    /// The event that enrolled the officer last.
    pub version: Version,
    /// The event that retired the officer.
    pub retired: Option<Version>,
}

impl Officer {
    /// The event that changed what is known of the officer last.
    #[must_use]
    pub fn changed(&self) -> Version {
        self.retired.unwrap_or(self.version)
    }
}

/// What the register knows. It holds no words, not even sealed ones.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct State {
    /// The key under which its personal fields are sealed; absent before the first event, and in
    /// every case.
    pub key: Option<KeyId>,
    /// The links between persons.
    pub links: Vec<PersonLink>,
    /// The merges, also those that were reversed.
    pub merges: Vec<Merge>,
    /// The guidance that was published.
    pub guidance: Vec<Published>,
    /// The officers.
    pub officers: BTreeMap<ActorId, Officer>,
}

impl State {
    /// Whether this is no register: a case.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.key.is_none()
    }

    /// Only what was recorded behind the one version and up to the other, each entry by the event that
    /// changed it last: a part of the register, such as a page. So a merge that was reversed, and guidance
    /// or an officer that was retired, is in the part of that event.
    #[must_use]
    pub fn between(&self, after: Version, until: Version) -> Self {
        let within = |version: Version| version > after && version <= until;
        let officers = self.officers.iter().filter(|(_, one)| within(one.changed()));
        Self {
            key: self.key,
            links: self.links.iter().filter(|one| within(one.version)).cloned().collect(),
            merges: self.merges.iter().filter(|one| within(one.changed())).cloned().collect(),
            guidance: self.guidance.iter().filter(|one| within(one.changed())).cloned().collect(),
            officers: officers.map(|(id, one)| (id.clone(), one.clone())).collect(),
        }
    }

    /// Takes in the part that follows; what stands in both is as the later part says. All stand in the
    /// order in which they were recorded first, so that the parts come to the whole.
    pub fn join(&mut self, part: Self) {
        self.key = self.key.or(part.key);
        join(&mut self.links, part.links, |link| link.version);
        join(&mut self.merges, part.merges, |merge| merge.version);
        join(&mut self.guidance, part.guidance, |published| published.version);
        self.officers.extend(part.officers);
    }

    fn applied(&self, guidance: &GuidanceId) -> Option<&Published> {
        let now = |known: &&Published| known.guidance == *guidance && known.retired_from.is_none();
        self.guidance.iter().find(now)
    }
}

fn join<T>(known: &mut Vec<T>, later: Vec<T>, version: impl Fn(&T) -> Version) {
    let all = known.drain(..).chain(later).map(|one| (version(&one), one));
    // Of two of the same version the later one stays.
    let all: BTreeMap<Version, T> = all.collect();
    known.extend(all.into_values());
}

/// Decides a command of the register.
pub(crate) fn decide(
    case: &Case,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    Ok(match command {
        Command::LinkPersons(link) => {
            persons::link(case, link)?;
            Event::PersonsLinked(link.clone())
        }
        Command::MergePersons(merge) => {
            persons::merge(case, merge, context)?;
            Event::PersonsMerged(merge.clone())
        }
        Command::ReverseMerge(reversed) => {
            persons::reverse(case, reversed)?;
            Event::MergeReversed(reversed.clone())
        }
        Command::PublishGuidance(published) => {
            publish(case, published, context)?;
            Event::GuidancePublished(published.clone())
        }
        Command::RetireGuidance(retired) => {
            need(
                case.register.applied(&retired.guidance),
                Code::NoGuidance,
                "this guidance was not published, or was retired already",
            )?;
            Event::GuidanceRetired(retired.clone())
        }
        Command::EnrolOfficer(enrolled) => {
            if enrolled.roles.is_empty() {
                return refuse(Code::OfficerUnfit, "an officer acts in at least one capacity");
            }
            Event::OfficerEnrolled(enrolled.clone())
        }
        Command::RetireOfficer(retired) => {
            let officer = case.register.officers.get(&retired.officer);
            need(
                officer.filter(|officer| officer.retired.is_none()),
                Code::OfficerUnfit,
                "no such officer is enrolled",
            )?;
            Event::OfficerRetired(retired.clone())
        }
    })
}

fn publish(
    case: &Case,
    published: &PublishGuidance,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if context.law.profile_of(&published.guidance) != Some(published.profile.as_str()) {
        return refuse(
            Code::NoGuidance,
            "this node has no such guidance of this profile; `tebessa guidance list` shows the hashes",
        );
    }
    if let Some(known) = case.register.applied(&published.guidance) {
        return refuse(
            Code::GuidancePublished,
            format!("it was published at version {}", known.version),
        );
    }
    Ok(())
}

/// Applies an event of the register.
pub(crate) fn evolve(case: &mut Case, event: &Event, stamp: &Stamp<'_>) {
    let (state, version) = (&mut case.register, stamp.version);
    state.key.get_or_insert(event.key());
    match event {
        Event::PersonsLinked(one) => state.links.push(PersonLink {
            one: one.one,
            other: one.other,
            result: one.result,
            version,
        }),
        Event::PersonsMerged(one) => state.merges.push(Merge {
            merge: one.merge,
            from: one.from,
            into: one.into,
            version,
            reversed: None,
        }),
        Event::MergeReversed(one) => {
            if let Some(merge) = state.merges.iter_mut().find(|merge| merge.merge == one.merge) {
                merge.reversed = Some(version);
            }
        }
        Event::GuidancePublished(one) => state.guidance.push(Published {
            guidance: one.guidance.clone(),
            profile: one.profile.clone(),
            effective_from: one.effective_from.clone(),
            retired_from: None,
            version,
            retired: None,
        }),
        Event::GuidanceRetired(one) => {
            let applied = state.guidance.iter_mut().rev().find(|g| g.guidance == one.guidance);
            if let Some(published) = applied {
                published.retired_from = Some(one.retired_from.clone());
                published.retired = Some(version);
            }
        }
        Event::OfficerEnrolled(one) => {
            let officer = Officer { roles: one.roles.clone(), version, retired: None };
            state.officers.insert(one.officer.clone(), officer);
        }
        Event::OfficerRetired(one) => {
            if let Some(officer) = state.officers.get_mut(&one.officer) {
                officer.retired = Some(version);
            }
        }
    }
}

impl Event {
    /// The key of the event's sealed field: every event has one.
    fn key(&self) -> KeyId {
        match self {
            Self::PersonsLinked(one) => one.reason.sealed().key,
            Self::PersonsMerged(one) => one.reason.sealed().key,
            Self::MergeReversed(one) => one.reason.sealed().key,
            Self::GuidancePublished(one) => one.reason.sealed().key,
            Self::GuidanceRetired(one) => one.reason.sealed().key,
            Self::OfficerEnrolled(one) => one.name.sealed().key,
            Self::OfficerRetired(one) => one.reason.sealed().key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PersonId;

    #[test]
    fn the_id_of_a_register_follows_from_the_authority_and_never_changes() {
        assert_eq!(id_of("demo"), id_of("demo"));
        assert_ne!(id_of("demo"), id_of("demo2"));
        assert_eq!(id_of("demo").0.get_version_num(), 8);
    }

    /// Merges of the versions 1 to 40, of which 41 reverses that of 10.
    fn reversed() -> State {
        let merge = |version| Merge {
            merge: crate::MergeId(uuid::Uuid::from_u128(version)),
            from: PersonId(uuid::Uuid::from_u128(100 + version)),
            into: PersonId(uuid::Uuid::from_u128(200 + version)),
            version: Version(u64::try_from(version).unwrap()),
            reversed: (version == 10).then_some(Version(41)),
        };
        let retired =
            Officer { roles: Vec::new(), version: Version(42), retired: Some(Version(43)) };
        State {
            merges: (1..=40).map(merge).collect(),
            officers: BTreeMap::from([("officer-1".parse().unwrap(), retired)]),
            ..State::default()
        }
    }

    #[test]
    fn who_has_read_to_a_version_hears_of_what_was_reversed_or_retired_behind_it() {
        let news = reversed().between(Version(40), Version(41));
        let [merge] = news.merges.as_slice() else { panic!("{news:?}") };
        assert_eq!((merge.version, merge.reversed), (Version(10), Some(Version(41))));
        assert!(news.officers.is_empty());
        assert_eq!(reversed().between(Version(42), Version(43)).officers.len(), 1);
    }

    #[test]
    fn the_parts_of_a_register_hold_each_entry_once_and_come_to_the_whole() {
        for step in [1, 7, 20, 43] {
            let (mut whole, mut entries) = (State::default(), 0);
            for after in (0..43).step_by(step) {
                let until = Version(after + u64::try_from(step).unwrap());
                let part = reversed().between(Version(after), until);
                entries += part.merges.len() + part.officers.len();
                whole.join(part);
            }
            assert_eq!((whole, entries), (reversed(), 41), "{step} at once");
        }
        // What changed between two pages comes again, and is as the later one says.
        let mut read = State { merges: reversed().merges, ..State::default() };
        for merge in &mut read.merges {
            merge.reversed = None;
        }
        read.join(reversed().between(Version(40), Version(43)));
        assert_eq!(read, reversed());
    }
}
