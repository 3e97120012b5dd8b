//! What intake knows of a case. It holds no words, not even sealed ones.

use std::collections::{BTreeMap, BTreeSet};

use guidance::Sought;

use super::Transfer;
use crate::token::{ActorId, Criterion, ProfileName, Reference};
use crate::vocabulary::{
    Act, Barrier, ConsentScope, FamilyRelation, IdentityFinding, NeedKind, ReferenceHolder,
    RepresentationScope, Safeguard,
};
use crate::{CaseId, KeyId, PersonId, Version, WorldDate, gist};

/// What a case knows of its registration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Registration {
    /// The profile of guidance.
    pub profile: ProfileName,
    /// What is sought.
    #[schemars(schema_with = "crate::schema::sought")]
    pub sought: Sought,
    /// The key of the claimant, under which the case's personal fields are sealed.
    pub key: KeyId,
    /// When it was registered, in the world.
    pub registered: WorldDate,
}

/// The making of a claim.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Made {
    /// The event.
    pub version: Version,
    /// When, in the world.
    pub made: WorldDate,
    /// The key of the claimant.
    pub key: KeyId,
}

/// The lodging of a claim.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Lodged {
    /// The event.
    pub version: Version,
    /// When, in the world.
    pub lodged: WorldDate,
    /// In which way service was refused.
    pub act: Act,
    /// What the claimant asserts.
    pub categories_asserted: Vec<Criterion>,
}

/// A representation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Representation {
    /// How far it reaches.
    pub scope: RepresentationScope,
    /// The event that began it.
    pub version: Version,
    /// The event that ended it.
    pub ended: Option<Version>,
}

/// A consent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Consent {
    /// The event by which it was given last.
    pub given: Version,
    /// The event by which it was withdrawn since.
    pub withdrawn: Option<Version>,
}

/// A barrier.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct BarrierMet {
    /// Which.
    pub barrier: Barrier,
    /// When.
    pub met: WorldDate,
    /// The event.
    pub version: Version,
}

/// A member of the family with a claim of their own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FamilyMember {
    /// How the member stands to the claimant.
    pub relation: FamilyRelation,
    /// The member's own claim.
    pub own_claim: CaseId,
    /// The event.
    pub version: Version,
}

/// A number under which another body keeps the case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ExternalReference {
    /// Who keeps it.
    pub holder: ReferenceHolder,
    /// The number.
    pub reference: Reference,
    /// The event.
    pub version: Version,
}

/// What intake knows of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct State {
    /// The making of the claim, where it was recorded before the registration.
    pub made: Option<Made>,
    /// The registration.
    pub registration: Option<Registration>,
    /// The lodging.
    pub lodged: Option<Lodged>,
    /// The event that asserted the identity last.
    pub identity: Option<Version>,
    /// What the authority holds of the identity.
    pub identity_finding: Option<IdentityFinding>,
    /// The person of the authority's register.
    pub person: Option<PersonId>,
    /// The representatives.
    pub representatives: BTreeMap<ActorId, Representation>,
    /// The consents by scope.
    pub consents: BTreeMap<ConsentScope, Consent>,
    /// The needs, with the safeguards that were applied.
    pub needs: BTreeMap<NeedKind, BTreeSet<Safeguard>>,
    /// The barriers.
    pub barriers: Vec<BarrierMet>,
    /// The family.
    pub family: Vec<FamilyMember>,
    /// The numbers of other bodies.
    pub references: Vec<ExternalReference>,
    /// The transfers.
    pub transfers: Vec<Transfer>,
    /// The event by which the claim was withdrawn.
    pub withdrawn: Option<Version>,
}

impl State {
    /// The key of the claimant, from the first event on.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        let registered = self.registration.as_ref().map(|registration| registration.key);
        registered.or_else(|| self.made.as_ref().map(|made| made.key))
    }

    /// When the claim was made; where that was not recorded, when it was registered.
    pub(crate) fn begun(&self) -> Option<&WorldDate> {
        let made = self.made.as_ref().map(|made| &made.made);
        made.or_else(|| self.registration.as_ref().map(|one| &one.registered))
    }

    /// What was asserted of the identity and what is held of it, such as `asserted by version 2, held:
    /// contradicted`.
    #[must_use]
    pub fn identity_in_words(&self) -> Option<String> {
        let asserted = self.identity.map(|version| format!("asserted by version {version}"));
        let held =
            self.identity_finding.map(|found| format!("held: {}", gist::words(found.as_str())));
        let parts: Vec<String> = asserted.into_iter().chain(held).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Whether the claim was made and not registered yet.
    #[must_use]
    pub const fn waits_for_registration(&self) -> bool {
        self.made.is_some() && self.registration.is_none()
    }

    /// Whether the claimant is a child without a guardian.
    #[must_use]
    pub fn unaccompanied_child(&self) -> bool {
        self.needs.contains_key(&NeedKind::UnaccompaniedChild)
    }

    /// Whether the claimant consents to something now.
    #[must_use]
    pub fn consents(&self, scope: ConsentScope) -> bool {
        self.consents.get(&scope).is_some_and(|consent| consent.withdrawn.is_none())
    }
}
